"""Commands for operators through Meltano: settings come from the project."""

from __future__ import annotations

import json

import pytest
from journeys_support import Journey

# One worker for all journeys: they share one installed project.
pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow]


def test_commands_of_the_target_run_through_meltano(journey: Journey) -> None:
    """S4-40: `meltano invoke target-activecampaign:doctor`, and so for the others, with options."""
    journey.transfer()
    journey.sim.forget_requests()
    code, output = journey.meltano("invoke", "target-activecampaign:doctor")
    assert code == 0, output
    assert "credentials: ActiveCampaign takes the key" in output
    assert "types of contacts: every column can go into its field" in output
    code, output = journey.meltano(
        "invoke", "target-activecampaign:rejects", "list", "--format", "json"
    )
    assert code == 0, output
    found = [json.loads(line) for line in output.splitlines() if line.startswith('{"stream"')]
    assert all(one["cause"] and one["stream"] == "contacts" for one in found)
    assert f"{len(found)} open reject(s)" in output
    code, output = journey.meltano("invoke", "target-activecampaign:audit")
    assert code == 0, output
    assert f"{len(journey.sim.contacts())} contacts read" in output
    assert journey.sim.requests(writes=True) == []


def test_a_failing_check_is_the_exit_code_of_meltano(journey: Journey) -> None:
    """S4-40: so a scheduler can ask the doctor before it runs anything."""
    journey.settings["TARGET_ACTIVECAMPAIGN_API_KEY"] = "not-the-key"
    code, output = journey.meltano("invoke", "target-activecampaign:doctor")
    assert code == 3, output
    assert "FAIL     credentials" in output
    assert "not-the-key" not in output
