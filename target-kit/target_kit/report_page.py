"""The report of a run as one page for people (`report_html`): what it did, why, the runs before.

It holds counts, fixed words, names of streams, fields and settings: nobody's key, address or value.
Pure: what is shown is given, and `target_kit.page` escapes all of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from target_kit import report_chart
from target_kit.causes import sentence
from target_kit.outcome import KEPT, OPEN, Outcome
from target_kit.page import Cell, Html, document, paragraph, section, table, text
from target_kit.report import ONLY_PLANNED, RunReport, StreamReport
from target_kit.run_history import PastRun

#: What each exit code means and what to do; 128 + n is a signal (see `target_kit.errors`).
_EXITS = {
    1: "Something unexpected happened: file an issue with the log.",
    2: "A setting, a column or a field does not fit: correct what the message names.",
    3: "Key, permission or plan: compare them at the destination.",
    4: "A guard or the error budget stopped the run: look at the reasons below.",
    5: "Another run was at work: wait for its end.",
    6: "The input was cut or malformed: run again; the tap's log says why.",
    7: "The destination did not answer sensibly: run again later.",
}

CSS = """
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .6rem;
  margin: 1rem 0 }
.tiles div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .8rem;
  display: flex; flex-direction: column-reverse; justify-content: flex-end }
.tiles dt { color: var(--soft); font-size: .85rem; font-weight: 400 }
.tiles dd { margin: 0; font-size: 1.4rem; line-height: 1.3; white-space: nowrap;
  font-variant-numeric: tabular-nums }
.tiles .alarm dd { font-weight: 600 }
.facts { color: var(--soft) }
@media screen { .reasons td:last-child { min-width: 18rem } }
.runs { font-size: .8125rem }
.runs th, .runs td { white-space: nowrap }
@media print {
  .runs { font-size: 6.5pt }
  .tiles div { padding: .2rem .5rem }
  .tiles dd { font-size: 1.1rem }
}
"""


def as_page(report: RunReport, runs: Sequence[PastRun]) -> str:
    """The page of `report`; `runs` are the last ones, the oldest first, this one included."""
    return document(
        f"{report.target}: {report.status}",
        *_head(report),
        section("Outcomes", _outcomes(report)) if report.streams else Html(""),
        section("Why records were not delivered", *_reasons(report, open_ones=True)),
        section("Other reasons", *_reasons(report, open_ones=False)),
        section("The last runs", *_history(runs)),
        section("Calls", *_calls(report)),
        section("Besides", *_besides(report)),
        css=report_chart.CSS + CSS,
    )


def _head(report: RunReport) -> Iterator[Html]:
    mode = "" if report.mode == "run" else f" · mode {report.mode}"
    facts = f"{_when(report.started_at)} UTC · {report.target} {report.version}{mode}"
    yield Html(f'<p class="facts">{text(facts)}</p>')
    if report.mode == "plan":
        yield paragraph(ONLY_PLANNED)
    if report.message:
        yield paragraph(report.message, alarm=bool(report.exit_code))
    if report.exit_code:
        yield paragraph(f"Exit code {report.exit_code}. {_next_step(report.exit_code)}")
    for one in report.recovered:
        yield paragraph(
            f"{one['list']}: a change of {one['opened_at']} was left open; {one['ended']}"
        )
    sums = {one: sum(s.outcomes[one] for s in report.streams) for one in Outcome}
    not_delivered = sum(sums[one] for one in OPEN)
    tiles = [
        ("records", f"{sum(sums.values()):,}", False),
        ("applied", f"{sums[Outcome.APPLIED]:,}", False),
        ("unchanged", f"{sums[Outcome.UNCHANGED]:,}", False),
        ("not delivered", f"{not_delivered:,}", not_delivered > 0),
        ("held", f"{sums[Outcome.HELD]:,}", False),
        ("writes", f"{report.writes:,}", False),
        ("time", _duration(report.seconds), False),
    ]
    shown = [
        f"<div{' class=alarm' if alarm else ''}><dt>{text(name)}</dt><dd>{text(value)}</dd></div>"
        for name, value, alarm in tiles
    ]
    yield Html("\n".join(['<dl class="tiles">', *shown, "</dl>"]))


def _next_step(code: int) -> str:
    if code > 128:
        return f"Signal {code - 128} ended the run: run again; what was not applied comes again."
    return _EXITS.get(code, "")


def _outcomes(report: RunReport) -> Html:
    rows: list[list[Cell]] = [
        [s.stream, s.received + s.reoffered, *(s.outcomes[one] for one in Outcome)]
        for s in report.streams
    ]
    if len(rows) > 1:
        numbers = [[cell for cell in row if isinstance(cell, int)] for row in rows]
        rows.append(["all", *(sum(column) for column in zip(*numbers, strict=True))])
    head = ["Stream", "Records", *(one.capitalize() for one in Outcome)]
    return table("Every record has exactly one outcome; each row adds up.", head, rows)


def _reasons(report: RunReport, *, open_ones: bool) -> Iterator[Html]:
    rows: list[list[Cell]] = []
    for stream in report.streams:
        for name, number in stream.causes.items():
            outcome, _, rest = name.partition(":")
            step, _, cause = rest.rpartition(":")
            if (outcome in KEPT) == open_ones:
                rows.append([stream.stream, number, outcome, step, cause, sentence(cause)])
    if not rows:
        return
    rows.sort(key=lambda row: (row[2] == Outcome.HELD, -int(row[1])))
    head = ["Stream", "Records", "Outcome", "Step", "Cause", "What it means, what to do"]
    said = "By stream, outcome and cause; single records are in the rejects file."
    shown = table(said if open_ones else "By stream, outcome and cause.", head, rows)
    yield Html(f'<div class="reasons">{shown}</div>')
    if open_ones:
        for stream in report.streams:
            if stream.rejects_file and any(stream.outcomes[one] for one in OPEN):
                yield paragraph(f"{stream.stream}: single records are in {stream.rejects_file}")


def _history(runs: Sequence[PastRun]) -> Iterator[Html]:
    when = [_when(run.started_at) for run in runs]
    yield report_chart.legend()
    yield report_chart.chart(runs, when)
    if signs := " ".join(report_chart.explained(runs)):
        yield paragraph(signs)
    modes = any(run.mode != "run" for run in runs)
    head = ["Begun (UTC)", *(["Mode"] if modes else []), "End", "Exit code", "Records"]
    head += [*(one.capitalize() for one in Outcome), "Calls", "Time"]
    rows: list[list[Cell]] = []
    for run, moment in zip(runs, when, strict=True):
        ended = run.status or "unfinished"
        code: Cell = "" if run.exit_code is None else run.exit_code
        counts = run.outcomes
        row: list[Cell] = [moment, *([run.mode] if modes else []), ended, code]
        if not run.unfinished:
            row += [sum(counts.values()), *counts.values(), run.calls, _duration(run.seconds)]
        rows.append(row + [""] * (len(head) - len(row)))
    yield Html(f'<div class="runs">{table("The newest first.", head, reversed(rows))}</div>')


def _calls(report: RunReport) -> Iterator[Html]:
    total = sum(report.calls.values())
    if not total:
        return
    rows = [*report.calls.items(), ("all", total)]
    yield table("Calls by endpoint, the most frequent first.", ["Endpoint", "Calls"], rows)
    said = f"{report.writes:,} of the calls were writes. The run took {_duration(report.seconds)}"
    if report.requests_per_second:
        said += (
            f"; at {report.requests_per_second:g} requests a second the calls alone take about "
            f"{_duration(report.estimated_seconds)}"
        )
    yield paragraph(said + ".")


def _besides(report: RunReport) -> Iterator[Html]:
    for stream in report.streams:
        rows = [*_facts(stream)]
        if rows:
            yield table(stream.stream, ["What", "Value"], rows)


def _facts(stream: StreamReport) -> Iterator[tuple[str, Cell]]:
    if stream.reoffered:
        yield "records of earlier runs, offered again", stream.reoffered
    if stream.reads:
        yield "read by", f"{stream.reads['strategy']}: {stream.reads['because']}"
    for source, number in stream.matched_by.items():
        yield f"matched by {source}", number
    for step, number in stream.errors_by_step.items():
        known = stream.max_errors < sys.maxsize  # a rehearsal has no budget
        allowed = f", of {stream.max_errors:,} allowed" if known else ""
        yield f"errors in step {step}{allowed}", number
    for name, value in stream.details.items():
        yield from _flat(name, value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Cell]]:
    """A detail: numbers and words as they are, what has parts part by part."""
    if isinstance(value, dict):
        for part, inner in value.items():
            yield from _flat(f"{name}: {part}", inner)
    elif isinstance(value, list | tuple):
        yield name, ", ".join(str(one) for one in value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value
    else:
        yield name, str(value)


def _when(moment: str) -> str:
    """A moment as people read it, in UTC; what is none stays as it is."""
    try:
        parsed = datetime.fromisoformat(moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return moment
    return f"{parsed:%Y-%m-%d %H:%M}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"
