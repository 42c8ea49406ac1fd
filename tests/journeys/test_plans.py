"""Plans through Meltano: seen before, carried out as seen; what has moved since waits."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from journeys_support import RUN, Journey

# One worker for all journeys: they share one installed project.
pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow]


def carried_out(journey: Journey, mode: str) -> dict[str, Any]:
    """One successful `meltano run` in this mode; return the stream's report."""
    journey.settings["TARGET_ACTIVECAMPAIGN_MODE"] = mode
    (stream,) = journey.transfer(*RUN)["streams"]
    return dict(stream)


def planned(journey: Journey) -> list[dict[str, Any]]:
    """The entries of a new plan; making it wrote nothing and moved no bookmark."""
    before = {path: path.read_bytes() for path in states(journey)}
    journey.sim.forget_requests()
    carried_out(journey, "plan")
    assert journey.sim.requests(writes=True) == []
    assert {path: path.read_bytes() for path in states(journey)} == before
    plan = json.loads((journey.folder / "plan.json").read_text())
    entries: list[dict[str, Any]] = plan["entries"]
    return entries


def states(journey: Journey) -> list[Any]:
    """The files of Meltano's state backend that hold a bookmark."""
    files = (journey.folder / "meltano-state").rglob("*")
    return [path for path in files if path.is_file() and b"bookmarks" in path.read_bytes()]


def test_a_plan_is_carried_out_as_it_was_seen(journey: Journey) -> None:
    """X3: plan, apply, plan again through `meltano run`; a row changed meanwhile is refused and is
    all that the second plan holds.
    """
    journey.settings["TARGET_ACTIVECAMPAIGN_PLAN_FILE"] = str(journey.folder / "plan.json")
    seen = planned(journey)
    assert len(seen) > 30
    assert journey.sim.contacts() == {}
    with closing(sqlite3.connect(journey.database)) as backoffice, backoffice:
        changed = backoffice.execute(
            "UPDATE contacts SET given_name = 'Changed since' WHERE ctt_id = ("
            "SELECT min(ctt_id) FROM contacts WHERE email IS NOT NULL)"
        )
        assert changed.rowcount == 1
    done = carried_out(journey, "apply")
    assert done["outcomes"]["applied"] == len(journey.sim.contacts()) == len(seen) - 1
    assert [n for name, n in done["causes"].items() if name.endswith("plan_moved")] == [1]
    assert states(journey) != []
    assert len(planned(journey)) == 1
