"""The closed loop's export files: what a job wrote, when, and which rows a call gets to see.

The getters of RpcClosedLoop select by the creation or modification time of server-side files, not
by the time of what happened (developer documentation, ClosedLoopWebservice). Pure: no clock here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

STREAMS = (
    "unsubscribes",
    "mailing_unsubscribes",
    "outbounces",
    "responses",
    "opens",
    "clicks",
    "recipients",
    "mailings",
    "links",
)
INTERVALS = ("left_open", "right_open", "closed", "open")

Cells = tuple[str | None, ...]


@dataclass(slots=True, frozen=True)
class ExportRow:
    """One line of a file; `dispatched` (seconds) is what its life is counted from, None never."""

    cells: Cells
    dispatched: float | None = None


@dataclass(slots=True)
class ExportFile:
    """One file of one stream; times are milliseconds since 1970 as the getters compare them."""

    number: int
    stream: str
    created: int
    modified: int
    rows: list[ExportRow]
    header: Cells | None = None


@dataclass(slots=True)
class ExportFiles:
    """All files of one client, oldest first as they were written."""

    files: list[ExportFile] = field(default_factory=list)
    _written: int = 0

    def write(
        self,
        stream: str,
        rows: list[ExportRow],
        created: int,
        modified: int | None = None,
        header: Cells | None = None,
    ) -> ExportFile:
        """Add a file."""
        self._written += 1
        changed = created if modified is None else modified
        added = ExportFile(self._written, stream, created, changed, rows, header)
        self.files.append(added)
        return added

    def of(self, stream: str) -> list[ExportFile]:
        """Return the files of one stream in the order they were written."""
        return [each for each in self.files if each.stream == stream]

    def select(self, stream: str, since: int, until: int, interval: str) -> list[ExportFile]:
        """Return the files whose modification lies between two times, oldest change first."""
        found = [f for f in self.of(stream) if _within(f.modified, since, until, interval)]
        return sorted(found, key=lambda each: (each.modified, each.number))


def _within(moment: int, since: int, until: int, interval: str) -> bool:
    after = moment >= since if interval in ("right_open", "closed") else moment > since
    before = moment <= until if interval in ("left_open", "closed") else moment < until
    return after and before


def visible(
    files: Iterable[ExportFile], oldest: float | None, header: str, newest_first: bool
) -> list[Cells]:
    """Concatenate the rows still alive: those dispatched at `oldest` (seconds) or later.

    `header` says where a file's header line is part of what is read: `none`, `first` (once) or
    `every_file`.
    """
    found: list[Cells] = []
    for each in files:
        alive = [
            row.cells
            for row in each.rows
            if oldest is None or row.dispatched is None or row.dispatched >= oldest
        ]
        if not alive:
            continue
        if each.header is not None and (
            header == "every_file" or (header == "first" and not found)
        ):
            found.append(each.header)
        found.extend(reversed(alive) if newest_first else alive)
    return found
