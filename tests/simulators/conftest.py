"""One simulator process per test process, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simulators_api import Api
from simulators_support import Simulator


@pytest.fixture(scope="session")
def process() -> Iterator[Simulator]:
    with Simulator(rate_limit="off") as running:
        yield running


@pytest.fixture
def simulator(process: Simulator) -> Simulator:
    process.reset()
    return process


@pytest.fixture
def api(simulator: Simulator) -> Iterator[Api]:
    client = Api(simulator)
    yield client
    client.session.close()
