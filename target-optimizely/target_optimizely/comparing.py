"""What a list has beside what is wanted of it, row by row, from the tables of its journal.

Nothing is settled here; the rows wanted have been asked about, so that those without outcome are
the ones to be put into the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from target_optimizely.database import Database
from target_optimizely.rows import Values

_PAGE = 1000
_decode = msgspec.json.Decoder(Values).decode


@dataclass(frozen=True, slots=True)
class Held:
    """A recipient as the list has them; `values` are in the order of the snapshot's names."""

    recipient_id: str
    address: str
    values: Values


@dataclass(frozen=True, slots=True)
class Compared:
    """A wanted row; `outcome` and `cause` are "" for one that is to be in the list.

    `held` is what the list has under its id, None for nothing.
    """

    pos: int
    recipient_id: str
    address: str
    pattern: str
    values: Values
    entity_type: str
    entity_id: str
    outcome: str
    cause: str
    held: Held | None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that mapping kept out; its id in the list is not known."""

    entity_type: str
    entity_id: str
    outcome: str
    cause: str


class Comparison:
    """The tables `wanted`, `left_out` and `present` of one journal."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def wanted(self, through: int | None = None) -> Iterator[Compared]:
        """Every wanted row up to place `through`, in order; rows may be settled meanwhile."""
        after, last = 0, self.last() if through is None else through
        while page := self._db.rows(
            "SELECT w.pos, w.recipient_id, w.address, w.pattern, w.vals, w.entity_type,"
            " w.entity_id, coalesce(w.outcome, ''), coalesce(w.cause, ''), p.address, p.vals"
            " FROM wanted w LEFT JOIN present p ON p.recipient_id = w.recipient_id"
            f" WHERE w.pos > ? AND w.pos <= ? ORDER BY w.pos LIMIT {_PAGE}",
            after,
            last,
        ):
            for pos, key, address, pattern, values, kind, number, outcome, cause, *found in page:
                held = None if found[1] is None else Held(key, found[0], _decode(found[1]))
                yield Compared(
                    pos, key, address, pattern, _decode(values), kind, number, outcome, cause, held
                )
            after = page[-1][0]

    def last(self) -> int:
        """Place of the last wanted row."""
        return self._db.number("SELECT coalesce(max(pos), 0) FROM wanted")

    def left_out(self) -> Iterator[LeftOut]:
        """Every record that mapping kept out, in order."""
        after = 0
        while page := self._db.rows(
            "SELECT rowid, entity_type, entity_id, outcome, cause FROM left_out"
            f" WHERE rowid > ? ORDER BY rowid LIMIT {_PAGE}",
            after,
        ):
            for _, *columns in page:
                yield LeftOut(*columns)
            after = page[-1][0]

    def leaving(self) -> Iterator[tuple[Held, frozenset[str]]]:
        """Recipients of the list whom no row wants there, with the causes of rows of their id.

        Rows may be added to `wanted` meanwhile, for those that came already.
        """
        after = 0
        while page := self._db.rows(
            "SELECT p.pos, p.recipient_id, p.address, p.vals, (SELECT group_concat(DISTINCT"
            " w.cause) FROM wanted w WHERE w.recipient_id = p.recipient_id) FROM present p"
            " WHERE p.pos > ? AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.recipient_id ="
            " p.recipient_id AND (w.outcome IS NULL OR w.outcome = 'unchanged'))"
            f" ORDER BY p.pos LIMIT {_PAGE}",
            after,
        ):
            for _, key, address, values, causes in page:
                found = frozenset((causes or "").split(",")) - {""}
                yield Held(key, address, _decode(values)), found
            after = page[-1][0]

    def causes_of(self, entity_type: str, entity_id: str) -> frozenset[str]:
        """Why mapping kept records of this entity out."""
        found = self._db.rows(
            "SELECT DISTINCT cause FROM left_out WHERE entity_type = ? AND entity_id = ?",
            entity_type,
            entity_id,
        )
        return frozenset(cause for (cause,) in found)
