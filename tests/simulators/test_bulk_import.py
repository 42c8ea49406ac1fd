"""Bulk import: refused as a whole, or applied later."""

from __future__ import annotations

from typing import Any

import pytest
from simulators_api import Api
from simulators_support import Simulator

NOON = "2026-05-28T17:00:00+00:00"


def run(api: Api, contacts: list[Any], **beside: Any) -> Any:
    return api.post("import/bulk_import", {"contacts": contacts, **beside})


def test_an_import_passes_through_its_states(simulator: Simulator, api: Api) -> None:
    """false, waiting, active, completed; contacts are there only at the end."""
    simulator.clock(now=NOON)
    answer = run(api, [{"email": "a@example.com", "first_name": "Ada"}])
    assert answer.status_code == 200
    shown = answer.json()
    batch = shown.pop("batchId")
    assert shown == {"Success": 1, "queued_contacts": 1, "message": "Contact import queued"}
    states = []
    for _ in range(4):
        states.append(api.get(f"import/info?batchId={batch}").json())
        simulator.clock(advance=0.75)
    assert [state["status"] for state in states] == [False, "waiting", "active", "completed"]
    assert [state["success"] for state in states] == [[], [], [], ["1"]]
    assert simulator.contacts()["a@example.com"]["firstName"] == "Ada"
    listed = api.get("import/bulk_import").json()
    assert listed == {
        "outstanding": [],
        "recentlyCompleted": [{"forDate": "2026-05-28", "batches": "1", "contacts": "1"}],
    }


def test_an_import_upserts_by_address(simulator: Simulator, api: Api) -> None:
    """Existing contacts are updated, tags and accounts made by name, the unsubscribed left so."""
    simulator.clock(now=NOON)
    simulator.seed(
        {
            "fields": [{"perstag": "LAND"}],
            "lists": ["News", "Offers"],
            "contacts": [{"email": "a@example.com", "phone": "1", "lists": {"News": 2}}],
        }
    )
    simulator.event("exclude", phrase="@example.org", match="end")
    answer = run(
        api,
        [
            {
                "email": "A@example.com",
                "last_name": "L",
                "tags": ["new"],
                "customer_acct_name": "Example AG",
                "fields": [{"id": 1, "value": "CH"}, {"id": 99, "value": "x"}],
                "subscribe": [{"listid": 1}, {"listid": "2"}],
            },
            {"email": "b@example.com", "subscribe": [{"listid": 1}]},
            {"email": "c@example.org"},
        ],
    )
    simulator.clock(advance=5)
    contacts = simulator.contacts()
    assert contacts["a@example.com"] | {"udate": "", "cdate": ""} == {
        "id": "1",
        "email": "a@example.com",
        "firstName": "",
        "lastName": "L",
        "phone": "1",
        "cdate": "",
        "udate": "",
        "bounced_hard": 0,
        "bounced_soft": 0,
        "fieldValues": {"LAND": "CH"},
        "lists": {"1": "2", "2": "1"},
        "tags": ["new"],
        "account": "Example AG",
    }
    assert contacts["b@example.com"]["lists"] == {"1": "1"}
    info = api.get(f"import/info?batchId={answer.json()['batchId']}").json()
    assert info == {"status": "completed", "success": ["2"], "failure": ["c@example.org"]}


def test_one_wrong_address_refuses_the_whole_batch(simulator: Simulator, api: Api) -> None:
    """400 names the contact by its place from 0, and nothing is queued."""
    simulator.clock(now=NOON)
    answer = run(api, [{"email": "a@example.com"}, {"email": "nobody"}, {"first_name": "x"}])
    assert answer.status_code == 400
    shown = answer.json()
    assert shown["success"] == 0
    assert [reason["contact"] for reason in shown["failureReasons"]] == [1, 2]
    simulator.clock(advance=60)
    assert simulator.contacts() == {}


@pytest.mark.parametrize(
    ("contacts", "says"),
    [
        ([{"email": f"{index}@example.com"} for index in range(251)], "250"),
        ([{"email": "a@example.com", "last_name": "x" * 400_000}], "399999"),
        ([], "required"),
    ],
)
def test_an_import_too_big_or_empty_is_refused(api: Api, contacts: list[Any], says: str) -> None:
    """400 with success 0 and the limit in words."""
    answer = run(api, contacts)
    assert answer.status_code == 400
    assert answer.json()["success"] == 0
    assert says in answer.json()["message"]


@pytest.mark.parametrize(("size", "most"), [(1, 20), (2, 100)])
def test_imports_have_a_limit_by_the_minute(
    simulator: Simulator, api: Api, size: int, most: int
) -> None:
    """20 imports of one contact or 100 of several pass; the next is 400 with reasons as texts."""
    simulator.clock(now=NOON)
    people = [{"email": f"{index}@example.com"} for index in range(size)]
    statuses = [run(api, people).status_code for _ in range(most)]
    assert set(statuses) == {200}
    refused = run(api, people)
    assert refused.status_code == 400
    assert refused.json() == {
        "success": 0,
        "message": "Rate limit exceeded.",
        "failureReasons": [f"Up to {most} imports may be requested per minute."],
    }
    simulator.clock(advance=61)
    assert run(api, people).status_code == 200


def people(*emails: str, **more: Any) -> list[dict[str, Any]]:
    return [{"email": email, **more} for email in emails]


def ended(simulator: Simulator, api: Api, contacts: list[Any]) -> dict[str, Any]:
    """Import, let it end, and what is told of it then."""
    batch = run(api, contacts).json()["batchId"]
    simulator.clock(advance=5)
    info: dict[str, Any] = api.get(f"import/info?batchId={batch}").json()
    return info


@pytest.mark.parametrize(
    ("shown", "base", "named"), [("all", 0, [1, 2]), ("first", 1, [2]), ("none", 0, [])]
)
def test_an_import_is_refused_for_contacts_that_a_switch_names(
    simulator: Simulator, api: Api, shown: str, base: int, named: list[int]
) -> None:
    """400 names all of them, the first or none, from 0 or from 1."""
    simulator.switches(bulk_refuses="poison", bulk_reasons=shown, bulk_index_base=base)
    answer = run(api, people("a@example.com", "poison1@example.com", "poison2@example.com"))
    assert answer.status_code == 400
    assert [reason["contact"] for reason in answer.json()["failureReasons"]] == named
    assert simulator.contacts() == {}


def test_a_contact_can_fail_while_the_others_are_applied(simulator: Simulator, api: Api) -> None:
    """By its address, its value, the exclusion list or the plan's limit: failure names it."""
    simulator.clock(now=NOON)
    simulator.seed({"fields": [{"perstag": "COUNT", "type": "number"}]})
    simulator.event("exclude", phrase="out@example.com")
    simulator.switches(bulk_fails="bad", bulk_value_validation="failure", contact_limit=1)
    wrong = people("wrong@example.com", fields=[{"id": 1, "value": "many"}])
    good = people("good@example.com", fields=[{"id": 1, "value": "5"}])
    others = people("bad@example.com", "out@example.com"), people("more@example.com")
    info = ended(simulator, api, [*others[0], *wrong, *good, *others[1]])
    assert info["success"] == ["1"]
    failed = ["bad@example.com", "out@example.com", "wrong@example.com", "more@example.com"]
    assert info["failure"] == failed
    assert set(simulator.contacts()) == {"good@example.com"}
    simulator.switches(bulk_excluded="silent")
    assert ended(simulator, api, people("out@example.com", "bad@example.com"))["failure"] == [
        "bad@example.com"
    ]


def test_a_value_can_refuse_the_whole_import(simulator: Simulator, api: Api) -> None:
    """400 where the field has no such value."""
    simulator.seed({"fields": [{"perstag": "COUNT", "type": "number"}]})
    simulator.switches(bulk_value_validation="400")
    wrong = people("wrong@example.com", fields=[{"id": 1, "value": "many"}])
    assert run(api, [*people("a@example.com"), *wrong]).json()["failureReasons"] == [
        {"contact": 1, "failureReason": "Field 'fields' incorrect format"}
    ]


@pytest.mark.parametrize(("ends", "applied"), [("failed", 0), ("interrupted", 2)])
def test_an_import_can_end_early(simulator: Simulator, api: Api, ends: str, applied: int) -> None:
    """With nothing applied or half of it, and it is not outstanding any more."""
    simulator.clock(now=NOON)
    simulator.switches(bulk_ends=ends)
    info = ended(simulator, api, people(*(f"{number}@example.com" for number in range(4))))
    assert (info["status"], len(info["success"])) == (ends, applied)
    assert len(simulator.contacts()) == applied
    assert api.get("import/bulk_import").json()["outstanding"] == []


@pytest.mark.parametrize(("order", "last"), [("oldest", "Second"), ("newest", "First")])
def test_imports_are_applied_in_either_order(
    simulator: Simulator, api: Api, order: str, last: str
) -> None:
    """The one applied last has the last word."""
    simulator.clock(now=NOON)
    simulator.switches(bulk_order=order)
    for name in ("First", "Second"):
        run(api, people("a@example.com", first_name=name))
    simulator.clock(advance=5)
    assert simulator.contacts()["a@example.com"]["firstName"] == last


@pytest.mark.parametrize(("shown", "ids"), [("created", ["2"]), ("all", ["1", "2"]), ("empty", [])])
def test_success_tells_of_whom_a_switch_says(
    simulator: Simulator, api: Api, shown: str, ids: list[str]
) -> None:
    """Contacts created, all contacts, or nobody."""
    simulator.clock(now=NOON)
    simulator.seed({"contacts": [{"email": "a@example.com"}]})
    simulator.switches(bulk_success_list=shown)
    assert ended(simulator, api, people("a@example.com", "b@example.com"))["success"] == ids


@pytest.mark.parametrize(("protection", "status"), [("kept", "2"), ("subscribed", "1")])
def test_who_left_a_list_is_left_out_of_it_or_not(
    simulator: Simulator, api: Api, protection: str, status: str
) -> None:
    """The documented protection can be taken away."""
    simulator.clock(now=NOON)
    simulator.seed(
        {"lists": ["News"], "contacts": [{"email": "a@example.com", "lists": {"News": 2}}]}
    )
    simulator.switches(bulk_previously_unsubscribed=protection)
    ended(simulator, api, people("a@example.com", subscribe=[{"listid": 1}]))
    assert simulator.contacts()["a@example.com"]["lists"] == {"1": status}


def test_an_import_may_be_listed_late(simulator: Simulator, api: Api) -> None:
    """It is taken, and not among the outstanding ones yet."""
    simulator.clock(now=NOON)
    simulator.switches(bulk_listed_after_seconds=1.0)
    run(api, people("a@example.com"))
    assert api.get("import/bulk_import").json()["outstanding"] == []
    simulator.clock(advance=1.5)
    assert len(api.get("import/bulk_import").json()["outstanding"]) == 1


def test_an_import_follows_the_account_in_letters_and_moments(
    simulator: Simulator, api: Api
) -> None:
    """Addresses are stored and compared, and moments kept, as single writes do."""
    simulator.clock(now=NOON)
    simulator.seed({"fields": [{"perstag": "SEEN", "type": "datetime"}]})
    simulator.switches(email_case="lower", email_unique_ignores_case=False)
    values = [{"id": 1, "value": "2026-05-01T12:00:00+00:00"}]
    ended(simulator, api, people("Ada@example.com", fields=values))
    assert simulator.contacts()["ada@example.com"]["fieldValues"] == {
        "SEEN": "2026-05-01T07:00:00-05:00"
    }
    simulator.switches(email_case="preserve")
    ended(simulator, api, people("ADA@example.com"))
    assert set(simulator.contacts()) == {"ada@example.com", "ADA@example.com"}
