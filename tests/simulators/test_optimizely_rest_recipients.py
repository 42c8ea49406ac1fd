"""Recipient lists and recipients by REST in the simulated Optimizely Campaign."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from optimizely_feedback import ANA, BEN, CAT, Rest, furnish
from optimizely_support import OPTIN, REGULAR, Soap
from simulators_support import Simulator

LIST = f"recipients/{REGULAR}"
DAN = "dan@example.com"


@pytest.fixture
def rest(campaign: Simulator) -> Iterator[Rest]:
    furnish(campaign)
    with Rest(campaign) as client:
        yield client


def _ids(rest: Rest, **parameters: Any) -> list[str]:
    return [row["id"] for row in rest.get(LIST, **parameters)["elements"]]


def test_lists_are_described(campaign: Simulator, rest: Rest) -> None:
    """Name, size, kind flags and times; test lists only where wanted; 409 for an unknown id."""
    campaign.seed({"lists": [{"id": 120000000009, "name": "A test", "kind": "test"}]})
    names = [row["name"] for row in rest.get("recipientlists", sort="name")["elements"]]
    assert names == ["A test", "Newsletter", "Newsletter (opt-in)"]
    assert len(rest.get("recipientlists", includeTestLists="false")["elements"]) == 2
    found = rest.get(f"recipientlists/{REGULAR}")
    assert (found["id"], found["recipients"], found["testList"]) == (REGULAR, 3, False)
    assert rest.get("recipientlists/120000000009")["testList"] is True
    assert rest.refused("recipientlists/1") == 409
    assert rest.refused("recipientlists/x") == 409


def test_a_lists_fields_are_told_with_and_without_system_columns(
    campaign: Simulator, rest: Rest
) -> None:
    """attributeNames ends with the vendor's own columns; fields have type and required."""
    number = {"name": "points", "type": "INTEGER", "required": True}
    campaign.seed({"lists": [{"id": 120000000009, "attributes": ["email", number]}]})
    names = rest.get("recipientlists/120000000009/attributeNames")["attributeNames"]
    assert names[:4] == ["email", "points", "Created", "Modified"]
    fields = rest.get("recipientlists/120000000009/fields")["elements"]
    assert fields[1] == {
        "internalName": "points",
        "displayName": "points",
        "type": "INTEGER",
        "required": True,
    }
    assert len(fields) == 2


def test_recipients_are_read_in_pages_with_the_wanted_values(rest: Rest) -> None:
    """attributeNames chooses; an unknown name is 400."""
    assert _ids(rest) == [ANA, BEN, CAT]
    assert _ids(rest, offset=1, limit=1) == [BEN]
    row = rest.get(LIST, attributeNames="email,Land")["elements"][0]
    assert row["data"] == {"email": ANA, "Land": None}
    assert rest.refused(LIST, attributeNames="shoe-size") == 400
    assert rest.get(f"{LIST}/count")["count"] == 3
    assert rest.get(f"{LIST}/{ANA}", attributeNames="email")["data"] == {"email": ANA}
    assert rest.refused(f"{LIST}/{DAN}") == 404


def test_a_recipients_validity_names_what_is_in_the_way(campaign: Simulator, rest: Rest) -> None:
    """Blocked, bounced out, unsubscribed, not there."""
    campaign.event("block", entry=ANA)
    campaign.event("bounce", id=BEN, times=3)
    campaign.event("unsubscribe", id=CAT)
    reasons = {ANA: "blacklisted", BEN: "bounced", CAT: "unsubscribed", DAN: "not_found"}
    for each, reason in reasons.items():
        found = rest.get(f"{LIST}/{each}/valid")
        assert (found["valid"], found["validationFailedReason"]) == (False, reason)
    campaign.event("add_recipient", list=REGULAR, id=DAN)
    assert rest.get(f"{LIST}/{DAN}/valid") == {
        "valid": True,
        "recipientListId": REGULAR,
        "links": [],
    }


def test_adding_many_tells_only_who_failed(campaign: Simulator, rest: Rest) -> None:
    """No reasons: already there, invalid, unsubscribed and a bad value look alike."""
    campaign.event("unsubscribe", id="uma@example.com")
    people = [
        {"id": DAN, "data": {"Land": "CH"}},
        {"id": "7", "address": "eve@example.com"},
        {"id": ANA},
        {"id": "nonsense"},
        {"id": "uma@example.com"},
        {"id": "fay@example.com", "data": {"shoe-size": "42"}},
    ]
    answer = rest.ask("PUT", LIST, json={"recipients": people})
    failed = [ANA, "nonsense", "uma@example.com", "fay@example.com"]
    assert answer.json() == {"count": 2, "failedIds": failed}
    assert rest.get(f"{LIST}/{DAN}", attributeNames="Land")["data"] == {"Land": "CH"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 400),
        ('{"recipients": [{}]}', 400),
        ('{"recipients": [], "optinProcessId": 1}', 409),
    ],
)
def test_adding_many_needs_a_sound_body(rest: Rest, body: str, status: int) -> None:
    """No JSON, no id, or an opt-in process that does not exist."""
    assert rest.ask("PUT", LIST, data=body).status_code == status


def test_adding_one_answers_by_status(campaign: Simulator, rest: Rest) -> None:
    """201, 409 for who is there, blocked or unsubscribed, 400 for an invalid address."""
    form = {"recipientId": DAN, "data.Land": "CH"}
    assert rest.ask("POST", LIST, data=form).status_code == 201
    assert rest.ask("POST", LIST, data=form).status_code == 409
    assert rest.get(f"{LIST}/{DAN}", attributeNames="Land")["data"] == {"Land": "CH"}
    campaign.event("block", entry="*@example.info")
    blocked = {"recipientId": "x@example.info"}
    assert rest.ask("POST", LIST, data=blocked).status_code == 409
    assert rest.ask("POST", LIST, data={"recipientId": "nonsense"}).status_code == 400
    assert rest.ask("POST", LIST, data={}).status_code == 400


def test_a_double_opt_in_is_only_accepted(campaign: Simulator, rest: Rest) -> None:
    """202: the recipient still has to confirm."""
    campaign.seed({"optin_processes": [{"id": 120000000900, "type": "double"}]})
    form = {"recipientId": DAN, "optinProcessId": 120000000900}
    assert rest.ask("POST", f"recipients/{OPTIN}", data=form).status_code == 202


def test_deleting_some_leaves_the_others(campaign: Simulator, rest: Rest) -> None:
    """By ids, by state, or one; both filters at once are refused."""
    campaign.event("unsubscribe", id=CAT)
    both = {"recipientIds": ANA, "removalType": "bounced"}
    assert rest.ask("DELETE", LIST, params=both).status_code == 400
    assert rest.ask("DELETE", LIST, params={"removalType": "tired"}).status_code == 400
    kind = {"removalType": "unsubscribed"}
    assert rest.ask("DELETE", LIST, params=kind).status_code == 204
    assert _ids(rest) == [ANA, BEN]
    some = {"recipientIds": f"{BEN},{DAN}"}
    assert rest.ask("DELETE", LIST, params=some).status_code == 204
    assert _ids(rest) == [ANA]
    assert rest.ask("DELETE", f"{LIST}/{ANA}").status_code == 204
    assert rest.ask("DELETE", f"{LIST}/{ANA}").status_code == 404


@pytest.mark.parametrize("parameters", [{}, {"recipientIds": ""}])
def test_deleting_without_saying_whom_deletes_everybody(
    rest: Rest, soap: Soap, parameters: dict[str, str]
) -> None:
    """An empty id list by mistake wipes the list, as the reference warns."""
    assert rest.ask("DELETE", LIST, params=parameters).status_code == 204
    assert soap.count() == 0
