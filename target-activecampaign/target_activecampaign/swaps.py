"""Addresses handed round in a ring: nobody can begin, so one contact steps aside (S2-28)."""

from __future__ import annotations

from target_kit.address_change import cycles
from target_kit.errors import CallFailed, CallRefused, OutcomeUnknown, RowError
from target_kit.outcome import OPEN

from target_activecampaign.deciding import Deciding
from target_activecampaign.execute import Executor, LookAgain
from target_activecampaign.model import Contact


class Swaps:
    """Contacts of one pass that wait for an address which another contact has."""

    def __init__(self, deciding: Deciding, executor: Executor) -> None:
        self._deciding = deciding
        self._executor = executor
        self._waiting: dict[str, tuple[str, Contact]] = {}
        self._rings: set[str] = set()

    def begin(self) -> None:
        """A new pass over the rows."""
        self._waiting.clear()

    def wait(self, contact: Contact, contact_id: str, holder_id: str) -> None:
        """Note that a row waits for the address of `holder_id`."""
        self._waiting[contact_id] = holder_id, contact

    def in_ring(self, contact: Contact) -> bool:
        """Whether this row was part of a ring."""
        return contact.identity in self._rings

    def untangle(self) -> bool:
        """Let one contact of each ring step aside; True when any did, so that another pass helps.

        Whoever steps aside is first unsubscribed where the new address has no proof. One that the
        vendor does not let go leaves its ring to be named, row by row.
        """
        moved = False
        rings = cycles({one: holder for one, (holder, _) in self._waiting.items()})
        for ring in list(rings):
            self._rings.update(self._waiting[one][1].identity for one in ring)
            contact = self._waiting[ring[0]][1]
            try:
                change = self._deciding.step_aside(contact, ring[0])
                result = self._executor.apply(contact, change, "cfd")
            except LookAgain:
                moved = True  # the world changed: the next pass decides anew
            except (RowError, CallRefused, CallFailed, OutcomeUnknown):
                continue  # its own turn says so
            else:
                moved = moved or result.outcome not in OPEN
        return moved
