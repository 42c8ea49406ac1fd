"""One chunk of rows into the database: one transaction, and each row's own end.

The whole chunk is tried at once; where the database refuses a row of it, the chunk is undone and
done again row by row, each behind a savepoint of its own, so that a bad row costs itself only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from target_kit.errors import VendorUnavailable
from target_kit.outcome import Outcome, Result, Step

from target_backoffice.model import Row, Statement, Write
from target_backoffice.planning import plan
from target_backoffice.refusals import Verdict
from target_backoffice.tables import FeedbackTable, Worklist

_TRIES = 5  # a deadlock takes one of two sessions; five in a row are something else

Settled = tuple[Row, Result]


@dataclass(frozen=True)
class Executor:
    """Writes the rows of one stream and carries them on to their entities."""

    stream: str
    table: FeedbackTable
    worklist: Worklist
    statements: tuple[Statement, ...]
    check_signal: Callable[[], None]

    def apply(self, rows: Sequence[Row], now: datetime) -> list[Settled]:
        """All rows in one committed transaction; raises StopRun when the database can't go on."""
        connector = self.table.connector
        for _ in range(_TRIES):
            try:
                with connector.transaction() as connection:
                    settled = self._chunk(connection, rows, now)
            except sa.exc.StatementError as error:
                refusal = connector.judge(error)
                if refusal.verdict is not Verdict.AGAIN:
                    connector.stop_run(refusal, "can't be written")
            except sa.exc.SQLAlchemyError as error:
                raise VendorUnavailable(f"the database fails ({type(error).__name__})") from None
            else:
                return settled
        raise VendorUnavailable(f"the database undid the same transaction {_TRIES} times")

    def _chunk(
        self, connection: sa.Connection, rows: Sequence[Row], now: datetime
    ) -> list[Settled]:
        known = self.table.hashes(connection, [row.key for row in rows])
        writes, unchanged = plan(rows, known)
        settled = [(row, Result(Outcome.UNCHANGED, Step.CHECK)) for row in unchanged]
        try:
            with connection.begin_nested():
                return settled + self._write(connection, writes, now)
        except sa.exc.StatementError as error:
            if self.table.connector.judge(error).verdict is not Verdict.ROW:
                raise
        for write in writes:
            settled += self._alone(connection, write, now)
        return settled

    def _alone(self, connection: sa.Connection, write: Write, now: datetime) -> list[Settled]:
        """One row; what refuses it becomes its reject."""
        try:
            with connection.begin_nested():
                return self._write(connection, [write], now)
        except sa.exc.StatementError as error:
            refusal = self.table.connector.judge(error)
            if refusal.verdict is not Verdict.ROW:
                raise
            text = f"the database refuses it: {refusal.reason}"
            return [(write.row, Result(Outcome.REJECTED, _step(write), "refused", text))]

    def _write(
        self, connection: sa.Connection, writes: Sequence[Write], now: datetime
    ) -> list[Settled]:
        self.table.upsert(connection, [write.row for write in writes], now)
        if not self.statements:
            return [(write.row, Result(Outcome.APPLIED, _step(write))) for write in writes]
        settled, found = [], []
        bound = [self.table.bind(statement) for statement in self.statements]
        for write in writes:
            self.check_signal()
            number = self._carry_on(connection, bound, write.row, now)
            if number is None:
                self.worklist.put(connection, self.stream, write.row, now)
                result = Result(Outcome.APPLIED, _step(write), "worklist", source="worklist")
            else:
                found.append(write.row.key)
                result = Result(Outcome.APPLIED, _step(write), source=f"apply_sql[{number}]")
            settled.append((write.row, result))
        self.worklist.resolve(connection, self.stream, found, now)
        return settled

    def _carry_on(
        self, connection: sa.Connection, bound: Sequence[sa.TextClause], row: Row, now: datetime
    ) -> int | None:
        """Number of the first statement that touches a row of the backoffice."""
        values = self.table.bound(row, now)
        for number, (clause, statement) in enumerate(zip(bound, self.statements, strict=True)):
            taken = {name: values[name] for name in statement.parameters}
            if connection.execute(clause, taken).rowcount > 0:
                return number
        return None


def _step(write: Write) -> Step:
    return Step.INSERT if write.new else Step.UPDATE
