"""The identity ledger: who of the source is who at the destination, since when, at which address.

A stream's run asks it before it looks anybody up, and tells it what the destination was seen to
agree with, a batch of persons in one transaction. It is a memory and no authority: whatever matters
is looked up at the destination before it is written, so losing the ledger costs the time of one
full look, never correctness (X8). Five things are nowhere else and begin anew: the dated history of
addresses, the age of work items, an operator's approvals, which ends of memberships were only due
to a change of address, and how often a field had to be written again.

Rows hold addresses, keys and ids: personal data. They lie in `state_dir/ledger.sqlite`, which
nobody else can read, or in a PostgreSQL that several machines share. Importing this module loads
SQLAlchemy, which takes as long as all else of a target: import it where a ledger is opened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from target_kit.ledger_database import LedgerDatabase, LedgerError, database
from target_kit.ledger_entries import (
    Approval,
    Ended,
    Fact,
    Finding,
    Interval,
    Person,
    Rewritten,
    WorkItem,
    see_again,
)
from target_kit.ledger_intervals import put_intervals
from target_kit.ledger_rows import Rows
from target_kit.ledger_schema import (
    ADDRESSES,
    APPROVALS,
    ENDED,
    FACTS,
    OF_PERSONS,
    OF_SCOPE,
    PEOPLE,
    REWRITTEN,
    WORKLIST,
    is_theirs,
    number_of,
)
from target_kit.shards import Shard

__all__ = [
    "Ended",
    "Finding",
    "Interval",
    "Ledger",
    "LedgerError",
    "Person",
    "WorkItem",
    "open_ledger",
]

BATCH = 1000
_BY_TIME = (ADDRESSES.c.since, sa.nulls_last(ADDRESSES.c.until))
_STILL = ADDRESSES.c.until.is_(None)
T = TypeVar("T")


@contextmanager
def open_ledger(
    state_dir: Path,
    url: str | None,
    scope: str,
    *,
    shard: Shard | None = None,
    lock_timeout_seconds: float = 30,
) -> Iterator[Ledger]:
    """The ledger of `scope` (an account and a stream), made when it is missing.

    Without `url` it is the file `state_dir/ledger.sqlite`; with one a PostgreSQL, where a second
    run of the same scope gets LockedError until the first has ended, unless both are of different
    shards of one count. Raises ConfigurationError for a URL that can't be right, LedgerError for a
    ledger that can't be used.
    """
    with database(state_dir, url, scope, shard, lock_timeout_seconds) as opened:
        yield Ledger(opened, scope, shard)


class Ledger:
    """The rows of one scope; those of others are never seen. For one thread.

    Every method is one transaction; an iterator has one for each batch, so that the ledger can be
    written in between. Everything raises LedgerError once the database can't be used.
    """

    def __init__(self, opened: LedgerDatabase, scope: str, shard: Shard | None = None) -> None:
        self._database, self._scope = opened, number_of(scope)
        self._own = f"{shard.folder} " if shard else ""  # a shard has read what it has read

    def _rows(self, *, write: bool = False) -> AbstractContextManager[Rows]:
        return self._database.rows(self._scope, write=write)

    # --- persons ---

    def people(self, whos: Collection[str]) -> dict[str, Person]:
        """Those of `whos` that are known."""
        with self._rows() as rows:
            return {person.who: person for person in rows.of(Person, PEOPLE, whos)}

    def of_contact(self, contact_id: str) -> list[Person]:
        """Persons with this technical id; more than one is a conflict."""
        test = PEOPLE.c.contact_id == contact_id
        with self._rows() as rows:
            return rows.select(Person, PEOPLE, test, order=[PEOPLE.c.who])

    def all_people(self) -> Iterator[list[Person]]:
        """Everybody, in batches ordered by `who`."""
        return self._batches(Person, PEOPLE, [PEOPLE.c.who])

    # --- addresses ---

    def addresses(self, who: str) -> list[Interval]:
        """When a person was written to under which address, oldest first (S2-14)."""
        with self._rows() as rows:
            return rows.select(Interval, ADDRESSES, ADDRESSES.c.who == who, order=_BY_TIME)

    def since(self, whos: Collection[str]) -> dict[str, Interval]:
        """The open interval of each."""
        with self._rows() as rows:
            return {i.who: i for i in rows.of(Interval, ADDRESSES, whos, _STILL)}

    def whose(self, address_key: str, at: datetime | None = None) -> list[Interval]:
        """Who had this address at that moment, or at any time (S2-8)."""
        tests = [ADDRESSES.c.address_key == address_key]
        if at is not None:
            tests += [ADDRESSES.c.since <= at, sa.or_(_STILL, ADDRESSES.c.until > at)]
        with self._rows() as rows:
            return rows.select(Interval, ADDRESSES, *tests, order=[*_BY_TIME, ADDRESSES.c.who])

    def ended_at_addresses(self, address_keys: Iterable[str]) -> dict[str, list[Interval]]:
        """Who had these addresses and has others by now, by address."""
        found: dict[str, list[Interval]] = {}
        ended = ADDRESSES.c.until.is_not(None)
        with self._rows() as rows:
            for interval in rows.among(
                Interval, ADDRESSES, ADDRESSES.c.address_key, address_keys, ended
            ):
                found.setdefault(interval.address_key, []).append(interval)
        return found

    def former(self) -> Iterator[list[Interval]]:
        """Ended intervals in batches, without addresses that the person has now."""
        key = [ADDRESSES.c.who, ADDRESSES.c.since, ADDRESSES.c.address_key]
        now = ADDRESSES.alias()
        return self._batches(
            Interval,
            ADDRESSES,
            key,
            ADDRESSES.c.until.is_not(None),
            ~sa.exists().where(is_theirs(now), now.c.until.is_(None)),
            ~sa.exists().where(is_theirs(PEOPLE)),
        )

    # --- the worklist, and an operator's leave ---

    def worklist(self, who: str | None = None) -> list[WorkItem]:
        """Open items, of one person or of all, oldest first."""
        column = WORKLIST.c
        tests = [] if who is None else [column.who == who]
        with self._rows() as rows:
            order = [column.first_seen, column.who, column.kind]
            return rows.select(WorkItem, WORKLIST, *tests, order=order)

    def approve(self, who: str, address_key: str, now: datetime) -> None:
        """Note that an operator lets this person change to this address."""
        with self._rows(write=True) as rows:
            rows.put(APPROVALS, [Approval(who, address_key, now)])

    def approved(self, whos: Collection[str]) -> dict[str, set[str]]:
        """The addresses that an operator lets each of `whos` change to."""
        found: dict[str, set[str]] = {}
        with self._rows() as rows:
            for leave in rows.of(Approval, APPROVALS, whos):
                found.setdefault(leave.who, set()).add(leave.address_key)
        return found

    def ended(self, who: str) -> list[Ended]:
        """Memberships that ended for no other reason than a change of address."""
        with self._rows() as rows:
            return list(rows.of(Ended, ENDED, [who]))

    def note_ended(self, memberships: Iterable[Ended]) -> None:
        """Note such ends, instead of what was noted of the same memberships."""
        with self._rows(write=True) as rows:
            rows.put(ENDED, list(memberships))

    # --- fields that do not stay as they were written ---

    def rewritten(self, whos: Collection[str]) -> list[Rewritten]:
        """What had to be written of these persons by the last runs."""
        with self._rows() as rows:
            return list(rows.of(Rewritten, REWRITTEN, whos))

    def is_rewritten(self, name: str) -> bool:
        """Whether anybody's field of this name had to be written more than once in a row."""
        tests = [REWRITTEN.c.name == name, REWRITTEN.c.times > 1]
        with self._rows() as rows:
            return bool(rows.select(Rewritten, REWRITTEN, *tests, limit=1))

    def note_rewritten(
        self, again: Iterable[Rewritten], agreeing: Iterable[tuple[str, str]]
    ) -> None:
        """Note fields that were written, and forget those (person and name) that agree."""
        with self._rows(write=True) as rows:
            rows.discard(REWRITTEN, agreeing)
            rows.put(REWRITTEN, again)

    # --- what a run has learnt ---

    def record(
        self,
        *,
        people: Iterable[Person] = (),
        intervals: Iterable[Interval] = (),
        findings: Iterable[Finding] = (),
        settled: Iterable[tuple[str, str]] = (),
        now: datetime,
    ) -> None:
        """Make a batch durable, all of it or nothing.

        `people` replace what was known of them. An open interval ends the one before it, unless
        that has the same address; an ended one is added as it stands, once. Items in `settled`
        (person and kind) go; `findings` become items or are seen once more.
        """
        known, dated, found, gone = list(people), list(intervals), list(findings), list(settled)
        with self._rows(write=True) as rows:
            rows.put(PEOPLE, known)
            put_intervals(rows, dated)
            before = list(rows.of(WorkItem, WORKLIST, [finding.who for finding in found]))
            rows.discard(WORKLIST, gone)
            rows.put(WORKLIST, see_again(before, found, now))

    def forget(self, whos: Iterable[str]) -> None:
        """Erase these persons: who they are, their addresses, items and approvals."""
        erased = list(whos)
        with self._rows(write=True) as rows:
            for table in OF_PERSONS:
                rows.delete(table, erased)

    def forget_addresses(self, address_keys: Iterable[str]) -> None:
        """Erase these addresses from the history of others who had them, and from approvals."""
        gone = list(address_keys)
        with self._rows(write=True) as rows:
            rows.delete_among(ADDRESSES, ADDRESSES.c.address_key, gone)
            rows.delete_among(APPROVALS, APPROVALS.c.address_key, gone)

    def clear(self) -> None:
        """Forget everything of the scope, to be built anew."""
        with self._rows(write=True) as rows:
            for table in OF_SCOPE:
                rows.delete(table)

    def doubt(self, contact_ids: Iterable[str] | None) -> None:
        """Forget that the destination agreed about these contacts; None: about all."""
        with self._rows(write=True) as rows:
            rows.update(PEOPLE, PEOPLE.c.contact_id, contact_ids, fingerprint=b"")

    # --- facts about the scope ---

    def fact(self, name: str) -> str | None:
        """What was noted under `name`, such as when everything was last read: by this shard, or by
        whole runs.
        """
        with self._rows() as rows:
            found = rows.select(Fact, FACTS, FACTS.c.name == self._own + name)
        return found[0].value if found else None

    def set_fact(self, name: str, value: str) -> None:
        """Note `value` under `name`, instead of what was there."""
        with self._rows(write=True) as rows:
            rows.put(FACTS, [Fact(self._own + name, value)])

    def _batches(
        self, kind: type[T], table: sa.Table, key: list[Any], *tests: sa.ColumnElement[bool]
    ) -> Iterator[list[T]]:
        after: list[sa.ColumnElement[bool]] = []
        while True:
            with self._rows() as rows:
                batch = rows.select(kind, table, *tests, *after, order=key, limit=BATCH)
            if not batch:
                return
            yield batch
            last = [sa.literal(getattr(batch[-1], column.name), column.type) for column in key]
            after = [sa.tuple_(*key) > sa.tuple_(*last)]
