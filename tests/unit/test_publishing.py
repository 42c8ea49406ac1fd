"""Reports at the end of a run, whatever that end is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from target_kit.errors import ConfigurationError, GuardTripped, Interrupted
from target_kit.outcome import Outcome, Tally
from target_kit.publishing import Outlets, published
from target_kit.report import RunReport, StreamReport, judge
from target_kit.run_history import FILE_NAME


def outlets(home: Path) -> Outlets:
    """All three places of a report."""
    return Outlets(home / "state", home / "report.json", home / "report.html")


def fresh() -> RunReport:
    """A run that has just begun."""
    return RunReport("target", "1.0", "2026-03-01T12:00:00+00:00", mode="apply")


def in_history(home: Path) -> list[dict[str, Any]]:
    """The runs that are kept."""
    return [json.loads(line) for line in (home / "state" / FILE_NAME).read_text().splitlines()]


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        (GuardTripped("too many"), "stopped", 4),
        (Interrupted(15), "stopped", 143),
        (RuntimeError("nobody foresaw it"), "failed", 1),
    ],
)
def test_each_end_is_published_in_all_places(
    tmp_path: Path, end: Exception, status: str, code: int
) -> None:
    """JSON, page and history say the same; the error goes on."""
    with pytest.raises(type(end)), published(fresh(), FakeClock(), outlets(tmp_path)):
        raise end
    told = json.loads((tmp_path / "report.json").read_text())
    (kept,) = in_history(tmp_path)
    for one in (told, kept):
        assert (one["status"], one["exit_code"], one["mode"]) == (status, code, "apply")
    assert f"<title>target: {status}</title>" in (tmp_path / "report.html").read_text()


def test_what_nobody_foresaw_is_quoted_nowhere(tmp_path: Path) -> None:
    """X7: the text of an unexpected error may hold anything."""
    with pytest.raises(RuntimeError), published(fresh(), FakeClock(), outlets(tmp_path)):
        raise RuntimeError("ada@example.com")
    for path in (*tmp_path.glob("report.*"), tmp_path / "state" / FILE_NAME):
        assert "ada" not in path.read_text()


def test_parts_of_a_stream_are_one_in_the_history(tmp_path: Path) -> None:
    """Two lists filled from one stream: their counts are added, and the time is the clock's."""
    clock, report = FakeClock(), fresh()
    with published(report, clock, outlets(tmp_path)):
        clock.advance(90)
        for applied in (3, 4):
            tally = Tally(500, received=applied)
            tally.outcomes[Outcome.APPLIED] = applied
            report.streams.append(StreamReport.of("contacts", tally, None, None))
        report.calls = {"GET contacts": 2, "POST contacts": 7}
        judge(report, None, fail_on_rejects=False)
    (kept,) = in_history(tmp_path)
    assert kept["streams"]["contacts"]["applied"] == 7
    assert (kept["calls"], kept["seconds"], kept["status"]) == (9, 90.0, "done")


def test_a_page_that_cannot_be_written_is_named_and_keeps_nothing_else_back(
    tmp_path: Path,
) -> None:
    """The setting stands in the message; JSON and history are written all the same."""
    (tmp_path / "file").write_text("in the way")
    places = Outlets(tmp_path / "state", tmp_path / "report.json", tmp_path / "file" / "page.html")
    with (
        pytest.raises(ConfigurationError, match=r"^report_html: "),
        published(fresh(), FakeClock(), places),
    ):
        pass
    assert (tmp_path / "report.json").exists()
    assert len(in_history(tmp_path)) == 1


def test_a_page_shows_runs_of_its_own_target_only(tmp_path: Path) -> None:
    """Two targets may share a state_dir; each page tells of one."""
    for name in ("one", "other", "other"):
        report = RunReport(name, "1.0", "2026-03-01T12:00:00+00:00", status="done", exit_code=0)
        with published(report, FakeClock(), outlets(tmp_path)):
            pass
    assert (tmp_path / "report.html").read_text().count('<g class="run">') == 2
    assert len(in_history(tmp_path)) == 3
