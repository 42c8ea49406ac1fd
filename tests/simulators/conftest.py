"""One simulator process per test process, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from optimizely_support import Soap
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


@pytest.fixture(scope="session")
def campaign_process() -> Iterator[Simulator]:
    with Simulator(vendor="optimizely") as running:
        yield running


@pytest.fixture
def campaign(campaign_process: Simulator) -> Simulator:
    campaign_process.reset()
    return campaign_process


@pytest.fixture
def soap(campaign: Simulator) -> Iterator[Soap]:
    with Soap(campaign.url) as client:
        yield client.login()


@pytest.fixture
def api(simulator: Simulator) -> Iterator[Api]:
    client = Api(simulator)
    yield client
    client.session.close()
