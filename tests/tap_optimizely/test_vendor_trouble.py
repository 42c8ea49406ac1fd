"""What the network and the vendor do wrong: repeated, renewed, or told in one line."""

from __future__ import annotations

from typing import Any

import pytest
from tap_optimizely_support import LIST, START, Run, Tap

CLOSED = {"unsubscribes_source": "closed_loop"}
LOOP = {"path": "RpcClosedLoop"}
ROWS = 250
QUICK = {"page_size_rows": 50, "max_tries": 3, "timeout_seconds": 5}


@pytest.fixture
def full(tap: Tap) -> Tap:
    """Five pages of unsubscribes, and one bounce."""
    rows = [[f"r{i}@example.com", str(LIST), START] for i in range(ROWS)]
    tap.simulator.event("add_export_file", stream="unsubscribes", rows=rows)
    tap.simulator.clock(advance=5)
    return tap


def complete(run: Run) -> bool:
    """Whether everything came once, with the marker."""
    assert run.code == 0, run.errors
    sent = [r["recipient_id"] for r in run.records("unsubscribes")]
    return sorted(sent) == sorted(f"r{i}@example.com" for i in range(ROWS)) and bool(run.markers)


def test_a_session_that_ends_in_the_middle_is_renewed(full: Tap) -> None:
    """After 20 minutes, or whenever the vendor forgets it, reading goes on at the same row."""
    event = {"type": "event", "event": {"type": "expire_sessions"}, "when": "before"}
    full.simulator.faults([{"match": LOOP, "every": 3, "action": event}])
    assert complete(full.run("unsubscribes", **CLOSED, **QUICK))
    logins = [r for r in full.simulator.requests() if r["path"].endswith("RpcSession")]
    assert len(logins) > 2


@pytest.mark.parametrize(
    "action",
    [
        {"type": "status", "status": 502},
        {"type": "status", "status": 503},
        {"type": "retry_after", "status": 429, "value": "0"},
        {"type": "html_200"},
        {"type": "empty_200"},
        {"type": "reset"},
        {"type": "apply_then_reset"},
        {"type": "truncate", "bytes": 200},
        {"type": "truncate", "bytes": 200, "content_length": False},
        {"type": "close_after"},
        {"type": "latency", "seconds": 1},
    ],
)
def test_trouble_that_passes_is_repeated(full: Tap, action: dict[str, Any]) -> None:
    """Everything asked is a read, so it may be asked again."""
    full.simulator.faults([{"match": {"path": "soap11"}, "every": 4, "action": action}])
    assert complete(full.run("unsubscribes", **CLOSED, **QUICK))


@pytest.mark.parametrize("order", ["scrambled", "document"])
def test_answers_are_resolved_by_id(full: Tap, order: str) -> None:
    """Numbers come as references in any order, the current time among them."""
    full.simulator.switches(multiref_order=order)
    assert complete(full.run("unsubscribes", **CLOSED))


@pytest.mark.parametrize("rows", ["newest_first", "oldest_first"])
def test_the_order_of_rows_does_not_matter(full: Tap, rows: str) -> None:
    """Neither is documented."""
    full.simulator.switches(export_row_order=rows)
    assert complete(full.run("unsubscribes", **CLOSED, **QUICK))


def test_a_file_written_anew_while_it_is_read_loses_no_row(full: Tap) -> None:
    """Its rows leave the window and others move up: the window is read again from its start."""
    rows = [[f"x{i}@example.com", str(LIST), START] for i in range(75)]
    now = full.simulator.clock()["seconds"]
    full.simulator.event("add_export_file", stream="unsubscribes", rows=rows, time=now - 60)
    later = now + 10
    touch = {"type": "touch_export_file", "stream": "unsubscribes", "time": later}
    event = {"type": "event", "event": touch, "when": "before"}
    full.simulator.faults([{"match": LOOP, "nth": 7, "action": event}])
    first = full.run("unsubscribes", **CLOSED, **QUICK)
    assert first.code == 0, first.errors
    got = [r["recipient_id"] for r in first.records("unsubscribes")]
    assert len(got) == len(set(got))
    assert {f"r{i}@example.com" for i in range(ROWS)} <= set(got)
    full.simulator.clock(advance=60)
    second = full.run("unsubscribes", state=first.state, **CLOSED, **QUICK)
    got += [r["recipient_id"] for r in second.records("unsubscribes")]
    assert {f"x{i}@example.com" for i in range(75)} <= set(got)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"type": "status", "status": 502}, "status 502, 3 times"),
        ({"type": "html_200"}, "no SOAP envelope, 3 times"),
        ({"type": "reset"}, "no whole answer, 3 times"),
        ({"type": "status", "status": 404}, "status 404; is the address right?"),
        ({"type": "redirect", "location": "https://evil.example.com/"}, "redirect is not followed"),
        ({"type": "drip", "bytes": 1, "seconds": 0.2}, "no answer in time, 3 times"),
    ],
)
def test_trouble_that_stays_ends_the_run_in_one_line(
    full: Tap, fault: dict[str, Any], said: str
) -> None:
    """Exit 7: the vendor is unavailable; nothing is called complete."""
    full.simulator.faults([{"match": LOOP, "action": fault}])
    run = full.run("unsubscribes", **CLOSED, **{**QUICK, "timeout_seconds": 2})
    assert run.code == 7, run.errors
    assert said in run.said
    assert run.markers == []
    assert "Traceback" not in run.errors


def test_wrong_credentials_are_told_and_tried_once(full: Tap) -> None:
    """Each further try could lock the user out."""
    run = full.run("unsubscribes", password="canary-password", **CLOSED)
    assert run.code == 3
    assert "check mandator_id, username and password" in run.said
    assert "canary" not in run.errors
    assert len(full.simulator.requests()) == 1


def test_wrong_credentials_of_the_listing_are_told(full: Tap) -> None:
    """REST says so with a status."""
    run = full.run("unsubscribes", password="canary-password", unsubscribes_source="rest")
    assert run.code == 3
    assert "unsubscribes: status 401" in run.said


@pytest.mark.parametrize(
    "switches", [{"closed_loop_contracted": False}, {"allowed_operations": "login,logout"}]
)
def test_a_closed_loop_that_is_not_allowed_is_told(full: Tap, switches: dict[str, Any]) -> None:
    """It is contracted and set up per user by the vendor's support."""
    full.simulator.switches(**switches)
    run = full.run("bounces")
    assert run.code == 3
    assert "is the closed-loop interface set up for this client" in run.said


@pytest.mark.parametrize("count", ["page", "total"])
@pytest.mark.parametrize("times", ["iso_utc", "iso_offset", "epoch_ms"])
def test_a_listing_is_read_whatever_its_spelling(tap: Tap, count: str, times: str) -> None:
    """Neither the count nor the times of REST are documented exactly."""
    tap.simulator.switches(rest_count=count, rest_times=times)
    many = [{"id": f"u{i}@example.com", "created": START} for i in range(25)]
    tap.simulator.seed({"unsubscribes": many})
    run = tap.run("unsubscribes", unsubscribes_source="rest", page_size_rows=10)
    assert len(run.records("unsubscribes")) == 25
    assert {r["event_time"] for r in run.records("unsubscribes")} == {START}


def test_an_element_removed_while_the_listing_is_read_costs_no_other(tap: Tap) -> None:
    """Others move into places already read; the overlap of the pages shows that."""
    many = [{"id": f"u{i:02}@example.com"} for i in range(40)]
    tap.simulator.seed({"unsubscribes": many})
    gone = {"type": "resubscribe", "id": "u03@example.com"}
    event = {"type": "event", "event": gone, "when": "before"}
    tap.simulator.faults([{"match": {"path": "/unsubscribes"}, "nth": 3, "action": event}])
    run = tap.run("unsubscribes", unsubscribes_source="rest", page_size_rows=10)
    got = {r["recipient_id"] for r in run.records("unsubscribes")}
    assert got == {f"u{i:02}@example.com" for i in range(40)}
