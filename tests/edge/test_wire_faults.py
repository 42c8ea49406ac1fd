"""What the socket does to a call: resets, drips, cuts, refusals."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from edge_support import (
    FaultServer,
    api_for,
    drip,
    hang_up,
    reply,
    reset,
    silence,
)
from target_kit.errors import CallFailed, OutcomeUnknown, VendorUnavailable
from target_kit.http import Answer, JsonApi, Safety

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def get(api: JsonApi) -> Answer:
    return api.call("GET", "things", route="GET things", safety=Safety.SAFE)


def create(api: JsonApi, safety: Safety = Safety.UNSAFE, note: str = "x") -> Answer:
    return api.call("POST", "things", route="POST things", json={"note": note}, safety=safety)


BROKEN = {
    "reset": reset,
    "hang up": hang_up,
    "silence": silence,
    "cut with a length": reply(body=b'{"ok":', length=50),
    "cut without a length": reply(body=b'{"ok":', length=None),
    "nothing without a length": reply(body=b"", length=None),
    "cut while chunked": reply(
        body=b'8\r\n{"ok":', length=None, headers=("Transfer-Encoding: chunked",)
    ),
    "broken gzip": reply(body=b"\x1f\x8b\x08garbage", headers=("Content-Encoding: gzip",)),
    "no http": lambda server, conn, request: bool(conn.sendall(b"SSH-2.0-nonsense\r\n\r\n")),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("safety", [Safety.SAFE, Safety.CONVERGENT])
def test_a_repeatable_call_survives_a_broken_answer(fault: str, safety: Safety) -> None:
    """Reads and upserts are sent again when the answer breaks off."""
    with FaultServer([BROKEN[fault], reply()]) as server:
        with api_for(server.url, timeout_seconds=0.3) as api:
            answer = get(api) if safety is Safety.SAFE else create(api, safety)
        assert answer.body == {"ok": True}
        assert len(server.requests) == 2


@pytest.mark.parametrize("fault", BROKEN)
def test_a_create_with_a_broken_answer_is_unknown_and_never_repeated(fault: str) -> None:
    """S0-44: after sending, only looking tells whether a create happened."""
    with FaultServer([BROKEN[fault], reply()]) as server:
        with api_for(server.url, timeout_seconds=0.3) as api:
            with pytest.raises(OutcomeUnknown):
                create(api)
            assert api.writes == 1
        assert len(server.requests) == 1


def test_a_read_that_always_breaks_fails_after_its_tries() -> None:
    """One poisoned read is a failed call, known to have changed nothing."""
    with FaultServer([reset]) as server, api_for(server.url, max_tries=3) as api:
        with pytest.raises(CallFailed):
            get(api)
        assert len(server.requests) == 3


def test_an_upsert_that_always_breaks_ends_unknown() -> None:
    """Nobody knows whether one of the tries was applied."""
    with FaultServer([reset]) as server, api_for(server.url, max_tries=3) as api:
        with pytest.raises(OutcomeUnknown):
            create(api, Safety.CONVERGENT)
        assert len(server.requests) == 3


@pytest.mark.parametrize("bytes_read", [0, 1, 100, 300_000])
def test_a_large_create_cut_while_sending_is_sent_again(bytes_read: int) -> None:
    """A request whose last byte never left can't have been applied (JSON without its end)."""
    with (
        FaultServer([reply(201)], reset_after_bytes=[bytes_read]) as server,
        api_for(server.url, timeout_seconds=10) as api,
    ):
        assert create(api, note="x" * 16_000_000).status == 201
        assert len(server.requests) == 1


@pytest.mark.parametrize("bytes_read", [0, 1, 50, 120])
def test_a_small_create_cut_while_sending_never_happens_twice(bytes_read: int) -> None:
    """Where the system took all bytes before the reset came, the outcome is unknown."""
    with (
        FaultServer([reply(201)], reset_after_bytes=[bytes_read]) as server,
        api_for(server.url) as api,
    ):
        try:
            done = create(api).status == 201
        except OutcomeUnknown:
            done = False
        assert len(server.requests) == int(done)


@pytest.mark.parametrize(
    "dripping",
    [
        drip(HEAD + b"Content-Length: 2\r\n\r\n{}"),
        drip(b'{"a":"' + b"x" * 200 + b'"}', HEAD + b"Content-Length: 208\r\n\r\n"),
        drip(b"x" * 300, HEAD + b"X-Long: "),
    ],
    ids=["whole answer", "body", "endless header"],
)
def test_a_dripping_answer_is_ended_by_the_total_time(dripping: object) -> None:
    """The cap is on the whole attempt, not on each read (D.4 row 9)."""
    with FaultServer([dripping]) as server, api_for(server.url, timeout_seconds=0.5) as api:
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            create(api)
        assert time.monotonic() - began < 1.5


def test_a_receiver_that_stops_reading_is_ended_by_the_total_time() -> None:
    """Sending is under the same cap, and an unfinished request is not unknown."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        began = time.monotonic()
        with (
            api_for(url, timeout_seconds=0.4, max_tries=2) as api,
            pytest.raises(CallFailed),
        ):
            create(api, note="x" * 30_000_000)
        assert time.monotonic() - began < 3


def test_a_refused_port_is_tried_again_whatever_the_safety() -> None:
    """Nothing left, so nothing can have been applied; then the vendor is unavailable."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with api_for(f"http://127.0.0.1:{port}", max_tries=4) as api:
        with pytest.raises(VendorUnavailable, match="no connection, 4 times"):
            create(api)
        assert api.writes == 0
        assert api.calls["POST things"] == 4


def test_a_create_goes_through_when_the_port_opens_again() -> None:
    """A connection refused before a create costs a wait, no unknown outcome."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    opened = threading.Event()

    class OpeningClock:
        """Opens the port while the caller backs off."""

        def __init__(self) -> None:
            self.server = FaultServer([reply(201)])

        def monotonic(self) -> float:
            return time.monotonic()

        def now(self) -> object:
            raise AssertionError("not asked")

        def sleep(self, seconds: float) -> None:
            if not opened.is_set():
                opened.set()
                self.server.__enter__(port)
            time.sleep(min(seconds, 0.05))

    clock = OpeningClock()
    try:
        with api_for(f"http://127.0.0.1:{port}", clock) as api:
            assert create(api).status == 201
    finally:
        if opened.is_set():
            clock.server.__exit__()
    assert len(clock.server.requests) == 1


def test_a_host_that_swallows_connections_is_unavailable() -> None:
    """A full backlog drops connection attempts like an unroutable address does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        began = time.monotonic()
        try:
            with (
                api_for(f"http://127.0.0.1:{address[1]}", timeout_seconds=0.3, max_tries=2) as api,
                pytest.raises(VendorUnavailable, match="no connection"),
            ):
                create(api)
        finally:
            for filler in fillers:
                filler.close()
        assert time.monotonic() - began < 3


def test_an_unknown_host_is_unavailable_after_its_tries() -> None:
    """A name that does not resolve is tried again: DNS fails for moments too."""
    with api_for("http://nowhere.invalid", max_tries=2) as api:
        with pytest.raises(VendorUnavailable, match="no connection"):
            get(api)
        assert api.calls["GET things"] == 2


def test_an_idle_connection_closed_by_the_server_costs_nothing() -> None:
    """D.4 row 53: a pooled connection that was closed between calls is noticed before sending."""
    closed = threading.Event()

    def answer_then_close(server: FaultServer, conn: socket.socket, request: object) -> bool:
        reply()(server, conn, request)
        conn.shutdown(socket.SHUT_RDWR)
        closed.set()
        return False

    with FaultServer([answer_then_close, reply(201)]) as server, api_for(server.url) as api:
        get(api)
        assert closed.wait(5)
        assert create(api).status == 201
        assert server.connections == 2


def test_a_create_on_a_reused_connection_that_breaks_is_unknown() -> None:
    """D.4 row 53: the server may have read the request before it closed the connection."""
    with FaultServer([reply(), reset, reply(201)]) as server, api_for(server.url) as api:
        get(api)
        with pytest.raises(OutcomeUnknown):
            create(api)
        assert server.connections == 1
        assert len(server.requests) == 2


def test_connections_are_reused() -> None:
    """Many calls, one connection."""
    with FaultServer([reply()]) as server, api_for(server.url) as api:
        for _ in range(20):
            get(api)
        assert server.connections == 1
