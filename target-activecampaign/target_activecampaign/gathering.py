"""The intended set of one stream: every record mapped, and what only the whole set can tell.

A row that takes no further part is rejected here, durable first and counted then.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import msgspec
from target_kit.clock import Clock
from target_kit.errors import RowError
from target_kit.intended import IntendedSet, Row
from target_kit.outcome import OPEN, Outcome, Result, Step, Tally
from target_kit.rejects import RejectStore
from target_kit.signals import StopSignal
from target_kit.spool import Spool, SpooledRecord

from target_activecampaign import mapping
from target_activecampaign.deletion import row_version
from target_activecampaign.execute import rejected
from target_activecampaign.lists import Lists
from target_activecampaign.model import Contact, KeyType
from target_activecampaign.settings import ContactStream
from target_activecampaign.withdrawn import Withdrawn

BATCH = 500  # rows at a time, also between two looks at STATE; bounds memory

_decode_record = msgspec.json.Decoder(dict[str, Any]).decode
_encode_contact = msgspec.msgpack.Encoder().encode
decode_contact = msgspec.msgpack.Decoder(Contact).decode

_contradiction = RowError(
    "contradicting_rows",
    "several rows of this run want different things for this key; set version_column to order them",
)
_shared_address = RowError(
    "address_shared", "several persons of this run share this address", field="email"
)


@dataclass
class Gathering:
    """Fills the set of one stream and settles its rows; `lists` and `withdrawn` hear what rows say
    of consent that are not processed themselves.
    """

    stream: ContactStream
    key_type: KeyType
    spool: Spool
    intended: IntendedSet
    rejects: RejectStore
    tally: Tally
    clock: Clock
    stop: StopSignal
    lists: Lists | None = None
    withdrawn: Withdrawn | None = None
    any_deleted: bool = False
    _unmapped: set[str] = field(default_factory=set)
    _set_aside: set[str] = field(default_factory=set)

    def materialise(self) -> None:
        """Map every spooled record and every open reject into the intended set (S0-6, S0-59)."""
        reoffers = self.rejects.records()
        self._add_rows(after=0, reoffered=False)
        boundary = self.spool.last_seq()
        for reject in reoffers:
            if reject.identity not in self._unmapped and reject.record is not None:
                self.spool.append_record(self.stream.name, 0, msgspec.json.encode(reject.record))
        self._add_rows(after=boundary, reoffered=True)
        self.intended.seal()

    def settle_duplicates(self) -> None:
        """Outcomes that only the whole set can tell (S0-3, S0-8, S0-9)."""
        self.tally.reoffered -= len(self.intended.take_superseded())
        for _ in self.intended.take_repeated():
            self.tally.add(Result(Outcome.UNCHANGED, Step.CHECK, "repeated_row"))
        for _ in self.intended.take_outdated():
            self.tally.add(Result(Outcome.SUPPRESSED, Step.CHECK, "older_version"))
        if self.lists:
            for row in self.intended.sharing_address():
                self.lists.hear(decode_contact(row.body))
        for row in self.intended.take_contradicting():
            self.put_aside(row, _contradiction)
        for row in self.intended.take_sharing_address(rule=self.stream.on_duplicate_email):
            self.put_aside(row, _shared_address)

    def put_aside(self, row: Row, why: RowError) -> None:
        """Reject a row before its turn; only what it withdraws is still heard."""
        if row.address_key:
            self._set_aside.add(row.address_key)
        if self.withdrawn:
            self.withdrawn.put_aside(decode_contact(row.body))
        self.settle(row, rejected(why, Step.CHECK))

    def settle(self, row: Row, result: Result) -> None:
        """Record one outcome: durable first, counted then (the budget may end the run)."""
        if result.outcome in OPEN:
            self._reject(row.seq, row.identity, result)
        else:
            self.rejects.closed(row.identity)
        self.intended.settle([row.seq])
        self.tally.add(result)

    def wants_address(self, address_key: str) -> bool:
        """Whether a living person of this run wants this address."""
        return address_key in self._set_aside or self.intended.wants_address(address_key)

    def _add_rows(self, *, after: int, reoffered: bool) -> None:
        while batch := self.spool.records(self.stream.name, after=after, limit=BATCH):
            self.stop.check()
            after = batch[-1].seq
            rows = [row for record in batch if (row := self._row(record, reoffered=reoffered))]
            self.intended.add(rows)

    def _row(self, spooled: SpooledRecord, *, reoffered: bool) -> Row | None:
        self.tally.reoffered += reoffered
        record = _decode_record(spooled.body)
        try:
            contact = self._contact(spooled, record)
        except RowError as error:
            name = mapping.rejected_identity(record, self.stream, self.key_type)
            self._unmapped.add(name)
            if self.withdrawn and not reoffered:
                self.withdrawn.put_aside(mapping.consent_only(record, self.stream, self.key_type))
            self._reject(spooled.seq, name, rejected(error, Step.CHECK))
            self.tally.add(rejected(error, Step.CHECK))
            return None
        self.any_deleted = self.any_deleted or contact.deleted
        body = _encode_contact(contact)
        return Row(
            seq=spooled.seq,
            line=spooled.line,
            identity=contact.identity,
            keyed=contact.key is not None,
            address_key=contact.email.key if contact.email and not contact.deleted else None,
            digest=hashlib.blake2b(body, digest_size=16).digest(),
            version=row_version(record, self.stream.version_column, self.stream.deletes),
            reoffered=reoffered,
            body=body,
        )

    def _reject(self, seq: int, name: str, result: Result) -> None:
        spooled = self.spool.records(self.stream.name, after=seq - 1, limit=1)[0]
        record = _decode_record(spooled.body)
        key = str(record.get(self.stream.key)) if self.stream.key else None
        self.rejects.add(name, key, record, result, self.clock.now().isoformat(timespec="seconds"))

    def _contact(self, spooled: SpooledRecord, record: dict[str, Any]) -> Contact:
        if spooled.fault:
            raise RowError("schema", f"does not match its SCHEMA: {spooled.fault}")
        return mapping.to_contact(record, self.stream, self.key_type)
