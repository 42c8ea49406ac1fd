"""Who is who: technical id by key field first, address second; ambiguity is a reject, never a pick.

Pure: looks only at what `Existing` entries the corridor hands over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from target_kit.errors import RowError

from target_activecampaign.model import FORMER, Contact


class Found(Protocol):
    """What matching needs to know of a destination contact."""

    @property
    def id(self) -> str:
        """Technical id."""

    @property
    def key(self) -> str | None:
        """Canonical backoffice key; None for blank; starts with `?` when unreadable, with `former:`
        when the contact was given up for another.
        """


@dataclass(frozen=True, slots=True)
class Match:
    """`contact_id` None means new; `source` is cfd (key field), ctt (address) or new (S0-20)."""

    contact_id: str | None
    source: str


def resolve(
    contact: Contact,
    by_key: Sequence[Found],
    by_address: Sequence[Found],
    *,
    has_key_column: bool = True,
) -> Match:
    """Match one wanted contact against the entries with its key and those with its address.

    An address serves only contacts whose key field is blank (S0-18). A stream without any key
    column (`has_key_column` False) has nothing but addresses and matches every contact by them.

    Raises RowError: `ambiguous_key` (S0-24), `ambiguous_address`, `address_of_other_key` (S0-25),
    `key_field_unreadable` (S0-22), `address_of_former_contact`.
    """
    if contact.key is not None and by_key:
        if len(by_key) > 1:
            raise RowError(
                "ambiguous_key",
                f"{len(by_key)} contacts at ActiveCampaign carry this key; "
                "clear the key field of all but one",
            )
        return Match(by_key[0].id, "cfd")
    if not by_address:
        return Match(None, "new")
    if len(by_address) > 1:
        raise RowError(
            "ambiguous_address", f"{len(by_address)} contacts at ActiveCampaign have this address"
        )
    holder = by_address[0]
    was_theirs = contact.key is not None and holder.key == FORMER + contact.key
    if holder.key is None or was_theirs or not has_key_column:
        return Match(holder.id, "ctt")
    if holder.key.startswith("?"):
        raise RowError(
            "key_field_unreadable",
            "the contact with this address has a key field that is not a number; correct it there",
        )
    if holder.key.startswith(FORMER):
        raise RowError(
            "address_of_former_contact",
            "the contact with this address was given up when somebody else's address changed",
            field="email",
        )
    raise RowError(
        "address_of_other_key",
        "the contact with this address carries the key of somebody else; "
        "merge the two persons in the backoffice or correct one address",
        field="email",
    )
