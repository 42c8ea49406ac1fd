"""One HTTP exchange: a request goes out, status and body come back within a total time.

`requests` limits each single read, so a server that sends a byte now and then could hold a call
for hours. Here every read and write gets what is left of the call's time. Nothing is taken from
the surroundings (no netrc, proxy, cookie), redirects are not followed, bodies have a cap, TLS is
verified. Time is the machine's monotonic clock: the operating system does the waiting.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

MAX_BODY_BYTES = 64 * 1024 * 1024
CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 64 * 1024
# What the libraries raise when an exchange goes wrong; not all of it is a RequestException.
_BREAKS = (OSError, urllib3.exceptions.HTTPError, HTTPException, ValueError)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Broken(Exception):
    """No whole answer; `str()` says why in fixed words, `final` that trying again cannot help."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


class _Current(threading.local):
    ends_at: float | None = None


_current = _Current()


def _arm(sock: socket.socket) -> None:
    """Give the next operation of `sock` what is left of the exchange."""
    if _current.ends_at is None:
        return
    left = _current.ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError("total time of the call is over")
    sock.settimeout(left)


class _TimedSocket(socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _arm(self)
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        _arm(self)
        super().sendall(*args, **kwargs)


class _TimedTlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        _arm(self)
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        _arm(self)  # `SSLSocket.sendall` comes through here, piece by piece
        return super().send(*args, **kwargs)


class _PlainConnection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        plain: socket.socket = self.sock
        self.sock = _TimedSocket(fileno=plain.detach())


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = HTTPSConnection


class _TimedAdapter(HTTPAdapter):
    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **kwargs: Any
    ) -> None:
        context = create_urllib3_context(ssl_minimum_version=ssl.TLSVersion.TLSv1_2)
        context.sslsocket_class = _TimedTlsSocket
        manager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=context, **kwargs
        )
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        self.poolmanager = manager


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  the signature is requests'
        # Even with `allow_redirects=False` requests parses Location, and fails on a malformed one.
        return None


class Wire:
    """Sends single requests; `timeout_seconds` is the total time of each."""

    def __init__(
        self,
        *,
        timeout_seconds: float,
        user_agent: str,
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        quiet_http_loggers()
        self._max_body_bytes = max_body_bytes
        self._timeout_seconds = timeout_seconds
        session = _Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        session.headers.clear()
        session.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"})
        for scheme in ("https://", "http://"):
            session.mount(scheme, _TimedAdapter())
        self._session = session

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        """Send one request.

        Raises:
            Broken: there is no whole answer.
        """
        request = requests.Request(method, url, headers=dict(headers), data=body)
        prepared = self._session.prepare_request(request)
        _current.ends_at = time.monotonic() + self._timeout_seconds
        try:
            return self._exchange(prepared)
        except _BREAKS as error:
            why, final = _reason(error)
        finally:
            _current.ends_at = None
        # Raised here, out of the reach of an error that quotes the address.
        raise Broken(why, final=final)

    def _exchange(self, prepared: requests.PreparedRequest) -> Response:
        timeouts = (min(CONNECT_SECONDS, self._timeout_seconds), self._timeout_seconds)
        with self._session.send(
            prepared, stream=True, allow_redirects=False, timeout=timeouts, verify=True
        ) as response:
            content = bytearray()
            for chunk in response.iter_content(_CHUNK_BYTES):
                content += chunk
                if len(content) > self._max_body_bytes:
                    raise Broken("the answer is too large", final=True)
            return Response(response.status_code, response.headers, bytes(content))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


def _reason(error: BaseException) -> tuple[str, bool]:
    """Why there is no answer, in fixed words, and whether that is final."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "the server's certificate is not accepted", True
        hung_up = isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError))
        if isinstance(cause, ssl.SSLError) and not hung_up:
            return "no TLS connection (TLS 1.2 or newer is needed)", True
    if any(isinstance(cause, TimeoutError) for cause in _causes(error)):
        return "no answer in time", False
    return "no whole answer", False


def _causes(error: BaseException) -> Iterator[BaseException]:
    """All exceptions that led to `error`: libraries chain and nest them in their own ways."""
    met: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and not any(one is other for other in met):
            met.append(one)
            yield one
            nested = (one.__cause__, one.__context__, getattr(one, "reason", None))
            waiting += [*nested, *one.args]


class _OnlyErrors(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.ERROR


_only_errors = _OnlyErrors()


def quiet_http_loggers() -> None:
    """Cap the HTTP libraries' loggers: at DEBUG and WARNING they print paths with their query."""
    for name in ("requests", "urllib3", "urllib3.connectionpool", "urllib3.connection"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        logger.addFilter(_only_errors)
