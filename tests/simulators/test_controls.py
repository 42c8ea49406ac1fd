"""Seeding, state, request log, clock and the events of the user interface."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from datetime import datetime
from typing import Any

import pytest
import requests
from api_simulators.__main__ import main, turn
from api_simulators.server import stations
from api_simulators.wire import ControlError
from simulators_api import Api
from simulators_support import Simulator


def test_a_seed_is_found_again_in_the_state(simulator: Simulator) -> None:
    """Everything seeded is in the state, with names instead of ids."""
    counts = simulator.seed(
        {
            "api_keys": ["sim-key", "other"],
            "fields": [{"perstag": "LAND", "type": "dropdown", "options": ["CH", "DE"]}],
            "lists": ["News", {"name": "Offers", "id": 7}],
            "tags": ["vip"],
            "accounts": ["Example AG"],
            "contacts": [
                {
                    "email": "a@example.com",
                    "firstName": "Ada",
                    "cdate": "2020-01-02T03:04:05+00:00",
                    "fieldValues": {"LAND": "CH"},
                    "lists": {"News": 1, "7": 2},
                    "tags": ["vip"],
                    "account": "Example AG",
                }
            ],
        }
    )
    assert counts["contacts"] == 1
    assert simulator.contacts()["a@example.com"] == {
        "id": "1",
        "email": "a@example.com",
        "firstName": "Ada",
        "lastName": "",
        "phone": "",
        "cdate": "2020-01-01T21:04:05-06:00",
        "udate": "2020-01-01T21:04:05-06:00",
        "bounced_hard": 0,
        "bounced_soft": 0,
        "fieldValues": {"LAND": "CH"},
        "lists": {"1": "1", "7": "2"},
        "tags": ["vip"],
        "account": "Example AG",
    }
    state = simulator.state()
    assert state["fields"][0]["options"] == ["CH", "DE"]
    assert [row["name"] for row in state["lists"]] == ["News", "Offers"]


@pytest.mark.parametrize(
    ("seed", "says"),
    [
        ({"people": []}, "unknown seed"),
        ({"contacts": [{"email": "a@example.com", "colour": "red"}]}, "a contact has"),
        ({"contacts": [{"email": "a@example.com", "tags": ["x"]}]}, "no tag 'x'"),
        ({"contacts": [{"email": "a@example.com"}] * 2}, "same address"),
        ({"contacts": [{"email": "a@example.com", "cdate": "soon"}]}, "not a time"),
        ({"fields": [{"perstag": "X", "type": "colour"}]}, "known type"),
        ({"lists": [{}]}, "need a name"),
        ({"api_keys": [""]}, "may not be empty"),
    ],
)
def test_a_seed_that_does_not_fit_is_refused(
    simulator: Simulator, seed: dict[str, Any], says: str
) -> None:
    """400 says what does not fit."""
    with pytest.raises(ValueError, match=says):
        simulator.seed(seed)


def test_a_hundred_thousand_contacts_load_and_page_quickly(simulator: Simulator, api: Api) -> None:
    """Seeding 100,000 contacts takes seconds, and a deep keyset page is as cheap as the first."""
    people = [
        {"email": f"{index}@example.com", "fieldValues": {"ID": str(index)}}
        for index in range(100_000)
    ]
    started = time.monotonic()
    simulator.seed({"fields": [{"perstag": "ID"}], "contacts": people})
    assert time.monotonic() - started < 30
    deep = "contacts?limit=100&orders[id]=ASC&id_greater=90000&include=fieldValues"
    started = time.monotonic()
    pages = [api.get(deep).json() for _ in range(10)]
    assert time.monotonic() - started < 5
    assert pages[0]["fieldValues"][0]["value"] == "90000"
    assert (
        api.get("fieldValues?filters[fieldid]=1&filters[val]=77777").json()["fieldValues"][0][
            "contact"
        ]
        == "77778"
    )


def test_a_reset_forgets_everything(simulator: Simulator, api: Api) -> None:
    """Data, faults, requests, clock and switches are as at the start, ids count from 1 again."""
    simulator.seed({"api_keys": ["other"], "contacts": [{"email": "a@example.com"}]})
    simulator.switches(bad_token_status=401)
    simulator.faults([{"action": "reset"}])
    simulator.clock(now="2020-01-01T00:00:00+00:00")
    simulator.reset()
    assert simulator.requests() == []
    assert simulator.clock()["frozen"] is False
    assert api.contact("b@example.com") == "1"
    assert api.get("users/me", headers={"Api-Token": "other"}).status_code == 403


def test_the_log_tells_method_path_status_and_time(simulator: Simulator, api: Api) -> None:
    """Requests are listed in order; the summary counts by endpoint with ids left out."""
    simulator.clock(now=1_000_000)
    number = api.contact("a@example.com")
    api.get(f"contacts/{number}")
    api.get("contacts?email=a@example.com")
    assert simulator.requests() == [
        {
            "n": n,
            "method": method,
            "path": f"/api/3/{path}",
            "query": query,
            "status": status,
            "time": 1_000_000,
        }
        for n, method, path, query, status in [
            (1, "POST", "contacts", "", 201),
            (2, "GET", "contacts/1", "", 200),
            (3, "GET", "contacts", "email=a@example.com", 200),
        ]
    ]
    assert simulator.summary() == {
        "total": 3,
        "writes": 1,
        "endpoints": {
            "POST /api/3/contacts": 1,
            "GET /api/3/contacts/{id}": 1,
            "GET /api/3/contacts": 1,
        },
        "operations": {},
        "statuses": {"201": 1, "200": 2},
    }
    assert len(simulator.requests(writes=True)) == 1
    simulator.forget_requests()
    assert simulator.summary()["total"] == 0


def test_bodies_are_logged_only_when_asked_for(simulator: Simulator, api: Api) -> None:
    """Without asking the log is compact; keys are never in it."""
    api.contact("a@example.com")
    simulator.keep_bodies()
    api.contact("b@example.com")
    first, second = simulator.requests()
    assert "body" not in first
    assert "b@example.com" in second["body"]
    assert "sim-key" not in str(simulator.requests())
    with pytest.raises(ValueError, match="bodies"):
        simulator.control("POST", "requests", {"headers": True})


def test_the_journal_tells_what_each_call_and_event_changed(simulator: Simulator, api: Api) -> None:
    """X1, X2: every state in between is told: whole rows before and after, who and when; what
    changed nothing is no entry, an answer that never comes is one all the same.
    """
    simulator.clock(now=1_000_000)
    simulator.seed({"lists": ["News"], "contacts": [{"email": "a@example.com"}]})
    simulator.keep_journal()
    api.get("contacts/1")
    api.subscribe("1", "1")
    simulator.event("unsubscribe", contact="1", list=1)
    gone = [{"match": {"method": "POST"}, "action": "apply_then_reset"}]
    simulator.faults(gone)
    with pytest.raises(requests.ConnectionError):
        api.subscribe("1", "1")
    simulator.faults([])
    api.delete("contacts/1")
    seen = []
    for entry in simulator.journal():
        rows = [change for change in entry["changes"] if change["table"] == "contacts"]
        (row,) = rows
        lists = [side and side["lists"] for side in (row["before"], row["after"])]
        seen.append((entry["by"], entry["what"], entry["request"], *lists))
    assert seen == [
        ("call", "POST /api/3/contactLists", 2, {}, {"1": "1"}),
        ("event", "unsubscribe", None, {"1": "1"}, {"1": "2"}),
        ("call", "POST /api/3/contactLists", 3, {"1": "2"}, {"1": "1"}),
        ("call", "DELETE /api/3/contacts/1", 4, {"1": "1"}, None),
    ]
    assert {entry["time"] for entry in simulator.journal()} == {1_000_000}


def test_a_journal_begins_anew_and_ends(simulator: Simulator, api: Api) -> None:
    """Kept again it starts from the state of now; dropped or reset nothing is noted; an event that
    a fault brings is an entry of its own.
    """
    simulator.seed({"lists": ["News"], "contacts": [{"email": "a@example.com", "lists": {"1": 1}}]})
    assert simulator.journal() == []
    simulator.keep_journal()
    api.contact("b@example.com")
    simulator.seed({"contacts": [{"email": "c@example.com"}]})
    assert [entry["by"] for entry in simulator.journal()] == ["call", "seed"]
    simulator.keep_journal()
    leaves = {"type": "unsubscribe", "contact": "1"}
    simulator.faults([{"action": {"type": "event", "event": leaves, "when": "after"}}])
    api.put("contacts/1", {"contact": {"firstName": "Ada"}})
    assert [entry["what"] for entry in simulator.journal()] == [
        "PUT /api/3/contacts/1",
        "unsubscribe",
    ]
    simulator.control("DELETE", "journal")
    api.contact("d@example.com")
    assert simulator.control("GET", "journal") == {"kept": False, "entries": []}
    simulator.keep_journal()
    simulator.reset()
    assert simulator.control("GET", "journal")["kept"] is False


def test_every_vendor_has_a_journal(campaign: Simulator) -> None:
    """What is no table of rows with ids is compared as a whole."""
    campaign.keep_journal()
    campaign.seed({"blocklist": ["a@example.com"]})
    (entry,) = campaign.journal()
    assert [(change["table"], change["id"]) for change in entry["changes"]] == [("clients", "1234")]
    before, after = (entry["changes"][0][side]["blocklist"] for side in ("before", "after"))
    assert len(after) == len(before) + 1


def test_a_frozen_clock_moves_only_when_told(simulator: Simulator, api: Api) -> None:
    """set, advance and real; contacts are dated by it."""
    simulator.clock(now="2026-01-01T12:00:00+00:00")
    simulator.clock(advance=90)
    assert simulator.clock()["now"] == "2026-01-01T12:01:30+00:00"
    api.contact("a@example.com")
    assert simulator.contacts()["a@example.com"]["cdate"] == "2026-01-01T06:01:30-06:00"
    assert simulator.clock(real=True)["seconds"] == pytest.approx(time.time(), abs=60)
    with pytest.raises(ValueError, match="not an ISO time"):
        simulator.clock(now="noon")
    with pytest.raises(ValueError, match="unknown clock order"):
        simulator.clock(forward=1)


def test_a_clock_may_run_behind(simulator: Simulator, api: Api) -> None:
    """What is written meanwhile was written days ago once the clock is real again."""
    clock = simulator.clock(behind=3 * 86400)
    assert clock["frozen"] is False
    assert clock["seconds"] == pytest.approx(time.time() - 3 * 86400, abs=60)
    api.contact("a@example.com")
    simulator.clock(real=True)
    written = datetime.fromisoformat(simulator.contacts()["a@example.com"]["udate"])
    assert written.timestamp() == pytest.approx(time.time() - 3 * 86400, abs=60)


def test_people_unsubscribe_and_mail_bounces(simulator: Simulator, api: Api) -> None:
    """Events change standings with their reasons; a third soft bounce sets status 3."""
    simulator.seed(
        {
            "lists": ["News", "Offers"],
            "contacts": [
                {"email": "a@example.com", "lists": {"News": 1, "Offers": 1}},
                {"email": "b@example.com", "lists": {"News": 1}},
            ],
        }
    )
    simulator.event("unsubscribe", email="a@example.com", list=1, reason="too much")
    row = api.get("contacts/1/contactLists").json()["contactLists"][0]
    assert (row["status"], row["unsubreason"]) == ("2", "too much")
    assert simulator.contacts()["a@example.com"]["lists"] == {"1": "2", "2": "1"}
    simulator.event("bounce", email="a@example.com", kind="hard", code="5.1.1")
    assert simulator.contacts()["a@example.com"]["lists"] == {"1": "3", "2": "3"}
    for _ in range(2):
        simulator.event("bounce", email="b@example.com", kind="soft")
    assert simulator.contacts()["b@example.com"]["lists"] == {"1": "1"}
    simulator.event("bounce", email="b@example.com", kind="soft")
    assert simulator.contacts()["b@example.com"]["lists"] == {"1": "3"}
    assert api.get("contacts/1/bounceLogs").json()["bounceLogs"][0]["code"] == "5.1.1"
    assert api.get("bounceLogs").json()["meta"]["total"] == "4"
    assert api.get("contacts?status=3&orders[id]=ASC").json()["meta"]["total"] == "2"


def test_people_edit_in_the_user_interface(simulator: Simulator, api: Api) -> None:
    """Contacts and fields are made, changed and deleted, keys revoked."""
    simulator.seed({"fields": [{"perstag": "LAND"}]})
    made = simulator.event("create_contact", values={"email": "a@example.com"})
    simulator.event(
        "edit_contact",
        contact=made["contact"],
        newEmail="b@example.com",
        phone="1",
        fieldValues={"LAND": "CH"},
    )
    contact = simulator.contacts()["b@example.com"]
    assert (contact["phone"], contact["fieldValues"]) == ("1", {"LAND": "CH"})
    simulator.event("create_field", values={"perstag": "CITY"})
    simulator.event("delete_field", perstag="LAND")
    assert [field["perstag"] for field in api.get("fields").json()["fields"]] == ["CITY"]
    assert api.get("fieldValues").json()["meta"]["total"] == "0"
    simulator.seed(
        {"lists": ["News"], "contacts": [{"email": "c@example.com", "lists": {"News": 1}}]}
    )
    simulator.event("delete_list", list=1)
    assert (simulator.state()["lists"], simulator.state()["contactLists"]) == ([], [])
    simulator.event("delete_contact", email="c@example.com")
    simulator.event("delete_contact", email="b@example.com")
    assert simulator.contacts() == {}
    simulator.event("revoke_key", key="sim-key")
    assert api.get("users/me").status_code == 403
    with pytest.raises(ValueError, match="unknown event 'dance'; known: "):
        simulator.event("dance")
    with pytest.raises(ValueError, match="no such contact"):
        simulator.event("unsubscribe", email="nobody@example.com")
    with pytest.raises(ValueError, match="no such list"):
        simulator.event("delete_list", list=9)


def test_an_unknown_control_or_vendor_lists_the_known(simulator: Simulator) -> None:
    """404 helps the caller on."""
    answer = requests.get(f"{simulator.root}/_sim/activecampaign/colour", timeout=5)
    assert answer.status_code == 404
    assert "POST seed" in answer.json()["error"]
    answer = requests.get(f"{simulator.root}/nobody/api/3", timeout=5)
    assert answer.status_code == 404
    assert answer.json() == {"vendors": ["activecampaign", "optimizely"]}


def test_the_process_ends_on_a_signal_and_frees_its_port() -> None:
    """After stop nothing listens any more."""
    own = Simulator().start()
    port = int(own.root.rsplit(":", 1)[1])
    own.stop()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_wrong_switch_on_the_command_line_is_a_usage_error() -> None:
    """Exit status 2 and the reason on stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "api_simulators", "--switch", "activecampaign.colour=red"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "unknown switch ['colour']" in done.stderr


def test_the_switches_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """--describe prints the vendor's table and serves nothing."""
    main(["--describe", "activecampaign"])
    printed = capsys.readouterr().out
    assert printed.startswith("| Switch | Default |")
    assert "| `put_email_conflict` | `nothing_applied` |" in printed


@pytest.mark.parametrize("order", ["nobody.rate_limit=off", "rate_limit", "rate_limit=off"])
def test_a_switch_needs_its_vendor_and_a_value(order: str) -> None:
    """Anything but VENDOR.NAME=VALUE is refused with the vendors there are."""
    with pytest.raises(ControlError, match=r"VENDOR.NAME=VALUE.*activecampaign"):
        turn(stations(), order)
