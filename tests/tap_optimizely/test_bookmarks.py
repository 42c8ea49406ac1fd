"""A second run delivers only news, and nothing that could still come is passed over."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tap_optimizely_support import DAY, LIST, START, Run, Tap

CLOSED = {"unsubscribes_source": "closed_loop"}


def unsubscribe(tap: Tap, *names: str) -> None:
    for name in names:
        tap.simulator.event("unsubscribe", id=f"{name}@example.com", list=LIST)
        tap.simulator.clock(advance=10)


def fetch(tap: Tap, before: Run | None = None, **config: Any) -> Run:
    state = None if before is None else before.state
    run = tap.run("unsubscribes", state=state, **{**CLOSED, **config})
    assert run.code == 0, run.errors
    return run


def names(run: Run) -> list[str]:
    return [r["recipient_id"].partition("@")[0] for r in run.records("unsubscribes")]


def bookmark(run: Run, export: str = "unsubscribes") -> dict[str, Any]:
    found: dict[str, Any] = run.state["bookmarks"]["unsubscribes"]["exports"][export]
    return found


def moment(text: str) -> float:
    return dt.datetime.fromisoformat(text).timestamp()


def test_a_second_run_delivers_only_what_is_new(tap: Tap) -> None:
    """The overlap is read again, and what was delivered from it is left out."""
    unsubscribe(tap, "anna", "bert")
    first = fetch(tap)
    unsubscribe(tap, "carl")
    second = fetch(tap, first)
    third = fetch(tap, second)
    assert (names(first), names(second), names(third)) == (["anna", "bert"], ["carl"], [])


def test_days_apart_nothing_is_lost_and_nothing_comes_twice(tap: Tap) -> None:
    """Two weeks of daily jobs and daily fetches, at changing hours."""
    tap.simulator.switches(export_jobs="daily")
    got: list[str] = []
    last: Run | None = None
    for day in range(14):
        unsubscribe(tap, f"n{day}")
        tap.simulator.clock(advance=DAY + (-1) ** day * 7200)
        last = fetch(tap, last)
        got += names(last)
    assert got == [f"n{day}" for day in range(14)]


def test_the_bookmark_is_the_vendors_time_less_the_overlap(tap: Tap) -> None:
    """Event times are no measure: files are chosen by when they were written."""
    event = {"rows": [["old@example.com", str(LIST), "2026-02-10T00:00:00+00:00"]]}
    tap.simulator.event("add_export_file", stream="unsubscribes", **event)
    tap.simulator.clock(advance=5)
    saved = bookmark(fetch(tap, overlap_seconds=3600))
    assert moment(saved["fetched_at"]) == moment(START) + 5
    assert moment(saved["since"]) == moment(START) + 5 - 3600


def test_without_an_export_file_the_run_is_fine_and_the_bookmark_stays(tap: Tap) -> None:
    """Not ready yet is a normal state with a note (S1-36)."""
    tap.simulator.switches(export_jobs="daily")
    unsubscribe(tap, "anna")
    first = fetch(tap)
    assert "no export file yet" in first.errors
    assert (names(first), bookmark(first)["since"]) == ([], None)
    assert first.markers
    tap.simulator.clock(advance=DAY)
    assert names(fetch(tap, first)) == ["anna"]


def test_a_file_published_late_is_found_after_a_fetch_without_news(tap: Tap) -> None:
    """The bookmark does not pass what could still come, however late (S1-36)."""
    unsubscribe(tap, "anna")
    first = fetch(tap)
    tap.simulator.clock(advance=3 * DAY)
    second = fetch(tap, first)
    row = ["late@example.com", str(LIST), START]
    early = moment(START) + DAY
    tap.simulator.event("add_export_file", stream="unsubscribes", rows=[row], time=early)
    assert names(fetch(tap, second)) == ["late"]


def test_a_file_published_late_is_found_within_the_overlap(tap: Tap) -> None:
    """A job that took an hour loses nothing although others were read meanwhile."""
    unsubscribe(tap, "anna")
    tap.simulator.clock(advance=3600)
    first = fetch(tap)
    row = ["late@example.com", str(LIST), START]
    early = moment(START) + 60
    tap.simulator.event("add_export_file", stream="unsubscribes", rows=[row], time=early)
    assert names(fetch(tap, first)) == ["late"]


@pytest.mark.parametrize("event", ["touch_export_file", "duplicate_export_file"])
def test_a_file_written_again_brings_its_rows_once(tap: Tap, event: str) -> None:
    """Rows of a modified or doubled file are told by the whole row."""
    unsubscribe(tap, "anna")
    first = fetch(tap)
    tap.simulator.clock(advance=600)
    tap.simulator.event(event, stream="unsubscribes")
    second = fetch(tap, first)
    assert (names(first), names(second)) == (["anna"], [])


def test_a_row_that_is_there_twice_comes_once_in_a_run(tap: Tap) -> None:
    """Within a run the whole row decides as well."""
    unsubscribe(tap, "anna")
    tap.simulator.event("duplicate_export_file", stream="unsubscribes")
    tap.simulator.clock(advance=5)
    assert names(fetch(tap)) == ["anna"]


@pytest.mark.parametrize("interval", ["left_open", "right_open", "closed", "open"])
@pytest.mark.parametrize("overlap", [0, 5, 20])
def test_no_end_of_an_interval_loses_a_file(tap: Tap, interval: str, overlap: int) -> None:
    """Whether since and until belong to the interval is not documented: it must not matter."""
    tap.simulator.switches(export_interval=interval)
    got: list[str] = []
    last: Run | None = None
    for number in range(4):
        tap.simulator.event("unsubscribe", id=f"n{number}@example.com", list=LIST)
        last = fetch(tap, last, overlap_seconds=overlap)  # in the file's own millisecond
        got += names(last)
        tap.simulator.clock(advance=10)
    got += names(fetch(tap, last, overlap_seconds=overlap))
    assert got == [f"n{number}" for number in range(4)]


def test_the_state_holds_no_address_and_no_plain_digest_of_one(tap: Tap) -> None:
    """Rows are remembered as digests keyed with the password: nobody can try out addresses."""
    tap.simulator.switches(columns_unsubscribes="recipient_id")
    unsubscribe(tap, "anna")
    columns = {**tap.config["columns"], "unsubscribes": ["recipient_id"]}
    runs = [fetch(tap, columns=columns) for _ in range(2)]
    assert "example.com" not in str(runs[0].state)
    first, second = (bookmark(run)["seen"] for run in runs)
    assert len(first) == len(second) == 16
    assert first != second


def test_a_start_date_leaves_out_older_files(tap: Tap) -> None:
    """The first run begins there; the ones after it at their bookmark."""
    unsubscribe(tap, "anna")
    tap.simulator.clock(advance=5 * DAY)
    unsubscribe(tap, "bert")
    assert names(fetch(tap, start_date="2026-03-03T00:00:00Z")) == ["bert"]


def test_a_longer_export_is_read_over_many_pages(tap: Tap) -> None:
    """1000 rows a call at most, whatever is asked for; each row once."""
    rows = [[f"r{i}@example.com", str(LIST), START] for i in range(2345)]
    tap.simulator.event("add_export_file", stream="unsubscribes", rows=rows)
    tap.simulator.clock(advance=5)
    assert sorted(names(fetch(tap))) == sorted(f"r{i}" for i in range(2345))
    asked = [r for r in tap.simulator.requests() if r["path"].endswith("RpcClosedLoop")]
    assert len(asked) > 4
