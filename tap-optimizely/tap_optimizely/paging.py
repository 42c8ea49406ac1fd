"""Reads a listing page by page so that a listing that moves meanwhile loses no row. Pure.

Pages overlap by one row: the next page has to begin with the last row of the one before. Where it
does not, rows were taken out in front (a file was written anew, an entry removed) and others moved
into places already read; then the listing is read again from its start. Callers leave out what they
had already. The end is an overlap with nothing behind it, so it does not matter how many rows the
server gives at most.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

Row = TypeVar("Row")
Fetch = Callable[[int, int], list[Row]]
ROUNDS = 5


class Restless(Exception):
    """The listing moved during every one of the rounds."""


def all_rows(fetch: Fetch[Row], size: int) -> Iterator[Row]:
    """Yield the rows of `fetch(start, count)`; rows read before a new start come again.

    Raises:
        Restless: it moved in each of `ROUNDS` rounds.
    """
    for _ in range(ROUNDS):
        if (yield from _one_round(fetch, size)):
            return
    raise Restless


def _one_round(fetch: Fetch[Row], size: int) -> Generator[Row, None, bool]:
    rows = fetch(0, size)
    start = 0
    while rows:
        yield from (rows if start == 0 else rows[1:])
        start += len(rows) - 1
        last = rows[-1]
        rows = fetch(start, size)
        if not rows or rows[0] != last:
            return False
        if len(rows) == 1:
            return True
    return True
