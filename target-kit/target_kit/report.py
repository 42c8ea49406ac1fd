"""What a run did: one JSON for machines, one table for people, the same numbers in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from target_kit.errors import GuardTripped, InputError
from target_kit.outcome import OPEN, Outcome, Tally


@dataclass(slots=True)
class StreamReport:
    """One stream's part: the counts of `outcomes` add up to received + reoffered."""

    stream: str
    received: int
    reoffered: int
    outcomes: dict[str, int]
    causes: dict[str, int]
    matched_by: dict[str, int]
    errors_by_step: dict[str, int]
    max_errors: int
    reads: dict[str, str] | None
    rejects_file: str
    details: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        stream: str,
        tally: Tally,
        reads: dict[str, str] | None,
        rejects_file: Path | None,
        details: Mapping[str, Any] | None = None,
    ) -> StreamReport:
        """Build it from a closed tally; `details` are what this target has to say besides."""
        return cls(
            stream=stream,
            received=tally.received,
            reoffered=tally.reoffered,
            outcomes={outcome.value: tally.outcomes[outcome] for outcome in Outcome},
            causes=dict(sorted(tally.causes.items())),
            matched_by=dict(sorted(tally.sources.items())),
            errors_by_step=dict(sorted(tally.errors.items())),
            max_errors=tally.max_errors,
            reads=reads,
            rejects_file=str(rejects_file or ""),
            details=dict(details or {}),
        )


#: What people have to know before they read the outcomes of a plan.
ONLY_PLANNED = "This was a plan: nothing was written, the outcomes are those that a run would have."


@dataclass(slots=True)
class RunReport:
    """One run; `seconds` is wall time, `estimated_seconds` the calls at the rate limit, and
    `answers_broken` counts by route what came with success and could not be one.
    """

    target: str
    version: str
    started_at: str
    mode: str = "run"
    status: str = "running"
    exit_code: int | None = None
    message: str = ""
    seconds: float = 0.0
    requests_per_second: float = 0.0
    estimated_seconds: float = 0.0
    calls: dict[str, int] = field(default_factory=dict)
    writes: int = 0
    answers_broken: dict[str, int] = field(default_factory=dict)
    recovered: list[dict[str, Any]] = field(default_factory=list)
    streams: list[StreamReport] = field(default_factory=list)

    def as_json(self) -> bytes:
        """The report as indented JSON."""
        return msgspec.json.format(msgspec.json.encode(asdict(self)), indent=2) + b"\n"

    def as_table(self) -> str:
        """The report as one readable table."""
        names = [outcome.value for outcome in Outcome]
        rows = [
            [s.stream, str(s.received + s.reoffered), *(str(s.outcomes[n]) for n in names)]
            for s in self.streams
        ]
        lines = [f"{self.target}: {self.status}" + (f" ({self.message})" if self.message else "")]
        lines += [ONLY_PLANNED] if self.mode == "plan" else []
        lines += [
            f"{one['list']}: a change of {one['opened_at']} was left open; {one['ended']}"
            for one in self.recovered
        ]
        lines += _table(["stream", "records", *names], rows)
        for stream in self.streams:
            if stream.reads:
                lines.append(
                    f"{stream.stream}: read by {stream.reads['strategy']}"
                    f" ({stream.reads['because']})"
                )
            if stream.details:
                said = ", ".join(f"{name} {_in_words(v)}" for name, v in stream.details.items())
                lines.append(f"{stream.stream}: {said}")
            if stream.matched_by or not stream.details:
                matched = ", ".join(f"{n} {name}" for name, n in stream.matched_by.items())
                lines.append(f"{stream.stream}: matched {matched or 'nobody'}")
            lines += [f"  {n:>7} {cause}" for cause, n in stream.causes.items()]
            if stream.rejects_file and any(stream.outcomes[o] for o in OPEN):
                lines.append(f"  see {stream.rejects_file}")
        if not self.calls:  # a database, or a run that never got so far
            return "\n".join([*lines, f"{self.writes} writes in {self.seconds:.1f} s"])
        lines += _table(["calls", "number"], [[c, str(n)] for c, n in self.calls.items()])
        total = f"{self.writes} writes, {sum(self.calls.values())} calls in {self.seconds:.1f} s"
        if self.answers_broken:
            lines += _table(
                ["answered with success, and yet no answer", "number"],
                [[route, str(n)] for route, n in self.answers_broken.items()],
            )
        if self.requests_per_second:
            total += (
                f"; at {self.requests_per_second:g} requests/s they take about "
                f"{self.estimated_seconds:.0f} s"
            )
        lines.append(total)
        return "\n".join(lines)


def judge(report: RunReport, input_error: InputError | None, *, fail_on_rejects: bool) -> int:
    """Status and exit code of a run that came to its end; returns how many records stay open.

    `input_error` is what the caller will end the run with. Raises GuardTripped (S0-58).
    """
    rejects = sum(stream.outcomes[o] for stream in report.streams for o in OPEN)
    report.status, report.exit_code = "done", 0
    if rejects:
        report.status = f"completed with {rejects} errors"
    if input_error:
        report.status, report.exit_code = "incomplete input", input_error.code
        report.message = str(input_error)
    elif rejects and fail_on_rejects:
        raise GuardTripped(f"{rejects} records were not delivered (fail_on_rejects)")
    return rejects


def _in_words(value: Any) -> str:
    """A detail: a number, a text, or numbers by name."""
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name} {number}" for name, number in value.items()) + ")"
    return str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    ]


def counted(calls: Mapping[str, int]) -> dict[str, Any]:
    """Calls per route, most frequent first."""
    return dict(sorted(calls.items(), key=lambda item: (-item[1], item[0])))
