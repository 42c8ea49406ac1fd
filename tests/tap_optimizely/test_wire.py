"""One exchange on the wire: total time, capped bodies, verified TLS, no redirects."""

from __future__ import annotations

import gzip
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from edge_support import FaultServer, drip, reply, silence
from tap_optimizely.wire import Broken, Wire
from tap_optimizely_support import Tap


@contextmanager
def wire(timeout_seconds: float = 5.0, max_body_bytes: int = 1000) -> Iterator[Wire]:
    opened = Wire(
        timeout_seconds=timeout_seconds, user_agent="tests", max_body_bytes=max_body_bytes
    )
    yield opened
    opened.close()


@pytest.mark.parametrize("action", [silence, drip(b"HTTP/1.1 200 OK\r\n" * 100, every=0.05)])
def test_a_call_ends_in_its_total_time(action: object) -> None:
    """A server that says nothing, or a byte now and then, holds nobody."""
    with FaultServer([action]) as server, wire(timeout_seconds=0.7) as one:  # type: ignore[list-item]
        begun = time.monotonic()
        with pytest.raises(Broken, match="no answer in time"):
            one.send("GET", f"{server.url}/", {})
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize("packed", [False, True])
def test_a_body_has_a_cap(packed: bool) -> None:
    """Unpacked size counts: a small gzip can be a large body."""
    body, headers = b"x" * 100_000, ()
    if packed:
        body, headers = gzip.compress(body), ("Content-Encoding: gzip",)  # type: ignore[assignment]
    with FaultServer([reply(body=body, headers=headers)]) as server, wire() as one:
        with pytest.raises(Broken, match="too large") as caught:
            one.send("GET", f"{server.url}/", {})
        assert caught.value.final


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    """The password would go along."""
    with FaultServer([reply(302, headers=("Location: /elsewhere",))]) as server, wire() as one:
        assert one.send("GET", f"{server.url}/", {"Authorization": "x"}).status == 302
        assert [seen.path for seen in server.requests] == ["/"]


def test_an_unknown_certificate_is_final(tmp_path: Path) -> None:
    """Nothing is sent to a server that cannot prove its name."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
         "-days", "2", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with FaultServer([reply()], tls=context) as server, wire() as one:
        with pytest.raises(Broken, match="certificate is not accepted") as caught:
            one.send("GET", f"{server.url}/", {})
        assert caught.value.final
        assert server.requests == []


def test_nothing_is_taken_from_the_surroundings(tap: Tap, tmp_path: Path) -> None:
    """No netrc and no proxy: a stranger's would get the password, or give another one."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login stranger password stranger\n")
    netrc.chmod(0o600)
    surroundings = {"NETRC": str(netrc), "http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    run = tap.run("unsubscribes", "bounces", environment=surroundings)
    assert run.code == 0, run.errors
    assert run.markers
