"""The corridor: one stream's records from the spool to their outcome, one line a step.

Each key is written once, as its last record in the input says it: the same input twice then leaves
the same rows, and nothing is written the second time (S1-33).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from target_kit.clock import Clock
from target_kit.errors import RowError
from target_kit.outcome import OPEN, Outcome, Result, Step, Tally
from target_kit.progress import Progress
from target_kit.rejects import Reject, RejectStore
from target_kit.signals import StopSignal
from target_kit.spool import Spool, SpooledRecord
from target_kit.validation import KeyPropertyMissing, RecordValidator

from target_backoffice.execute import Executor
from target_backoffice.model import Column, Row
from target_backoffice.rows import identity, to_row

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_SUPERSEDED = Result(Outcome.SUPPRESSED, Step.CHECK, "later_record_of_this_key")


@dataclass
class FeedbackSink:
    """One stream of feedback; `advance(first_open_seq)` is told after every commit."""

    stream: str
    columns: Sequence[Column]
    key: Sequence[str]
    executor: Executor
    spool: Spool
    last_of_key: sqlite3.Connection
    rejects: RejectStore
    validator: RecordValidator
    tally: Tally
    clock: Clock
    stop: StopSignal
    advance: Callable[[int | None], None]
    batch_size_rows: int
    progress: Progress = field(init=False)
    _rejected: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.progress = Progress(self.stream, self.clock)
        self.last_of_key.execute(
            "CREATE TABLE last (key TEXT PRIMARY KEY, seq INTEGER) WITHOUT ROWID"
        )

    def run(self) -> None:
        """Every record of the stream gets its outcome, then the rejects of earlier runs."""
        rejected_before = self.rejects.records()
        self.note_last_of_each_key(after=0)
        after = self.process(after=0)
        self.offer_again(rejected_before)
        self.note_last_of_each_key(after=after)
        self.process(after=after)

    def process(self, *, after: int) -> int:
        """Chunk by chunk: check, write, commit, record; returns the last `seq`."""
        while batch := self._batch(after):
            after = batch[-1].seq
            rows, settled = self.check(batch)
            settled += self.executor.apply(rows, self.clock.now().replace(tzinfo=None))
            self.settle(batch, settled)
            following = self._batch(after, limit=1)
            self.advance(following[0].seq if following else None)
            self.progress.tell(self.tally.total, self.tally.received + self.tally.reoffered)
        return after

    def check(self, batch: Sequence[SpooledRecord]) -> tuple[list[Row], list[tuple[Any, Result]]]:
        """Rows to write, and what ends here: bad records, and those a later one supersedes."""
        rows: list[Row] = []
        settled: list[tuple[Any, Result]] = []
        for spooled in batch:
            try:
                row = self.read(spooled)
            except RowError as error:
                settled.append((spooled, _rejected(error)))
                continue
            rows.append(row)
        last = self._seqs([row.key for row in rows])
        settled += [(row, _SUPERSEDED) for row in rows if last[row.key] != row.seq]
        return [row for row in rows if last[row.key] == row.seq], settled

    def read(self, spooled: SpooledRecord) -> Row:
        """One record as a row. Raises RowError."""
        if spooled.fault:
            raise RowError("schema", f"does not match its SCHEMA: {spooled.fault}")
        return to_row(spooled.seq, _decode(spooled.body), self.columns, self.key)

    def settle(self, batch: Sequence[SpooledRecord], settled: Sequence[tuple[Any, Result]]) -> None:
        """Record the outcomes: rejects durable first, counted then (the budget may end the run)."""
        by_seq = {spooled.seq: spooled for spooled in batch}
        ordered = sorted(settled, key=lambda one: int(one[0].seq))
        for one, result in ordered:
            if result.outcome in OPEN:
                self._reject(by_seq[one.seq], result)
            elif result is not _SUPERSEDED:
                self.rejects.closed(one.key)
        self.rejects.sync()
        for _, result in sorted(ordered, key=lambda one: one[1].outcome in OPEN):
            self.tally.add(result)

    def note_last_of_each_key(self, *, after: int) -> None:
        """Remember, on disk, which record is the last of its key."""
        while batch := self._batch(after):
            self.stop.check()
            after = batch[-1].seq
            pairs = []
            for spooled in batch:
                try:
                    row = self.read(spooled)
                except RowError:
                    continue
                pairs.append((row.key, row.seq))
            self.last_of_key.execute("BEGIN")
            self.last_of_key.executemany("INSERT OR REPLACE INTO last VALUES (?, ?)", pairs)
            self.last_of_key.execute("COMMIT")

    def offer_again(self, rejected: Sequence[Reject]) -> None:
        """Append the open rejects of earlier runs, but for keys that came anew (S0-59)."""
        known = self._seqs([reject.identity for reject in rejected])
        for reject in rejected:
            if reject.record is None or reject.identity in known.keys() | self._rejected:
                continue
            body = msgspec.json.encode(reject.record)
            try:
                fault = self.validator.fault(body)
            except KeyPropertyMissing as missing:
                fault = f"$: required ({missing.name})"
            self.spool.append_record(self.stream, 0, body, fault)
            self.tally.reoffered += 1

    def _batch(self, after: int, limit: int | None = None) -> list[SpooledRecord]:
        return self.spool.records(self.stream, after=after, limit=limit or self.batch_size_rows)

    def _seqs(self, keys: Sequence[str]) -> dict[str, int]:
        """`seq` of the last record of each key."""
        found: dict[str, int] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT key, seq FROM last WHERE key IN ({marks})"
            found.update(self.last_of_key.execute(sql, some))
        return found

    def _reject(self, spooled: SpooledRecord, result: Result) -> None:
        record = _decode(spooled.body)
        name, key = identity(record, self.columns, self.key)
        self._rejected.add(name)
        now = self.clock.now().isoformat(timespec="seconds")
        self.rejects.add(name, key, record, result, now)


def _rejected(error: RowError) -> Result:
    return Result(Outcome.REJECTED, Step.CHECK, error.cause, error.message, error.field)
