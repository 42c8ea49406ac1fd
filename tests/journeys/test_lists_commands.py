"""Commands for operators at the lists through Meltano: settings come from the project."""

from __future__ import annotations

import json

import pytest
from journeys_support import NewsletterJourney
from lists_support import the_list

# One worker for all journeys: they share one installed project.
pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow]


def test_commands_of_the_lists_run_through_meltano(newsletter: NewsletterJourney) -> None:
    """S1-4: `meltano invoke target-optimizely:doctor`, and so for the others, with options."""
    newsletter.transfer("run", "optimizely-daily")
    held = the_list(newsletter.sim)
    code, output = newsletter.meltano("invoke", "target-optimizely:doctor")
    assert code == 0, output
    assert "ok       feedback for newsletter_recipients: imported 0.0 hours ago, whole" in output
    person = held["recipients"][0]["attributes"]
    key = f"{person['entity-type']} {person['entity-id']}"
    code, output = newsletter.meltano("invoke", "target-optimizely:explain", "--key", key)
    assert code == 0, output
    assert "on the list now: may get mail" in output
    code, output = newsletter.meltano(
        "invoke", "target-optimizely:rejects", "list", "--format", "json"
    )
    assert code == 0, output
    found = [json.loads(line) for line in output.splitlines() if line.startswith('{"list"')]
    assert f"{len(found)} left out by the last run" in output
    assert the_list(newsletter.sim) == held
