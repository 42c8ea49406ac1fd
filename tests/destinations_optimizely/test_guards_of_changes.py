"""Guards of changes: each stops one above its limit, none at it, and never a withdrawal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lists_support import REGULAR, ListTarget, ids, recipients, row
from simulators_support import Simulator
from target_support import Run
from warm_lists import content, said, written

MakeTarget = Callable[..., ListTarget]
STRATEGIES = ["clear_and_refill", "reconcile"]
Rows = list[dict[str, Any]]


def before() -> Rows:
    """Ten recipients."""
    return [row(n) for n in range(10)]


def joined() -> Rows:
    """Two more."""
    return [*before(), row(10), row(11)]


def changed() -> Rows:
    """Two others' names."""
    return [row(0, given_name="Other"), row(1, family_name="Other"), *before()[2:]]


def emptied() -> Rows:
    """Two values gone."""
    return [row(0, given_name=None, family_name=None), *before()[1:]]


def moved() -> Rows:
    """Two addresses changed, under ids of their own."""
    return [row(n, email=f"moved{n}@example.com" if n < 2 else f"person{n}@example.com")
            for n in range(10)]  # fmt: skip


def left() -> Rows:
    """Two are no longer wanted."""
    return before()[2:]


GUARDS: dict[str, Callable[[], Rows]] = {
    "creates": joined,
    "updates": changed,
    "address_changes": moved,
    "unsubscribes": left,
    "list_removals": left,
    "deletes": left,
    "blank_outs": emptied,
}


def filled(sim: Simulator, make_target: MakeTarget, strategy: str) -> ListTarget:
    """A list of ten; the recipients' ids are the backoffice's keys, so that addresses can move."""
    sim.event("add_attribute", list=REGULAR, attribute="Kunde")
    target = make_target(
        list={"strategy": strategy, "min_ratio": 0, "recipient_id": "ctt_id",
              "id_attribute": "Kunde"}
    )  # fmt: skip
    assert target.transfer(before()).code == 0
    sim.forget_requests()
    return target


def run(target: ListTarget, rows: Rows, **guards: Any) -> Run:
    return target.transfer(rows, guards=guards)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", GUARDS)
def test_a_number_stops_one_above_its_limit_and_not_at_it(
    sim: Simulator, make_target: MakeTarget, name: str, strategy: str
) -> None:
    """X6: two changes: a limit of 1 says no with count, share, limit and setting; 2 lets it go."""
    target, rows = filled(sim, make_target, strategy), GUARDS[name]()
    held = content(sim)
    stopped = run(target, rows, **{f"max_{name}": 1})
    assert (stopped.code, stopped.states) == (4, []), stopped.stderr
    assert content(sim) == held
    assert not written(sim)
    assert "2 of 10 (20 %) " in said(stopped)
    assert f"guards.max_{name} is 1" in said(stopped)
    done = run(target, rows, **{f"max_{name}": 2})
    assert done.code == 0, done.stderr
    assert {one["attributes"]["entity-id"] for one in recipients(sim).values()} == {
        str(one["record"]["ctt_id"]) for one in rows
    }


@pytest.mark.parametrize("name", GUARDS)
def test_a_share_counts_above_the_least_population(
    sim: Simulator, make_target: MakeTarget, name: str
) -> None:
    """X6: 2 of 10 are 20 %: stopped by 19.9, not by 20, and not where ten are too few to count."""
    target, rows = filled(sim, make_target, "reconcile"), GUARDS[name]()
    share = f"max_{name}_pct"
    stopped = run(target, rows, min_population=10, **{share: 19.9})
    assert stopped.code == 4, stopped.stderr
    assert f"guards.{share} is 19.9 %" in said(stopped)
    assert not written(sim)
    assert run(target, rows, min_population=11, **{share: 0}).code == 0
    assert target.transfer(before()).code == 0
    assert run(target, rows, min_population=10, **{share: 20}).code == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_withdrawal_is_reported_and_never_stopped(
    sim: Simulator, make_target: MakeTarget, strategy: str
) -> None:
    """S1-10 X6: who withdrew leaves the list even where a guard stops the rest, and the number is
    in the report; by themselves withdrawals trip nothing.
    """
    target = make_target(list={"strategy": strategy, "min_ratio": 0, "on_wrong_consent": "reject"})
    assert target.transfer(before()).code == 0
    sim.event("unsubscribe", id="person1@example.com")
    rows = [row(0, consent="none"), *before()[1:8]]
    stopped = run(target, rows, max_list_removals=1)
    assert (stopped.code, stopped.states) == (4, [])
    assert set(recipients(sim)) == ids(range(2, 10))
    assert stopped.stream["details"]["withdrawn"] == 2
    sim.event("unsubscribe", id="person2@example.com")
    done = run(target, [row(0, consent="none"), *before()[1:]], max_list_removals=0)
    assert done.code == 0, done.stderr
    assert set(recipients(sim)) == ids(range(3, 10))
    assert done.stream["details"]["withdrawn"] == 1


def test_a_guard_measures_what_a_plan_lets_through(sim: Simulator, make_target: MakeTarget) -> None:
    """X6: applied, only what the plan holds counts: what moved since changes nothing anyway."""
    target = make_target(list={"strategy": "reconcile", "min_ratio": 0})
    target.config["plan_file"] = str(target.home / "plan.json")
    assert target.transfer(before()).code == 0
    assert target.transfer(left(), mode="plan").code == 0
    again = target.transfer(before()[5:], mode="apply", guards={"max_list_removals": 2})
    assert again.code == 0, again.stderr
    assert set(recipients(sim)) == ids(range(2, 10))
    assert target.transfer(before()[5:], mode="plan").code == 0
    stopped = target.transfer(before()[5:], mode="apply", guards={"max_list_removals": 2})
    assert stopped.code == 4
    assert "3 of 8 (37.5 %)" in said(stopped)


def test_what_can_not_be_found_out_changes_nothing(sim: Simulator, make_target: MakeTarget) -> None:
    """X6: a list that can't be read whole has no measures: 7, with the guard or without."""
    target = filled(sim, make_target, "clear_and_refill")
    held = content(sim)
    sim.faults([{"match": {"body": "getAll"}, "times": 99,
                 "action": {"type": "status", "status": 503}}])  # fmt: skip
    stopped = target.transfer(joined(), guards={"max_creates": 5}, deadline_seconds=3)
    sim.faults([])
    assert stopped.code == 7
    assert content(sim) == held
    assert not written(sim)


@pytest.mark.parametrize(
    ("guards", "says"),
    [({"max_creatse": 1}, "guards"), ({"max_creates": -1}, "guards"),
     ({"max_creates_pct": 101}, "guards")],
)  # fmt: skip
def test_a_guard_that_is_none_is_a_fault_of_the_settings(
    sim: Simulator, make_target: MakeTarget, guards: dict[str, Any], says: str
) -> None:
    """X6: a limit that nobody reads would protect nobody: 2, before anything is asked."""
    stopped = make_target().transfer(before(), guards=guards)
    assert stopped.code == 2
    assert says in said(stopped)
    assert sim.requests() == []


def test_a_mode_without_its_file_is_a_fault_of_the_settings(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """A plan has to be somewhere."""
    for mode in ("plan", "apply"):
        stopped = make_target().transfer(before(), mode=mode)
        assert stopped.code == 2
        assert f"plan_file: is needed where mode is {mode}" in said(stopped)
