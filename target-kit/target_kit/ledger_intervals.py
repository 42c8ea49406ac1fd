"""The history of addresses in the ledger: nobody has two open intervals at a time."""

from __future__ import annotations

from target_kit.ledger_entries import Interval, succeed
from target_kit.ledger_rows import Rows
from target_kit.ledger_schema import ADDRESSES


def put_intervals(rows: Rows, intervals: list[Interval]) -> None:
    """Begin new intervals, which end those that are open; ended ones are added as they stand."""
    begun = [interval for interval in intervals if interval.until is None]
    now = rows.of(Interval, ADDRESSES, [i.who for i in begun], ADDRESSES.c.until.is_(None))
    ended, opened = succeed({interval.who: interval for interval in now}, begun)
    rows.put(ADDRESSES, ended)  # first of all: nobody has two open intervals at a time
    rows.add(ADDRESSES, [interval for interval in intervals if interval.until is not None])
    rows.put(ADDRESSES, opened)
