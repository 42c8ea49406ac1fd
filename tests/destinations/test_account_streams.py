"""Accounts as objects: by key, else by name; only differences; no name and no key twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from accounts_support import (
    ALLOWED_WRITES,
    accounts,
    company,
    deliver,
    make_account,
    meta,
    rejects,
    streams,
)
from destinations_support import WarmTarget, routes, sums_close
from simulators_api import Api
from simulators_support import Simulator
from target_support import Run

MakeTarget = Callable[..., WarmTarget]


@pytest.fixture
def api(sim: Simulator) -> Iterator[Api]:
    client = Api(sim)
    with closing(client.session):
        yield client


@pytest.fixture
def key_id(api: Api) -> int:
    return meta(api, "BUBSACTID")


def quiet(run: Run) -> bool:
    """Whether a run wrote nothing."""
    return run.code == 0 and run.report["writes"] == 0 and sums_close(run)


# Known and new


def test_accounts_are_made_once_and_known_by_their_key(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-23, S0-34, X3: key, name and website in one call each; the second run writes nothing."""
    target = make_target(streams=streams())
    rows = [company(n, website=f"https://company{n}.example.com") for n in (1, 2)]
    run = deliver(target, *rows)
    assert (run.code, run.outcomes) == (0, {"applied": 2}), run.stderr
    assert run.stream["matched_by"] == {"new": 2}
    held = accounts(sim)
    assert held["Company 1"]["values"] == {"BUBSACTID": "1"}
    assert held["Company 2"]["url"] == "https://company2.example.com"
    assert routes(sim) == {("POST", "/accountCustomFieldMeta"): 1, ("POST", "/accounts"): 2}
    again = deliver(target, *rows)
    assert again.outcomes == {"unchanged": 2}
    assert again.stream["matched_by"] == {"cfd": 2}
    assert quiet(again)
