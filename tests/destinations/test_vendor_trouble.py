"""Lost ids, races, unknown fates, and a vendor that fails as a whole."""

from __future__ import annotations

from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, keys_are_unique, routes, seeded_fields
from simulators_support import Simulator
from target_support import record, schema, state


def on(method: str, path: str, action: Any, **when: Any) -> dict[str, Any]:
    """One line of a fault plan."""
    return {"match": {"method": method, "path": path}, "action": action, **when}


CREATE = ("POST", "/contacts$")
UPDATE = ("PUT", r"/contacts/\d+$")


@pytest.fixture
def known(sim: Simulator) -> Simulator:
    """An account with the fields and one contact of key 1."""
    contact = {"email": "p@example.com", "firstName": "Old", "fieldValues": {"BUBSCTTID": "1"}}
    sim.seed({"fields": seeded_fields(), "contacts": [contact]})
    return sim


def test_a_contact_deleted_between_look_and_write_is_inserted_again(
    known: Simulator, target: WarmTarget
) -> None:
    """S0-37, S0-42: the id is gone (404), the row goes on to step 2."""
    gone = {"type": "event", "event": {"type": "delete_contact", "email": "p@example.com"}}
    known.faults([on(*UPDATE, gone, nth=1)])
    run = target.deliver([record(1, "p@example.com", given_name="New")])
    assert (run.code, run.outcomes) == (0, {"applied": 1})
    contact = contact_of(known, "p@example.com")
    assert (contact["id"], contact["firstName"]) == ("2", "New")
    assert contact["fieldValues"] == {"BUBSCTTID": "1"}


def test_a_contact_deleted_meanwhile_goes_to_the_worklist_if_so_configured(
    known: Simulator, make_target: Any
) -> None:
    """S0-37: on_contact_gone: reject."""
    streams = {
        "contacts": {
            "key": "ctt_id",
            "key_field": "BUBSCTTID",
            "fields": {"email": "email", "firstName": "given_name"},
            "on_contact_gone": "reject",
        }
    }
    gone = {"type": "event", "event": {"type": "delete_contact", "email": "p@example.com"}}
    known.faults([on(*UPDATE, gone, nth=1)])
    target = make_target(streams=streams)
    run = target.deliver([record(1, "p@example.com", given_name="New")])
    assert run.outcomes == {"rejected": 1}
    assert [(r["step"], r["cause"]) for r in target.rejects] == [("update", "contact_gone")]
    assert known.contacts() == {}


def test_a_race_on_insert_becomes_an_adoption(known: Simulator, target: WarmTarget) -> None:
    """S0-40, S0-43, S0-45, S2-6: "already exists" refreshes the mapping; no duplicate."""
    other = {"email": "New@example.com", "firstName": "Form", "fieldValues": {"LAND": "AT"}}
    known.faults(
        [on(*CREATE, {"type": "event", "event": {"type": "create_contact", "values": other}})]
    )
    run = target.deliver([record(2, "new@example.com", given_name="Source")])
    assert (run.outcomes, run.stream["matched_by"]) == ({"applied": 1}, {"ctt": 1})
    contact = contact_of(known, "New@example.com")
    assert contact["firstName"] == "Source"
    assert contact["fieldValues"] == {"LAND": "AT", "BUBSCTTID": "2"}
    assert len(known.contacts()) == 2


def test_a_race_with_somebody_elses_contact_is_a_named_conflict(
    known: Simulator, target: WarmTarget
) -> None:
    """S0-36, S0-40: the contact that took the address meanwhile is not touched."""
    other = {"email": "new@example.com", "fieldValues": {"BUBSCTTID": "9"}}
    known.faults(
        [on(*CREATE, {"type": "event", "event": {"type": "create_contact", "values": other}})]
    )
    run = target.deliver([record(2, "new@example.com", given_name="Source")])
    assert run.causes == {"address_of_other_key": 1}
    assert contact_of(known, "new@example.com")["firstName"] == ""


@pytest.mark.parametrize("action", ["apply_then_hang", "apply_then_status", "apply_then_reset"])
@pytest.mark.parametrize("route", [CREATE, UPDATE])
def test_a_write_of_unknown_fate_is_looked_up_before_anything_is_repeated(
    known: Simulator, make_target: Any, action: str, route: tuple[str, str]
) -> None:
    """S0-44, S0-45, X1: applied although the answer was lost: found, counted once, no duplicate."""
    target = make_target(timeout_seconds=0.7)
    known.faults([on(*route, action, nth=1)])
    run = target.deliver(
        [
            record(1, "p@example.com", given_name="New", org_country="DE"),
            record(2, "q@example.com", given_name="New", org_country="DE"),
        ]
    )
    assert (run.code, run.outcomes) == (0, {"applied": 2})
    assert known.faults()[0]["fired"] == 1
    assert sorted(known.contacts()) == ["p@example.com", "q@example.com"]
    for contact in known.contacts().values():
        assert (contact["firstName"], contact["fieldValues"]["LAND"]) == ("New", "DE")
    if route is CREATE:
        assert routes(known)["POST", "/contacts"] == 1
        assert run.causes == {"confirmed_by_reading_back": 1}


@pytest.mark.parametrize("action", ["reset", "hang", {"type": "status", "status": 503}])
def test_an_insert_that_never_happened_is_repeated_after_looking(
    known: Simulator, make_target: Any, action: Any
) -> None:
    """S0-44: nobody has the address, so the insert is sent once more."""
    target = make_target(timeout_seconds=0.7)
    known.faults([on(*CREATE, action, nth=1)])
    run = target.deliver([record(2, "q@example.com")])
    assert run.outcomes == {"applied": 1}
    assert routes(known)["POST", "/contacts"] == 2
    assert len(known.contacts()) == 2


def test_an_insert_that_search_does_not_show_yet_is_never_doubled(
    known: Simulator, target: WarmTarget
) -> None:
    """S0-43, S0-44, X1: listed for the next run, which finds the contact and writes nothing."""
    known.switches(search_lag_seconds=3600.0)
    known.faults([on(*CREATE, "apply_then_reset", nth=1)])
    rows = [record(2, "q@example.com", given_name="Q")]
    first = target.deliver(rows)
    assert first.outcomes == {"rejected": 1}
    assert first.causes == {"address_reserved": 1}
    assert len(known.contacts()) == 2
    known.switches(search_lag_seconds=0.0)
    second = target.run([schema(), state(2)])
    assert second.outcomes == {"unchanged": 1}
    assert target.rejects == []
    assert keys_are_unique(known)


def test_a_fate_nobody_knows_is_listed_and_found_out_by_the_next_run(
    known: Simulator, target: WarmTarget
) -> None:
    """S0-44, S0-59: the outcome is unknown, not failed; nothing is lost and nobody doubled."""
    known.faults([on(*CREATE, {"type": "status", "status": 502})])
    first = target.deliver([record(2, "q@example.com")])
    assert (first.code, first.outcomes) == (0, {"unknown": 1})
    assert target.rejects[0]["cause"] == "fate_unknown"
    known.faults([])
    assert target.run([schema(), state(2)]).outcomes == {"applied": 1}
    assert target.rejects == []
    assert len(known.contacts()) == 2


def test_a_conflict_the_vendor_sees_first_is_the_same_conflict(
    known: Simulator, target: WarmTarget
) -> None:
    """S0-36: the address was taken between look and update: 422, one named error."""
    other = {"email": "new@example.com", "fieldValues": {"BUBSCTTID": "9"}}
    known.faults(
        [on(*UPDATE, {"type": "event", "event": {"type": "create_contact", "values": other}})]
    )
    run = target.deliver([record(1, "new@example.com", given_name="New")])
    assert run.outcomes == {"rejected": 1}
    assert target.rejects[0]["cause"] == "address_taken"
    assert contact_of(known, "p@example.com")["firstName"] == "Old"


def test_an_address_the_vendor_silently_keeps_is_noticed(
    known: Simulator, target: WarmTarget
) -> None:
    """S0-35, S0-36: status 200 without the new address is no success."""
    known.switches(put_email_conflict="email_ignored")
    other = {"email": "new@example.com"}
    known.faults(
        [on(*UPDATE, {"type": "event", "event": {"type": "create_contact", "values": other}})]
    )
    run = target.deliver([record(1, "new@example.com")])
    assert run.causes == {"address_not_taken_over": 1}


SYSTEM: list[tuple[str, Any, int]] = [
    ("403", {"type": "status", "status": 403, "body": {"message": "Forbidden"}}, 3),
    ("402", {"type": "status", "status": 402, "body": {}}, 3),
    ("401", {"type": "status", "status": 401, "body": {}}, 3),
    ("HTML 200", "html_200", 7),
    ("redirect", {"type": "redirect"}, 7),
]


@pytest.mark.parametrize(("name", "action", "code"), SYSTEM, ids=[s[0] for s in SYSTEM])
def test_trouble_of_the_whole_system_stops_at_once_and_is_no_row_error(
    known: Simulator, target: WarmTarget, name: str, action: Any, code: int
) -> None:
    """S0-61: in the midst of inserting: no reject, no budget used, STATE not beyond, and the next
    run goes on where this one stopped.
    """
    known.faults([on(*CREATE, action, nth=4)])
    rows = [record(i, f"n{i}@example.com") for i in range(2, 12)]
    messages = [schema(), *rows[:2], state(2), *rows[2:], state(10)]
    run = target.run(messages, max_errors=0)
    assert run.code == code
    assert run.outcomes == {"applied": 3, "held": 7}
    assert run.stream["errors_by_step"] == {}
    assert target.rejects == []
    assert all(s["bookmarks"]["contacts"]["replication_key_value"] != 10 for s in run.states)
    again = target.run(messages)
    assert (again.code, again.outcomes) == (0, {"applied": 7, "unchanged": 3})
    assert again.last_state == 10


@pytest.mark.parametrize(
    ("switch", "code"), [({"account_lapsed": True}, 3), ({"bad_token_status": 401}, 3)]
)
def test_a_wrong_key_or_lapsed_account_ends_before_anything_is_read_or_written(
    known: Simulator, make_target: Any, switch: dict[str, Any], code: int
) -> None:
    """S0-61: exit code 3, no reject, no STATE."""
    known.switches(**switch)
    target = make_target(api_key="sim-key" if "account_lapsed" in switch else "wrong")
    run = target.deliver([record(1)])
    assert (run.code, run.states) == (code, [])
    assert len(known.requests()) == 1
    assert "wrong" not in run.stderr.replace("the key is wrong", "")


def test_an_account_at_its_contact_limit_stops_the_run(
    known: Simulator, target: WarmTarget
) -> None:
    """S0-61: quota used up (403) is no fault of a row."""
    known.switches(contact_limit=2)
    run = target.deliver([record(i, f"n{i}@example.com") for i in (2, 3, 4)])
    assert run.code == 3
    assert run.outcomes == {"applied": 1, "held": 2}
    assert target.rejects == []
