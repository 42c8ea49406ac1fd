"""The quick start of target-optimizely's README does what it says."""

from __future__ import annotations

import json
import re
from typing import Any

from house_support import ROOT
from lists_support import ListTarget, recipients
from simulators_support import Simulator
from target_optimizely.schema import CONFIG_SCHEMA
from warm_lists import content

README = (ROOT / "target-optimizely" / "README.md").read_text(encoding="utf-8")


def here(name: str) -> str:
    """The text that the quick start writes into a file."""
    found = re.search(rf"cat > {name} <<'END'\n(.*?)END\n", README, re.DOTALL)
    assert found is not None
    return found.group(1)


def test_the_quick_start_fills_the_list(sim: Simulator, target: ListTarget) -> None:
    """S1-19 S1-20: its input goes in; without its last line the list stays as it was, code 6."""
    config: dict[str, Any] = json.loads(here("config.json"))
    assert config["api_url"].endswith("/optimizely/soap11")
    target.config = {**config, "api_url": f"{sim.url}/soap11",
                     "state_dir": target.config["state_dir"]}  # fmt: skip
    run = target.run_bytes(here("input.jsonl").encode())
    assert run.code == 0, run.stderr
    held = recipients(sim)
    assert held["ada@example.com"]["attributes"]["Vorname"] == "Ada"
    before = content(sim)
    cut = "".join(here("input.jsonl").splitlines(keepends=True)[:-1])
    assert target.run_bytes(cut.encode()).code == 6
    assert content(sim) == before


def test_every_option_of_a_list_is_described() -> None:
    """The README's table of `lists` names each option that the settings take, and no other."""
    table = README.partition("One entry of `lists`")[2].partition("## What a run does")[0]
    described = {
        name
        for line in table.splitlines() if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }  # fmt: skip
    options = CONFIG_SCHEMA["properties"]["lists"]["additionalProperties"]["properties"]
    assert described == set(options)
