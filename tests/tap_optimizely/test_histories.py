"""Random days at the vendor: every unsubscribe that was exported arrives, each event once."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from tap_optimizely_support import DAY, LIST, Tap

STEPS = 30


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_whatever_happens_between_the_fetches_nothing_is_lost(tap: Tap, seed: int) -> None:
    """Jobs, late, touched and doubled files, intervals and page sizes at random (S1-36)."""
    dice = random.Random(seed)
    tap.simulator.switches(
        export_jobs=dice.choice(["daily", "hourly", "instant"]),
        export_interval=dice.choice(["left_open", "right_open", "closed", "open"]),
        export_row_order=dice.choice(["oldest_first", "newest_first"]),
    )
    exported: set[str] = set()
    got: Counter[str] = Counter()
    state: dict[str, Any] = {}
    size = dice.choice([2, 3, 1000])
    for step in range(STEPS):
        move = dice.choice(["unsubscribe", "unsubscribe", "late", "again", "fetch", "fetch"])
        name = f"n{step}@example.com"
        if move == "unsubscribe":
            tap.simulator.event("unsubscribe", id=name, list=LIST)
            exported.add(name)
        elif move == "late":
            now = tap.simulator.clock()["seconds"]
            rows = [[name, str(LIST), "2026-03-01T06:00:00+01:00"]]
            late = now - dice.randrange(DAY // 2)
            tap.simulator.event("add_export_file", stream="unsubscribes", rows=rows, time=late)
            exported.add(name)
        elif move == "again" and exported:
            tap.simulator.event("run_export_jobs")
            event = dice.choice(["touch_export_file", "duplicate_export_file"])
            tap.simulator.event(event, stream="unsubscribes")
        elif move == "fetch":
            state = fetch(tap, state, size, got)
        tap.simulator.clock(advance=dice.randrange(DAY // 2))
    tap.simulator.clock(advance=DAY)
    fetch(tap, state, size, got)
    assert got.keys() == exported
    # Files touched a day later leave the overlap: their rows come again, with the same key.
    assert sum(got.values()) <= 2 * len(exported)


def fetch(tap: Tap, state: dict[str, Any], size: int, got: Counter[str]) -> dict[str, Any]:
    run = tap.run(
        "unsubscribes", state=state, unsubscribes_source="closed_loop", page_size_rows=size
    )
    assert run.code == 0, run.errors
    assert len(run.markers) == 1
    keys = [record["event_key"] for record in run.records("unsubscribes")]
    assert len(keys) == len(set(keys))
    got.update(record["recipient_id"] for record in run.records("unsubscribes"))
    return run.state
