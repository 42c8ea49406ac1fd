"""TLS is verified, always, and its failures are said once."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import warnings
from pathlib import Path

import pytest
from edge_support import Authority, FaultServer, api_for, drip, reply
from target_kit.errors import ConfigurationError, OutcomeUnknown, VendorUnavailable
from target_kit.http import JsonApi, Safety


def get(api: JsonApi) -> int:
    return api.call("GET", "things", route="GET things", safety=Safety.SAFE).status


def test_an_own_authority_is_accepted_through_ca_bundle(authority: Authority) -> None:
    """`ca_bundle` is the way to trust another authority; connections are reused."""
    with (
        FaultServer([reply()], tls=authority.server("good")) as server,
        api_for(server.url, ca_bundle=authority.bundle) as api,
    ):
        assert [get(api) for _ in range(3)] == [200, 200, 200]
        assert server.connections == 1


@pytest.mark.parametrize(
    ("certificate", "bundled", "reason"),
    [
        ("good", False, "local issuer"),
        ("wrong-host", True, "IP address mismatch"),
        ("expired", True, "has expired"),
    ],
)
def test_a_bad_certificate_ends_the_run_at_the_first_try(
    authority: Authority, certificate: str, bundled: bool, reason: str
) -> None:
    """D.4 row 17: nothing is sent, nothing repeated, the reason and the remedy are said."""
    bundle = authority.bundle if bundled else None
    with (
        FaultServer([reply()], tls=authority.server(certificate)) as server,
        api_for(server.url, ca_bundle=bundle) as api,
    ):
        with pytest.raises(VendorUnavailable, match=f"{reason}.*ca_bundle") as caught:
            get(api)
        assert server.connections == 1
        assert server.requests == []
    assert caught.value.__context__ is None


def test_verification_cannot_be_turned_off(authority: Authority) -> None:
    """E12: even a session told not to verify does."""
    with (
        FaultServer([reply()], tls=authority.server("good")) as server,
        api_for(server.url) as api,
    ):
        api._session.verify = False
        with pytest.raises(VendorUnavailable, match="certificate"):
            get(api)
        assert server.requests == []


def test_old_tls_is_refused(authority: Authority) -> None:
    """E12: TLS 1.1 is no TLS."""
    context = authority.server("good")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        # Python warns that 1.1 is deprecated: that is why it is tested.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        FaultServer([reply()], tls=context) as server,
        api_for(server.url, ca_bundle=authority.bundle) as api,
    ):
        with pytest.raises(VendorUnavailable, match=r"TLS 1\.2"):
            get(api)
        assert server.connections == 1


def test_plain_http_behind_an_https_address_is_said_at_once() -> None:
    """A port that speaks no TLS is a wrong address, not a hiccup."""
    served: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            conn, _ = listener.accept()
            with conn:
                served.append(conn.recv(65536))
                conn.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        with (
            api_for(f"https://127.0.0.1:{listener.getsockname()[1]}") as api,
            pytest.raises(VendorUnavailable, match=r"no TLS connection .*TLS 1\.2"),
        ):
            get(api)
        thread.join()
    assert len(served) == 1
    assert b"canary" not in served[0]


@pytest.mark.parametrize("read", [0, 1, 200])
def test_a_handshake_that_breaks_off_is_tried_again(authority: Authority, read: int) -> None:
    """A reset before the first byte of the request is a failed connection."""
    with (
        FaultServer([reply(201)], tls=authority.server("good"), reset_before_tls=[read]) as server,
        api_for(server.url, ca_bundle=authority.bundle) as api,
    ):
        answer = api.call("POST", "x", route="POST x", json={}, safety=Safety.UNSAFE)
        assert answer.status == 201
        assert len(server.requests) == 1
        assert server.connections == 2


def test_the_total_time_holds_under_tls_too(authority: Authority) -> None:
    """A drip is ended on encrypted connections as well."""
    slow = drip(b"x" * 300, b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n")
    with (
        FaultServer([slow], tls=authority.server("good")) as server,
        api_for(server.url, ca_bundle=authority.bundle, timeout_seconds=0.5) as api,
    ):
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            api.call("POST", "x", route="POST x", json={}, safety=Safety.UNSAFE)
        assert time.monotonic() - began < 1.5


def test_a_missing_ca_bundle_is_a_configuration_error(tmp_path: Path) -> None:
    """Said at the start, with the name of the setting."""
    with (
        pytest.raises(ConfigurationError, match="ca_bundle"),
        api_for("https://127.0.0.1:9", ca_bundle=tmp_path / "none.pem"),
    ):
        pass


def test_a_ca_bundle_without_certificates_is_a_configuration_error(tmp_path: Path) -> None:
    """A file that holds no certificate trusts nobody."""
    bundle = tmp_path / "empty.pem"
    bundle.write_text("nothing here", encoding="ascii")
    with (
        pytest.raises(ConfigurationError, match="ca_bundle"),
        api_for("https://127.0.0.1:9", ca_bundle=bundle),
    ):
        pass
