"""Many faults in one run, everything at DEBUG, a canary in every column: not one of them sings."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from faults import canary, scene
from simulators_support import Simulator
from target_support import Run, Target, schema, state

Build = Callable[..., Target]

FAULTS = [
    {"match": {"method": "POST", "path": "contacts$"}, "nth": 2, "action": "apply_then_reset"},
    {"match": {"method": "POST", "path": "contacts$"}, "nth": 5, "action": "apply_then_hang"},
    {"match": {"method": "POST", "path": "contacts$", "body": "canarymail8@"},
     "action": {"type": "status", "status": 422, "body": json.dumps({"errors": [
         {"title": "canarymail8@example.com is taken by Canaryfamily", "code": "canaryother",
          "source": {"pointer": "/data/attributes/email"}}]})}},
    {"match": {"method": "PUT"}, "nth": 2, "action": "apply_then_status"},
    {"match": {"method": "PUT", "path": "contacts/4$"},
     "action": {"type": "status", "status": 400, "body": '{"message": "Canarygiven?"}'}},
    {"match": {"method": "GET", "path": "email="}, "nth": 3,
     "action": {"type": "retry_after", "value": "1"}},
    {"match": {"method": "GET", "path": "contacts"}, "nth": 4, "action": "truncate"},
]  # fmt: skip


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_a_run_full_of_faults_says_nothing_personal_at_debug(
    sim: Simulator, target_at: Build, reads: str
) -> None:
    """E2 E3 E5: stdout, stderr, report and state directory hold no key, address, name or phone;
    the rejects file alone keeps the records.
    """
    sim.seed({
        "fields": scene.FIELDS,
        "api_keys": [canary.SECRET],
        "contacts": [{"email": f"canarymail{n}@example.com", "firstName": "Canarygiven",
                      "fieldValues": {"BUBSCTTID": str(n)}} for n in range(50, 60)],
    })  # fmt: skip
    sim.faults(FAULTS)
    rows = [canary.person(n) for n in (*range(1, 13), *range(50, 60))]
    rows[0]["record"]["email"] = "canarymail no address"
    rows[1]["record"]["given_name"] = ["Canarygiven"]
    rows[-1]["record"]["email"] = "canarymail50@example.com"
    messages = [schema(), *rows[:8], state(8), *rows[8:], state(len(rows))]
    target = target_at(sim.url, create_fields=False, reads=reads, api_key=canary.SECRET,
                       timeout_seconds=1)  # fmt: skip
    env = {"LOGLEVEL": "DEBUG", "TARGET_ACTIVECAMPAIGN_LOGLEVEL": "DEBUG",
           "TARGET_ACTIVECAMPAIGN_DEBUG_TRACEBACK": "1"}  # fmt: skip
    run: Run = target.run(messages, env=env)
    assert run.code == 0, run.stderr
    assert sum(fault["fired"] for fault in sim.faults()) >= len(FAULTS) - 1
    assert sum(run.stream["outcomes"].values()) == len(rows)
    assert len(target.rejects) == 5
    canary.assert_quiet(run, target)
    scene.assert_unique(sim.state()["contacts"])
