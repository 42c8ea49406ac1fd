"""Reading only what changed since the last run, with the ledger for the rest.

A row is left out when it wants what it wanted when the destination last agreed, and its contact has
not changed there since. Whatever is written is read live before. What the vendor does not tell as a
change, such as a deletion, is seen by the next full read, after `full_read_days` at the latest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from target_kit.clock import Clock
from target_kit.index import DestinationIndex
from target_kit.intended import Row

from target_activecampaign.look import Look
from target_activecampaign.memory import Memory
from target_activecampaign.model import Contact
from target_activecampaign.planning import Reads

#: A filter whose zone is not documented may be off by 14 hours; changes show up late, too.
_OVERLAP = timedelta(hours=26)
_READ_THROUGH, _FULL_READ, _MAPPING = "read_through", "full_read_at", "mapping"


def digest_of(mapping: Sequence[Any]) -> str:
    """The same for the same settings in every process: sets are in no order of their own."""
    return hashlib.sha256(msgspec.json.encode(mapping, order="deterministic")).hexdigest()


class Incremental:
    """One stream's incremental reads. `mapping` is all that decides what a row makes of a contact:
    when it changes, every contact is compared anew (S4-10).
    """

    def __init__(
        self,
        memory: Memory,
        look: Look,
        index: DestinationIndex,
        clock: Clock,
        mapping: Sequence[Any],
        *,
        full_read_days: float,
    ) -> None:
        self._memory = memory
        self._look = look
        self._index = index
        self._clock = clock
        self._mapping = digest_of(mapping)
        self._full_read_days = full_read_days
        self._began = clock.now()
        self._full = False

    def read(self) -> Reads:
        """Read the changes, or everything when that is due; the reason is for the report."""
        since = self._moment(_READ_THROUGH)
        reason = self._why_full(since)
        if since is None or reason:
            self._full = True
            self._memory.doubt_all()
            self._look.crawl()
            return Reads("crawl", reason)
        number = self._look.read_changes(since - _OVERLAP, self._memory.doubt)
        return Reads("incremental", f"{number} contacts changed since {since:%Y-%m-%d %H:%M} UTC")

    def adopt(self, other: Incremental) -> None:
        """Rely on what another one has read."""
        self._full = other._full

    def agrees(self, row: Row, contact: Contact) -> bool:
        """Whether this row needs no look: nothing changed, neither here nor there. For the batch
        that the memory has recalled.
        """
        known = self._memory.contact_id(contact.identity)
        return (
            not self._full
            and known is not None
            and not contact.deleted
            and not contact.account_key  # an association is no change of the contact
            and self._memory.fingerprint(contact.identity) == row.digest
            and self._index.get(known) is None
        )

    def known_ids(self, contacts: Sequence[Contact]) -> list[str]:
        """Where the contacts of a batch were last: 100 of them can be read with one call."""
        ids = (self._memory.contact_id(contact.identity) for contact in contacts)
        return [one for one in ids if one and self._index.get(one) is None]

    def done(self) -> None:
        """Every row of the stream has its outcome: the next run may begin here."""
        self._memory.set_fact(_MAPPING, self._mapping)
        self._memory.set_fact(_READ_THROUGH, self._began.isoformat())
        if self._full:
            self._memory.set_fact(_FULL_READ, self._began.isoformat())

    def _why_full(self, since: datetime | None) -> str:
        last = self._moment(_FULL_READ)
        if since is None or last is None:
            return "everything, for the first time"
        if self._memory.fact(_MAPPING) != self._mapping:
            return "everything, because the settings changed"
        if self._began - last >= timedelta(days=self._full_read_days):
            return f"everything, {self._full_read_days:g} days after the last full read"
        return ""

    def _moment(self, name: str) -> datetime | None:
        noted = self._memory.fact(name)
        return datetime.fromisoformat(noted) if noted else None
