"""Responses live 14 to 30 days at the vendor: late fetches are warned of, gaps stop the run."""

from __future__ import annotations

from typing import Any

import pytest
from tap_optimizely_support import DAY, LIST, Run, Tap


@pytest.fixture
def fetched(tap: Tap) -> Run:
    """A first fetch of bounces and unsubscribes."""
    tap.simulator.event("unsubscribe", id="anna@example.com", list=LIST)
    tap.simulator.clock(advance=5)
    run = tap.run("unsubscribes", "bounces", unsubscribes_source="closed_loop")
    assert run.code == 0, run.errors
    return run


@pytest.mark.parametrize(
    ("days", "settings", "warned"),
    [
        (6, {}, False),
        (8, {}, True),
        (8, {"response_lifetime_days": 30}, False),
        (16, {"response_lifetime_days": 30}, True),
        (4, {"warn_after_share": 0.25}, True),
        (13, {"warn_after_share": 1}, False),
    ],
)
def test_a_late_fetch_is_warned_of(
    tap: Tap, fetched: Run, days: int, settings: dict[str, Any], warned: bool
) -> None:
    """From a share of the lifetime on; the run goes on as ever (S1-37)."""
    tap.simulator.clock(advance=days * DAY)
    run = tap.run("bounces", state=fetched.state, **settings)
    assert run.code == 0, run.errors
    assert ("bounces: the last fetch is older than" in run.errors) == warned


def test_a_certain_gap_stops_the_run(tap: Tap, fetched: Run) -> None:
    """One line names the streams and how to go on; nothing is delivered, nothing moves (S1-37)."""
    tap.simulator.clock(advance=15 * DAY)
    run = tap.run("unsubscribes", "bounces", state=fetched.state, unsubscribes_source="closed_loop")
    assert run.code == 4
    assert run.said.startswith("tap-optimizely: bounces, unsubscribes: the last fetch is older")
    assert "accept_gap: true" in run.said
    assert not [m for m in run.messages if m["type"] in {"SCHEMA", "RECORD"}]
    assert run.state["bookmarks"] == fetched.state["bookmarks"]


def test_a_gap_can_be_accepted(tap: Tap, fetched: Run) -> None:
    """Then the run reads what is left, and says so (S1-37)."""
    tap.simulator.clock(advance=15 * DAY)
    run = tap.run("bounces", state=fetched.state, accept_gap=True)
    assert run.code == 0, run.errors
    assert "accepted" in run.errors
    assert run.markers
    assert tap.run("bounces", state=run.state).code == 0


def test_a_full_listing_leaves_no_gap(tap: Tap, fetched: Run) -> None:
    """The REST listing knows no lifetime, so unsubscribes are complete with it (S1-37)."""
    tap.simulator.clock(advance=20 * DAY)
    run = tap.run("unsubscribes", state=fetched.state)
    assert run.code == 0, run.errors
    assert "unsubscribes: the last fetch is older" in run.errors
    assert len(run.records("unsubscribes")) == 1


def test_a_first_run_has_no_gap(tap: Tap) -> None:
    """Nobody can have missed what nobody fetched; an early start date is warned of."""
    tap.simulator.clock(advance=300 * DAY)
    run = tap.run("bounces", start_date="2026-03-01T00:00:00Z")
    assert run.code == 0, run.errors
    assert "start_date is older than the lifetime of responses" in run.errors


def test_a_fetch_without_news_counts_as_a_fetch(tap: Tap, fetched: Run) -> None:
    """What matters is that somebody looked, not that there was something to see (S1-37)."""
    state = fetched.state
    for _ in range(3):
        tap.simulator.clock(advance=6 * DAY)
        run = tap.run("bounces", state=state)
        assert run.code == 0, run.errors
        assert "older than" not in run.errors
        state = run.state
