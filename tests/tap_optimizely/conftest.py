"""One simulator for all tests of the tap, as good as new for each, with a clock that stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators_support import Simulator
from tap_optimizely_support import START, Forge, Tap


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    with Simulator("optimizely", export_jobs="instant") as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    running_simulator.reset()
    running_simulator.clock(now=START)
    return running_simulator


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    started = Forge()
    yield started
    started.close()


@pytest.fixture
def tap(simulator: Simulator, tmp_path: Path, forge: Forge) -> Tap:
    return Tap(simulator, tmp_path, forge)
