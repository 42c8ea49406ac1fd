"""All input on disk before anything is decided: records and STATEs under one sequence.

One SQLite file, readable by its owner only, without a name: it is unlinked as soon as it is open,
so not even SIGKILL leaves personal data behind. It is disposable by design: a run that dies has
emitted no STATE for what it held, and the tap sends that again.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from target_kit.errors import StopRun

_PREFIX = "spool-"
_FLUSH_ROWS = 5000
_FLUSH_BYTES = 4 * 1024 * 1024
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
    """The spool can't be written or read (full disk, missing rights); nothing was sent yet."""


class SpooledRecord(NamedTuple):
    """One record: `body` is its JSON object, `fault` why it fails its schema (never a value)."""

    seq: int
    line: int
    body: bytes
    fault: str | None


class Spool:
    """Append while reading, then read per stream by `seq`. Not for use by two threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._seq = 0
        self._tables: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._pending: dict[str, list[tuple[int, int, object, str | None]]] = {}
        self._pending_rows = 0
        self._pending_bytes = 0

    @classmethod
    def create(cls, directory: Path) -> Spool:
        """A new, empty spool in `directory` (made 0700); leftovers there are removed.

        Raises `SpoolError` when the directory can't be used.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.chmod(0o700)
            for leftover in directory.glob(f"{_PREFIX}*"):
                leftover.unlink(missing_ok=True)
            path = directory / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(path, flags, 0o600))
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
        return cls(connection)

    def append_record(self, stream: str, line: int, body: bytes, fault: str | None = None) -> int:
        """Add one record; returns its `seq`. Raises `SpoolError` on a full disk."""
        self._seq += 1
        self._pending.setdefault(stream, []).append((self._seq, line, body, fault))
        self._counts[stream] = self._counts.get(stream, 0) + 1
        self._pending_rows += 1
        self._pending_bytes += len(body)
        if self._pending_rows >= _FLUSH_ROWS or self._pending_bytes >= _FLUSH_BYTES:
            self.flush()
        return self._seq

    def append_records(self, stream: str, rows: Iterable[tuple[int, object, str | None]]) -> None:
        """Add many `(line, body, fault)` at once and write them; `body` is any bytes-like."""
        seq = self._seq
        pending = self._pending.setdefault(stream, [])
        before = len(pending)
        pending.extend([(seq := seq + 1, line, body, fault) for line, body, fault in rows])
        self._seq = seq
        self._counts[stream] = self._counts.get(stream, 0) + len(pending) - before
        self.flush()

    def append_state(self, line: int, value: bytes) -> int:
        """Add the value of a STATE message (JSON object); returns its `seq`."""
        self._seq += 1
        self._run("INSERT INTO states VALUES (?, ?, ?)", [(self._seq, line, value)])
        return self._seq

    def flush(self) -> None:
        """Hand buffered records to SQLite."""
        pending, self._pending = self._pending, {}
        self._pending_rows = self._pending_bytes = 0
        for stream, rows in pending.items():
            if rows:
                self._run(f"INSERT INTO {self._table(stream)} VALUES (?, ?, ?, ?)", rows)

    def count(self, stream: str) -> int:
        """Records of `stream`, faulty ones included."""
        return self._counts.get(stream, 0)

    def streams(self) -> list[str]:
        """Names of the streams with at least one record, in order of arrival."""
        return [stream for stream, count in self._counts.items() if count]

    def records(self, stream: str, *, after: int = 0, limit: int = 1000) -> list[SpooledRecord]:
        """Up to `limit` records of `stream` with `seq > after`, in order."""
        self.flush()
        if not self.count(stream):
            return []
        sql = f"SELECT * FROM {self._table(stream)} WHERE seq > ? ORDER BY seq LIMIT ?"
        return list(map(SpooledRecord._make, self._fetch(sql, (after, limit))))

    def latest_state(self, *, through: int) -> tuple[int, bytes] | None:
        """The newest STATE with `seq <= through`: its seq and its value."""
        sql = "SELECT seq, value FROM states WHERE seq <= ? ORDER BY seq DESC LIMIT 1"
        rows = self._fetch(sql, (through,))
        return (rows[0][0], rows[0][1]) if rows else None

    def last_seq(self) -> int:
        """`seq` of the newest record or STATE; 0 when empty."""
        return self._seq

    def close(self) -> None:
        """Close; the space goes back to the disk."""
        self._pending.clear()
        self._db.close()

    def _table(self, stream: str) -> str:
        """One table per stream: appends stay sequential, reads need no index."""
        number = self._tables.get(stream)
        if number is None:
            number = self._tables[stream] = len(self._tables)
            self._run(
                f"CREATE TABLE r{number} "
                "(seq INTEGER PRIMARY KEY, line INTEGER, body BLOB, fault TEXT)"
            )
        return f"r{number}"

    def _run(
        self,
        sql: str,
        rows: list[tuple[int, int, object, str | None]]
        | list[tuple[int, int, bytes]]
        | None = None,
    ) -> None:
        try:
            if rows is None:
                self._db.execute(sql)
                return
            self._db.execute("BEGIN")
            self._db.executemany(sql, rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise SpoolError(_text("can't be written", error)) from None

    def _fetch(self, sql: str, values: tuple[int, ...]) -> list[tuple[int, bytes]]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise SpoolError(_text("can't be read", error)) from None


def _text(what: str, error: OSError | sqlite3.Error) -> str:
    why = error.strerror if isinstance(error, OSError) else str(error)
    return f"the spool of incoming records {what}: {why}; nothing was sent"
