"""Reading what imports have made, and who came to the account while nobody looked.

An import knows no ids. New contacts are found by being newer than the newest one before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from target_kit.errors import VendorUnavailable
from target_kit.index import DestinationIndex
from target_kit.intended import IntendedSet
from target_kit.signals import StopSignal

from target_activecampaign.bulk_queue import Done
from target_activecampaign.collecting import BATCH
from target_activecampaign.importing import Importing, ReadsBack
from target_activecampaign.permits import Permit

#: Waits for contacts that were created and that the lists do not show yet.
_LAG_SECONDS = (1.0, 2.0, 4.0, 8.0)


@dataclass
class BulkReading:
    """`by_point` says whether batches are looked up; `newest` is a contact's id: up to it nobody is
    unknown here, or will be once their row is looked up.
    """

    how: Importing
    reader: ReadsBack
    permit: Permit
    index: DestinationIndex
    intended: IntendedSet
    stop: StopSignal
    by_point: Callable[[], bool]
    newest: int = 0

    def begin(self) -> None:
        """Note who is the newest, as far as the account has been read: 1 call by point."""
        by_point = self.by_point()
        self.newest = self.how.imports.newest_id() if by_point else self.index.highest_number()

    def who_came(self) -> bool:
        """Read the contacts that are newer, and say whether there are any: 1 call for none.

        Raises VendorUnavailable where the list has no order.
        """
        came = self.reader.read_new(self.newest)
        self.newest = max((self.newest, *map(int, came)))
        return bool(came)

    def updated(self, sent: Collection[str | None], done: Done) -> None:
        """Read those that were imported, and whoever was created instead: a contact that lost its
        address in between is no contact of an import's.
        """
        ids = [contact_id for contact_id in sent if contact_id]
        self.by_ids([*ids, *done.created])

    def created(self, sent: Collection[int], done: Done) -> None:
        """Read all newer contacts. Where the lists do not show all of `sent` (rows by their seq)
        yet, wait a while; in the end the rest is read by the ids that the vendor told.
        """
        seen: set[str] = set()
        for seconds in (*_LAG_SECONDS, None):
            try:
                seen |= self.reader.read_new(self.newest)
            except VendorUnavailable:  # the list has no order: ids are what is left
                break
            if seconds is None or not done.whole or self._missing(sent) <= done.failures:
                break
            self.how.pause(seconds)
        self.by_ids([contact_id for contact_id in done.created if contact_id not in seen])
        for address in self._addresses(sent):
            for entry in self.index.by_address(address):
                self.permit.made(entry.id)

    def by_ids(self, ids: Sequence[str]) -> None:
        """Read these contacts: 1 call per 100."""
        for start in range(0, len(ids), BATCH):
            self.stop.check()
            self.reader.read_known(ids[start : start + BATCH])

    def _missing(self, sent: Collection[int]) -> int:
        """How many of the rows that were sent are at no contact that has been read."""
        return sum(not self.index.by_address(address) for address in self._addresses(sent))

    def _addresses(self, sent: Collection[int]) -> Iterator[str]:
        """The addresses that were sent."""
        for batch in self.intended.batches(BATCH):
            yield from (r.address_key for r in batch if r.address_key and r.seq in sent)
