"""Servers that misbehave on real sockets, and a `JsonApi` to meet them."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from fake_clock import FakeClock
from target_kit.clock import Clock
from target_kit.http import JsonApi
from target_kit.limits import Deadline
from target_kit.signals import StopSignal

SECRET = "canary-secret-5f1c"  # a made-up key that must never show
PERSON = "canary.person@example.com"


@dataclass
class Request:
    """One complete request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


Action = Callable[["FaultServer", socket.socket, Request], bool]
"""Answers a request; True keeps the connection open."""


def reply(
    status: int = 200,
    body: bytes = b'{"ok":true}',
    *,
    content_type: str | None = "application/json",
    headers: tuple[str, ...] = (),
    length: int | None = -1,
    close: bool = False,
) -> Action:
    """Send a whole answer; `length` None leaves Content-Length out, another number lies."""

    def act(server: FaultServer, conn: socket.socket, request: Request) -> bool:
        lines = [f"HTTP/1.1 {status} X", *headers]
        if content_type:
            lines.append(f"Content-Type: {content_type}")
        if length is not None:
            lines.append(f"Content-Length: {len(body) if length == -1 else length}")
        conn.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return not (close or length is None or length > len(body))

    return act


def reset(server: FaultServer, conn: socket.socket, request: Request) -> bool:
    """Close with RST after the request was read."""
    hard_close(conn)
    return False


def hang_up(server: FaultServer, conn: socket.socket, request: Request) -> bool:
    """Close in good order without an answer."""
    return False


def silence(server: FaultServer, conn: socket.socket, request: Request) -> bool:
    """Never answer."""
    server.stopped.wait(20)
    return False


def drip(text: bytes, first: bytes = b"", every: float = 0.1) -> Action:
    """Send `first` at once, then `text` byte by byte."""

    def act(server: FaultServer, conn: socket.socket, request: Request) -> bool:
        conn.sendall(first)
        for one in text:
            if server.stopped.wait(every):
                break
            conn.sendall(bytes([one]))
        return False

    return act


def hard_close(conn: socket.socket) -> None:
    """Close with RST."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


@dataclass
class FaultServer:
    """Answers request n with `actions[n]`, the last one for ever.

    `reset_after_bytes` cuts the first connections with RST after that many bytes, one each.
    """

    actions: list[Action]
    tls: ssl.SSLContext | None = None
    reset_after_bytes: list[int] = field(default_factory=list)
    reset_before_tls: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __enter__(self, port: int = 0) -> Self:
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        with self._lock:
            for conn in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(conn, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        """Base URL."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(conn,))
            with self._lock:
                self.connections += 1
                self._open.add(conn)
                self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        conn = raw
        try:
            if self.reset_before_tls:
                self._cut(raw, self.reset_before_tls.pop(0))
                return
            if self.tls is not None:
                conn = self.tls.wrap_socket(raw, server_side=True)
                with self._lock:
                    self._open.add(conn)
            while self._one(conn):
                pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._open -= {raw, conn}
            conn.close()
            raw.close()

    @staticmethod
    def _cut(conn: socket.socket, after: int) -> None:
        while after > 0 and (got := conn.recv(min(after, 65536))):
            after -= len(got)
        hard_close(conn)

    def _one(self, conn: socket.socket) -> bool:
        with self._lock:
            cut = self.reset_after_bytes.pop(0) if self.reset_after_bytes else None
        if cut is not None:
            self._cut(conn, cut)
            return False
        request = _read(conn)
        if request is None:
            return False
        with self._lock:
            action = self.actions[min(len(self.requests), len(self.actions) - 1)]
            self.requests.append(request)
        return action(self, conn, request)


def _read(conn: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        got = conn.recv(65536)
        if not got:
            return None
        data += got
    head, _, rest = data.partition(b"\r\n\r\n")
    body = bytearray(rest)  # bytes would be copied whole for every piece
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        got = conn.recv(65536)
        if not got:
            return None
        body += got
    method, path, _ = first.split(" ")
    return Request(method, path, headers, bytes(body), time.monotonic())


@contextlib.contextmanager
def api_for(url: str, clock: Clock | None = None, **changes: Any) -> Iterator[JsonApi]:
    """A `JsonApi` with test defaults: fake clock, two seconds a call, no deadline."""
    clock = clock or FakeClock()
    options: dict[str, Any] = {
        "secret_header": ("Api-Token", SECRET),
        "user_agent": "edge-tests",
        "requests_per_second": 1000.0,
        "timeout_seconds": 2.0,
        "clock": clock,
        "stop": StopSignal(),
        "deadline": Deadline(None, clock),
        "rng": random.Random(7),
    }
    with JsonApi(url, **{**options, **changes}) as api:
        yield api


@dataclass(frozen=True)
class Authority:
    """A certificate authority of our own and what it signed."""

    folder: Path

    @property
    def bundle(self) -> Path:
        """The authority's certificate."""
        return self.folder / "ca.pem"

    def server(self, name: str) -> ssl.SSLContext:
        """TLS for a server with the certificate `name`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / "key.pem")
        return context
