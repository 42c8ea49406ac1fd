"""Guards: a run that would change too much is stopped before its first write."""

from __future__ import annotations

from typing import Any

import pytest
from destinations.conftest import MakeTarget
from destinations.test_lists_and_tags import (
    COLUMNS,
    LAST_MONTH,
    YES,
    person,
    seed,
    status_of,
    with_lists,
)
from destinations_support import WarmTarget
from simulators_support import Simulator
from target_support import Run, record, schema, state

ERASED = {"erase": {"type": ["boolean", "null"]}, "_sdc_deleted_at": {"type": ["string", "null"]}}
STAYS, LEAVES = YES, {**YES, "wants_news": "false"}
#: What one row does that each guard counts, on a contact that is there.
CHANGES: dict[str, dict[str, Any]] = {
    "updates": {**STAYS, "given_name": "New"},
    "address_changes": {**STAYS, "email": "moved{key}@example.com"},
    "unsubscribes": LEAVES,
    "list_removals": LEAVES,
    "blank_outs": {**STAYS, "given_name": None},
    "deletes": {**STAYS, "_sdc_deleted_at": "2026-05-01T00:00:00Z", "erase": True},
    "tag_removals": STAYS,
}
STREAM = {"null_semantics": "clear", "on_delete": "delete", "erasure_column": "erase",
          "max_deletes": 1000}  # fmt: skip


def contact(key: int, **more: Any) -> dict[str, Any]:
    """Somebody who is there and agrees with a row that changes nothing."""
    there = person(key, lists={"News": 1}, firstName=f"Name {key}", **more)
    return {**there, "email": f"person{key}@example.com"}


def rows(what: str, number: int, of: int) -> list[dict[str, Any]]:
    """`of` people, of whom the first `number` change in this way."""
    made = []
    for key in range(1, of + 1):
        values = {"given_name": f"Name {key}", **STAYS}
        if key <= number:
            values |= CHANGES[what]
        values = {k: v.format(key=key) if isinstance(v, str) else v for k, v in values.items()}
        made.append(record(key, **values))
    return made


@pytest.fixture
def guarded(make_target: MakeTarget, sim: Simulator) -> Any:
    """Build an account of so many, a number of them with the tag `old`, and a guarded target."""

    def make(what: str, number: int, of: int, **guards: Any) -> WarmTarget:
        tagged = number if what == "tag_removals" else 0
        people = [
            contact(key, **({"tags": ["old"]} if key <= tagged else {})) for key in range(1, of + 1)
        ]
        seed(sim, *people, tags=["old"])
        tags = {"remove": ["old"]} if what == "tag_removals" else None
        return make_target(streams=with_lists(**STREAM, tags=tags), guards=guards)

    return make


def deliver(target: WarmTarget, data: list[dict[str, Any]], **more: Any) -> Run:
    """One run."""
    return target.run([schema(**COLUMNS, **ERASED), *data, state(len(data))], **more)


@pytest.mark.parametrize("what", [*CHANGES, "creates"])
def test_a_run_without_a_change_passes_every_guard(guarded: Any, sim: Simulator, what: str) -> None:
    """S0-34: none of so many is a number; a night on which nothing changed is not stopped."""
    limits = {f"max_{what}": 0, f"max_{what}_pct": 0, "min_population": 10}
    run = deliver(guarded("updates", 0, 20, **limits), rows("updates", 0, 20))
    assert run.code == 0, run.stderr
    assert run.outcomes == {"unchanged": 20}
    assert sim.requests(writes=True) == []


@pytest.mark.parametrize("what", [*CHANGES, "creates"])
@pytest.mark.parametrize("over", [False, True], ids=["at the limit", "one above"])
def test_a_number_is_kept_exactly(guarded: Any, sim: Simulator, what: str, over: bool) -> None:
    """Three are allowed: three go, four stop the run with 4 before anything is written."""
    number = 3 + over
    target = guarded(what, number, 5, **{f"max_{what}": 3})
    if what == "creates":
        data = [*rows("updates", 0, 5), *(record(key, **YES) for key in range(10, 10 + number))]
    else:
        data = rows(what, number, 5)
    run = deliver(target, data)
    if over:
        assert (run.code, sim.requests(writes=True), run.states) == (4, [], [])
        last = run.stderr.splitlines()[-1]
        assert "4 of 5 (80 %)" in last
        assert f"guards.max_{what} is 3" in last
    else:
        assert run.code == 0
        assert len(sim.requests(writes=True)) >= 3


@pytest.mark.parametrize("what", ["updates", "unsubscribes"])
@pytest.mark.parametrize("over", [False, True], ids=["at the limit", "one above"])
def test_a_share_is_kept_exactly(guarded: Any, sim: Simulator, what: str, over: bool) -> None:
    """A quarter of twenty is five; six are too many."""
    target = guarded(what, 5 + over, 20, **{f"max_{what}_pct": 25, "min_population": 20})
    run = deliver(target, rows(what, 5 + over, 20))
    assert run.code == (4 if over else 0)
    assert bool(sim.requests(writes=True)) is not over


def test_shares_of_few_do_not_count(guarded: Any) -> None:
    """Below the population that was set a share says nothing."""
    target = guarded("updates", 19, 19, max_updates_pct=25, min_population=20)
    assert deliver(target, rows("updates", 19, 19)).code == 0


def test_a_wrong_filter_does_not_unsubscribe_everybody(guarded: Any, sim: Simulator) -> None:
    """Without any setting: of a hundred people no more than a fifth is taken off a list by one run
    unless they asked for it.
    """
    target = guarded("unsubscribes", 100, 100)
    run = deliver(target, rows("unsubscribes", 100, 100))
    assert (run.code, sim.requests(writes=True)) == (4, [])
    assert "100 of 100 (100 %)" in run.stderr.splitlines()[-1]
    assert "guards.max_unsubscribes_pct is 20 %" in run.stderr.splitlines()[-1]


def test_withdrawals_are_heard_whatever_a_guard_says(guarded: Any, sim: Simulator) -> None:
    """Withdrawn consent trips no guard, and is carried out even where one trips."""
    target = guarded("unsubscribes", 5, 6, max_unsubscribes=0)
    withdrawn = {"consent": "unsubscribed", "consent_at": LAST_MONTH}
    only = [record(6, given_name="Name 6", **{**YES, **withdrawn})]
    assert deliver(target, only).code == 0
    assert status_of(sim, 6) == "2"
    data = rows("unsubscribes", 4, 4)
    data.append(record(5, given_name="Name 5", **{**YES, **withdrawn}))
    sim.forget_requests()
    run = deliver(target, data)
    assert run.code == 4
    assert status_of(sim, 5) == "2"
    assert [status_of(sim, key) for key in range(1, 5)] == ["1"] * 4
    assert len(sim.requests(writes=True)) == 1


def test_a_guard_that_cannot_be_evaluated_trips(guarded: Any, sim: Simulator) -> None:
    """Where the account does not say how many contacts it has, nobody knows the share."""
    target = guarded("updates", 0, 5, max_creates_pct=10, min_population=1)
    body = '{"contacts": [], "meta": {}}'
    sim.faults([{
        "match": {"path": r"/contacts\?limit=1$"},
        "action": {"type": "status", "status": 200, "body": body,
                   "content_type": "application/json"},
    }])  # fmt: skip
    run = deliver(target, [record(10, **YES)])
    assert run.code == 4
    assert sim.requests(writes=True) == []
    assert "can't be found out" in run.stderr.splitlines()[-1]


def test_a_guard_null_is_none(guarded: Any) -> None:
    """Whoever means it takes the default away."""
    target = guarded("unsubscribes", 100, 100, max_unsubscribes_pct=None)
    assert deliver(target, rows("unsubscribes", 100, 100)).code == 0


def test_a_plan_shows_what_guards_would_say(guarded: Any, sim: Simulator) -> None:
    """The plan is written all the same, with the guard that would stop its run."""
    target = guarded("updates", 4, 5, max_updates=3)
    path = target.home / "plan.json"
    run = deliver(target, rows("updates", 4, 5), mode="plan", plan_file=str(path))
    assert (run.code, sim.requests(writes=True)) == (0, [])
    assert "guards.max_updates" in path.with_name("plan.json.txt").read_text()


@pytest.mark.parametrize("reads", ["point", "incremental"])
def test_guarding_reads_nothing_twice(make_target: MakeTarget, sim: Simulator, reads: str) -> None:
    """What a rehearsal looked up the run knows; a night without change stays a cheap one."""
    seed(sim, *[contact(key) for key in range(1, 31)])
    target = make_target(streams=with_lists(), reads=reads)
    data = rows("updates", 0, 30)
    deliver(target, data)
    plain = deliver(target, data)
    guarded = deliver(target, data, guards={"max_creates": 0, "max_updates": 0})
    assert guarded.code == 0
    assert guarded.report["calls"] == plain.report["calls"]
