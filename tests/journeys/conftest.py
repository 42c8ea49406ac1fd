"""One project with installed plugins for all journeys; each has a backoffice of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from journeys_support import Journey, NewsletterJourney, installed_project
from simulators_support import Simulator

FIELDS = [{"title": p, "type": "text", "perstag": p} for p in ("LAND", "SPRACHE", "MOBIL")]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a clone would hold it, after `meltano install`."""
    return installed_project(tmp_path_factory.mktemp("journeys"))


@pytest.fixture(scope="module")
def account() -> Iterator[Simulator]:
    """A simulated account without a rate limit."""
    with Simulator(rate_limit=False) as started:
        yield started


@pytest.fixture
def journey(project: Path, account: Simulator, tmp_path: Path) -> Journey:
    """An account with its custom fields, a backoffice of 40 contacts."""
    account.reset()
    account.seed({"fields": FIELDS})
    made = Journey(project, account, tmp_path)
    made.sample("build", "--count", "40")
    return made


@pytest.fixture(scope="module")
def campaign() -> Iterator[Simulator]:
    """A simulated Optimizely Campaign."""
    with Simulator("optimizely") as started:
        yield started


@pytest.fixture
def newsletter(project: Path, campaign: Simulator, tmp_path: Path) -> NewsletterJourney:
    """A client with an empty list, a backoffice of 400 contacts."""
    campaign.reset()
    made = NewsletterJourney(project, campaign, tmp_path)
    made.sample("build", "--count", "400")
    return made
