"""The journal of one list: what is wanted, what was there before, how far the change has come.

One file per list in `state_dir/lists`. Whatever the moment of a crash, it tells the next run what
to finish (reliability: write the intent, then act; S1-21 to S1-23).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from target_kit.errors import ConfigurationError
from target_kit.files import private_directory

from target_optimizely.comparing import Comparison
from target_optimizely.database import Database, reason
from target_optimizely.model import OPEN_PHASES, Intent, Phase, Row
from target_optimizely.rows import TABLES, WantedRows
from target_optimizely.stored_rows import StoredRows

FORMAT = "1"
KEPT_INTENTS = 100
_TABLES = (
    *TABLES,
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)",
    (
        "CREATE TABLE IF NOT EXISTS intents (id INTEGER PRIMARY KEY AUTOINCREMENT, phase TEXT,"
        " opened_at TEXT, closed_at TEXT, consent TEXT, names BLOB, digest TEXT, rows INT,"
        " snapshot_names BLOB, snapshot_digest TEXT, snapshot_rows INT, size INT)"
    ),
)
_INTENT = (
    "id, phase, opened_at, consent, names, digest, rows, snapshot_names, snapshot_digest,"
    " snapshot_rows"
)
_OPEN = ",".join(f"'{phase}'" for phase in OPEN_PHASES)
_encode = msgspec.json.Encoder().encode
_decode_names = msgspec.json.Decoder(tuple[str, ...]).decode


class Journal:
    """See the module. Not for two threads; the caller holds the list's lock."""

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self._db = database
        self.wanted = WantedRows(database)
        self.stored = StoredRows(database, "stored")
        self.present = StoredRows(database, "present")
        self.comparison = Comparison(database)

    @staticmethod
    def path_of(state_dir: Path, account: str, list_id: int) -> Path:
        """Where the journal of a list is kept; clients of the vendor never share one (S1-6)."""
        digest = hashlib.sha256(account.encode()).hexdigest()[:12]
        return state_dir / "lists" / f"{list_id}-{digest}.sqlite"

    @staticmethod
    def all_in(state_dir: Path) -> set[Path]:
        """The journals of all lists that this folder knows."""
        return set((state_dir / "lists").glob("*.sqlite"))

    @staticmethod
    def is_left_open(path: Path) -> bool:
        """Whether a journal of any list or client has an open intent; looks without touching it."""
        uri = f"{path.absolute().as_uri()}?mode=ro"
        sql = f"SELECT EXISTS (SELECT 1 FROM intents WHERE phase IN ({_OPEN}))"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                return bool(connection.execute(sql).fetchone()[0])
        except sqlite3.Error:
            return False  # not a journal, or in use by a run of its own

    @classmethod
    def open(cls, state_dir: Path, account: str, list_id: int) -> Journal:
        """Open or make it. Raises ConfigurationError for a file that is not this list's journal."""
        path = cls.path_of(state_dir, account, list_id)
        private_directory(path.parent)
        try:
            journal = cls(path, Database(path, _TABLES))
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"state_dir: the journal {path} can't be used ({reason(error)}). If it is damaged, "
                "move it away: the next complete run fills the list anew"
            ) from None
        journal._check(account, list_id)
        return journal

    def _check(self, account: str, list_id: int) -> None:
        mine = {
            "format": FORMAT,
            "account": hashlib.sha256(account.encode()).hexdigest(),
            "list_id": str(list_id),
        }
        found = dict(self._db.rows("SELECT name, value FROM about"))
        if not found:
            self._db.many("INSERT INTO about VALUES (?, ?)", mine.items())
            return
        wrong = [name for name, value in mine.items() if found.get(name) != value]
        if wrong:
            raise ConfigurationError(
                f"state_dir: {self.path} is a journal of another {' and '.join(wrong)}; move it "
                "away"
            )

    def close(self) -> None:
        """Forget the wanted rows unless an intent still needs them; close the file."""
        try:
            if self.open_intent() is None:
                self.wanted.forget()
                self.present.forget()
        finally:
            self._db.close()

    def open_intent(self) -> Intent | None:
        """The intent that has not come to its end, if there is one."""
        return self._newest(f"WHERE phase IN ({_OPEN})")

    def last_intent(self) -> Intent | None:
        """The newest intent, open or not: the snapshot on disk is the one it took."""
        return self._newest("")

    def write_intent(
        self, phase: Phase, at: str, consent: str, names: Sequence[str], kept: Sequence[str]
    ) -> Intent:
        """Declare what is about to be done with the rows in the journal; durable on return.

        `names` are the attributes of the wanted rows, `kept` those of the snapshot.
        """
        self._db.execute(
            "INSERT INTO intents (phase, opened_at, consent, names, digest, rows, snapshot_names,"
            " snapshot_digest, snapshot_rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            phase.value, at, consent, _encode(names), self.wanted.digest(), self.wanted.total(),
            _encode(kept), self.stored.digest(), self.stored.total(),
        )  # fmt: skip
        intent = self.open_intent()
        assert intent is not None  # noqa: S101 - just written
        return intent

    def move(self, intent: Intent, phase: Phase) -> None:
        """On to the next phase; durable on return."""
        self._db.execute("UPDATE intents SET phase = ? WHERE id = ?", phase.value, intent.id)

    def finish(self, intent: Intent, phase: Phase, at: str, size: int) -> None:
        """Close the intent with `size` recipients in the list; durable on return."""
        with self._db.commit() as connection:
            connection.execute(
                "UPDATE intents SET phase = ?, closed_at = ?, size = ? WHERE id = ?",
                (phase.value, at, size, intent.id),
            )
            connection.execute("DELETE FROM intents WHERE id <= ?", (intent.id - KEPT_INTENTS,))

    def forget_stored(self, meant: Callable[[Row, tuple[str, ...]], bool]) -> int:
        """Take rows out of the last snapshot, which stays one that can be put back; how many.

        `meant` is asked with each row and the names of its values. No intent may be open.
        """
        intent = self.last_intent()
        if intent is None:
            return 0
        rows = [row.pos for row in self.stored.all() if meant(row, intent.snapshot_names)]
        if not rows or not self.stored.is_intact(intent.snapshot_digest):
            # Of a damaged snapshot nothing can be put back: all of it goes.
            return self._db.execute("DELETE FROM stored") if rows else 0
        self._db.many("DELETE FROM stored WHERE pos = ?", ((pos,) for pos in rows))
        self._db.execute(
            "UPDATE intents SET snapshot_digest = ?, snapshot_rows = ? WHERE id = ?",
            self.stored.digest(), self.stored.total(), intent.id,
        )  # fmt: skip
        return len(rows)

    def last_good(self) -> int | None:
        """Size of the list when a change last came to its end; None where that is not known."""
        sizes = self._db.rows(
            "SELECT size FROM intents WHERE phase IN ('done', 'restored') ORDER BY id DESC LIMIT 1"
        )
        return int(sizes[0][0]) if sizes else None

    def _newest(self, where: str) -> Intent | None:
        found = self._db.rows(f"SELECT {_INTENT} FROM intents {where} ORDER BY id DESC LIMIT 1")
        return _intent(*found[0]) if found else None


def _intent(number: int, phase: str, opened: str, consent: str, *rest: Any) -> Intent:
    names, digest, rows, kept, kept_digest, kept_rows = rest
    return Intent(
        id=number,
        phase=Phase(phase),
        opened_at=opened,
        consent=consent,
        names=_decode_names(names),
        digest=digest,
        rows=rows,
        snapshot_names=_decode_names(kept),
        snapshot_digest=kept_digest,
        snapshot_rows=kept_rows,
    )
