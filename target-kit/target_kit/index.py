"""What exists at the destination, as read in this run: by technical id, key and address.

Run-scoped and on disk (see workfile). Own writes are entered at once, so later records of the same
run are decided on what is true now, not on what was true at the crawl (S0-45, S0-46).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One destination record: `key` is the canonical backoffice key it carries, if any."""

    id: str
    address_key: str
    key: str | None
    body: bytes


class DestinationIndex:
    """Entries by id, key and address. Several entries may share a key or an address: the caller
    decides what that means (S0-24).
    """

    def __init__(self, connection: sqlite3.Connection, table: str = "existing") -> None:
        self._db = connection
        self._table = table
        self._db.execute(
            f"CREATE TABLE {table} (id TEXT PRIMARY KEY, address_key TEXT, key TEXT, body BLOB)"
            " WITHOUT ROWID"
        )
        self._db.execute(f"CREATE INDEX {table}_address ON {table} (address_key)")
        self._db.execute(f"CREATE INDEX {table}_key ON {table} (key) WHERE key IS NOT NULL")

    def fill(self, other: DestinationIndex) -> None:
        """Take over all entries of another one."""
        rows = other._db.execute(f"SELECT id, address_key, key, body FROM {other._table}")
        self.put(Entry(*row) for row in rows)

    def put(self, entries: Iterable[Entry]) -> None:
        """Insert or replace by id."""
        self._db.execute("BEGIN")
        self._db.executemany(
            f"INSERT OR REPLACE INTO {self._table} VALUES (?, ?, ?, ?)",
            ((e.id, e.address_key, e.key, e.body) for e in entries),
        )
        self._db.execute("COMMIT")

    def remove(self, entry_id: str) -> None:
        """Forget an id that is gone at the destination (S0-37)."""
        self._db.execute(f"DELETE FROM {self._table} WHERE id = ?", (entry_id,))

    def by_key(self, key: str) -> list[Entry]:
        """All entries carrying this canonical key, lowest id first."""
        return self._select("key = ?", key)

    def by_address(self, address_key: str) -> list[Entry]:
        """All entries with this address key, lowest id first."""
        return self._select("address_key = ?", address_key)

    def get(self, entry_id: str) -> Entry | None:
        """The entry with this id."""
        found = self._select("id = ?", entry_id)
        return found[0] if found else None

    def highest_number(self) -> int:
        """The highest id that is a number, 0 for none."""
        highest = f"SELECT max(CAST(id AS INTEGER)) FROM {self._table}"
        return int(self._db.execute(highest).fetchone()[0] or 0)

    def count(self) -> int:
        """Number of entries."""
        return int(self._db.execute(f"SELECT count(*) FROM {self._table}").fetchone()[0])

    def _select(self, where: str, value: str) -> list[Entry]:
        rows = self._db.execute(
            f"SELECT id, address_key, key, body FROM {self._table} WHERE {where} ORDER BY id",
            (value,),
        )
        return [Entry(*row) for row in rows]
