"""The run's index of what exists: who is the newest of all that were read."""

from __future__ import annotations

import sqlite3

from target_kit.index import DestinationIndex, Entry


def test_the_newest_is_the_highest_number_and_not_the_last_text() -> None:
    """Ids are text there, and those that a rehearsal gives are no numbers."""
    index = DestinationIndex(sqlite3.connect(":memory:", isolation_level=None))
    assert index.highest_number() == 0
    index.put(Entry(one, "", None, b"") for one in ("9", "10", "new-77"))
    assert index.highest_number() == 10
