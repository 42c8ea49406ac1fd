"""Sockets that know when their call has to end and how much of a request has left.

`requests` limits each single read, so a server that sends a byte now and then can hold a call for
hours. Here every read and write gets what is left of the call's total time. And the sockets note
whether the whole request was handed over: a request cut while sending holds JSON without its last
brace, so the vendor can't have acted on it.

Time is the machine's, not a `Clock`: the operating system does the waiting.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import requests
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from target_kit.errors import ConfigurationError


class Exchange:
    """One request on the wire and what is known about it."""

    def __init__(self, seconds: float) -> None:
        self.begun_at = time.monotonic()
        self.ends_at = self.begun_at + seconds
        self.started = False  # at least one byte was handed to the operating system
        self.complete = False  # all of it was
        self.late_seconds = 0.0  # from the beginning until it was

    def remaining(self) -> float:
        """Seconds left for this exchange; may be negative."""
        return self.ends_at - time.monotonic()


class _Current(threading.local):
    exchange: Exchange | None = None


_current = _Current()


@contextmanager
def exchange(seconds: float) -> Iterator[Exchange]:
    """Everything this thread sends and receives inside has to be done within `seconds`."""
    current = Exchange(seconds)
    _current.exchange = current
    try:
        yield current
    finally:
        _current.exchange = None


def _arm(sock: socket.socket) -> None:
    """Give the next operation of `sock` what is left of the exchange."""
    if _current.exchange is None:
        return
    left = _current.exchange.remaining()
    if left <= 0:
        raise TimeoutError("total time of the call is over")
    sock.settimeout(left)


def _note_start() -> None:
    if _current.exchange is not None:
        _current.exchange.started = True


class _TimedSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _arm(self)
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        _arm(self)
        _note_start()
        super().sendall(*args, **kwargs)


class _TimedTlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _arm(self)
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        # `SSLSocket.sendall` comes through here, piece by piece.
        _arm(self)
        _note_start()
        return super().send(*args, **kwargs)

    def __del__(self) -> None:
        # A reset between connecting and wrapping leaves this object inside `ssl`, unclosed and out
        # of reach (CPython's `SSLSocket._create`); nobody else could close it.
        self.close()


def _note_complete() -> None:
    if _current.exchange is not None:
        _current.exchange.complete = True
        _current.exchange.late_seconds = time.monotonic() - _current.exchange.begun_at


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        plain: socket.socket = self.sock
        self.sock = _TimedSocket(fileno=plain.detach())

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        _note_complete()


class _TlsConnection(HTTPSConnection):
    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        _note_complete()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class TimedAdapter(HTTPAdapter):
    """`requests` transport over the sockets above; repeats nothing and always verifies TLS."""

    def __init__(self, *, connections: int, ca_bundle: Path | None = None) -> None:
        self._verify: bool | str = True if ca_bundle is None else str(ca_bundle)
        super().__init__(pool_maxsize=connections)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        """Build the pools; TLS 1.2 and better."""
        context = create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
        context.sslsocket_class = _TimedTlsSocket
        manager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=context, **kwargs
        )
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        self.poolmanager = manager

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send with our idea of verification, whatever the session's is."""
        kwargs["verify"] = self._verify
        return super().send(request, *args, **kwargs)


def check_ca_bundle(path: Path) -> None:
    """Raise `ConfigurationError` unless `path` is a PEM file with certificates."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError as error:  # `ssl.SSLError` is one
        why = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigurationError(f"ca_bundle {path}: {why}") from None


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - the signature is requests'
        # Even with `allow_redirects=False` requests parses Location, and fails on a malformed one.
        return None


def make_session(
    secret_header: tuple[str, str] | None,
    user_agent: str,
    connections: int,
    ca_bundle: Path | None,
    *,
    accept: str,
) -> requests.Session:
    """A session that takes nothing from its surroundings: no netrc, proxy, cookie or redirect.

    Raises `ConfigurationError` for a malformed secret or `ca_bundle`.
    """
    headers = {"Accept": accept, "Accept-Encoding": "gzip, deflate", "User-Agent": user_agent}
    if secret_header is not None:
        name, secret = secret_header
        if not re.fullmatch(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*", secret):
            # Checked here because the library's own error would quote the value.
            raise ConfigurationError(
                f"the secret for header {name} is empty or has blanks around it"
            )
        headers[name] = secret
    if ca_bundle is not None:
        check_ca_bundle(ca_bundle)
    session = _Session()
    session.trust_env = False  # no ~/.netrc, no proxy from the environment
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update(headers)
    adapter = TimedAdapter(connections=connections, ca_bundle=ca_bundle)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


# The other side hung up in the middle of the handshake: a broken connection, no verdict.
_BROKEN = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


def tls_trouble(error: BaseException) -> str | None:
    """Why TLS can't be had, None where the connection just broke."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the server's certificate is not accepted ({cause.verify_message}); "
                "check api_url, or name your own authority in ca_bundle"
            )
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _BROKEN):
            return f"no TLS connection ({cause.reason or 'refused'}); TLS 1.2 or newer is needed"
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """All exceptions that led to `error`: libraries chain and nest them in their own ways."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
