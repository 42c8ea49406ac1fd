"""Seed, state, events and faults of the simulated SOAP side."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from optimizely_support import OPTIN, REGULAR, Fault, Soap, long, text, texts
from simulators_support import Simulator

ADA, BO = "ada@example.com", "bo@example.com"
SEED: dict[str, Any] = {
    "clients": [{"id": 1234, "users": [{"name": "second", "password": "secret"}]}],
    "lists": [
        {
            "id": 7,
            "name": "Offers",
            "kind": "transaction",
            "attributes": [
                "email",
                {"name": "Nr", "type": "long", "required": True, "length": 0},
            ],
        }
    ],
    "recipients": [
        {"list": 7, "id": "a", "address": ADA, "attributes": {"Nr": "5"}},
        {"list": 7, "id": "b", "address": BO, "optin_finished": False},
    ],
    "unsubscribes": [{"id": "x", "list": 7, "reason": "link"}],
    "blocklist": [{"entry": "*@example.net", "reason": "spam"}, "z@example.com"],
    "bounces": [{"id": "a", "kind": "soft", "count": 4}],
    "mailings": [{"id": 9, "name": "May", "type": "event", "status": "SENDING", "lists": [7]}],
    "optin_processes": [{"id": 11, "name": "DOI", "type": "double"}],
}


def client(campaign: Simulator) -> dict[str, Any]:
    held: dict[str, Any] = campaign.state()["clients"]["1234"]
    return held


def active(campaign: Simulator, list_id: int = REGULAR) -> dict[str, bool]:
    rows = next(row for row in client(campaign)["lists"] if row["id"] == list_id)
    return {row["id"]: row["active"] for row in rows["recipients"]}


def test_the_default_client_has_a_regular_and_an_opt_in_list(campaign: Simulator) -> None:
    """Their attributes are the address, three of a person, and the guide's technical fields."""
    lists = client(campaign)["lists"]
    assert [(row["id"], row["kind"]) for row in lists] == [(REGULAR, "regular"), (OPTIN, "optin")]
    assert [field["name"] for field in lists[0]["attributes"]] == [
        "email",
        "Vorname",
        "Nachname",
        "Land",
        "opt-in-id",
        "description",
        "media-type",
        "entity-type",
        "entity-id",
    ]


def test_a_seed_is_what_state_shows(campaign: Simulator) -> None:
    """Every part of a seed is found again, recipients in stored order."""
    assert campaign.seed(SEED) == {name: len(rows) for name, rows in SEED.items()}
    held = client(campaign)
    assert held["users"] == ["second", "sim-user"]
    offers = held["lists"][-1]
    assert (offers["id"], offers["name"], offers["kind"]) == (7, "Offers", "transaction")
    assert offers["attributes"][1] == {
        "name": "Nr",
        "type": "LONG",
        "required": True,
        "length": 0,
    }
    first, second = offers["recipients"]
    assert (first["id"], first["address"], first["active"]) == ("a", ADA, True)
    assert first["attributes"] == {"Nr": "5", "email": ADA}
    assert (second["id"], second["active"]) == ("b", False)
    assert held["unsubscribes"][0]["id"] == "x"
    assert [row["entry"] for row in held["blocklist"]] == ["*@example.net", "z@example.com"]
    assert held["bounces"]["a"]["softbounce"] == 4
    assert held["mailings"][0]["status"] == "SENDING"
    assert held["optin_processes"][0]["type"] == "double"


@pytest.mark.parametrize(
    "seed",
    [
        {"colours": []},
        {"lists": [{"kind": "odd"}]},
        {"lists": [{"id": REGULAR}]},
        {"lists": [{"id": 8, "attributes": [{"name": "x", "type": "COLOUR"}]}]},
        {"recipients": [{"list": 1, "id": "a"}]},
        {"recipients": [{"list": REGULAR, "id": ""}]},
        {"recipients": [{"list": REGULAR, "id": "a", "attributes": {"Nix": "1"}}]},
        {"recipients": [{"list": REGULAR, "id": "a", "shoe": 42}]},
        {"bounces": [{"id": "a", "kind": "medium"}]},
        {"mailings": [{"status": "ASLEEP"}]},
        {"optin_processes": [{"type": "triple"}]},
        {"unsubscribes": [{"id": "a", "created": "soon"}]},
    ],
)
def test_a_seed_that_makes_no_sense_is_refused(campaign: Simulator, seed: dict[str, Any]) -> None:
    """The refusal is the caller's, with a reason."""
    with pytest.raises(ValueError, match=r"\w"):
        campaign.seed(seed)


def test_a_hundred_thousand_recipients_are_seeded_quickly(campaign: Simulator, soap: Soap) -> None:
    """A big list is there in seconds."""
    people = [{"list": REGULAR, "id": f"p{number}@example.com"} for number in range(100_000)]
    began = time.monotonic()
    campaign.seed({"recipients": people})
    assert time.monotonic() - began < 30
    assert soap.count() == 100_000


def test_events_change_who_is_active(campaign: Simulator) -> None:
    """Unsubscribed, blocked and bounced out recipients stay in the list and get no mail."""
    campaign.event("add_recipient", list=REGULAR, id=ADA, attributes={"Land": "CH"})
    for stop, resume in (
        ({"type": "unsubscribe", "id": ADA}, {"type": "resubscribe", "id": ADA}),
        ({"type": "block", "entry": "ada@*"}, {"type": "unblock", "entry": "ada@*"}),
    ):
        assert active(campaign) == {ADA: True}
        campaign.control("POST", "event", stop)
        assert active(campaign) == {ADA: False}
        campaign.control("POST", "event", resume)
    campaign.event("bounce", id=ADA, kind="hard", times=2)
    assert active(campaign) == {ADA: True}
    campaign.event("bounce", id=ADA, kind="hard")
    assert active(campaign) == {ADA: False}


def test_events_change_lists_and_their_fields(campaign: Simulator, soap: Soap) -> None:
    """A person can edit recipients, fields and the kind of a list beside the API."""
    campaign.event("add_recipient", list=REGULAR, id=ADA)
    campaign.event("edit_recipient", list=REGULAR, id=ADA, attributes={"Land": "DE"}, address=BO)
    campaign.event("add_attribute", list=REGULAR, attribute={"name": "Nr", "type": "LONG"})
    read = soap.call("RpcRecipient", "getAll", long(REGULAR), texts(["Land", "Nr"]))
    assert read == [["DE", None]]
    campaign.event("remove_attribute", list=REGULAR, attribute="Land")
    with pytest.raises(Fault, match="'Land' does not exist"):
        soap.call("RpcRecipient", "getAll", long(REGULAR), texts(["Land"]))
    campaign.event("change_kind", list=REGULAR, kind="optin")
    assert client(campaign)["lists"][0]["kind"] == "optin"
    campaign.event("remove_recipient", list=REGULAR, id=ADA)
    assert soap.count() == 0


def test_a_mailing_is_created_and_moved_on_by_events(campaign: Simulator, soap: Soap) -> None:
    """getIdsInStatus tells when a mailing to the list is being sent."""
    number = campaign.event("mailing", name="May", status="NEW", lists=[REGULAR])["id"]
    sending = (text("regular"), text("SENDING"))
    assert soap.call("RpcMailing", "getIdsInStatus", *sending) == []
    campaign.event("mailing", id=number, status="SENDING", lists=[REGULAR, OPTIN])
    assert soap.call("RpcMailing", "getIdsInStatus", *sending) == [number]
    assert soap.call("RpcMailing", "getRecipientListIds", long(number)) == [REGULAR, OPTIN]
    campaign.event("mailing", id=number, status="DONE")
    assert soap.call("RpcMailing", "getStatus", long(number)) == "DONE"
    assert soap.call("RpcMailing", "getSendingFinishedDate", long(number)) is not None


def test_a_recipient_can_opt_out_of_tracking(campaign: Simulator, soap: Soap) -> None:
    """createTrackingOptOut is kept until deleteTrackingOptOut."""
    soap.call("RpcRecipient", "createTrackingOptOut", text(ADA))
    assert client(campaign)["tracking_opt_outs"] == [ADA]
    soap.call("RpcRecipient", "deleteTrackingOptOut", text(ADA))
    assert client(campaign)["tracking_opt_outs"] == []


def test_sessions_end_and_users_go_by_event(campaign: Simulator, soap: Soap) -> None:
    """expire_sessions asks everybody to log in again; revoke_user lets nobody."""
    assert campaign.event("expire_sessions")["sessions"] == 1
    with pytest.raises(Fault, match="Invalid sessionId"):
        soap.count()
    soap.login()
    campaign.event("revoke_user", user="sim-user")
    with pytest.raises(Fault, match="Invalid sessionId"):
        soap.count()
    with pytest.raises(Fault, match="Invalid credentials"):
        soap.login()


@pytest.mark.parametrize(
    "event",
    [
        {"type": "explode"},
        {"type": "unsubscribe"},
        {"type": "unsubscribe", "id": ADA, "list": 5},
        {"type": "block"},
        {"type": "unblock", "entry": "nobody"},
        {"type": "bounce", "id": ADA, "kind": "odd"},
        {"type": "edit_recipient", "list": REGULAR, "id": "nobody"},
        {"type": "remove_attribute", "list": REGULAR, "attribute": "Nix"},
        {"type": "change_kind", "list": REGULAR, "kind": "odd"},
        {"type": "mailing", "status": "ASLEEP"},
        {"type": "revoke_user", "user": "nobody"},
        {"type": "expire_sessions", "client": 5},
    ],
)
def test_an_event_that_makes_no_sense_is_refused(
    campaign: Simulator, event: dict[str, Any]
) -> None:
    """The refusal is the caller's, with a reason."""
    with pytest.raises(ValueError, match=r"\w"):
        campaign.control("POST", "event", event)


def test_somebody_unsubscribes_just_before_they_are_added(campaign: Simulator, soap: Soap) -> None:
    """An event in a fault plan happens around the call that matches by body."""
    event = {"type": "unsubscribe", "id": ADA}
    plan = {"match": {"body": "addAll3"}, "action": {"type": "event", "event": event}}
    campaign.faults([plan])
    assert soap.add(REGULAR, [ADA, BO]) == [2, 0]


def test_a_session_ends_just_before_any_call(campaign: Simulator, soap: Soap) -> None:
    """expire_sessions can strike at the nth call."""
    action = {"type": "event", "event": {"type": "expire_sessions"}}
    campaign.faults([{"match": {"path": "/soap11/"}, "nth": 2, "action": action}])
    assert soap.count() == 0
    with pytest.raises(Fault, match="Invalid sessionId"):
        soap.count()


def test_a_call_can_be_applied_although_its_answer_is_lost(campaign: Simulator, soap: Soap) -> None:
    """apply_then_reset on addAll3: the repetition meets code 5."""
    campaign.faults([{"match": {"body": "addAll3"}, "nth": 1, "action": "apply_then_reset"}])
    with pytest.raises(requests.ConnectionError):
        soap.add(REGULAR, [ADA])
    assert soap.add(REGULAR, [ADA]) == [5]


def test_reset_forgets_everything(campaign: Simulator, soap: Soap) -> None:
    """Seeded data, sessions and switches are as right after the start."""
    before = client(campaign)
    campaign.seed(SEED)
    campaign.switches(session_minutes=1)
    campaign.reset()
    assert client(campaign) == before
    assert campaign.state()["sessions"] == []
    assert campaign.switches()["session_minutes"] == 20
