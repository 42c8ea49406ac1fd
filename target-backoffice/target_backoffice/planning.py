"""What a chunk of rows means for the table that is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from target_backoffice.model import Row, Write


def plan(rows: Sequence[Row], known: Mapping[str, str]) -> tuple[list[Write], list[Row]]:
    """Rows to write, and rows that the table has just so (S1-33).

    `known` maps row keys to content hashes. Each key comes at most once in `rows`.
    """
    writes = [Write(r, r.key not in known) for r in rows if known.get(r.key) != r.hash]
    unchanged = [row for row in rows if known.get(row.key) == row.hash]
    return writes, unchanged
