"""A batch that was refused as a whole, searched for the rows that it was refused for. Pure.

The vendor queues nothing of a batch with one bad row
(https://developers.activecampaign.com/reference/bulk-import-contacts) and may name the rows, from 0
or from 1: that is not documented. What it names goes apart from the rest, then halves are tried.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_TRIES = 40  # calls spent on one batch; beyond, single calls are cheaper


@dataclass
class _Group(Generic[T]):
    """`certain`: it holds a bad row, so it need not be tried as it is; `leads`: its sibling comes
    right behind it, and if this one is taken the bad row is there.
    """

    rows: Sequence[T]
    certain: bool = False
    leads: bool = False


class Bisection(Generic[T]):
    """Ask `next` for rows to try, and answer with `taken` or `refused`, until there are none.

    `left` are then the rows that were never taken: the bad ones, and after `most` tries whatever
    was not settled. One bad row of n takes 2 log2(n) + 2 tries at most.
    """

    def __init__(
        self, rows: Sequence[T], named: Collection[int] = (), *, most: int = MOST_TRIES
    ) -> None:
        self.left: list[T] = []
        self._tries_left = most
        self._trying: _Group[T] | None = None
        places = {place for number in named for place in (number, number - 1)}
        apart = [row for place, row in enumerate(rows) if place in places]
        rest = [row for place, row in enumerate(rows) if place not in places]
        if apart and rest:
            self._open = [_Group(apart), _Group(rest, leads=True)]
        else:
            self._open = [_Group(rows, certain=True)]

    def next(self) -> Sequence[T] | None:
        """The rows to try now; None when all are settled."""
        while self._open and self._tries_left:
            group = self._open.pop()
            if not group.certain:
                self._tries_left -= 1
                self._trying = group
                return group.rows
            if len(group.rows) == 1:
                self.left += group.rows
                continue
            half = len(group.rows) // 2
            self._open += [_Group(group.rows[half:]), _Group(group.rows[:half], leads=True)]
        for group in self._open:
            self.left += group.rows
        self._open = []
        return None

    def taken(self) -> None:
        """The rows last asked for were taken."""
        if self._trying and self._trying.leads:
            self._open[-1].certain = True

    def refused(self) -> None:
        """The rows last asked for were refused."""
        if self._trying:
            self._open.append(_Group(self._trying.rows, certain=True))
