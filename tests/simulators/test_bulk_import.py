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
