"""Sorted and inverted indexes, so that a page costs O(page) at 100,000 contacts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

Key = TypeVar("Key", int, "tuple[str, int]")
FEW = 64


class SortedKeys(Generic[Key]):
    """A sorted sequence that takes many additions cheaply and sorts when it is read."""

    def __init__(self) -> None:
        self._sorted: list[Key] = []
        self._pending: list[Key] = []

    def add(self, key: Key) -> None:
        """Add a key that is not in the sequence."""
        if self._pending or (self._sorted and key < self._sorted[-1]):
            self._pending.append(key)
        else:
            self._sorted.append(key)

    def remove(self, key: Key) -> None:
        """Remove a key that is in the sequence."""
        keys = self.keys()
        position = bisect_left(keys, key)
        del self._sorted[position]

    def keys(self) -> Sequence[Key]:
        """Return the sorted keys; not to be changed by the caller."""
        if self._pending:
            if len(self._pending) < FEW:
                for key in self._pending:
                    insort(self._sorted, key)
            else:
                self._sorted.extend(self._pending)
                self._sorted.sort()
            self._pending.clear()
        return self._sorted

    def __len__(self) -> int:
        return len(self._sorted) + len(self._pending)


class Inverted:
    """From a text to the ids that carry it; one id is kept bare, several as a set."""

    def __init__(self) -> None:
        self._ids: dict[str, int | set[int]] = {}

    def add(self, text: str, number: int) -> None:
        """Note that `number` carries `text`."""
        held = self._ids.get(text)
        if held is None:
            self._ids[text] = number
        elif isinstance(held, set):
            held.add(number)
        elif held != number:
            self._ids[text] = {held, number}

    def remove(self, text: str, number: int) -> None:
        """Forget that `number` carries `text`."""
        held = self._ids.get(text)
        if isinstance(held, set):
            held.discard(number)
            if not held:
                del self._ids[text]
        elif held == number:
            del self._ids[text]

    def ids(self, text: str) -> list[int]:
        """Return the ids that carry exactly `text`, ascending."""
        held = self._ids.get(text)
        if held is None:
            return []
        return sorted(held) if isinstance(held, set) else [held]

    def texts(self) -> Iterator[str]:
        """Return every text that is carried by something."""
        return iter(self._ids)


def between(ids: Sequence[int], greater: int | None, less: int | None) -> tuple[int, int]:
    """Return the positions of the ids above `greater` and below `less` in sorted `ids`."""
    start = 0 if greater is None else bisect_right(ids, greater)
    stop = len(ids) if less is None else bisect_left(ids, less)
    return start, max(start, stop)
