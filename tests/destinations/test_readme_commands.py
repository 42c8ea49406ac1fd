"""The commands of the README print what it shows, in the order shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
import yaml
from destinations_support import WarmTarget, seeded_fields
from house_support import ROOT
from scene_support import there
from simulators_support import Simulator
from target_activecampaign.target import TargetActiveCampaign
from target_support import record

README = (ROOT / "target-activecampaign" / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- tested -->\n```console\n(.*?)```", README, re.DOTALL)
#: What differs each time: moments, free space, keyed hashes.
CHANGING = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d", "MOMENT"),
    (r"[\d.]+ GiB", "SPACE"),
    (r"row [0-9a-f]{10}", "row HASH"),
)


def examples() -> Iterator[tuple[list[str], str]]:
    """Each command with what it prints."""
    for block in BLOCKS:
        for part in block.split("$ target-activecampaign ")[1:]:
            typed, _, printed = part.partition("\n")
            words = shlex.split(typed)
            at = words.index("--config")
            yield words[:at] + words[at + 2 :], printed


def steady(text: str) -> str:
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text


@pytest.fixture
def target(sim: Simulator, make_target: type[WarmTarget]) -> WarmTarget:
    """The small account of the README after one run."""
    contacts = [there("old@example.com", "former:9"), there("second@example.com", 2)]
    sim.seed({"fields": seeded_fields(), "contacts": contacts})
    made = make_target(strategy="auto")
    rows = [record(1, "no address"), record(2, "old@example.com"), record(3)]
    assert made.deliver(rows).outcomes == {"applied": 1, "rejected": 2}
    return made


def test_every_example_prints_what_the_readme_shows(target: WarmTarget) -> None:
    """S4-40: run one after the other, as somebody would who reads it from top to bottom."""
    shown = list(examples())
    assert len(shown) >= 8
    for words, printed in shown:
        done = target.operate(words[0], *words[1:])
        assert done.returncode == 0, (words, done.stderr)
        assert steady(done.stdout) == steady(printed), words


def test_every_command_is_in_the_readme_and_meltano_knows_it() -> None:
    """Each has its line there, and is a command of the plugin in meltano.yml and plugin.yaml."""
    names = set(TargetActiveCampaign.commands)
    section = README.partition("\n## Commands\n")[2].partition("\n## ")[0]
    assert {name for name in names if f"**{name}" in section} == names
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    (loader,) = (p for p in project["plugins"]["loaders"] if p["name"] == "target-activecampaign")
    plugin = yaml.safe_load((ROOT / "target-activecampaign" / "plugin.yaml").read_text())
    for commands in (loader["commands"], plugin["commands"]):
        assert set(commands) == names
        assert all(c["args"] == f"{name} --config ENV" for name, c in commands.items())
