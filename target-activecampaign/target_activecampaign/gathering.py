"""The intended set of one stream of contacts, and what its rows say of consent and deletions even
where they take no further part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from target_kit.errors import RowError
from target_kit.intended import Row
from target_kit.outcome import Outcome, Result, Step
from target_kit.suppression import Suppressions

from target_activecampaign import mapping
from target_activecampaign.collecting import Collecting, Mapped
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.deletion import is_deleted, row_version
from target_activecampaign.lists import Lists
from target_activecampaign.memory import Memory
from target_activecampaign.model import Contact
from target_activecampaign.origins import is_person_account
from target_activecampaign.provenance import PERSON_ACCOUNT_THERE
from target_activecampaign.withdrawn import Withdrawn

encode_contact = msgspec.msgpack.Encoder().encode
decode_contact = msgspec.msgpack.Decoder(Contact).decode

_shared_address = RowError(
    "address_shared", "several persons of this run share this address", field="email"
)


@dataclass
class Gathering(Collecting[ContactStream]):
    """Fills the set of one stream and settles its rows; `lists` and `withdrawn` hear what rows say
    of consent that are not processed themselves.
    """

    memory: Memory
    lists: Lists | None = None
    withdrawn: Withdrawn | None = None
    suppressions: Suppressions | None = None
    any_deleted: bool = False
    _set_aside: set[str] = field(default_factory=set)

    def adopt(self, other: Gathering) -> None:
        """Begin with the set of another one, and with what it has heard."""
        self.intended.fill(other.intended)
        self.any_deleted = other.any_deleted
        self._set_aside = set(other._set_aside)
        if self.lists and other.lists:
            self.lists.adopt(other.lists)
        if self.withdrawn and other.withdrawn:
            self.withdrawn.aside = list(other.withdrawn.aside)

    @property
    def sharing(self) -> tuple[str, RowError]:
        """See Collecting."""
        return self.stream.on_duplicate_email, _shared_address

    def mapped(self, record: dict[str, Any]) -> Mapped:
        """See Collecting."""
        contact = mapping.to_contact(record, self.stream, self.key_type)
        self.any_deleted = self.any_deleted or contact.deleted
        return Mapped(
            identity=contact.identity,
            keyed=contact.key is not None,
            address_key=contact.email.key if contact.email and not contact.deleted else None,
            version=row_version(record, self.stream.version_column, self.stream.deletes),
            body=encode_contact(contact),
        )

    def identity_of(self, record: dict[str, Any]) -> str:
        """See Collecting."""
        return mapping.rejected_identity(record, self.stream, self.key_type)

    def is_forgotten(self, record: dict[str, Any]) -> bool:
        """Whether an operator had this person erased here; that they were deleted in the source is
        still carried out.
        """
        if self.suppressions is None or (is_deleted(record) and self.stream.deletes.acts):
            return False
        return self.suppressions.covers(*mapping.names_of(record, self.stream, self.key_type))

    def not_mapped(self, record: dict[str, Any]) -> None:
        """A withdrawal is heard even from a row that can't be mapped."""
        if self.withdrawn:
            self.withdrawn.put_aside(mapping.consent_only(record, self.stream, self.key_type))

    def before_parting(self) -> None:
        """What others say of an address is joined; who shares one with a person account yields."""
        if self.lists:
            for row in self.intended.sharing_address():
                self.lists.hear(decode_contact(row.body))
        for row in self._yielding() if self.stream.goes_first else ():
            self._hear(row)
            self.settle(row, Result(Outcome.SUPPRESSED, Step.CHECK, PERSON_ACCOUNT_THERE))

    def _yielding(self) -> list[Row]:
        """Rows of contacts and leads whose address a person account of this stream has (S4-26)."""
        kinds = [
            (row, is_person_account(decode_contact(row.body).origin))
            for row in self.intended.sharing_address()
        ]
        taken = {row.address_key for row, is_person in kinds if is_person}
        return [row for row, is_person in kinds if not is_person and row.address_key in taken]

    def put_aside(self, row: Row, why: RowError) -> None:
        """Reject a row before its turn; only what it withdraws is still heard."""
        self._hear(row)
        super().put_aside(row, why)

    def _hear(self, row: Row) -> None:
        if row.address_key:
            self._set_aside.add(row.address_key)
        if self.withdrawn:
            self.withdrawn.put_aside(decode_contact(row.body))

    def settle(self, row: Row, result: Result) -> None:
        """As any row; what is left to people goes to the worklist."""
        self.memory.note(row.identity, result)
        super().settle(row, result)

    def outdated(self, row: Row) -> None:
        """An address that the source had for a while belongs to the history (S2-26)."""
        if row.address_key:
            self.memory.passed_over(row.identity, row.address_key)

    def wants_address(self, address_key: str) -> bool:
        """Whether a living person of this run wants this address."""
        return address_key in self._set_aside or self.intended.wants_address(address_key)
