"""One simulated Campaign and one warm target for this folder; each test begins with the default
client: a regular and an opt-in list, both empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from destinations_support import Zygote
from lists_support import ListTarget
from simulators_support import Simulator
from warm_lists import WarmListTarget

MakeTarget = Callable[..., ListTarget]


@pytest.fixture(scope="session")
def campaign_account() -> Iterator[Simulator]:
    """The simulated vendor: client 1234, one regular and one opt-in list, both empty."""
    with Simulator("optimizely") as started:
        yield started


@pytest.fixture
def sim(campaign_account: Simulator) -> Simulator:
    """The vendor as at its start, switches included."""
    campaign_account.reset()
    return campaign_account


@pytest.fixture(scope="session")
def lists_zygote() -> Iterator[Zygote]:
    """A process that has target-optimizely imported."""
    with Zygote("target_optimizely.target") as started:
        yield started


@pytest.fixture
def make_target(lists_zygote: Zygote, sim: Simulator, tmp_path: Path) -> MakeTarget:
    """Build a target with settings of its own: `make_target(name, list={...}, **settings)`."""

    def make(name: str = "target", **config: Any) -> ListTarget:
        return WarmListTarget(lists_zygote, tmp_path / name, sim.url, **config)

    return make


@pytest.fixture
def target(make_target: MakeTarget) -> ListTarget:
    """A target with the default configuration: one list from one stream."""
    return make_target()
