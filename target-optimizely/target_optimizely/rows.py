"""The rows of a journal, each with its outcome: here those that are wanted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from target_kit.outcome import Outcome, Result

from target_optimizely.database import Database, JournalError
from target_optimizely.model import Recipient, Row

_PAGE = 1000
encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[str | None, ...]).decode

_COLUMNS = "pos INTEGER PRIMARY KEY, recipient_id TEXT, address TEXT, pattern TEXT, vals BLOB"
_SOURCE = "seq INT, line INT, entity_type TEXT, entity_id TEXT"
_ENDS = "outcome TEXT, step TEXT, cause TEXT, message TEXT"
TABLES = (
    f"CREATE TABLE IF NOT EXISTS wanted ({_COLUMNS}, {_SOURCE}, address_key TEXT, {_ENDS})",
    f"CREATE TABLE IF NOT EXISTS stored ({_COLUMNS}, {_ENDS})",
    f"CREATE TABLE IF NOT EXISTS present ({_COLUMNS}, {_ENDS})",
    f"CREATE TABLE IF NOT EXISTS left_out ({_SOURCE}, {_ENDS})",
    "CREATE INDEX IF NOT EXISTS wanted_open ON wanted (pattern, pos) WHERE outcome IS NULL",
    "CREATE INDEX IF NOT EXISTS stored_open ON stored (pattern, pos) WHERE outcome IS NULL",
    "CREATE UNIQUE INDEX IF NOT EXISTS stored_id ON stored (recipient_id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS present_id ON present (recipient_id)",
    "CREATE INDEX IF NOT EXISTS wanted_id ON wanted (recipient_id)",
    "CREATE INDEX IF NOT EXISTS left_out_entity ON left_out (entity_type, entity_id)",
)

Values = tuple[str | None, ...]


class KeptRow(NamedTuple):
    """A recipient whom the list keeps as they are; `result` None for one to be sent."""

    recipient_id: str
    address: str
    values: Values
    entity_type: str
    entity_id: str
    result: Result | None


class Rows:
    """One table of rows."""

    def __init__(self, database: Database, table: str) -> None:
        self._db = database
        self.table = table

    def next_chunk(self, limit: int) -> list[Row]:
        """Up to `limit` rows without outcome, all of one pattern, in order."""
        rows = self._select(f"outcome IS NULL ORDER BY pattern, pos LIMIT {limit}")
        return [row for row in rows if row.pattern == rows[0].pattern]

    def open(self, after: int, limit: int) -> list[Row]:
        """Up to `limit` rows without outcome with `pos` above `after`, in order."""
        return self._select(f"outcome IS NULL AND pos > {after} ORDER BY pos LIMIT {limit}")

    def put_in(self, after: int, limit: int) -> list[Row]:
        """Up to `limit` rows that should be in the list now, `pos` above `after`, in order."""
        where = f"outcome IN ('applied', 'unchanged') AND pos > {after} ORDER BY pos LIMIT {limit}"
        return self._select(where)

    def at(self, positions: Sequence[int]) -> list[Row]:
        """The rows at these places, in order."""
        return self._select(f"pos IN ({','.join(map(str, positions))}) ORDER BY pos")

    def all(self) -> Iterator[Row]:
        """Every row in order, a page at a time: rows may be settled meanwhile."""
        after = 0
        while page := self._select(f"pos > {after} ORDER BY pos LIMIT {_PAGE}"):
            yield from page
            after = page[-1].pos

    def settle(self, results: Iterable[tuple[int, Result]]) -> None:
        """Write outcomes; durable on return."""
        self._db.many(
            f"UPDATE {self.table} SET outcome = ?, step = ?, cause = ?, message = ? WHERE pos = ?",
            ((*_ends(r), pos) for pos, r in results),
        )

    def reopen_sent(self) -> None:
        """Take back what sending brought about; what was settled before that stays."""
        self._db.execute(
            f"UPDATE {self.table} SET outcome = NULL WHERE outcome IS NOT NULL AND step <> 'check'"
        )

    def reopen_at(self, positions: Sequence[int]) -> None:
        """Take the outcomes of these rows back."""
        places = ",".join(map(str, positions))
        self._db.execute(f"UPDATE {self.table} SET outcome = NULL WHERE pos IN ({places})")

    def reopen_all(self) -> None:
        """Take every outcome back."""
        self._db.execute(f"UPDATE {self.table} SET outcome = NULL")

    def count(self, outcome: Outcome) -> int:
        """Rows of one outcome."""
        sql = f"SELECT count(*) FROM {self.table} WHERE outcome = ?"
        return self._db.number(sql, outcome.value)

    def ids_in_list(self) -> list[tuple[int, str]]:
        """Place and id of the rows that should be in the list now."""
        return self._db.rows(
            f"SELECT pos, recipient_id FROM {self.table}"
            " WHERE outcome IN ('applied', 'unchanged') ORDER BY pos"
        )

    def count_refused(self) -> int:
        """Rows that were sent and refused: the vendor may have stored them all the same."""
        return self._db.number(
            f"SELECT count(*) FROM {self.table} WHERE outcome NOT IN ('applied', 'unchanged')"
            " AND step <> 'check'"
        )

    def count_open(self) -> int:
        """Rows without outcome."""
        return self._db.number(f"SELECT count(*) FROM {self.table} WHERE outcome IS NULL")

    def total(self) -> int:
        """All rows."""
        return self._db.number(f"SELECT count(*) FROM {self.table}")

    def outcomes(self) -> dict[str, int]:
        """Number of rows by `outcome:cause`."""
        return {
            f"{outcome}:{cause}" if cause else outcome: number
            for outcome, cause, number in self._db.rows(
                f"SELECT outcome, cause, count(*) FROM {self.table} WHERE outcome IS NOT NULL"
                " GROUP BY outcome, cause ORDER BY outcome, cause"
            )
        }

    def forget(self) -> None:
        """Remove every row."""
        if self._db.number(f"SELECT EXISTS (SELECT 1 FROM {self.table})"):
            self._db.execute(f"DELETE FROM {self.table}")

    def digest(self) -> str:
        """Proves that the rows are those that were meant when the intent was written."""
        digest = hashlib.blake2b(digest_size=16)
        for row in self.all():
            digest.update(encode([row.pos, row.recipient_id, row.address, row.values]))
        return digest.hexdigest()

    def is_intact(self, digest: str) -> bool:
        """Whether the rows still have this digest; what can't be read is not intact."""
        try:
            return self.digest() == digest
        except JournalError:
            return False

    def _select(self, where: str) -> list[Row]:
        found = self._db.rows(
            f"SELECT pos, recipient_id, address, pattern, vals FROM {self.table} WHERE {where}"
        )
        try:
            return [Row(p, i, a, pattern, _decode(v)) for p, i, a, pattern, v in found]
        except (msgspec.MsgspecError, UnicodeDecodeError, TypeError):
            raise self._db.damaged() from None


class WantedRows(Rows):
    """What the source wants to be in the list, and what was left out on the way here."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "wanted")

    def forget(self) -> None:
        """Remove the rows and what was left out of them."""
        super().forget()
        if self._db.number("SELECT EXISTS (SELECT 1 FROM left_out)"):
            self._db.execute("DELETE FROM left_out")

    def add(self, rows: Iterable[tuple[int, int, str, Recipient]]) -> None:
        """Append (seq, line, pattern, recipient)."""
        self._db.many(
            "INSERT INTO wanted (recipient_id, address, pattern, vals, address_key, seq, line,"
            " entity_type, entity_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (r.recipient_id, r.address, pattern, encode(r.values), r.address_key, seq, line,
                 r.entity_type, r.entity_id)
                for seq, line, pattern, r in rows
            ),
        )  # fmt: skip

    def add_left_out(self, rows: Iterable[tuple[int, int, str, str, Result]]) -> None:
        """Append (seq, line, entity type, entity id, result) of records that mapping kept out."""
        self._db.many(
            "INSERT INTO left_out VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (seq, line, kind, key, r.outcome.value, r.step.value, r.cause, r.message)
                for seq, line, kind, key, r in rows
            ),
        )

    def add_kept(self, rows: Iterable[KeptRow]) -> None:
        """Append recipients by what the list has of them; no record of the input is theirs."""
        self._db.many(
            "INSERT INTO wanted (recipient_id, address, pattern, vals, address_key, seq, line,"
            " entity_type, entity_id, outcome, step, cause, message)"
            " VALUES (?, ?, '', ?, '', 0, 0, ?, ?, ?, ?, ?, ?)",
            (
                (r.recipient_id, r.address, encode(r.values), r.entity_type, r.entity_id,
                 *(_ends(r.result) if r.result else (None, None, None, None)))
                for r in rows
            ),
        )  # fmt: skip

    def rewrite(self, wider: Callable[[Row], tuple[str, Values]]) -> None:
        """Give every row another pattern and other values."""
        after = 0
        while page := self._select(f"pos > {after} ORDER BY pos LIMIT {_PAGE}"):
            after = page[-1].pos
            found = ((row.pos, *wider(row)) for row in page)
            self._db.many(
                "UPDATE wanted SET pattern = ?, vals = ? WHERE pos = ?",
                ((pattern, encode(values), pos) for pos, pattern, values in found),
            )

    def settle_duplicates(self, preferred: str) -> dict[str, int]:
        """One recipient per address and per id; returns how many lost, by cause (S1-17, X1).

        Of rows that share one, the first of entity type `preferred` stays, else the first.
        """
        sql = (
            "UPDATE wanted SET outcome = 'suppressed', step = 'check', cause = ?, message = ?"
            " WHERE outcome IS NULL AND pos IN (SELECT pos FROM (SELECT pos, row_number()"
            " OVER (PARTITION BY {} ORDER BY entity_type <> ?, pos) AS place"
            " FROM wanted WHERE outcome IS NULL) WHERE place > 1)"
        )
        message = "another row of this run stands for it, by the setting duplicates"
        return {
            cause: self._db.execute(sql.format(column), cause, message, preferred)
            for column, cause in (
                ("address_key", "duplicate_address"),
                ("recipient_id", "duplicate_id"),
            )
        }

    def ids_alike(self) -> int:
        """Rows whose recipient ids differ only in case: the vendor may take them for one (5.7)."""
        return self._db.number(
            "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM wanted"
            " WHERE outcome IS NULL GROUP BY lower(recipient_id) HAVING count(*) > 1)"
        )

    def left_out(self) -> Iterator[tuple[int, str, str, str, str, str]]:
        """Who is not in the list: line, entity type, entity id, outcome, cause, message."""
        yield from self._db.rows(
            "SELECT line, entity_type, entity_id, outcome, cause, message FROM left_out"
            " UNION ALL SELECT line, entity_type, entity_id, outcome, cause, message FROM wanted"
            " WHERE outcome NOT IN ('applied', 'unchanged') ORDER BY line"
        )

    def compared_with(self, stored: Rows) -> Iterator[tuple[int, Values, Values | None]]:
        """Open rows and what `stored` has under their id: (pos, wanted values, stored values)."""
        after = 0
        while page := self._db.rows(
            f"SELECT w.pos, w.vals, s.vals FROM wanted w LEFT JOIN {stored.table} s"
            " ON s.recipient_id = w.recipient_id WHERE w.outcome IS NULL AND w.pos > ?"
            f" ORDER BY w.pos LIMIT {_PAGE}",
            after,
        ):
            for pos, wanted, found in page:
                yield pos, _decode(wanted), None if found is None else _decode(found)
            after = page[-1][0]


def _ends(result: Result) -> tuple[str, str, str, str]:
    return result.outcome.value, result.step.value, result.cause, result.message
