"""One login for many calls: renewed in time, renewed on demand, never in a storm."""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

import pytest
from fake_clock import FakeClock
from optimizely_soap.codec import long, text
from optimizely_soap.faults import FaultKind, NotSoap, SoapFault
from optimizely_soap.session import SoapSession

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
PASSWORD = "canary-secret-5f1c"
USER = "canary-user"


def envelope(content: str) -> bytes:
    return (
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soapenv:Body>'
        f"{content}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def fault(words: str) -> bytes:
    return envelope(
        "<soapenv:Fault><faultcode>soapenv:Server.userException</faultcode>"
        f"<faultstring>{words}</faultstring></soapenv:Fault>"
    )


class Vendor:
    """Speaks envelopes: hands out sessions, knows which live, answers any call with its id.

    `dead_calls` is how many of the next calls meet a session that has just been dropped.
    """

    def __init__(self, password: str = PASSWORD) -> None:
        self.seen: list[tuple[str, str, list[str], bool]] = []
        self.alive: set[str] = set()
        self.given = 0
        self.dead_calls = 0
        self.password = password
        self.login_answer: bytes | None = None
        self.broken: Exception | None = None
        self.lock = threading.Lock()
        self.slow = threading.Event()
        self.slow.set()

    def __call__(self, service: str, operation: str, body: bytes, *, repeatable: bool) -> bytes:
        if operation == "login":
            self.slow.wait(5)
        call = ET.fromstring(body)[0][0]
        values = [parameter.text or "" for parameter in call]
        with self.lock:
            self.seen.append((service, operation, values, repeatable))
            return self._answer(operation, values)

    def _answer(self, operation: str, values: list[str]) -> bytes:
        if self.broken is not None:
            raise self.broken
        if operation == "login":
            if self.login_answer is not None:
                return self.login_answer
            if values[2] != self.password:
                return fault("x.WebserviceImplException: Invalid credentials.")
            self.given += 1
            self.alive.add(f"s{self.given}")
            return self._said("login", f"s{self.given}")
        if operation == "getVersion":
            return self._said(operation, "1.0")
        if self.dead_calls:
            self.dead_calls -= 1
            self.alive.clear()
        if values[0] not in self.alive:
            return fault(f"x.InvalidWebserviceSessionException: Invalid sessionId: {values[0]}")
        if operation == "refuse":
            return fault("x.WebserviceImplException: Recipient does not exist")
        return self._said(operation, ",".join(values))

    @staticmethod
    def _said(operation: str, value: str) -> bytes:
        return envelope(
            f'<n:{operation}Response xmlns:n="u"><r xsi:type="xsd:string">{value}</r>'
            f"</n:{operation}Response>"
        )

    def count(self, operation: str) -> int:
        return sum(one[1] == operation for one in self.seen)


def session_for(vendor: Vendor, clock: FakeClock | None = None) -> SoapSession:
    clock = clock or FakeClock()
    return SoapSession(
        vendor,
        clock.monotonic,
        mandator_id=1234,
        username=USER,
        password=PASSWORD,
        session_seconds=900,
    )


def test_a_call_logs_in_first_and_carries_the_session_in_front() -> None:
    """Nothing is sent before the first call; then login, then the call with the session as in0."""
    vendor = Vendor()
    session = session_for(vendor)
    assert vendor.seen == []
    assert session.call("RpcRecipient", "getName", long(7), text("x")) == "s1,7,x"
    assert session.call("RpcUnsubscribe", "contains", text("y")) == "s1,y"
    assert vendor.seen == [
        ("RpcSession", "login", ["1234", USER, PASSWORD], True),
        ("RpcRecipient", "getName", ["s1", "7", "x"], True),
        ("RpcUnsubscribe", "contains", ["s1", "y"], True),
    ]


def test_a_call_says_whether_it_may_be_repeated() -> None:
    """`repeatable` reaches the transport as it was given."""
    vendor = Vendor()
    session_for(vendor).call("RpcRecipient", "addAll3", long(7), repeatable=False)
    assert vendor.seen[-1][3] is False


def test_version_needs_no_session() -> None:
    """`getVersion` is answered to anybody."""
    vendor = Vendor()
    assert session_for(vendor).call_without_session("RpcSession", "getVersion") == "1.0"
    assert vendor.seen == [("RpcSession", "getVersion", [], True)]


def test_a_session_is_renewed_before_the_vendor_ends_it() -> None:
    """S1-25: after `session_seconds` from the login, not from the last call."""
    vendor, clock = Vendor(), FakeClock()
    session = session_for(vendor, clock)
    for _ in range(9):
        session.call("RpcRecipient", "getName")
        clock.advance(99)
    assert vendor.count("login") == 1
    clock.advance(9)
    assert session.call("RpcRecipient", "getName") == "s2"
    assert session.logins == 2


@pytest.mark.parametrize("deaths", [1, 2])
@pytest.mark.parametrize("repeatable", [True, False])
def test_a_dead_session_is_renewed_and_the_call_sent_again(deaths: int, repeatable: bool) -> None:
    """S1-25: a call refused for its session was not applied, so any may go again."""
    vendor = Vendor()
    session = session_for(vendor)
    session.call("RpcRecipient", "getName")
    vendor.dead_calls = deaths
    assert session.call("RpcRecipient", "addAll3", repeatable=repeatable) == f"s{1 + deaths}"
    assert vendor.count("addAll3") == 1 + deaths


def test_a_session_that_dies_at_once_ends_the_call_after_two_renewals() -> None:
    """No endless circle of logins."""
    vendor = Vendor()
    vendor.dead_calls = 1000
    with pytest.raises(SoapFault) as caught:
        session_for(vendor).call("RpcRecipient", "getName")
    assert caught.value.kind is FaultKind.SESSION
    assert (vendor.count("getName"), vendor.count("login")) == (3, 3)


def test_other_faults_are_the_callers() -> None:
    """Only a dead session is handled here."""
    vendor = Vendor()
    with pytest.raises(SoapFault) as caught:
        session_for(vendor).call("RpcRecipient", "refuse")
    assert caught.value.kind is FaultKind.NOT_FOUND
    assert vendor.count("refuse") == 1


def test_a_wrong_password_is_tried_once() -> None:
    """Further calls fail without asking again: each try could lock the user out."""
    vendor = Vendor(password="another")
    session = session_for(vendor)
    for _ in range(3):
        with pytest.raises(SoapFault) as caught:
            session.call("RpcRecipient", "getName")
        assert caught.value.kind is FaultKind.CREDENTIALS
    assert vendor.count("login") == 1


def test_threads_share_one_login() -> None:
    """Eight threads that find no session get one login, not eight."""
    vendor = Vendor()
    vendor.slow.clear()
    session = session_for(vendor)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(session.call, "RpcRecipient", "getName") for _ in range(8)]
        vendor.slow.set()
        assert {call.result(10) for call in calls} == {"s1"}
    assert vendor.count("login") == 1


def test_threads_that_meet_the_same_dead_session_renew_it_once() -> None:
    """A thread that comes late does not throw the new session away."""
    vendor = Vendor()
    session = session_for(vendor)
    session.call("RpcRecipient", "getName")
    vendor.alive.clear()
    barrier = threading.Barrier(8)

    def call() -> object:
        barrier.wait(5)
        return session.call("RpcRecipient", "getName")

    with ThreadPoolExecutor(8) as pool:
        assert {one.result(10) for one in [pool.submit(call) for _ in range(8)]} == {"s2"}
    assert vendor.count("login") == 2


@pytest.mark.parametrize(
    "value",
    [
        '<r xsi:type="xsd:string" xsi:nil="true"/>',
        '<r xsi:type="xsd:string"></r>',
        '<r xsi:type="xsd:int">5</r>',
        "",
    ],
)
def test_a_login_without_a_session_id_is_no_login(value: str) -> None:
    """The next call would carry nothing in front."""
    vendor = Vendor()
    vendor.login_answer = envelope(f'<n:loginResponse xmlns:n="u">{value}</n:loginResponse>')
    with pytest.raises(NotSoap, match="login"):
        session_for(vendor).call("RpcRecipient", "getName")


def test_closing_logs_out_once() -> None:
    """Only where there was a login."""
    vendor = Vendor()
    session = session_for(vendor)
    session.close()
    assert vendor.seen == []
    session.call("RpcRecipient", "getName")
    session.close()
    session.close()
    assert [one[1:3] for one in vendor.seen[2:]] == [("logout", ["s1"])]


def test_a_logout_that_fails_is_no_error() -> None:
    """The session ends by itself after 20 minutes."""
    vendor = Vendor()
    session = session_for(vendor)
    session.call("RpcRecipient", "getName")
    vendor.alive.clear()
    session.close()
    assert vendor.count("logout") == 1


def test_no_logout_is_tried_where_the_vendor_is_gone() -> None:
    """A run that ends because nobody answers does not wait for one more answer."""
    vendor = Vendor()
    session = session_for(vendor)
    session.call("RpcRecipient", "getName")
    vendor.broken = ConnectionError()
    with pytest.raises(ConnectionError):
        session.call("RpcRecipient", "getName")
    session.close()
    assert vendor.count("logout") == 0


def test_user_and_password_show_nowhere() -> None:
    """X7: neither in `repr` nor in the error of a refused login."""
    vendor = Vendor(password="another")
    session = session_for(vendor)
    with pytest.raises(SoapFault) as caught:
        session.call("RpcRecipient", "getName")
    shown = repr(session) + str(session) + repr(caught.value) + str(caught.value)
    assert "canary" not in shown
