"""What became of each record: exactly one outcome, and sums that close (X4)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from target_kit.errors import BudgetExceeded


class Outcome(StrEnum):
    """The seven ends of a record."""

    APPLIED = "applied"  # something was written
    UNCHANGED = "unchanged"  # the destination already agrees, nothing was written
    REJECTED = "rejected"  # the record or a conflict forbids it; kept and offered again
    HELD = "held"  # waits: for its turn (the source sends it again) or, kept, for a decision
    SUPPRESSED = "suppressed"  # a named rule says this record must not be written
    FAILED = "failed"  # the vendor refused or failed it after retries; kept and offered again
    UNKNOWN = "unknown"  # a write was sent, its fate could not be found out; kept, looked at again


#: Outcomes that stay open: their records go to the rejects file and count in the error budget.
OPEN = frozenset({Outcome.REJECTED, Outcome.FAILED, Outcome.UNKNOWN})
#: Outcomes whose records are kept and offered again; a decision to wait uses no error budget.
KEPT = OPEN | {Outcome.HELD}


class Step(StrEnum):
    """The steps of a run; each has an error budget of its own (S0-56)."""

    CHECK = "check"  # source-side quality checks (S0-10)
    UPDATE = "update"
    INSERT = "insert"
    CUSTOM_FIELDS = "custom_fields"
    ACCOUNT = "account"  # the association of a contact with its account
    LISTS = "lists"  # subscriptions and unsubscriptions
    TAGS = "tags"
    DELETE = "delete"  # persons that were deleted in the source


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one record; `cause` is a fixed word, `message` a sentence without values."""

    outcome: Outcome
    step: Step
    cause: str = ""
    message: str = ""
    field: str | None = None
    source: str = ""  # how the record was matched: cfd, ctt or new (S0-20)


@dataclass(slots=True)
class Tally:
    """Counts the outcomes of one stream and keeps its error budgets.

    `received` is the number of records that came in, known before the first is decided;
    `reoffered` counts the rejects of earlier runs that take part. `max_errors` is the number of
    row errors each step tolerates: 500 go on, the 501st stops the run (S0-56, S0-28). While
    `patient` errors are counted and stop nothing: withdrawals of consent are exempt from budgets,
    so they are all heard before `enforce`.
    """

    max_errors: int
    received: int = 0
    reoffered: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    patient: bool = False

    def add(self, result: Result) -> None:
        """Count one result; raises BudgetExceeded at error number `max_errors` + 1 of a step."""
        self.outcomes[result.outcome] += 1
        if result.cause:
            self.causes[f"{result.outcome}:{result.step}:{result.cause}"] += 1
        if result.source:
            self.sources[result.source] += 1
        if result.outcome in OPEN:
            self.errors[result.step] += 1
            if not self.patient:
                self._judge(result.step)

    def enforce(self) -> None:
        """End the patience; raises BudgetExceeded where a step is over its budget by now."""
        self.patient = False
        for step in list(self.errors):
            self._judge(step)

    def _judge(self, step: str) -> None:
        if self.errors[step] > self.max_errors:
            raise BudgetExceeded(
                f"step {step}: {self.errors[step]} row errors, max_errors is "
                f"{self.max_errors}; most frequent cause: {self._worst(step)}. "
                "See the rejects file, correct the data or raise max_errors"
            )

    def close(self) -> None:
        """Records that were never attempted end as held, so that the sums close."""
        missing = self.received + self.reoffered - self.total
        if missing > 0:
            self.outcomes[Outcome.HELD] += missing
            self.causes[f"{Outcome.HELD}:not_attempted"] += missing

    @property
    def total(self) -> int:
        """Records with an outcome."""
        return sum(self.outcomes.values())

    @property
    def open(self) -> int:
        """Records that were not delivered and are kept for the next run."""
        return sum(self.outcomes[o] for o in OPEN)

    def _worst(self, step: str) -> str:
        counts = {c: n for c, n in self.causes.items() if f":{step}:" in c}
        return max(counts, key=lambda c: counts[c]).rsplit(":", 1)[-1]
