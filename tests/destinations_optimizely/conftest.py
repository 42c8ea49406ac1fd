"""One simulated Campaign for all tests of this folder; each begins with its default client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simulators_support import Simulator


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
