"""A table of rows by id. Ids count up from 1 and are never used twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from api_simulators.activecampaign.indexes import SortedKeys


class Identified(Protocol):
    """Anything with a number."""

    id: int


R = TypeVar("R", bound=Identified)


class Table(Generic[R]):
    """Rows by id, readable in the order of their ids."""

    def __init__(self) -> None:
        self.rows: dict[int, R] = {}
        self._ids: SortedKeys[int] = SortedKeys()
        self._last = 0

    def next_id(self, wanted: int | None = None) -> int:
        """Return an id never given before; `wanted` if that is still possible."""
        number = wanted if wanted is not None and wanted not in self.rows else self._last + 1
        self._last = max(self._last, number)
        return number

    def add(self, row: R) -> R:
        """Add a row under the id it carries."""
        self.rows[row.id] = row
        self._ids.add(row.id)
        return row

    def remove(self, number: int) -> R:
        """Remove a row that is there."""
        self._ids.remove(number)
        return self.rows.pop(number)

    def find(self, number: object) -> R | None:
        """Return the row with this id, given as a number or as text."""
        if isinstance(number, str):
            if not number.isascii() or not number.isdigit():
                return None
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            return None
        return self.rows.get(number)

    def ids(self) -> Sequence[int]:
        """Return all ids ascending."""
        return self._ids.keys()

    def __iter__(self) -> Iterator[R]:
        return (self.rows[number] for number in self.ids())

    def __len__(self) -> int:
        return len(self.rows)
