"""Every fault of a plan, as a client or a bare socket meets it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from simulators_api import Api
from simulators_support import Simulator

CONTACT = {"contact": {"email": "a@example.com"}}


def plan(action: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"match": {"method": "POST", "path": "/contacts$"}, "action": action, **more}]


def raw(simulator: Simulator, path: str, seconds: float = 5) -> bytes:
    """Send one GET over a bare socket and return every byte until the other side closes."""
    address = urlsplit(simulator.url)
    assert address.hostname is not None
    head = f"GET {address.path}/api/3/{path} HTTP/1.1\r\nHost: x\r\nApi-Token: sim-key\r\n\r\n"
    with socket.create_connection((address.hostname, address.port or 0), seconds) as connection:
        connection.sendall(head.encode())
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
        return received


def test_a_status_comes_instead_of_the_vendor(simulator: Simulator, api: Api) -> None:
    """`status` answers HTML by default, a body of one's own, or none; nothing is applied."""
    shapes = [
        ({"type": "status"}, 503, "text/html; charset=UTF-8", b"<!DOCTYPE html>"),
        ({"type": "status", "status": 500, "body": "{}"}, 500, "application/json", b"{}"),
        ({"type": "status", "status": 520, "body": ""}, 520, None, b""),
    ]
    for action, status, kind, body in shapes:
        simulator.faults(plan(action))
        answer = api.post("contacts", CONTACT)
        assert answer.status_code == status
        assert answer.content.startswith(body)
        if kind:
            assert answer.headers["Content-Type"] == kind
    assert simulator.contacts() == {}
    assert simulator.requests(writes=True)[0]["fault"] == "status"


def test_a_status_can_carry_headers(simulator: Simulator, api: Api) -> None:
    """Headers of a spoiled answer are as planned."""
    simulator.faults(plan({"type": "status", "headers": {"CF-Ray": "1"}}))
    assert api.post("contacts", CONTACT).headers["CF-Ray"] == "1"


def test_a_write_can_be_applied_behind_an_error(simulator: Simulator, api: Api) -> None:
    """`apply_then_status` writes and says 502; the log has the vendor's own 201."""
    simulator.faults(plan("apply_then_status"))
    assert api.post("contacts", CONTACT).status_code == 502
    assert list(simulator.contacts()) == ["a@example.com"]
    assert simulator.requests()[0] | {"time": 0} == {
        "n": 1,
        "method": "POST",
        "path": "/api/3/contacts",
        "query": "",
        "status": 201,
        "time": 0,
        "fault": "apply_then_status",
    }


@pytest.mark.parametrize(("action", "applied"), [("reset", []), ("apply_then_reset", [1])])
def test_a_connection_is_reset(
    simulator: Simulator, api: Api, action: str, applied: list[int]
) -> None:
    """The client meets a TCP reset, before or after the write."""
    simulator.faults(plan(action))
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        api.post("contacts", CONTACT)
    assert len(simulator.contacts()) == len(applied)
    assert simulator.requests()[0]["status"] == (201 if applied else 0)


@pytest.mark.parametrize(("action", "applied"), [("hang", 0), ("apply_then_hang", 1)])
def test_an_answer_is_held_past_the_time_out(
    simulator: Simulator, api: Api, action: str, applied: int
) -> None:
    """The client times out, and whether the write happened differs."""
    simulator.faults(plan({"type": action, "seconds": 60}))
    with pytest.raises(requests.ReadTimeout):
        api.post("contacts", CONTACT, timeout=0.3)
    assert len(simulator.contacts()) == applied


def test_a_held_answer_comes_in_the_end(simulator: Simulator, api: Api) -> None:
    """apply_then_hang answers truly after its seconds; hang resets after them."""
    simulator.faults(plan({"type": "apply_then_hang", "seconds": 0.2}))
    assert api.post("contacts", CONTACT).status_code == 201
    simulator.faults(plan({"type": "hang", "seconds": 0.1}))
    with pytest.raises(requests.ConnectionError):
        api.post("contacts", CONTACT)


def test_a_body_is_cut_under_its_promised_length(simulator: Simulator, api: Api) -> None:
    """With Content-Length the client can tell that bytes are missing."""
    simulator.faults([{"action": {"type": "truncate", "bytes": 10}}])
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        api.get("users/me")
    head, _, body = raw(simulator, "users/me").partition(b"\r\n\r\n")
    assert body == b'{"user":{"'
    assert b"Content-Length: " in head


def test_a_cut_body_without_a_length_looks_complete(simulator: Simulator, api: Api) -> None:
    """Without Content-Length the client gets 200 and half a JSON text."""
    simulator.faults(plan({"type": "truncate", "bytes": 30, "content_length": False}))
    answer = api.post("contacts", CONTACT)
    assert answer.status_code == 201
    assert len(answer.content) == 30
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert len(simulator.contacts()) == 1


def test_a_body_drips(simulator: Simulator, api: Api) -> None:
    """Bytes come so slowly that no single read times out, yet the whole takes long."""
    simulator.faults([{"action": {"type": "drip", "bytes": 60, "seconds": 0.1}}])
    started = time.monotonic()
    answer = api.get("users/me", timeout=0.5)
    assert answer.json()["user"]["id"] == "1"
    assert time.monotonic() - started > 0.6


def test_success_can_be_a_page_or_nothing(simulator: Simulator, api: Api) -> None:
    """html_200 and empty_200 are 200 without the write."""
    simulator.faults(plan("html_200"))
    answer = api.post("contacts", CONTACT)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (200, "text/html")
    simulator.faults(plan("empty_200"))
    answer = api.post("contacts", CONTACT)
    assert (answer.status_code, answer.content) == (200, b"")
    assert simulator.contacts() == {}


def test_latency_delays_a_true_answer(simulator: Simulator, api: Api) -> None:
    """The answer is right, only late."""
    simulator.faults(plan({"type": "latency", "seconds": 0.3}))
    started = time.monotonic()
    assert api.post("contacts", CONTACT).status_code == 201
    assert time.monotonic() - started >= 0.3


def test_a_slow_answer_does_not_hold_up_others(simulator: Simulator, api: Api) -> None:
    """While one request hangs the next is answered."""
    simulator.faults(plan({"type": "hang", "seconds": 60}))
    waiting = threading.Thread(target=_swallow, args=(simulator,))
    waiting.start()
    simulator.wait_for_requests(1)
    assert api.get("users/me").status_code == 200
    waiting.join(10)
    assert not waiting.is_alive()


def _swallow(simulator: Simulator) -> None:
    client = Api(simulator)
    try:
        client.post("contacts", CONTACT, timeout=1)
    except requests.ReadTimeout:
        pass
    finally:
        client.session.close()


@pytest.mark.parametrize(
    "value", ["30", "0", "-5", "1000000000", "soon", "Wed, 21 Oct 2015 07:28:00 GMT", "1.5"]
)
def test_retry_after_may_be_anything(simulator: Simulator, api: Api, value: str) -> None:
    """Sensible and absurd values arrive as planned."""
    simulator.faults([{"action": {"type": "retry_after", "value": value}}])
    answer = api.get("users/me")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, value)


def test_a_redirect_leads_elsewhere(simulator: Simulator, api: Api) -> None:
    """The client is sent to the planned place."""
    action = {"type": "redirect", "location": "http://127.0.0.1:9/elsewhere"}
    simulator.faults([{"action": action}])
    answer = api.get("users/me", allow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["Location"] == "http://127.0.0.1:9/elsewhere"


def test_a_kept_connection_may_be_dead(simulator: Simulator) -> None:
    """close_after answers in full and then closes without having announced it."""
    simulator.faults([{"nth": 1, "action": "close_after"}])
    address = urlsplit(simulator.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    headers = {"Api-Token": "sim-key"}
    connection.request("GET", f"{address.path}/api/3/users/me", headers=headers)
    answer = connection.getresponse()
    assert json.loads(answer.read())["user"]["id"] == "1"
    assert answer.getheader("Connection") is None
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        _ask_again(connection, f"{address.path}/api/3/users/me")
    connection.close()


def _ask_again(connection: http.client.HTTPConnection, path: str) -> None:
    """Use the connection as it stands, without opening a new one quietly."""
    connection.auto_open = 0
    for _ in range(2):
        connection.request("GET", path, headers={"Api-Token": "sim-key"})
        connection.getresponse().read()


def test_somebody_changes_things_between_two_pages(simulator: Simulator, api: Api) -> None:
    """`event` runs before or after the n-th request, which is answered as usual."""
    simulator.seed({"contacts": [{"email": f"{name}@example.com"} for name in "abc"]})
    event = {"type": "delete_contact", "email": "a@example.com"}
    simulator.faults(
        [{"match": {"path": "/contacts\\?"}, "nth": 2, "action": {"type": "event", "event": event}}]
    )
    totals = [api.get("contacts?limit=1").json()["meta"]["total"] for _ in range(3)]
    assert totals == ["3", "2", "2"]
    event = {"type": "delete_contact", "email": "b@example.com"}
    simulator.faults([{"nth": 1, "action": {"type": "event", "event": event, "when": "after"}}])
    totals = [api.get("contacts?limit=1").json()["meta"]["total"] for _ in range(2)]
    assert totals == ["2", "1"]


def test_faults_fire_when_planned(simulator: Simulator, api: Api) -> None:
    """nth, every and times count matching requests; without them a fault is always due."""
    schedules: list[tuple[dict[str, int], list[int]]] = [
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({"nth": 3, "times": 2}, [3, 4]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({}, [1, 2, 3, 4, 5, 6]),
    ]
    for schedule, spoiled in schedules:
        simulator.faults([{"match": {"path": "users"}, "action": "status", **schedule}])
        statuses = [api.get("users/me").status_code for _ in range(6)]
        assert [n for n, status in enumerate(statuses, 1) if status == 503] == spoiled, schedule
        assert simulator.faults()[0]["matched"] == 6
        assert simulator.faults()[0]["fired"] == len(spoiled)


def test_a_fault_matches_method_path_and_body(simulator: Simulator, api: Api) -> None:
    """All parts of a match must fit; the first fault that is due acts."""
    match = {"method": "POST|PUT", "path": "/contacts", "body": "a@example\\.com"}
    simulator.faults(
        [
            {"match": match, "action": {"type": "status", "status": 500}},
            {"match": match, "action": {"type": "status", "status": 502}},
        ]
    )
    assert api.get("contacts").status_code == 200
    assert api.post("contacts", {"contact": {"email": "b@example.com"}}).status_code == 201
    assert api.post("contacts", CONTACT).status_code == 500
    assert [fault["matched"] for fault in simulator.faults()] == [1, 1]
    simulator.control("DELETE", "faults")
    assert api.post("contacts", CONTACT).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([{"action": "explode"}], "unknown action 'explode'; known: "),
        ([{"action": {"type": "drip", "speed": 1}}], "drip takes"),
        ([{"match": {"url": "x"}, "action": "reset"}], "match knows"),
        ([{"match": {"path": "("}, "action": "reset"}], "not a regular expression"),
        ([{"nth": 0, "action": "reset"}], "nth counts from 1"),
        ([{"after": 1, "action": "reset"}], "a fault has"),
        ({"action": "reset"}, "a fault plan is a list"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(simulator: Simulator, wrong: Any, says: str) -> None:
    """400 says what is wrong, and the old plan stays."""
    simulator.faults([{"action": "reset"}])
    with pytest.raises(ValueError, match=says.replace("(", "\\(")):
        simulator.faults(wrong)
    assert len(simulator.faults()) == 1
