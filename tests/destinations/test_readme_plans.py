"""What the README shows of `plan` and `explain` is what they print."""

from __future__ import annotations

from pathlib import Path

import pytest
from destinations.conftest import MakeTarget
from destinations.test_lists_and_tags import COLUMNS, YES, person, seed, with_lists
from destinations_support import WarmTarget
from readme_support import printed, shape
from simulators_support import Simulator
from target_support import lines, record, schema, state

README = Path(__file__).parents[2] / "target-activecampaign" / "README.md"
SHOWN = printed(README)


@pytest.fixture
def target(make_target: MakeTarget, sim: Simulator) -> WarmTarget:
    """The scene of the README: four people and a file of what the source says of them."""
    seed(
        sim,
        person(1, lists={"News": 1}, firstName="Ann"),
        person(2, lists={"News": 1}),
        person(3, lists={"News": 1}),
    )
    made = make_target(streams=with_lists())
    rows = [
        record(1, given_name="Anna", **YES),
        record(2, **{**YES, "consent": "unsubscribed"}),
        record(3, **YES),
        record(4, given_name="New", **YES),
        record(5, email="nobody at all", **YES),
    ]
    path = made.home / "contacts.jsonl"
    path.write_bytes(lines([schema(**COLUMNS), *rows, state(5)]))
    return made


@pytest.mark.parametrize("name", ["plan", "explain"])
def test_the_readme_shows_what_is_printed(target: WarmTarget, name: str) -> None:
    """Word for word, but for moments and hashes."""
    (program, command, _, _, *options), output = SHOWN[name]
    assert (program, command) == ("target-activecampaign", name)
    said = target.operate(command, *options)
    assert said.returncode == 0, said.stderr
    assert shape(said.stdout) == shape(output)
