"""Columns are agreed per client: named in the settings, or numbered; a change is an error."""

from __future__ import annotations

from typing import Any

import pytest
from tap_optimizely_support import COLUMNS, LIST, START, Run, Tap

CLOSED = {"unsubscribes_source": "closed_loop"}
PERSON = "anna@example.com"


def add(tap: Tap, *rows: list[Any], stream: str = "unsubscribes") -> None:
    tap.simulator.event("add_export_file", stream=stream, rows=list(rows))
    tap.simulator.clock(advance=5)


def without(export: str) -> dict[str, Any]:
    return {name: names for name, names in COLUMNS.items() if name != export}


def test_columns_without_names_are_numbered(tap: Tap) -> None:
    """The first row tells how many there are; values stay as they are."""
    add(tap, [PERSON, str(LIST), "yesterday", None])
    run = tap.run("unsubscribes", columns=without("unsubscribes"), **CLOSED)
    [record] = run.records("unsubscribes")
    found = [record[f"col_{i}"] for i in range(4)]
    assert found == [PERSON, str(LIST), "yesterday", None]
    assert [name for name in run.schema("unsubscribes") if name.startswith("col_")] == [
        f"col_{i}" for i in range(4)
    ]
    assert (record["recipient_id"], record["assigned"], record["scope"]) == (None, False, None)


def test_rows_without_names_have_keys_of_their_own(tap: Tap) -> None:
    """Where nothing is known to identify an event, the whole row does."""
    add(tap, [PERSON, "1"], [PERSON, "2"])
    columns = {k: v for k, v in COLUMNS.items() if k not in ("outbounces", "responses")}
    add(tap, [PERSON], ["bert@example.com"], stream="outbounces")
    run = tap.run("unsubscribes", "bounces", columns=without("unsubscribes"), **CLOSED)
    assert len({r["event_key"] for r in run.records("unsubscribes")}) == 2
    run = tap.run("bounces", columns=columns)
    assert len({r["event_key"] for r in run.records("bounces")}) == 2


def test_numbered_columns_are_remembered_without_rows(tap: Tap) -> None:
    """A run that has nothing new declares the same columns as the one before."""
    add(tap, [PERSON, "1"])
    columns = without("unsubscribes")
    first = tap.run("unsubscribes", columns=columns, **CLOSED)
    second = tap.run("unsubscribes", columns=columns, state=first.state, **CLOSED)
    assert second.records("unsubscribes") == []
    assert second.schema("unsubscribes") == first.schema("unsubscribes")


def refused(run: Run) -> str:
    assert run.code == 6
    assert run.markers == []
    assert PERSON not in run.errors
    return run.said


def test_another_number_of_columns_than_named_is_an_error(tap: Tap) -> None:
    """It names the export, what was expected and what was found, and no value."""
    tap.simulator.event("change_columns", stream="unsubscribes", columns="recipient_id,time")
    tap.simulator.event("unsubscribe", id=PERSON, list=LIST)
    tap.simulator.clock(advance=5)
    said = refused(tap.run("unsubscribes", **CLOSED))
    assert "unsubscribes: 3 columns expected by columns.unsubscribes, 2 found" in said


def test_another_number_of_columns_than_last_time_is_an_error(tap: Tap) -> None:
    """Without names the state remembers how many there were."""
    add(tap, [PERSON, "1"])
    columns = without("unsubscribes")
    first = tap.run("unsubscribes", columns=columns, **CLOSED)
    add(tap, [PERSON, "1", "new"])
    second = tap.run("unsubscribes", columns=columns, state=first.state, **CLOSED)
    assert "unsubscribes: 2 columns expected as read before, 3 found" in refused(second)
    assert (
        second.state["bookmarks"]["unsubscribes"]["exports"]
        == (first.state["bookmarks"]["unsubscribes"]["exports"])
    )


def test_columns_that_change_inside_a_fetch_are_an_error(tap: Tap) -> None:
    """The first row of a fetch binds the others."""
    add(tap, [PERSON, "1"], [PERSON, "1", "2"])
    said = refused(tap.run("unsubscribes", columns=without("unsubscribes"), **CLOSED))
    assert "2 columns expected as read before, 3 found" in said


@pytest.mark.parametrize("header", ["first", "every_file"])
def test_header_rows_are_left_out_wherever_they_stand(tap: Tap, header: str) -> None:
    """Files are joined, so the header of each may come in the middle."""
    tap.simulator.switches(export_header=header)
    got = []
    state: dict[str, Any] | None = None
    for name in ("anna", "bert", "carl"):
        tap.simulator.event("unsubscribe", id=f"{name}@example.com", list=LIST)
        tap.simulator.event("run_export_jobs")
        tap.simulator.clock(advance=5)
        if name != "anna":
            rows = {"header_rows": {"unsubscribes": 1}}
            run = tap.run("unsubscribes", state=state, **rows, **CLOSED)
            assert run.code == 0, run.errors
            got += [r["recipient_id"] for r in run.records("unsubscribes")]
            state = run.state
    assert got == [f"{name}@example.com" for name in ("anna", "bert", "carl")]


@pytest.mark.parametrize(
    ("switch", "setting"),
    [("iso", "iso"), ("german", "dd.MM.yyyy HH:mm:ss"), ("epoch_ms", "epoch_ms")],
)
def test_times_are_read_as_agreed(tap: Tap, switch: str, setting: str) -> None:
    """Whatever the spelling, the record has ISO 8601 in UTC."""
    tap.simulator.switches(export_time_format=switch)
    tap.simulator.event("unsubscribe", id=PERSON, list=LIST)
    tap.simulator.clock(advance=5)
    formats = {"unsubscribes": setting}
    run = tap.run("unsubscribes", timestamp_formats=formats, timezone="Europe/Berlin", **CLOSED)
    assert [r["event_time"] for r in run.records("unsubscribes")] == [START]


def test_a_time_in_another_format_is_an_error_without_the_value(tap: Tap) -> None:
    """Export, row and column are named; guessing a day for a month would be worse."""
    add(tap, [PERSON, str(LIST), START], [PERSON, str(LIST), "03/04/2026"])
    said = refused(tap.run("unsubscribes", **CLOSED))
    assert "unsubscribes, row 2, column event_time" in said
    assert "03/04" not in said


@pytest.mark.parametrize("null", ["empty", "nil"])
def test_a_missing_value_is_null_however_it_is_written(tap: Tap, null: str) -> None:
    """Empty text and nil are one and the same."""
    tap.simulator.switches(export_null=null, unsubscribe_store="client")
    tap.simulator.event("unsubscribe", id=PERSON)
    tap.simulator.clock(advance=5)
    [record] = tap.run("unsubscribes", **CLOSED).records("unsubscribes")
    assert (record["list_id"], record["event_time"]) == (None, START)
