"""Imports that are refused: for some of their rows, for the key, or for the rate."""

from __future__ import annotations

from typing import Any

import pytest
from destinations.test_bulk import (
    COLUMNS,
    IMPORT,
    STREAM,
    deliver,
    imported,
    people,
    person,
    quick,
    seed,
    target,
    there,
)
from destinations_support import WarmTarget, keys_are_unique, routes, seeded_fields
from simulators_support import Simulator
from target_support import schema, state

__all__ = ["quick", "target"]  # fixtures

POISON = (7, 8, 120)


def messages(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [schema(**COLUMNS), *rows, state(len(rows))]


def with_poison(count: int = 300, email: str = "poison{}@example.com") -> list[dict[str, Any]]:
    """People of whom three have an address that a simulator can be told to refuse."""
    rows = people(count)
    for key in POISON:
        rows[key - 1] = person(key, email=email.format(key))
    return rows


@pytest.mark.parametrize("shown", ["all", "first", "none"])
@pytest.mark.parametrize("base", [0, 1])
def test_a_refused_batch_loses_its_bad_rows_only(
    quick: Simulator, target: WarmTarget, shown: str, base: int
) -> None:
    """All others are imported, however the vendor names the bad ones, within a bound of
    calls; the single calls' verdict on the bad ones counts.
    """
    quick.switches(bulk_refuses="poison", bulk_reasons=shown, bulk_index_base=base)
    seed(quick)
    run = deliver(target, with_poison())
    assert run.outcomes == {"applied": 300}
    assert len(quick.contacts()) == 300
    made = routes(quick)
    assert made[IMPORT] <= 2 + 40
    assert (
        made["POST", "/contacts"] == run.report["streams"][0]["details"]["bulk_import"]["refused"]
    )
    assert made["POST", "/contacts"] < 50
    bad = {f"poison{key}@example.com" for key in POISON}
    assert not bad & imported(quick)


def test_a_bad_row_has_its_own_reject(quick: Simulator, target: WarmTarget) -> None:
    """What the vendor refuses in a single call too is a reject with that call's cause."""
    quick.switches(email_validation="strict")
    seed(quick)
    run = deliver(target, with_poison(email="person{}@bücher.example.com"))
    assert run.outcomes == {"applied": 297, "rejected": 3}
    assert [one["cause"] for one in target.rejects] == ["email_refused"] * 3
    assert sorted(one["record"]["ctt_id"] for one in target.rejects) == list(POISON)
    assert len(imported(quick)) == 297


@pytest.mark.parametrize("where", ["400", "failure"])
def test_a_value_that_the_vendor_refuses_is_the_reject_of_its_row(
    quick: Simulator, make_target: Any, where: str
) -> None:
    """S0-28: all else of the contact is written, whether the import or its end says no."""
    quick.switches(bulk_value_validation=where, field_value_validation="strict")
    fields = seeded_fields()
    fields[1] = {"perstag": "LAND", "type": "dropdown"}  # without any option
    quick.seed({"fields": fields, "lists": ["News"]})
    target = make_target(streams={"contacts": STREAM}, strategy="auto", reads="crawl")
    rows = people(40, org_country=None)
    rows[4] = person(5, org_country="DE")
    run = deliver(target, rows)
    assert run.outcomes == {"applied": 39, "rejected": 1}
    assert [(one["record"]["ctt_id"], one["cause"]) for one in target.rejects] == [
        (5, "field_invalid")
    ]
    contact = quick.contacts()["person5@example.com"]
    assert (contact["firstName"], contact["lists"]) == ("Given5", {"1": "1"})


def test_a_key_that_may_not_import_writes_one_by_one(quick: Simulator, target: WarmTarget) -> None:
    """It is said once, and the rows do not suffer."""
    quick.switches(forbidden="import")
    seed(quick)
    run = deliver(target, people(300))
    assert run.outcomes == {"applied": 300}
    assert run.stderr.count("may not import in bulk") == 1
    assert routes(quick)[IMPORT] == 1
    assert routes(quick)["POST", "/contacts"] == 300


def test_a_key_that_may_not_import_ends_a_run_that_must(
    quick: Simulator, target: WarmTarget
) -> None:
    """`bulk` was asked for: exit 3, and the next run is free to go on by single calls."""
    quick.switches(forbidden="import")
    seed(quick)
    run = target.run(messages(people(12)), strategy="bulk")
    assert run.code == 3
    assert "import/bulk_import" in run.stderr.splitlines()[-1]
    assert quick.contacts() == {}
    assert deliver(target, people(12), strategy="single").outcomes == {"applied": 12}


def test_an_account_without_imports_writes_one_by_one(quick: Simulator, target: WarmTarget) -> None:
    """404 is no verdict on rows; where imports were asked for it is one on the settings."""
    answer = {"type": "status", "status": 404, "body": "{}", "content_type": "application/json"}
    quick.faults([{"match": {"method": "POST", "path": "/import/"}, "action": answer}])
    seed(quick)
    assert deliver(target, people(12)).outcomes == {"applied": 12}
    run = target.run(messages([person(20)]), strategy="bulk")
    assert run.code == 2
    assert "strategy" in run.stderr.splitlines()[-1]


def test_an_import_that_is_refused_after_others_were_taken_leaves_the_rest_to_single_calls(
    quick: Simulator, target: WarmTarget
) -> None:
    """What was taken counts, and nobody is told to set the strategy that is set."""
    answer = {"type": "status", "status": 404, "body": "{}", "content_type": "application/json"}
    quick.faults([{"match": {"method": "POST", "path": "/import/"}, "nth": 2, "action": answer}])
    seed(quick)
    run = deliver(target, people(280))
    assert run.outcomes == {"applied": 280}
    assert len(imported(quick)) == 250
    assert routes(quick)["POST", "/contacts"] == 30
    assert run.stderr.count("may not import in bulk") == 1


def test_a_queue_that_can_not_be_read_is_not_taken_for_an_empty_one(
    quick: Simulator, target: WarmTarget
) -> None:
    """S0-52: an import whose answer was lost may still be under way while an error comes with 200;
    the next run waits for it.
    """
    quick.switches(bulk_delay_seconds=500)
    seed(quick)
    error = {
        "type": "status", "status": 200, "body": '{"success":0,"message":"busy"}',
        "content_type": "application/json",
    }  # fmt: skip
    quick.faults(
        [
            {"match": {"method": "POST", "path": "/import/"}, "action": "apply_then_reset"},
            {"match": {"method": "GET", "path": "/import/bulk_import"}, "action": error},
        ]
    )
    run = target.run(messages(people(12)))
    assert run.code == 7, run.stderr
    assert run.states == []
    assert routes(quick) == {IMPORT: 1}
    assert list((target.home / "state").glob("bulk-*"))


def test_ids_that_are_none_are_left_out(quick: Simulator, target: WarmTarget) -> None:
    """What an import has made is told by id, or not at all: its rows are read back anyway."""
    told = '{"status":"completed","success":[{"id":"1"},"a b",null,""],"failure":null}'
    answer = {"type": "status", "status": 200, "body": told, "content_type": "application/json"}
    quick.faults([{"match": {"method": "GET", "path": "/import/info"}, "action": answer}])
    seed(quick)
    assert deliver(target, people(12)).outcomes == {"applied": 12}


def test_the_rate_of_imports_is_waited_for(sim: Simulator, make_target: Any) -> None:
    """S4-34: "Rate limit exceeded." rejects nobody."""
    sim.switches(bulk_delay_seconds=0.05)
    seed(sim)
    too_fast = (
        '{"success":0,"message":"Rate limit exceeded.",'
        '"failureReasons":["Up to 100 imports may be requested per minute"]}'
    )
    answer = {
        "type": "status", "status": 400, "body": too_fast, "content_type": "application/json",
    }  # fmt: skip
    sim.faults([{"match": {"method": "POST", "path": "/import/"}, "times": 1, "action": answer}])
    target = make_target(streams={"contacts": STREAM}, strategy="auto", reads="crawl")
    run = deliver(target, people(12))
    assert run.outcomes == {"applied": 12}
    assert routes(sim) == {IMPORT: 2}
    assert run.report["streams"][0]["details"]["bulk_import"]["refused"] == 0


@pytest.mark.parametrize(
    "action", ["apply_then_reset", {"type": "status", "status": 500}, "truncate"], ids=str
)
def test_an_answer_that_is_lost_is_not_asked_for_again(
    quick: Simulator, target: WarmTarget, action: Any
) -> None:
    """S0-44: taken or not, nobody is imported or made twice."""
    quick.switches(bulk_delay_seconds=0.5)
    seed(quick)
    quick.faults([{"match": {"method": "POST", "path": "/import/"}, "nth": 1, "action": action}])
    run = deliver(target, people(30))
    assert run.outcomes == {"applied": 30}
    assert routes(quick)[IMPORT] == 1
    assert keys_are_unique(quick)
    assert len(quick.contacts()) == 30


def test_patience_for_an_import_ends_with_seven_and_the_next_run_waits_first(
    quick: Simulator, target: WarmTarget
) -> None:
    """S0-52: nothing is written that the import would write over; once it is over all goes on."""
    quick.switches(bulk_delay_seconds=500)
    seed(quick)
    for _ in range(2):
        run = target.run(messages(people(12)), deadline_seconds=4)
        assert run.code == 7
        assert run.states == []
        assert routes(quick) == {IMPORT: 1}
    quick.switches(bulk_delay_seconds=0.05)
    quick.clock(advance=600)
    assert len(quick.contacts()) == 12
    quick.clock(real=True)
    later = [person(key, given_name="Later") for key in range(1, 13)]
    assert deliver(target, later).outcomes == {"applied": 12}
    assert {one["firstName"] for one in quick.contacts().values()} == {"Later"}
    assert keys_are_unique(quick)


@pytest.mark.parametrize("kind", ["edit_contact", "delete_contact"])
def test_who_moves_or_goes_in_between_is_seen(
    quick: Simulator, target: WarmTarget, kind: str
) -> None:
    """S0-24 S0-37: an import makes a contact of an address that nobody has any more. It is found by
    the ids that the vendor tells: beside the one that moved it is a named reject, else it is the
    person's.
    """
    seed(quick, *(there(key) for key in range(1, 21)))
    more = {"newEmail": "moved@example.com"} if kind == "edit_contact" else {}
    event = {"type": kind, "email": "person3@example.com", **more}
    quick.faults(
        [
            {
                "match": {"method": "POST", "path": "/import/"},
                "nth": 1,
                "action": {"type": "event", "when": "before", "event": event},
            }
        ]
    )
    run = deliver(target, people(20))
    keys = [one["fieldValues"].get("BUBSCTTID", "0") for one in quick.state()["contacts"]]
    if kind == "delete_contact":
        assert run.outcomes == {"applied": 20}
        assert sorted(keys, key=int) == [str(key) for key in range(1, 21)]
    else:
        assert run.outcomes == {"applied": 19, "rejected": 1}
        assert [(one["record"]["ctt_id"], one["cause"]) for one in target.rejects] == [
            (3, "address_taken")
        ]
        assert keys.count("3") == 1


@pytest.mark.parametrize("kind", ["edit_contact", "delete_contact"])
def test_who_moved_or_went_since_the_crawl_is_not_imported(
    quick: Simulator, target: WarmTarget, kind: str
) -> None:
    """S2-1 X1: a crawl of a large account takes a while. Right before the import known contacts are
    looked at again, so that no second contact is made at an address that somebody has left.
    """
    seed(quick, *(there(key) for key in range(1, 21)))
    more = {"newEmail": "moved@example.com"} if kind == "edit_contact" else {}
    event = {"type": kind, "email": "person3@example.com", **more}
    again = {"match": {"method": "GET", "path": r"ids%5B%5D|ids\[\]"}, "nth": 1,
             "action": {"type": "event", "when": "before", "event": event}}  # fmt: skip
    quick.faults([again])
    run = deliver(target, people(20))
    assert run.outcomes == {"applied": 20}
    assert run.stream["details"]["bulk_import"]["rows"] == 19
    assert sorted(quick.contacts()) == sorted(f"person{key}@example.com" for key in range(1, 21))
    assert keys_are_unique(quick)


def comes_before(pattern: str, event: dict[str, Any], method: str = "GET") -> dict[str, Any]:
    """Something that happens at the account right before the first such request."""
    action = {"type": "event", "when": "before", "event": event}
    return {"match": {"method": method, "path": pattern}, "nth": 1, "action": action}


@pytest.mark.parametrize("reads", ["crawl", "point", "incremental"])
@pytest.mark.parametrize("key", ["", "999"])
def test_who_came_since_the_crawl_is_not_written_over(
    quick: Simulator, make_target: Any, reads: str, key: str
) -> None:
    """S0-25 S0-43 X2: somebody may sign up while known contacts are written. Right before new ones
    are imported the account is asked who came since: a contact that is there by now is one, with
    the rules for its fields, its key and its memberships.
    """
    stream = {**STREAM, "rules": {"firstName": "on_create", "LAND": "if_empty"}}
    target = make_target(streams={"contacts": stream}, strategy="auto", reads=reads)
    seed(quick, *(there(number) for number in range(1, 21)))
    values = {"BUBSCTTID": key, "LAND": "FR"}
    came = {
        "email": "Person30@example.com", "firstName": "Theirs", "fieldValues": values,
        "lists": {"News": 2},
    }  # fmt: skip
    update = comes_before("/import/", {"type": "create_contact", "values": came}, "POST")
    quick.faults([update])
    quick.switches(bulk_previously_unsubscribed="subscribed")
    run = target.run(messages(people(40)))
    assert run.code == 0, run.stderr
    contact = quick.contacts()["Person30@example.com"]
    assert contact["firstName"] == "Theirs"
    assert contact["fieldValues"]["LAND"] == "FR"
    assert contact["lists"] == {"1": "2"}
    assert contact["fieldValues"]["BUBSCTTID"] == (key or "30")
    assert run.causes == ({"address_of_other_key": 1} if key else {"unsubscribed_there": 1})
    assert len(quick.contacts()) == 40
    assert routes(quick)[IMPORT] == 2
