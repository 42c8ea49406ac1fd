"""All input on disk before anything is decided: records and STATEs under one sequence.

One SQLite file, readable by its owner only, without a name: it is unlinked as soon as it is open,
so not even SIGKILL leaves personal data behind. It is disposable by design: a run that dies has
emitted no STATE for what it held, and the tap sends that again.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import sqlite3
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Raw

from target_kit.errors import StopRun
from target_kit.files import open_private, private_directory

_PREFIX = "spool-"
_FLUSH_BYTES = 2 * 1024 * 1024
# Fast and disposable: no journal, no fsync; the page cache is capped so that memory stays flat.
_PRAGMAS = (
    "page_size=16384",
    "journal_mode=OFF",
    "synchronous=OFF",
    "locking_mode=EXCLUSIVE",
    "temp_store=MEMORY",
    "cache_size=-8000",
)


class SpoolError(StopRun):
    """The spool can't be written or read (full disk, missing rights)."""


class SpooledRecord(NamedTuple):
    """One record: `body` is its JSON object, `fault` why it fails its schema (never a value)."""

    seq: int
    line: int
    body: bytes
    fault: str | None


class _Run:
    """Records of one stream that become one row of SQLite: a row each would cost four times."""

    __slots__ = ("bodies", "faults", "lines", "seqs")

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.lines: list[int] = []
        self.bodies: list[bytes | Raw] = []
        self.faults: dict[str, str] = {}  # by position in the run; JSON wants text for keys

    def pack(self) -> tuple[int, bytes, bytes, str | None]:
        ends = accumulate(map(len, self.bodies))
        numbers = array("q", (*self.seqs, *self.lines, *ends))
        faults = json.dumps(self.faults) if self.faults else None
        return self.seqs[-1], numbers.tobytes(), b"".join(self.bodies), faults


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep out other runs that start now: each takes the files it finds for leftovers."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise SpoolError(_text(f"can't be made in {directory}", error)) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _unpack(numbers: bytes, bodies: bytes, faults: str | None) -> list[SpooledRecord]:
    values = array("q")
    values.frombytes(numbers)
    count = len(values) // 3
    why: dict[str, str] = json.loads(faults) if faults else {}
    records = []
    start = 0
    for at in range(count):
        end = values[2 * count + at]
        body = bodies[start:end]
        records.append(SpooledRecord(values[at], values[count + at], body, why.get(str(at))))
        start = end
    return records


class Spool:
    """Append while reading, then read per stream by `seq`. Not for use by two threads at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._seq = 0
        self._tables: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._runs: dict[str, _Run] = {}
        self._states: list[tuple[int, int, bytes]] = []
        self._buffered_bytes = 0
        self._read: tuple[str, list[SpooledRecord]] = ("", [])  # the run read last

    @classmethod
    def create(cls, directory: Path) -> Spool:
        """A new, empty spool in `directory` (made 0700); leftovers there are removed.

        Raises `ConfigurationError` when the directory can't be written, `SpoolError` when the
        disk has no room.
        """
        private_directory(directory)
        with _alone_in(directory):
            return cls(cls._open(directory))

    @staticmethod
    def _open(directory: Path) -> sqlite3.Connection:
        try:
            for leftover in directory.glob(f"{_PREFIX}*"):
                leftover.unlink(missing_ok=True)
            path = directory / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
            os.close(open_private(path, os.O_CREAT | os.O_EXCL | os.O_RDWR))
        except OSError as error:
            raise SpoolError(_text(f"can't be made in {directory}", error)) from None
        try:
            # mode=rw: the file must be the one just made, never a new one with other rights.
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            connection.execute(
                "CREATE TABLE states (seq INTEGER PRIMARY KEY, line INTEGER, value BLOB)"
            )
        except sqlite3.Error as error:
            raise SpoolError(_text(f"can't be made in {directory}", error)) from None
        finally:
            with suppress(OSError):
                path.unlink()
        return connection

    def append_record(self, stream: str, line: int, body: bytes, fault: str | None = None) -> int:
        """Add one record; returns its `seq`. Raises `SpoolError` on a full disk."""
        run = self._runs.setdefault(stream, _Run())
        if fault is not None:
            run.faults[str(len(run.seqs))] = fault
        self._seq += 1
        run.seqs.append(self._seq)
        run.lines.append(line)
        run.bodies.append(body)
        self._counts[stream] = self._counts.get(stream, 0) + 1
        self._grow(len(body))
        return self._seq

    def append_records(self, stream: str, lines: list[int], bodies: list[Raw]) -> None:
        """Add many records without fault. The caller flushes: sizes are not counted here."""
        if not lines:
            return
        run = self._runs.setdefault(stream, _Run())
        first = self._seq + 1
        self._seq += len(lines)
        run.seqs.extend(range(first, self._seq + 1))
        run.lines.extend(lines)
        run.bodies.extend(bodies)
        self._counts[stream] = self._counts.get(stream, 0) + len(lines)

    def append_state(self, line: int, value: bytes) -> int:
        """Add the value of a STATE message (JSON object); returns its `seq`."""
        self._seq += 1
        self._states.append((self._seq, line, value))
        self._grow(len(value))
        return self._seq

    def _grow(self, size: int) -> None:
        self._buffered_bytes += size + 64  # about what an entry's numbers take
        if self._buffered_bytes >= _FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand what is buffered to SQLite."""
        runs, self._runs = self._runs, {}
        states, self._states = self._states, []
        self._buffered_bytes = 0
        for stream, run in runs.items():
            self._write(f"INSERT INTO {self._table(stream)} VALUES (?, ?, ?, ?)", [run.pack()])
        if states:
            self._write("INSERT INTO states VALUES (?, ?, ?)", states)

    def count(self, stream: str) -> int:
        """Records of `stream`, faulty ones included."""
        return self._counts.get(stream, 0)

    def streams(self) -> list[str]:
        """Names of the streams with at least one record, in order of arrival."""
        return list(self._counts)

    def records(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[SpooledRecord]:
        """Up to `limit` records of `stream` with `seq > after`, in order; [] at the end."""
        self.flush()
        found: list[SpooledRecord] = []
        while len(found) < limit:
            run = self._run_after(stream, after)
            if not run:
                break
            start = bisect_right(run, after, key=attrgetter("seq"))
            found += run[start : start + limit - len(found)]
            after = found[-1].seq
        return found

    def latest_state(self, *, through: int) -> tuple[int, bytes] | None:
        """The newest STATE with `seq <= through`: its seq and its value."""
        self.flush()
        sql = "SELECT seq, value FROM states WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
        row = self._fetch(sql, through)
        return None if row is None else (row[0], row[1])

    def last_seq(self) -> int:
        """`seq` of the newest record or STATE; 0 when empty."""
        return self._seq

    def close(self) -> None:
        """Close; the space goes back to the disk."""
        self._runs.clear()
        self._read = ("", [])
        self._db.close()

    def _run_after(self, stream: str, after: int) -> list[SpooledRecord]:
        """The run that holds the first record with `seq > after`; kept for the next question."""
        if stream not in self._tables:
            return []
        name, run = self._read
        if name == stream and run[0].seq <= after + 1 and after < run[-1].seq:
            return run
        sql = f"SELECT numbers, bodies, faults FROM {self._table(stream)} WHERE last > ? LIMIT 1"
        row = self._fetch(sql, after)
        if row is None:
            return []
        run = _unpack(*row)
        self._read = (stream, run)
        return run

    def _table(self, stream: str) -> str:
        """One table per stream: appends stay sequential, reads need no index."""
        number = self._tables.get(stream)
        if number is None:
            number = len(self._tables)
            self._write(
                f"CREATE TABLE r{number} "
                "(last INTEGER PRIMARY KEY, numbers BLOB, bodies BLOB, faults TEXT)"
            )
            self._tables[stream] = number
        return f"r{number}"

    def _write(self, sql: str, rows: Sequence[tuple[object, ...]] = ()) -> None:
        try:
            if not rows:
                self._db.execute(sql)
                return
            self._db.execute("BEGIN")
            self._db.executemany(sql, rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise SpoolError(_text("can't be written", error)) from None

    def _fetch(self, sql: str, value: int) -> tuple[Any, ...] | None:
        try:
            row: tuple[Any, ...] | None = self._db.execute(sql, (value,)).fetchone()
        except sqlite3.Error as error:
            raise SpoolError(_text("can't be read", error)) from None
        return row


def _text(what: str, error: OSError | sqlite3.Error) -> str:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return f"the spool of incoming records {what}: {why}"
