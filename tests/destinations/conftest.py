"""One simulator and one warm target for all; each test begins with an empty account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from destinations_support import WarmTarget, Zygote
from simulators_support import Simulator

MakeTarget = Callable[..., WarmTarget]


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """A process that has the target imported."""
    with Zygote() as started:
        yield started


@pytest.fixture(scope="session")
def account() -> Iterator[Simulator]:
    """A simulated account without a rate limit."""
    with Simulator(rate_limit=False) as started:
        yield started


@pytest.fixture
def sim(account: Simulator) -> Simulator:
    """The account, empty."""
    account.reset()
    return account


@pytest.fixture
def make_target(zygote: Zygote, sim: Simulator, tmp_path: Path) -> MakeTarget:
    """Build a target with settings of its own."""

    def make(name: str = "target", **config: Any) -> WarmTarget:
        return WarmTarget(zygote, tmp_path / name, sim.url, **config)

    return make


@pytest.fixture
def target(make_target: MakeTarget) -> WarmTarget:
    """A target with the default mapping that creates missing custom fields."""
    return make_target()
