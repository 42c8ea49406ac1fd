"""One simulator per module, reset for each test; targets started by forking.

`sim`, `zygote`, `proxy`, `target_at` are ActiveCampaign's; `campaign`, `list_zygote`, `list_proxy`,
`lists_at` are Optimizely Campaign's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from edge.conftest import authority  # noqa: F401 - a fixture: certificates of our own
from faults.support import Proxy, Zygote
from faults.switches import Table
from lists_support import ListTarget
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


@pytest.fixture(scope="session")
def switch_table() -> Iterator[Table]:
    """What all scenes found under each guess about ActiveCampaign, printed at the end."""
    table = Table()
    yield table
    print("\n\n" + "\n".join(table.lines()))


@pytest.fixture(scope="session")
def crash_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`crash_point.c`, compiled."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs a C compiler for the kills at file writes")
        pytest.skip("no gcc or cc: the kills at file writes need a C compiler")
    library = tmp_path_factory.mktemp("crash") / "crash_point.so"
    source = Path(__file__).parent / "crash_point.c"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"],
        check=True,
    )
    return library


@pytest.fixture(scope="session")
def crashing_zygote(crash_library: Path) -> Iterator[Zygote]:
    """Starts target-optimizely with a kill at the n-th file write."""
    with Zygote("target_optimizely.target", preload=crash_library) as one:
        yield one


@pytest.fixture(scope="session")
def list_zygote() -> Iterator[Zygote]:
    with Zygote("target_optimizely.target") as one:
        yield one


@pytest.fixture(scope="module")
def campaign_simulator() -> Iterator[Simulator]:
    with Simulator("optimizely") as one:
        yield one


@pytest.fixture
def campaign(campaign_simulator: Simulator) -> Simulator:
    campaign_simulator.reset()
    return campaign_simulator


@pytest.fixture(scope="module")
def list_proxying(campaign_simulator: Simulator) -> Iterator[Proxy]:
    with Proxy(campaign_simulator.url) as one:
        yield one


@pytest.fixture
def list_proxy(list_proxying: Proxy, campaign: Simulator) -> Proxy:
    list_proxying.forget()
    return list_proxying


@pytest.fixture
def lists_at(tmp_path: Path) -> Callable[..., ListTarget]:
    """Build a target-optimizely in its own folder: `lists_at(url, **settings)`."""

    def build(url: str, name: str = "run", **settings: Any) -> ListTarget:
        return ListTarget(tmp_path / name, url, **settings)

    return build
