"""Plans of runs that import in bulk: as many calls as forecast, and only what the plan holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from destinations.test_bulk import COLUMNS, STREAM, imported, people, person, quick, seed, there
from destinations_support import WarmTarget, routes, sums_close
from simulators_support import Simulator
from target_support import Run, schema, state

__all__ = ["quick"]  # a fixture


@pytest.fixture
def planner(quick: Simulator, make_target: Any) -> WarmTarget:
    """A target that imports, and where it writes plans to."""
    seed(quick, *(there(key) for key in range(1, 61)))
    stream = {**STREAM, "tags": {"add": ["backoffice", "new here"]}}
    target: WarmTarget = make_target(streams={"contacts": stream}, strategy="auto", reads="crawl")
    target.config["plan_file"] = str(target.home / "plan.json")
    return target


def run_in(target: WarmTarget, mode: str, rows: list[dict[str, Any]], **more: Any) -> Run:
    """A run that ends with 0, and whose sums close."""
    run = target.run([schema(**COLUMNS), *rows, state(len(rows))], mode=mode, **more)
    assert run.code == 0, run.stderr
    assert sums_close(run)
    return run


def test_calls_of_imports_are_forecast(planner: WarmTarget, quick: Simulator) -> None:
    """Within a twentieth, for known and new contacts, two tags that nobody had before, and rows
    that an import can't take; and the plan itself imports nothing.
    """
    quick.switches(bulk_delay_seconds=2.0)
    rows = [*people(600), person(601, email="both@example.com")]
    rows += [person(602, email="both@example.com"), person(603, wants_news=None)]
    run_in(planner, "plan", rows)
    assert quick.requests(writes=True) == []
    assert not list((planner.home / "state").glob("bulk-*"))
    forecast = json.loads((planner.home / "plan.json").read_text())["header"]["forecast"]
    quick.forget_requests()
    run = run_in(planner, "apply", rows)
    taken = quick.summary()["total"]
    assert routes(quick)["POST", "/import/bulk_import"] == 4
    assert forecast["calls"]["POST import/bulk_import"] == 4
    told = {name: n for name, n in forecast["calls"].items() if n != run.report["calls"].get(name)}
    assert abs(sum(forecast["calls"].values()) - taken) <= 0.05 * taken, told
    assert forecast["writes"] == run.report["writes"]
    again = run_in(planner, "plan", rows)
    assert again.outcomes.get("applied", 0) == 0


def test_imports_hold_to_the_plan(planner: WarmTarget, quick: Simulator) -> None:
    """Rows whose world has moved since the plan are in no import: their reject says so."""
    run_in(planner, "plan", people(80))
    quick.event("edit_contact", email="person5@example.com", firstName="Moved")
    changed = people(80)
    changed[69] = person(70, given_name="Changed since")
    run = run_in(planner, "apply", changed)
    assert run.outcomes == {"applied": 78, "rejected": 2}
    assert run.causes == {"plan_moved": 2}
    moved = {"person5@example.com", "person70@example.com"}
    assert imported(quick) == {f"person{key}@example.com" for key in range(1, 81)} - moved
    assert quick.contacts()["person5@example.com"]["firstName"] == "Moved"
    assert "person70@example.com" not in quick.contacts()


def test_a_guard_counts_what_would_be_imported(planner: WarmTarget, quick: Simulator) -> None:
    """It stops the run before the first import."""
    messages = [schema(**COLUMNS), *people(100), state(100)]
    run = planner.run(messages, guards={"max_creates": 39})
    assert run.code == 4
    assert "max_creates" in run.stderr.splitlines()[-1]
    assert quick.requests(writes=True) == []
    assert planner.run(messages, guards={"max_creates": 40}).code == 0
    assert len(imported(quick)) == 100
