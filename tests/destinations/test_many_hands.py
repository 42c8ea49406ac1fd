"""Several requests on their way at a time: faster, and no other end than one after the other."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from destinations.conftest import MakeTarget
from destinations_support import keys_are_unique, sums_close
from faults import whole_scene as scene
from simulators_support import Simulator
from target_support import record

LATENCY = {"type": "latency", "seconds": 0.3}


@pytest.mark.parametrize("reads", ["crawl", "point"])
@pytest.mark.parametrize("connections", [2, 8])
def test_everything_at_work_ends_as_with_one_request_at_a_time(
    make_target: MakeTarget, sim: Simulator, reads: str, connections: int
) -> None:
    """Lists, tags, accounts, deletions, chains and swaps of addresses, by several hands."""
    scene.seed(sim)
    streams = {"contacts": scene.STREAM}
    target = make_target(streams=streams, reads=reads, connections=connections, strategy="single")
    run = target.run([scene.messages_schema(), *scene.records()])
    assert run.code == 0
    assert sums_close(run)
    assert keys_are_unique(sim)
    assert scene.found(sim.state()) == scene.wanted()
    again = target.run([scene.messages_schema(), *scene.records()])
    assert again.report["writes"] == 0


@pytest.mark.parametrize(("connections", "overlap"), [(1, False), (4, True)])
def test_requests_are_on_their_way_at_the_same_time(
    make_target: MakeTarget, sim: Simulator, connections: int, overlap: bool
) -> None:
    """While one contact is being answered the next is sent, if the settings allow it."""
    sim.faults([{"match": {"method": "POST"}, "action": LATENCY}])
    target = make_target(connections=connections, strategy="single")
    run = target.deliver([record(key) for key in range(1, 9)])
    assert run.outcomes == {"applied": 8}
    sent = [r["time"] for r in sim.requests(writes=True) if r["path"].endswith("/contacts")]
    apart = [later - sooner for sooner, later in itertools.pairwise(sorted(sent))]
    assert len(sent) == 8
    assert (min(apart) < LATENCY["seconds"] / 2) is overlap


def test_a_tag_that_many_rows_need_is_made_once(make_target: MakeTarget, sim: Simulator) -> None:
    """Rows that are worked on at the same time don't make it twice."""
    streams: dict[str, Any] = {
        "contacts": {
            "key": "ctt_id", "key_field": "BUBSCTTID", "fields": {"email": "email"},
            "tags": {"add": ["crm"]},
        }
    }  # fmt: skip
    target = make_target(streams=streams, connections=8, strategy="single")
    run = target.deliver([record(key) for key in range(1, 30)])
    assert run.outcomes == {"applied": 29}
    posts = [r for r in sim.requests(writes=True) if r["path"].endswith("/tags")]
    assert len(posts) == 1


def test_the_budget_ends_a_run_of_many_hands(make_target: MakeTarget, sim: Simulator) -> None:
    """Exit 4, sums that close, and no STATE beyond what is durable."""
    sim.switches(email_reserved_domains=False)
    rows = [record(key, email=f"p{key}@mail.invalid") for key in range(1, 60)]
    target = make_target(max_errors=10, connections=8, strategy="single")
    run = target.deliver(rows)
    assert run.code == 4
    assert sums_close(run)
    assert run.stream["outcomes"]["rejected"] >= 11
    assert run.stream["outcomes"]["held"] > 0
