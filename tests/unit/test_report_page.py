"""The report's page, as text; `tests/journeys/test_report_page.py` opens one in a browser."""

from __future__ import annotations

import pytest
from lxml import html
from target_kit.outcome import Outcome
from target_kit.report import RunReport, StreamReport
from target_kit.report_page import as_page
from target_kit.run_history import PastRun


def report(**more: object) -> RunReport:
    """A run of one stream that begins at noon."""
    made = RunReport("target", "1.2", "2026-03-01T13:00:00+01:00", status="done", exit_code=0)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def stream(name: str = "contacts", **more: object) -> StreamReport:
    """A stream of ten records, three of them not delivered."""
    outcomes = {one.value: 0 for one in Outcome} | {"applied": 7, "rejected": 2, "held": 1}
    made = StreamReport(
        name, 9, 1, outcomes, {}, {}, {}, 500, {"strategy": "point", "because": "few"}, "rejects"
    )
    for key, value in more.items():
        setattr(made, key, value)
    return made


def past(applied: int, **more: object) -> PastRun:
    """An earlier run."""
    made = PastRun(
        id=str(applied), target="target", started_at="2026-03-01T12:00:00+00:00", status="done",
        exit_code=0, streams={"contacts": {Outcome.APPLIED: applied}},
    )  # fmt: skip
    for name, value in more.items():
        setattr(made, name, value)
    return made


def read(report: RunReport, *runs: PastRun) -> str:
    """What a reader sees, on one line."""
    body = html.document_fromstring(as_page(report, runs)).find("body")
    return " ".join(" ".join(body.itertext()).split())


def columns(*runs: PastRun) -> list[html.HtmlElement]:
    """The chart's columns."""
    page = html.document_fromstring(as_page(report(), runs))
    return list(page.xpath("//*[name()='svg']//*[contains(@class, 'run')]"))


def heights(column: html.HtmlElement) -> list[float]:
    """How high the pieces of a column are, in units of the drawing."""
    return [float(piece.get("height")) for piece in column.iter("rect")]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "file an issue"),
        (2, "correct what the message names"),
        (3, "Key, permission or plan"),
        (4, "guard"),
        (5, "Another run"),
        (6, "run again; the tap's log"),
        (7, "run again later"),
        (143, "Signal 15"),
    ],
)
def test_each_end_of_a_run_says_what_to_do(code: int, words: str) -> None:
    """Message, exit code and next step stand on top."""
    shown = read(report(status="stopped", exit_code=code, message="what happened"))
    assert "what happened" in shown
    assert f"Exit code {code}." in shown
    assert words in shown


def test_a_run_that_got_nowhere_has_a_page_too() -> None:
    """Without streams and calls there are no empty tables."""
    shown = html.document_fromstring(as_page(report(status="failed", exit_code=1), []))
    headings = [one.text for one in shown.iter("h2")]
    assert headings == ["The last runs"]


def test_what_a_target_says_besides_is_there_part_by_part() -> None:
    """Counts of the worklist, reads, matches, errors, lists that were left open."""
    shown = read(
        report(
            streams=[
                stream(
                    details={
                        "worklist": {"email_change": 1234},
                        "fields": ["A", "B"],
                        "free": "yes",
                    },
                    matched_by={"cfd": 7},
                    errors_by_step={"check": 2},
                )
            ],
            recovered=[{"list": "news", "opened_at": "noon", "ended": "restored"}],
        )
    )
    for words in (
        "worklist: email_change 1,234", "fields A, B", "free yes", "read by point: few",
        "matched by cfd 7", "errors in step check, of 500 allowed 2",
        "records of earlier runs, offered again 1",
        "news: a change of noon was left open; restored",
    ):  # fmt: skip
        assert words in shown


def test_what_was_not_delivered_stands_apart_from_other_reasons() -> None:
    """Rejects first, the most frequent on top, then what is held; suppressed rows are below."""
    causes = {
        "held:update:email_change_held": 9,
        "rejected:check:email_syntax": 1,
        "failed:insert:vendor_failed": 3,
        "suppressed:check:no_email": 8,
        "held:not_attempted": 2,
        "rejected:update:refused_422": 2,
        "rejected:update:a_new_word": 1,
    }
    page = html.document_fromstring(as_page(report(streams=[stream(causes=causes)]), []))
    tables = [
        [[cell.text for cell in row] for row in one.iter("tr")][1:]
        for one in page.iter("table")
        if str(one.findtext("caption")).startswith("By stream")
    ]
    assert [[row[4] for row in rows] for rows in tables] == [
        ["vendor_failed", "refused_422", "email_syntax", "a_new_word", "email_change_held",
         "not_attempted"],
        ["no_email"],
    ]  # fmt: skip
    assert "status 422" in tables[0][1][5]
    assert not tables[0][3][5]


def test_calls_are_set_against_the_rate_limit() -> None:
    """How long the run took, and how long its calls alone take at the limit."""
    made = report(
        calls={"GET contacts": 1500, "POST contacts": 300}, writes=300, seconds=4000.0,
        requests_per_second=5.0, estimated_seconds=360.0,
    )  # fmt: skip
    shown = read(made)
    assert "all 1,800" in shown
    assert "The run took 1 h 06 min; at 5 requests a second the calls alone take about" in shown
    assert "6 min 00 s." in shown


def test_times_are_utc() -> None:
    """One in the afternoon at +01:00 is noon."""
    assert "2026-03-01 12:00 UTC · target 1.2" in read(report())


def test_a_run_without_end_is_called_unfinished() -> None:
    """It has a column with a mark and no numbers."""
    shown = read(report(), past(3), past(0, status="", exit_code=None, streams={}))
    assert "2026-03-01 12:00 unfinished" in shown
    assert "? has no end" in shown
    assert "? has no end" not in read(report(), past(3))


def test_a_plan_is_drawn_pale() -> None:
    """What was only planned is not taken for written."""
    run, plan = columns(past(3), past(3, mode="plan"))
    assert run.get("class") == "run"
    assert plan.get("class") == "run plan"
    assert "Pale bars are plans" in read(report(), past(3, mode="plan"))


def test_heights_are_in_proportion() -> None:
    """Half as many records are half as high; one among thousands is still seen."""
    full, half = (heights(one) for one in columns(past(400), past(200)))
    assert full == [2 * half[0]]
    mixed = past(0, streams={"a": {Outcome.REJECTED: 1, Outcome.HELD: 9999}})
    (column,) = columns(mixed)
    assert min(heights(column)) >= 1


def test_a_first_load_does_not_flatten_the_days_after_it() -> None:
    """Its bar is cut off and carries its number; those of the days keep their scale."""
    runs = [past(100_000), past(50), past(100), past(80), past(70)]
    first, *days = columns(*runs)
    assert heights(days[1]) == heights(first)
    assert heights(days[0]) == [heights(days[1])[0] / 2]
    assert first.findtext("text") == "100,000"
    assert "A bar with a number is cut off" in read(report(), *runs)
    assert "A bar with a number is cut off" not in read(report(), *runs[1:])
    assert "A bar with a number is cut off" not in read(report(), *runs[:4])


def test_several_streams_are_summed() -> None:
    """Numbers of several streams are summed in the last line only where there are several."""
    assert " all " not in read(report(streams=[stream()]))
    assert "all 20 14" in read(report(streams=[stream(), stream("more")]))
