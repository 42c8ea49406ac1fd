"""One person, one recipient: the same address twice, the same id twice, ids that differ in case."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lists_support import ListTarget, recipients, row
from simulators_support import Simulator
from warm_lists import closes, written

MakeTarget = Callable[..., ListTarget]


@pytest.mark.parametrize(
    ("rule", "winner"), [("first", "1"), ("contact", "2"), ("lead", "1"), ("account", "3")]
)
def test_one_recipient_per_address_by_the_configured_rule(
    sim: Simulator, make_target: MakeTarget, rule: str, winner: str
) -> None:
    """S1-17 X1 X4: lead, contact and account with one address: one goes in, two are recorded."""
    rows = [
        row(1, entity_type="lead", email="info@example.com"),
        row(2, entity_type="contact", email="Info@Example.com"),
        row(3, entity_type="account", email=" info@example.com "),
        row(4),
    ]
    target = make_target(list={"duplicates": rule})
    run = target.transfer(rows)
    assert run.code == 0, run.stderr
    held = recipients(sim)
    assert len(held) == 2
    assert {one["attributes"]["entity-id"] for one in held.values()} == {winner, "4"}
    assert run.causes == {"duplicate_address": 2}
    losers = {one["entity_id"] for one in target.left_out}
    assert losers == {"1", "2", "3"} - {winner}
    assert closes(run)


def test_the_rule_falls_back_to_the_first_where_its_type_is_missing(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-17: no contact among them: the first one stays."""
    rows = [
        row(1, entity_type="lead", email="info@example.com"),
        row(2, entity_type="account", email="info@example.com"),
    ]
    make_target(list={"duplicates": "contact"}).transfer(rows)
    (held,) = recipients(sim).values()
    assert held["attributes"]["entity-id"] == "1"


def test_identical_rows_are_one_recipient(sim: Simulator, target: ListTarget) -> None:
    """X1: the selection holds a row three times; no code 5, no reject."""
    run = target.transfer([row(1), row(2), row(1), row(1)])
    assert run.code == 0, run.stderr
    assert run.outcomes == {"applied": 2, "suppressed": 2}
    assert len(recipients(sim)) == 2
    assert closes(run)


@pytest.mark.parametrize("duplicate", ["already", "fault"])
def test_one_id_with_two_addresses_is_one_recipient(
    sim: Simulator, make_target: MakeTarget, duplicate: str
) -> None:
    """X1 S1-17: the id is the key of the list, whatever the vendor makes of two in a batch."""
    sim.switches(duplicate_in_batch=duplicate)
    sim.seed({"lists": [{"id": 120000000009, "id_field": "Kunde", "attributes": [
        "email", "Kunde", "opt-in-id", "description", "media-type", "entity-type", "entity-id",
    ]}]})  # fmt: skip
    target = make_target(
        list={
            "list_id": 120000000009,
            "recipient_id": "ctt_id",
            "id_attribute": "Kunde",
            "attributes": {},
        }
    )
    run = target.transfer([row(7), row(7, email="other@example.com"), row(8)])
    assert run.code == 0, run.stderr
    held = recipients(sim, 120000000009)
    assert {key: one["address"] for key, one in held.items()} == {
        "7": "person7@example.com", "8": "person8@example.com",
    }  # fmt: skip
    assert run.causes == {"duplicate_id": 1}


@pytest.mark.parametrize("id_case", ["exact", "folded"])
@pytest.mark.parametrize("strategy", ["clear_and_refill", "reconcile"])
def test_ids_that_differ_only_in_case_lose_nobody_silently(
    sim: Simulator, make_target: MakeTarget, id_case: str, strategy: str
) -> None:
    """S1-24 X4: `AB` and `ab` are two people for one vendor, one for another: told either way."""
    sim.switches(id_case=id_case)
    sim.seed({"lists": [{"id": 120000000009, "id_field": "Kunde", "attributes": [
        "email", "Kunde", "opt-in-id", "description", "media-type", "entity-type", "entity-id",
    ]}]})  # fmt: skip
    target = make_target(
        list={
            "list_id": 120000000009,
            "recipient_id": "ctt_id",
            "id_attribute": "Kunde",
            "attributes": {},
            "strategy": strategy,
        }
    )
    rows = [row(1), row(2, ctt_id="AB"), row(3, ctt_id="ab"), row(4)]
    for _ in range(2):
        run = target.transfer(rows)
        assert run.code == 0, run.stderr
        assert "2 recipient ids differ only in case" in run.stderr
        held = set(recipients(sim, 120000000009))
        assert closes(run)
        if id_case == "exact":
            assert held == {"1", "AB", "ab", "4"}
            assert run.causes == {}
        else:
            assert held == {"1", "AB", "4"}
            (left,) = target.left_out
            assert (left["entity_id"], left["cause"]) == ("ab", "id_taken")


@pytest.mark.parametrize("id_case", ["exact", "folded"])
def test_an_address_that_changed_only_its_case_stays_one_recipient(
    sim: Simulator, make_target: MakeTarget, id_case: str
) -> None:
    """X1 S1-24 S1-26: reconcile meets `Person1@` where the list has `person1@`: it ends as a refill
    would, with the new spelling, and an idle run after it writes nothing.
    """
    sim.switches(id_case=id_case)
    target = make_target(batch_size_records=2, list={"strategy": "reconcile"})
    assert target.transfer([row(n) for n in range(1, 8)]).code == 0
    respelled = {n: {"email": f"Person{n}@Example.com"} for n in (1, 3, 4, 7)}
    rows = [row(n, **respelled.get(n, {})) for n in range(1, 10)]
    run = target.transfer(rows)
    assert run.code == 0, run.stderr
    assert run.outcomes == {"applied": 6, "unchanged": 3}
    assert set(recipients(sim)) == {one["record"]["email"] for one in rows}
    assert closes(run)
    sim.forget_requests()
    assert target.transfer(rows).outcomes == {"unchanged": 9}
    assert not written(sim)


def test_the_same_selection_again_is_the_same_list(sim: Simulator, target: ListTarget) -> None:
    """S1-8 S1-19 X1: cleared and filled daily; same id of the list, same recipients, none twice."""
    rows = [row(n) for n in range(1, 31)]
    first = target.transfer(rows)
    before = {key: one["attributes"] for key, one in recipients(sim).items()}
    sim.forget_requests()
    again = target.transfer(rows)
    assert (first.code, again.code) == (0, 0)
    assert {key: one["attributes"] for key, one in recipients(sim).items()} == before
    assert written(sim) == {"clear": 1, "addAll3": 1}
