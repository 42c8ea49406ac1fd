"""One simulator and one warm target for all; each test begins with an empty account.

Ledgers are SQLite files; tests marked `ledgers` run on PostgreSQL as well, and all of them run on
it alone with LEDGER=postgresql.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from destinations_support import WarmTarget, Zygote
from scene_support import STREAM, Scene
from simulators_support import Simulator
from tap.conftest import postgresql, server_directory  # noqa: F401 - fixtures

MakeTarget = Callable[..., WarmTarget]
MakeScene = Callable[..., Scene]
LEDGERS = ["sqlite", "postgresql"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the databases that the ledgers of a test are in."""
    wanted = os.environ.get("LEDGER", "")
    assert wanted in ("", *LEDGERS), "LEDGER: one of " + ", ".join(LEDGERS)
    both = metafunc.definition.get_closest_marker("ledgers") is not None
    chosen = [wanted] if wanted else LEDGERS if both else []
    if chosen and "ledger_url" in metafunc.fixturenames:
        metafunc.parametrize("ledger_url", chosen, indirect=True)


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
def ledger_url(request: pytest.FixtureRequest) -> Callable[[str], dict[str, str]]:
    """The setting of that name for the target of a given name: each has a ledger of its own."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return lambda _name: {}
    server, urls = request.getfixturevalue("postgresql"), {}

    def setting(name: str) -> dict[str, str]:
        urls[name] = urls.get(name) or server.database().url
        return {"ledger_url": urls[name]}

    return setting


@pytest.fixture
def make_target(
    zygote: Zygote, sim: Simulator, tmp_path: Path, ledger_url: Callable[[str], dict[str, str]]
) -> MakeTarget:
    """Build a target with settings of its own."""

    def make(name: str = "target", **config: Any) -> WarmTarget:
        return WarmTarget(zygote, tmp_path / name, sim.url, **{**ledger_url(name), **config})

    return make


@pytest.fixture
def target(make_target: MakeTarget) -> WarmTarget:
    """A target with the default mapping that creates missing custom fields."""
    return make_target()


@pytest.fixture
def make_scene(sim: Simulator, make_target: MakeTarget) -> Iterator[MakeScene]:
    """Build an account and a target with these options of its stream."""
    with ExitStack() as scenes:

        def make(reads: str = "crawl", **more: Any) -> Scene:
            target = make_target(streams={"contacts": {**STREAM, **more}}, reads=reads)
            return scenes.enter_context(Scene.of(sim, target))

        yield make
