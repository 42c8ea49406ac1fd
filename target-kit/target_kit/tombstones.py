"""Who was deleted in the source, so that a late record does not bring them back.

`state_dir/tombstones.sqlite` outlives the runs. It holds no personal data: of each name (a key, an
address) only a keyed hash, with the version of the deletion. The hash's key is a random file beside
it; whoever has only one of the two can test no name. Losing either forgets the deletions, so both
belong to what is backed up. A note is on disk before the call it announces (X6).
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from target_kit.errors import StopRun
from target_kit.files import open_private, private_directory, write_atomically
from target_kit.versions import is_newer

_KEY_BYTES = 32
#: Of two notes of one name in one batch the later version stays, whatever their order.
_PUT = (
    "INSERT INTO tombstones VALUES (?, ?, ?) ON CONFLICT (stream, who) DO UPDATE"
    " SET version = excluded.version WHERE version IS NULL OR excluded.version > version"
)


class TombstonesError(StopRun):
    """The tombstones can't be read or made durable: nothing is deleted without them."""


@dataclass(frozen=True, slots=True)
class Tombstone:
    """`name` is an identity such as `key:17`; `version` orders records against the deletion."""

    name: str
    version: str | None


class Tombstones:
    """The deletions of one stream. One run holds the lock."""

    def __init__(self, state_dir: Path, stream: str) -> None:
        """Open what there is; the files are made with the first note."""
        self._stream = stream
        self._path = private_directory(state_dir) / "tombstones.sqlite"
        self._secret = b""
        self._db: sqlite3.Connection | None = None
        if self._path.exists():
            self._open()
        self._any = bool(self._rows("stream = ? LIMIT 1", stream))

    def _open(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        try:
            # Shards that meet here make file and key once.
            with FileLock(self._path.with_suffix(".lock"), mode=0o600):
                self._db = database = self._make()
        except (OSError, sqlite3.Error) as error:
            raise _broken(error) from None
        return database

    def _make(self) -> sqlite3.Connection:
        self._secret = _secret(self._path.with_suffix(".key"), new=not self._path.exists())
        os.close(open_private(self._path, os.O_CREAT | os.O_RDWR))
        database = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA synchronous = FULL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS tombstones (stream TEXT, who BLOB, version TEXT,"
            " PRIMARY KEY (stream, who)) WITHOUT ROWID"
        )
        return database

    def note(self, tombstones: Iterable[Tombstone]) -> None:
        """Make deletions durable, all or none; of two of one name the later version stays."""
        given = list(tombstones)
        if not given:
            return
        database = self._open()
        due = [(self._who(t.name), t.version) for t in given if self._is_news(t)]
        try:
            database.execute("BEGIN IMMEDIATE")
            for who, version in due:
                database.execute(_PUT, (self._stream, who, version))
            database.execute("COMMIT")
        except sqlite3.Error as error:
            raise _broken(error) from None
        self._any = True

    def covers(self, name: str, version: str | None) -> bool:
        """Whether a record of `name` with this version is no newer than the deletion.

        Without two versions of one kind there is no evidence, so the deletion stands.
        """
        if not self._any:
            return False
        known = self._known(name)
        return known is not None and not is_newer(version, known[0])

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()

    def _is_news(self, tombstone: Tombstone) -> bool:
        known = self._known(tombstone.name)
        if known is None or known[0] is None:
            return known is None or tombstone.version is not None
        return is_newer(tombstone.version, known[0])

    def _known(self, name: str) -> tuple[str | None] | None:
        rows = self._rows("stream = ? AND who = ?", self._stream, self._who(name))
        return (rows[0][0],) if rows else None

    def _rows(self, where: str, *values: str | bytes) -> list[tuple[str | None]]:
        if self._db is None:
            return []
        try:
            return self._db.execute(
                f"SELECT version FROM tombstones WHERE {where}", values
            ).fetchall()
        except sqlite3.Error as error:
            raise _broken(error) from None

    def _who(self, name: str) -> bytes:
        return hashlib.blake2b(name.encode(), key=self._secret, digest_size=16).digest()


def _secret(path: Path, *, new: bool) -> bytes:
    """The key of the hashes, made once; a lost one is an error while there are notes made with it,
    since none of them would ever match again.
    """
    if new and not path.exists():
        write_atomically(path, os.urandom(_KEY_BYTES))
    with os.fdopen(open_private(path, os.O_RDONLY), "rb") as file:
        secret = file.read()
    if len(secret) != _KEY_BYTES:
        raise TombstonesError(f"state_dir: {path.name} is damaged; restore it from a backup")
    return secret


def _broken(error: Exception) -> TombstonesError:
    what = error.strerror if isinstance(error, OSError) else str(error)
    return TombstonesError(
        f"state_dir: the tombstones can't be used: {what}; restore tombstones.sqlite and .key, "
        "or remove both to forget who was deleted"
    )


class UnwrittenTombstones(Tombstones):
    """For a rehearsal: what is noted counts until its end, and is not kept."""

    def __init__(self, state_dir: Path, stream: str) -> None:
        super().__init__(state_dir, stream)
        self._noted: dict[str, str | None] = {}

    def note(self, tombstones: Iterable[Tombstone]) -> None:
        """See Tombstones."""
        self._noted.update((one.name, one.version) for one in tombstones)

    def covers(self, name: str, version: str | None) -> bool:
        """See Tombstones."""
        noted = name in self._noted and not is_newer(version, self._noted[name])
        return noted or super().covers(name, version)
