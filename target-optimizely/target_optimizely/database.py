"""The SQLite file under a journal: private, exclusive, every commit on disk before it returns."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from target_kit.errors import StopRun
from target_kit.files import open_private

_PRAGMAS = (
    "journal_mode = TRUNCATE",
    "synchronous = FULL",
    "secure_delete = ON",  # what is forgotten is zeroed: these are people's data
    "locking_mode = EXCLUSIVE",
    "cache_size = -8000",
    "temp_store = FILE",
)


class JournalError(StopRun):
    """The journal can't be written or read (full disk, damage): the run ends where it is."""


class Database:
    """See the module. `sqlite3.Error` never leaves it, except from the constructor."""

    def __init__(self, path: Path, tables: Iterable[str]) -> None:
        self._path = path
        os.close(open_private(path, os.O_CREAT | os.O_RDWR))
        uri = f"{path.absolute().as_uri()}?mode=rw"
        self._connection = sqlite3.connect(uri, uri=True, isolation_level=None)
        for statement in (*(f"PRAGMA {p}" for p in _PRAGMAS), *tables):
            self._connection.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def commit(self) -> Iterator[sqlite3.Connection]:
        """One transaction; on disk when the block is left."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def many(self, sql: str, values: Iterable[tuple[object, ...]]) -> None:
        """One statement for many rows, as one transaction."""
        with self.commit() as connection:
            connection.executemany(sql, values)

    def execute(self, sql: str, *values: object) -> int:
        """One statement as one transaction; the number of rows it changed."""
        with self.commit() as connection:
            return connection.execute(sql, values).rowcount

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a question."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._broken(error) from None

    def number(self, sql: str, *values: object) -> int:
        """One number."""
        return int(self.rows(sql, *values)[0][0])

    def damaged(self) -> JournalError:
        """The error for rows that are not what was once written."""
        return JournalError(
            f"state_dir: the journal {self._path.name} holds damaged rows; move the file away, the "
            "next complete run fills the list anew"
        )

    def _broken(self, error: sqlite3.Error) -> JournalError:
        return JournalError(
            f"state_dir: the journal {self._path.name} can't be used: {reason(error)}; make room "
            "or repair the disk and run again, the next run finishes what is open"
        )


def reason(error: OSError | sqlite3.Error) -> str:
    """Why a file can't be used, without any value."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return re.sub(r"[\"'].*", "", str(error)).strip() or type(error).__name__
