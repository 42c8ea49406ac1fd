"""One simulator per module, reset for each test; targets started by forking."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from edge.conftest import authority  # noqa: F401 - a fixture: certificates of our own
from faults.support import Proxy, Zygote
from simulators_support import Simulator
from target_support import Target


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    with Zygote() as one:
        yield one


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(rate_limit=False) as one:
        yield one


@pytest.fixture
def sim(simulator: Simulator) -> Simulator:
    simulator.reset()
    return simulator


@pytest.fixture(scope="module")
def proxying(simulator: Simulator) -> Iterator[Proxy]:
    with Proxy(simulator.url) as one:
        yield one


@pytest.fixture
def proxy(proxying: Proxy, sim: Simulator) -> Proxy:
    proxying.forget()
    return proxying


@pytest.fixture
def target_at(tmp_path: Path) -> Callable[..., Target]:
    """Build a target in its own folder: `target_at(url, **settings)`."""

    def build(url: str, name: str = "run", **settings: Any) -> Target:
        return Target(tmp_path / name, url, **settings)

    return build
