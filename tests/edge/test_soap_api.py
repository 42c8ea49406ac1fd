"""What Campaign's answers mean to a call, over real sockets."""

from __future__ import annotations

import contextlib
import random
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from edge_support import Action, FaultServer, drip, hang_up, reply, reset, silence
from fake_clock import FakeClock
from optimizely_soap.codec import encode_call, long, text
from target_kit.errors import (
    CallFailed,
    CallRefused,
    ConfigurationError,
    CredentialsError,
    OutcomeUnknown,
    VendorUnavailable,
)
from target_kit.limits import Deadline
from target_kit.signals import StopSignal
from target_optimizely.soap_api import SoapApi

CANARY = "canary.person@example.com"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
READING = frozenset({"RpcRecipient.getCount"})


def envelope(content: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><soapenv:Envelope xmlns:soapenv="{SOAP}">'
        f"<soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>"
    ).encode()


WHOLE = envelope(f"<getCountResponse><r>{CANARY}</r></getCountResponse>")
FAULT = envelope(
    f"<soapenv:Fault><faultcode>x</faultcode><faultstring>{CANARY}</faultstring></soapenv:Fault>"
)
PAGE = f"<!doctype html><html><body><h1>Back soon</h1><br>{CANARY}</body></html>".encode()
XML = "text/xml;charset=utf-8"
GOOD = reply(200, WHOLE, content_type=XML)


def said(status: int, body: bytes, *headers: str, length: int | None = -1) -> Action:
    return reply(status, body, content_type=XML, headers=headers, length=length)


@contextlib.contextmanager
def soap_for(url: str, clock: FakeClock | None = None, **changes: Any) -> Iterator[SoapApi]:
    clock = clock or FakeClock()
    options: dict[str, Any] = {
        "reading": READING,
        "user_agent": "edge-tests",
        "timeout_seconds": 2.0,
        "clock": clock,
        "stop": StopSignal(),
        "deadline": Deadline(None, clock),
        "rng": random.Random(7),
        "max_tries": 3,
    }
    with SoapApi(f"{url}/soap11", **{**options, **changes}) as api:
        yield api


BODY = encode_call("RpcRecipient", "getCount", [text(CANARY), long(7)])


def call(api: SoapApi, operation: str = "getCount", *, repeatable: bool = True) -> bytes:
    return api("RpcRecipient", operation, BODY, repeatable=repeatable)


def test_an_envelope_goes_out_with_the_header_axis_asks_for() -> None:
    """POST to the service below the base, XML in UTF-8, SOAPAction there, no secret in a header."""
    with FaultServer([GOOD]) as server, soap_for(server.url) as api:
        assert call(api) == WHOLE
        (sent,) = server.requests
    assert (sent.method, sent.path, sent.body) == ("POST", "/soap11/RpcRecipient", BODY)
    assert sent.headers["content-type"] == "text/xml;charset=UTF-8"
    assert sent.headers["soapaction"] == '""'
    assert sent.headers["accept"] == "text/xml"
    assert "authorization" not in sent.headers


def test_calls_and_writes_are_counted_apart() -> None:
    """Each operation under its name; only those that may change something are writes."""
    with FaultServer([GOOD]) as server, soap_for(server.url) as api:
        call(api)
        call(api, "clear")
        call(api, "clear")
        assert api.calls == {"RpcRecipient.getCount": 1, "RpcRecipient.clear": 2}
        assert api.writes == 2


@pytest.mark.parametrize("status", [200, 400, 404, 500])
@pytest.mark.parametrize("repeatable", [True, False])
def test_a_fault_is_handed_over_not_repeated(status: int, repeatable: bool) -> None:
    """The session reads what it says; a Fault is an answer, no trouble of the wire."""
    with FaultServer([said(status, FAULT)]) as server, soap_for(server.url) as api:
        for _ in range(20):
            assert call(api, repeatable=repeatable) == FAULT
        assert len(server.requests) == 20


NO_ENVELOPE: dict[str, Action] = {
    "a web page": reply(200, PAGE, content_type="text/html"),
    "a web page that is xml": said(200, b"<html/>"),
    "nothing": said(200, b""),
    "nothing, 204": said(204, b"", "Connection: close", length=None),
    "json": reply(200, b"{}"),
    "half an envelope, length right": said(200, WHOLE[:-9]),
    "half an envelope, length wrong": said(200, WHOLE[:-9], length=len(WHOLE)),
    "half an envelope, no length": said(200, WHOLE[:-9], length=None),
    "xml that does not parse": said(200, WHOLE.replace(b"<r>", b"<r><b>")),
    "a DTD": said(200, b"<!DOCTYPE a>" + WHOLE.split(b"?>", 1)[1]),
    "cut while chunked": said(
        200, b"8\r\n<?xml ve", "Transfer-Encoding: chunked", length=None
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_ENVELOPE)
def test_a_success_without_an_envelope_is_asked_for_again(name: str) -> None:
    """S0-61: neither a maintenance page nor half an answer counts as done."""
    with FaultServer([NO_ENVELOPE[name], GOOD]) as server, soap_for(server.url) as api:
        assert call(api) == WHOLE
        assert len(server.requests) == 2
    with FaultServer([NO_ENVELOPE[name]]) as server, soap_for(server.url) as api:
        for operation in ("getCount", "clear"):
            with pytest.raises(VendorUnavailable, match=r"without an envelope, 3 times"):
                call(api, operation)
        assert len(server.requests) == 6


@pytest.mark.parametrize("name", NO_ENVELOPE)
def test_a_call_that_must_not_happen_twice_is_unknown_without_an_envelope(name: str) -> None:
    """S1-26: the vendor may have stored the recipients; only reading back tells."""
    with FaultServer([NO_ENVELOPE[name], GOOD]) as server, soap_for(server.url) as api:
        with pytest.raises(OutcomeUnknown):
            call(api, "addAll3", repeatable=False)
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 599])
@pytest.mark.parametrize("body", [b"", PAGE, WHOLE])
def test_trouble_without_a_fault_is_repeated_or_unknown(status: int, body: bytes) -> None:
    """S1-26: a 5xx may come after the work was done."""
    with FaultServer([said(status, body), GOOD]) as server, soap_for(server.url) as api:
        assert call(api) == WHOLE
        assert len(server.requests) == 2
    with FaultServer([said(status, body)]) as server, soap_for(server.url) as api:
        with pytest.raises(OutcomeUnknown):
            call(api, "addAll3", repeatable=False)
        assert len(server.requests) == 1
    with FaultServer([said(status, body)]) as server, soap_for(server.url) as api:
        with pytest.raises(CallFailed):
            call(api)
        with pytest.raises(OutcomeUnknown):
            call(api, "clear")
        with pytest.raises(VendorUnavailable, match="3 calls in a row"):
            call(api)


def test_a_gateways_own_fault_is_its_trouble() -> None:
    """503 with a Fault comes from what stands in front of the service: it is asked again."""
    with FaultServer([said(503, FAULT), GOOD]) as server, soap_for(server.url) as api:
        assert call(api) == WHOLE


@pytest.mark.parametrize("status", [408, 425, 521])
def test_a_call_that_never_reached_the_vendor_is_sent_again(status: int) -> None:
    """These statuses say that nothing was processed, so even addAll3 goes again."""
    with FaultServer([said(status, b""), GOOD]) as server, soap_for(server.url) as api:
        assert call(api, "addAll3", repeatable=False) == WHOLE


def test_too_many_requests_wait_as_long_as_asked() -> None:
    """429 was not processed: all callers wait, then it goes again."""
    clock = FakeClock()
    with (
        FaultServer([said(429, b"", "Retry-After: 30"), GOOD]) as server,
        soap_for(server.url, clock) as api,
    ):
        assert call(api, "addAll3", repeatable=False) == WHOLE
    assert clock.monotonic() >= 30


@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("body", [b"", PAGE, FAULT])
def test_a_refused_user_ends_the_run(status: int, body: bytes) -> None:
    """Axis itself answers 401 to a user without rights: code 3, no second try."""
    with FaultServer([said(status, body)]) as server, soap_for(server.url) as api:
        with pytest.raises(CredentialsError) as caught:
            call(api, repeatable=False)
        assert len(server.requests) == 1
    assert caught.value.code == 3


@pytest.mark.parametrize("status", [400, 404, 405, 413])
def test_another_refusal_belongs_to_the_caller_a_web_page_ends_the_run(status: int) -> None:
    """S0-61: a page under 404 means that api_url leads elsewhere."""
    with FaultServer([said(status, b"too long"), said(status, PAGE)]) as server:
        with soap_for(server.url) as api:
            with pytest.raises(CallRefused) as caught:
                call(api, repeatable=False)
            assert caught.value.status == status
            with pytest.raises(VendorUnavailable, match="web page"):
                call(api, repeatable=False)
        assert len(server.requests) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_refused_and_session_and_recipients_stay(status: int) -> None:
    """D.4 row 18: the body holds the session id; it reaches no other host."""
    with FaultServer([GOOD]) as other:
        away = said(status, b"", f"Location: {other.url}/soap11/RpcRecipient")
        with FaultServer([away, GOOD, away]) as server, soap_for(server.url) as api:
            with pytest.raises(ConfigurationError, match="redirect"):
                call(api)
            call(api)
            with pytest.raises(VendorUnavailable, match="redirect"):
                call(api)
        assert other.connections == 0


def test_an_answer_above_the_cap_ends_the_run_at_once() -> None:
    """Memory stays bounded; repeating would bring the same."""
    with FaultServer([GOOD]) as server:
        with soap_for(server.url, max_response_bytes=len(WHOLE)) as api:
            assert call(api) == WHOLE
        with (
            soap_for(server.url, max_response_bytes=len(WHOLE) - 1) as api,
            pytest.raises(VendorUnavailable, match="more than the target takes in"),
        ):
            call(api)
        assert len(server.requests) == 2


def test_a_fault_that_repeats_a_thousand_rows_is_read_whole() -> None:
    """Faults echo the values of their call: two megabytes are no reason to be in doubt."""
    large = FAULT.replace(CANARY.encode(), b"x" * 2_000_000)
    with FaultServer([said(500, large)]) as server, soap_for(server.url) as api:
        assert call(api, repeatable=False) == large


@pytest.mark.parametrize("fault", [reset, hang_up, silence])
@pytest.mark.parametrize("repeatable", [True, False])
def test_a_lost_answer_is_repeated_or_unknown(fault: Action, repeatable: bool) -> None:
    """S1-26: after sending, the recipients may be stored."""
    with FaultServer([fault, GOOD]) as server, soap_for(server.url, timeout_seconds=0.3) as api:
        if repeatable:
            assert call(api) == WHOLE
        else:
            with pytest.raises(OutcomeUnknown):
                call(api, "addAll3", repeatable=False)
        assert len(server.requests) == 1 + repeatable


def test_a_slow_drip_is_ended_by_the_total_time() -> None:
    """The timeout is for the whole attempt, not for each byte of it."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {XML}\r\nContent-Length: {len(WHOLE)}\r\n\r\n"
    dripping = drip(WHOLE, head.encode())
    with FaultServer([dripping]) as server, soap_for(server.url, timeout_seconds=0.5) as api:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            call(api, "addAll3", repeatable=False)
        assert time.monotonic() - began < 1.5


def test_an_answer_without_a_reason_phrase_is_read() -> None:
    """The vendor's current servers send `HTTP/1.1 200 ` and nothing behind it."""

    def bare(server: FaultServer, conn: Any, request: Any) -> bool:
        conn.sendall(f"HTTP/1.1 200 \r\nContent-Length: {len(WHOLE)}\r\n\r\n".encode() + WHOLE)
        return True

    with FaultServer([bare]) as server, soap_for(server.url) as api:
        assert call(api) == WHOLE


@pytest.mark.parametrize("service", ["../RpcSession", "RpcSession?x", "", "a/b"])
def test_a_service_with_a_path_in_it_is_a_programming_error(service: str) -> None:
    """Nothing steers a call to another place."""
    with soap_for("http://127.0.0.1:9") as api, pytest.raises(ValueError, match="plain name"):
        api(service, "login", BODY, repeatable=True)


def test_no_error_holds_a_word_of_body_or_answer() -> None:
    """X7: whatever comes back, session id and recipients stay out of every text."""
    actions = [*NO_ENVELOPE.values(), said(404, PAGE), said(403, PAGE), said(500, PAGE), reset]
    told = []
    for action in actions:
        with FaultServer([action]) as server, soap_for(server.url) as api:
            with pytest.raises(Exception, match=r"RpcRecipient\.addAll3") as caught:
                call(api, "addAll3", repeatable=False)
            told.append("".join(traceback.format_exception(caught.value)))
    assert len(told) == len(actions)
    assert "canary" not in "".join(told).lower()
