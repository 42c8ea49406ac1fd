"""The list as it is now: read before anything irreversible, and again when counts disagree.

Read in pages so that memory stays flat. Whether pages begin at 0 or 1 and how large they may be is
not documented (getAllAdvanced), so pages overlap by a row and the result is compared with getCount;
where that fails, getAll reads the list in one answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from optimizely_soap.faults import SoapFault
from target_kit.errors import VendorUnavailable

from target_optimizely.client import Campaign
from target_optimizely.stored_rows import StoredRecipient, StoredRows

PAGE_SIZE = 1000
Values = tuple[str | None, ...]


class IncompleteSnapshot(VendorUnavailable):
    """What the list holds could not be read: nothing may be cleared."""


class ListReader:
    """Reads one list; `id_attribute` and `email_attribute` are among the names asked for."""

    def __init__(
        self, campaign: Campaign, list_id: int, id_attribute: str, email_attribute: str
    ) -> None:
        self._campaign = campaign
        self._list_id = list_id
        self._id = id_attribute
        self._email = email_attribute

    def ids(self) -> set[str]:
        """The recipient ids now in the list."""
        return {key for page in self.pages([self._id]) for key, _, _ in page}

    def save(self, stored: StoredRows, names: Sequence[str]) -> int:
        """Write the whole list into the journal; returns its size.

        Raises `IncompleteSnapshot` when the vendor's answers don't add up to its own count.
        """
        stored.replace(self.pages(names))
        size, count = stored.total(), self._campaign.count(self._list_id)
        if size == count:
            return size
        stored.replace([self._whole(names)])
        size, count = stored.total(), self._campaign.count(self._list_id)
        if size != count:
            raise IncompleteSnapshot(
                f"list {self._list_id}: the vendor counts {count} recipients but shows {size}; "
                "without a snapshot the list is not touched"
            )
        return size

    def pages(self, names: Sequence[str]) -> Iterator[list[StoredRecipient]]:
        """The list in pages; rows may repeat where pages overlap by more than one."""
        before: set[str] = set()
        start = 0
        while True:
            rows = self._page(names, start)
            page = list(self._recipients(names, rows))
            new = [one for one in page if one[0] not in before]
            if not new:
                return
            yield new
            before = {one[0] for one in page}
            start += max(1, len(rows) - 1)

    def _page(self, names: Sequence[str], start: int) -> Sequence[Sequence[str | None]]:
        try:
            return self._campaign.get_all_advanced(self._list_id, names, self._id, start, PAGE_SIZE)
        except SoapFault:
            return []  # a page beyond the end may be a fault: the count tells

    def _whole(self, names: Sequence[str]) -> list[StoredRecipient]:
        rows = self._campaign.get_all(self._list_id, names)
        return list({one[0]: one for one in self._recipients(names, rows)}.values())

    def _recipients(
        self, names: Sequence[str], rows: Sequence[Sequence[str | None]]
    ) -> Iterator[StoredRecipient]:
        key = names.index(self._id)
        email = names.index(self._email) if self._email in names else key
        for row in rows:
            if len(row) != len(names):
                raise IncompleteSnapshot(
                    f"list {self._list_id}: the vendor shows rows of another width than asked for"
                )
            yield row[key] or "", row[email] or row[key] or "", tuple(row)
