"""The numbers of the last runs."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
from pathlib import Path

import pytest
from target_kit.outcome import Outcome
from target_kit.run_history import FILE_NAME, KEPT_RUNS, PastRun, RunHistory


def ended(history: RunHistory, number: int) -> list[PastRun]:
    """A whole run with so many records applied."""
    run = history.begin("target", f"2026-03-01T12:00:{number % 60:02}+00:00", "run")
    run.status, run.exit_code = "done", 0
    run.streams = {"contacts": {Outcome.APPLIED: number}}
    return history.end(run)


def test_a_run_that_began_is_there_before_it_ends(tmp_path: Path) -> None:
    """A kill leaves the beginning; the next run shows it as unfinished."""
    RunHistory(tmp_path).begin("target", "2026-03-01T12:00:00+00:00", "run")
    killed, done = ended(RunHistory(tmp_path), 7)
    assert killed.unfinished
    assert not done.unfinished
    assert done.outcomes[Outcome.APPLIED] == 7


def test_the_last_thirty_are_kept(tmp_path: Path) -> None:
    """The oldest go, the order stays."""
    history = RunHistory(tmp_path)
    for number in range(KEPT_RUNS + 5):
        known = ended(history, number)
    assert [one.outcomes[Outcome.APPLIED] for one in known] == [*range(5, KEPT_RUNS + 5)]
    assert len((tmp_path / FILE_NAME).read_text().splitlines()) == KEPT_RUNS


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b'{"id": "1", "target": "t", "started_at": "s", "streams": {"contacts": {"lost": 1}}}',
        b'{"id": "1", "target": "t", "started_at": "s", "calls": -1}',
        b'{"id": "1", "target": "t", "started_at": "s", "seconds": 1e999}',
        b'["secret"]',
        b"\xff\xfe\x00secret",
        b"[" * 100_000,
    ],
)
def test_a_torn_or_alien_line_breaks_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: bytes
) -> None:
    """It is dropped with a line in the log that quotes nothing of it; the other runs stay."""
    history = RunHistory(tmp_path)
    ended(history, 1)
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(line + b"\n")
    with caplog.at_level(logging.WARNING):
        known = ended(history, 2)
    assert [one.outcomes[Outcome.APPLIED] for one in known] == [1, 2]
    assert [one for one in caplog.messages if "can't be read" in one]
    assert "secret" not in caplog.text
    assert [json.loads(one)["id"] for one in (tmp_path / FILE_NAME).read_text().splitlines()]


def test_a_file_too_large_to_be_ours_is_begun_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody reads gigabytes to draw a chart."""
    (tmp_path / FILE_NAME).write_bytes(b"x" * 5_000_000)
    assert len(ended(RunHistory(tmp_path), 1)) == 1
    assert "too large" in caplog.text
    assert (tmp_path / FILE_NAME).stat().st_size < 1000


@pytest.mark.parametrize("kind", ["directory", "pipe", "link"])
def test_what_is_no_file_in_its_place_breaks_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """A directory, a pipe or a symbolic link: the run knows itself, what a link names is left."""
    place, elsewhere = tmp_path / "state" / FILE_NAME, tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    place.parent.mkdir()
    if kind == "directory":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(elsewhere)
    known = ended(RunHistory(place.parent), 3)
    assert [one.outcomes[Outcome.APPLIED] for one in known] == [3]
    assert caplog.messages
    assert elsewhere.read_text() == "kept"


def test_a_place_that_cannot_be_written_breaks_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says why there is no history; the page has this run alone."""
    (tmp_path / "state").write_text("a file where the directory should be")
    known = ended(RunHistory(tmp_path / "state"), 3)
    assert [one.outcomes[Outcome.APPLIED] for one in known] == [3]
    assert "the history of runs was not written" in caplog.text


def _five(state_dir: str, first: int) -> None:
    for number in range(first, first + 5):
        ended(RunHistory(Path(state_dir)), number)


def test_processes_at_the_same_time_lose_no_run(tmp_path: Path) -> None:
    """Four processes enter five runs each; all twenty are there, and no line is torn."""
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=_five, args=(str(tmp_path), number * 5)) for number in range(4)
    ]
    for one in processes:
        one.start()
    for one in processes:
        one.join(60)
        assert one.exitcode == 0
    known = ended(RunHistory(tmp_path), 20)
    assert sorted(one.outcomes[Outcome.APPLIED] for one in known) == [*range(21)]


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    """Mode 0600, as all files in state_dir."""
    ended(RunHistory(tmp_path), 1)
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
