"""The simulators' README says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from api_simulators.activecampaign.switches import TABLE
from api_simulators.switches import Switches
from simulators_support import Simulator

README = Path(__file__).parents[2] / "simulators" / "README.md"


def text() -> str:
    return README.read_text(encoding="utf-8")


def blocks(language: str) -> list[Any]:
    found = re.findall(rf"```{language}\n(.*?)```", text(), re.DOTALL)
    return [json.loads(block) for block in found]


def test_its_switch_table_is_the_codes() -> None:
    """The table between the markers is the one that --describe prints."""
    table = Switches(TABLE).table()
    shown = text().partition("--describe activecampaign -->\n")[2]
    assert shown.partition("<!-- end of switches -->")[0] == table
    assert table.count("\n") == len(TABLE) + 2


def test_its_examples_work(simulator: Simulator) -> None:
    """The seed and the fault plan of the README are accepted as they stand."""
    seed, plan = blocks("json")
    assert simulator.seed(seed)["contacts"] == 1
    assert len(simulator.faults(plan)) == 2


def test_it_names_every_action_event_and_control(simulator: Simulator) -> None:
    """What the simulator lists as known is described."""
    for order, name in (("faults", "action"), ("event", "type")):
        body: Any = [{"action": "?"}] if order == "faults" else {"type": "?"}
        try:
            simulator.control("POST", order, body)
        except ValueError as refusal:
            known = re.findall(r"'(\w+)'", str(refusal).partition("known: ")[2])
        assert len(known) > 5, name
        for word in known:
            assert f"`{word}`" in text(), word
    for word in ("reset", "seed", "state", "faults", "requests", "clock", "switches", "event"):
        assert re.search(rf"^\| .*`[A-Z]+ {word}`", text(), re.MULTILINE) or f" {word}`" in text()
