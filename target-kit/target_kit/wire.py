"""Sockets that know when their call has to end and how much of a request has left.

`requests` limits each single read, so a server that sends a byte now and then can hold a call for
hours. Here every read and write gets what is left of the call's total time. And the sockets note
whether the whole request was handed over: a request cut while sending holds JSON without its last
brace, so the vendor can't have acted on it.

Time is the machine's, not a `Clock`: the operating system does the waiting.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context


class Exchange:
    """One request on the wire and what is known about it."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.started = False  # at least one byte was handed to the operating system
        self.complete = False  # all of it was

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


def _note_complete() -> None:
    if _current.exchange is not None:
        _current.exchange.complete = True


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
