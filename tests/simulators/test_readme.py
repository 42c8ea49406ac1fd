"""The simulators' README says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from api_simulators.activecampaign import switches as activecampaign
from api_simulators.optimizely import switches as optimizely
from api_simulators.switches import Switch, Switches
from simulators_support import Simulator

README = Path(__file__).parents[2] / "simulators" / "README.md"


def text() -> str:
    return README.read_text(encoding="utf-8")


def blocks(language: str) -> list[Any]:
    found = re.findall(rf"```{language}\n(.*?)```", text(), re.DOTALL)
    return [json.loads(block) for block in found]


@pytest.mark.parametrize(
    ("vendor", "table"),
    [("activecampaign", activecampaign.TABLE), ("optimizely", optimizely.TABLE)],
)
def test_its_switch_tables_are_the_codes(vendor: str, table: tuple[Switch, ...]) -> None:
    """The tables between the markers are those that --describe prints."""
    printed = Switches(table).table()
    shown = text().partition(f"--describe {vendor} -->\n")[2]
    assert shown.partition("<!-- end of switches -->")[0] == printed
    assert printed.count("\n") == len(table) + 2


def test_its_examples_work(simulator: Simulator, campaign: Simulator) -> None:
    """The seeds and the fault plan of the README are accepted as they stand."""
    seed, plan, campaign_seed = blocks("json")
    assert simulator.seed(seed)["contacts"] == 1
    assert len(simulator.faults(plan)) == 2
    assert campaign.seed(campaign_seed)["recipients"] == 2


def known(running: Simulator, control: str, order: Any) -> list[str]:
    """What the simulator lists as known when an order makes no sense."""
    with pytest.raises(ValueError, match="known: ") as refusal:
        running.control("POST", control, order)
    return re.findall(r"'(\w+)'", str(refusal.value).partition("known: ")[2])


def test_it_names_every_action_event_and_control(simulator: Simulator, campaign: Simulator) -> None:
    """What the simulator lists as known is described."""
    lists = [
        known(simulator, "faults", [{"action": "?"}]),
        known(simulator, "event", {"type": "?"}),
        known(campaign, "event", {"type": "?"}),
        known(campaign, "seed", {"?": []}),
    ]
    for words in lists:
        assert len(words) > 5
        for word in words:
            assert f"`{word}`" in text() or f'"{word}":' in text(), word
    for word in ("reset", "seed", "state", "faults", "requests", "clock", "switches", "event"):
        assert re.search(rf"^\| .*`[A-Z]+ {word}`", text(), re.MULTILINE) or f" {word}`" in text()
