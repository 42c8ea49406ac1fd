"""The intended set: every record of a stream, materialised once; all steps work on it (S0-6).

Because the whole set is known before anything is written, identical rows collapse (S0-3), two rows
for one key are seen (S0-9) and rows sharing an address are seen (S0-8), wherever they stand.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One wanted record.

    `identity` names the person in the source, `keyed` whether by backoffice key; `digest` is equal
    for rows that want the same; `version` orders rows of one person (None: unordered);
    `reoffered` marks a reject of an earlier run.
    """

    seq: int
    line: int
    identity: str
    keyed: bool
    address_key: str | None
    digest: bytes
    version: str | None
    reoffered: bool
    body: bytes


_BATCH = 500
_COLUMNS = "seq, line, identity, keyed, address_key, digest, version, reoffered, body"


class IntendedSet:
    """Rows waiting for their outcome, in source order; settled rows leave the set."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._db.execute(
            "CREATE TABLE intended (seq INTEGER PRIMARY KEY, line INT, identity TEXT, keyed INT,"
            " address_key TEXT, digest BLOB, version TEXT, reoffered INT, body BLOB)"
        )

    def add(self, rows: Iterable[Row]) -> None:
        """Append rows; `seq` is unique."""
        self._db.execute("BEGIN")
        self._db.executemany(
            "INSERT INTO intended VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (r.seq, r.line, r.identity, r.keyed, r.address_key, r.digest, r.version,
                 r.reoffered, r.body)
                for r in rows
            ),
        )  # fmt: skip
        self._db.execute("COMMIT")

    def fill(self, other: IntendedSet) -> None:
        """Take over all rows still open of another set, and seal this one."""
        for batch in other.batches(_BATCH):
            self.add(batch)
        self.seal()

    def seal(self) -> None:
        """Call once after the last `add`: builds the indexes the questions below need."""
        self._db.execute("CREATE INDEX intended_identity ON intended (identity)")
        self._db.execute("CREATE INDEX intended_address ON intended (address_key)")

    def take_superseded(self) -> list[Row]:
        """Re-offered rejects of persons of whom a newer record has come; removed from the set."""
        return self._take(
            "reoffered = 1 AND identity IN (SELECT identity FROM intended WHERE reoffered = 0)"
        )

    def take_repeated(self) -> list[Row]:
        """Later copies of rows that want exactly the same; removed from the set (S0-3). A newer
        version is no copy: there and back again, something else was wanted in between (S2-27).
        """
        return self._take(
            "EXISTS (SELECT 1 FROM intended AS first WHERE first.identity = intended.identity"
            " AND first.digest = intended.digest AND first.version IS intended.version"
            " AND first.seq < intended.seq)"
        )

    def take_outdated(self) -> list[Row]:
        """Rows of a person of whom the set also holds a newer version; removed from the set."""
        return self._take(
            "version IS NOT NULL AND EXISTS (SELECT 1 FROM intended AS newer"
            " WHERE newer.identity = intended.identity AND newer.version > intended.version)"
        )

    def take_contradicting(self) -> list[Row]:
        """Rows of one person that want different things and can't be ordered (S0-9); removed."""
        return self._take(
            "identity IN (SELECT identity FROM intended GROUP BY identity HAVING count(*) > 1)"
        )

    def take_sharing_address(self, *, rule: str) -> list[Row]:
        """Rows that lose a shared address by `rule`; removed from the set (S0-8).

        `first`: only keyless rows lose, to any keyed or earlier row (of keyed rows the destination
        decides who has the address: the first to get it keeps it); `newest`: all but the newest
        version lose; `reject`: all lose.
        """
        shared = (
            "address_key IN (SELECT address_key FROM intended WHERE address_key IS NOT NULL"
            " GROUP BY address_key HAVING count(DISTINCT identity) > 1)"
        )
        if rule == "reject":
            return self._take(shared)
        if rule == "newest":
            return self._take(
                f"{shared} AND EXISTS (SELECT 1 FROM intended AS other"
                " WHERE other.address_key = intended.address_key"
                " AND other.identity <> intended.identity"
                " AND (coalesce(other.version, ''), -other.seq)"
                " > (coalesce(intended.version, ''), -intended.seq))"
            )
        return self._take(f"{shared} AND keyed = 0")

    def sharing_address(self) -> Iterator[Row]:
        """Rows whose address rows of other persons have too; they stay in the set."""
        addresses = self._db.execute(
            "SELECT address_key FROM intended WHERE address_key IS NOT NULL"
            " GROUP BY address_key HAVING count(DISTINCT identity) > 1"
        )
        for (address,) in addresses:
            yield from self._select("address_key = ? ORDER BY seq", address)

    def batches(self, size: int) -> Iterator[list[Row]]:
        """The rows still open, in source order; rows settled meanwhile are not repeated."""
        after = -1
        while batch := self._select(f"seq > {after} ORDER BY seq LIMIT {size}"):
            after = batch[-1].seq
            yield batch

    def settle(self, seqs: Iterable[int]) -> None:
        """These rows have their outcome."""
        self._db.execute("BEGIN")
        self._db.executemany("DELETE FROM intended WHERE seq = ?", ((s,) for s in seqs))
        self._db.execute("COMMIT")

    def has(self, identity: str) -> bool:
        """Whether a row still open is about this person."""
        found = self._db.execute("SELECT 1 FROM intended WHERE identity = ? LIMIT 1", (identity,))
        return found.fetchone() is not None

    def wants_address(self, address_key: str) -> bool:
        """Whether a row still open wants this address."""
        found = self._db.execute(
            "SELECT 1 FROM intended WHERE address_key = ? LIMIT 1", (address_key,)
        )
        return found.fetchone() is not None

    def count(self) -> int:
        """Rows still open."""
        return int(self._db.execute("SELECT count(*) FROM intended").fetchone()[0])

    def first_open(self) -> int | None:
        """Lowest seq without an outcome; None when all are settled."""
        value = self._db.execute("SELECT min(seq) FROM intended").fetchone()[0]
        return None if value is None else int(value)

    def _take(self, where: str) -> list[Row]:
        rows = self._select(f"{where} ORDER BY seq")
        self.settle(r.seq for r in rows)
        return rows

    def _select(self, where: str, *values: str) -> list[Row]:
        cursor = self._db.execute(f"SELECT {_COLUMNS} FROM intended WHERE {where}", values)
        return [
            Row(seq, line, identity, bool(keyed), address, digest, version, bool(again), body)
            for seq, line, identity, keyed, address, digest, version, again, body in cursor
        ]
