"""The target as a process that tests can hurt, and a proxy that hurts it at a chosen request."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from target_support import Run, Target, lines

TESTS = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 60.0
ACTIVECAMPAIGN = ("target_activecampaign.target", "target_activecampaign.accounts")

#: True in the long loops (`FAULTS=all`), which take every point instead of a seeded share.
EVERYTHING = os.environ.get("FAULTS") == "all"
SEED = int(os.environ.get("FAULTS_SEED", "20240229"))


def eventually(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Poll until `holds()` is true and return its value; fails with `what` at the deadline."""
    ends_at = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < ends_at, f"not within {seconds:g} s: {what}"
        time.sleep(0.005)
    return value


class Running:
    """A target that has been started; `stdin` is a writable file when it was asked for."""

    def __init__(
        self, pid: int, connection: socket.socket, home: Path, stdin: Any, report: Path
    ) -> None:
        self.pid = pid
        self.stdin = stdin
        self._connection = connection
        self._home = home
        self._report = report

    def signal(self, signum: int) -> None:
        """Send a signal; a process that is gone already is no error."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signum)

    @property
    def stderr(self) -> str:
        """What it said so far."""
        return (self._home / "stderr").read_text(errors="replace")

    def end(self, seconds: float = PATIENCE_SECONDS) -> Run:
        """Wait for the end and collect everything."""
        if self.stdin:
            with contextlib.suppress(OSError):
                self.stdin.close()
        self._connection.settimeout(seconds)
        try:
            code = int(_line(self._connection))
        except TimeoutError:
            self.signal(signal.SIGKILL)
            raise AssertionError(f"still running after {seconds} s: {self.stderr}") from None
        finally:
            self._connection.close()
        states = [json.loads(one) for one in (self._home / "stdout").read_bytes().splitlines()]
        report = json.loads(self._report.read_text()) if self._report.exists() else {}
        return Run(code, states, self.stderr, report)


def _line(connection: socket.socket) -> str:
    text = b""
    while not text.endswith(b"\n"):
        got = connection.recv(1)
        if not got:
            raise AssertionError("the keeper of the process is gone")
        text += got
    return text.decode()


class Zygote:
    """Starts targets by forking; see `faults.zygote`. `modules` are imported once and for all, the
    first is the target's; `preload` is a library that every call of the process goes through.
    """

    def __init__(self, *modules: str, preload: Path | None = None) -> None:
        self._modules = modules or ACTIVECAMPAIGN
        self._preload = {"LD_PRELOAD": str(preload)} if preload else {}

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self._path = str(Path(self._folder.name) / "zygote")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.zygote", self._path, *self._modules],
            cwd=TESTS,
            env={**os.environ, **self._preload},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", "the zygote did not start"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._folder.cleanup()

    def start(
        self,
        target: Target,
        data: bytes | None,
        *,
        env: dict[str, str] | None = None,
        file_bytes: int = 0,
        stdout: int | None = None,
        command: Sequence[str] = (),
        crash: tuple[int, int] | None = None,
        **more: Any,
    ) -> Running:
        """Start one; with `data` None its standard input stays open as `.stdin`.

        `file_bytes` is the size at which any file it writes is full, `stdout` a descriptor to use
        instead of a file, `command` comes before the arguments, `crash` is the (number, mode) of
        `crash_point.c`, which must be preloaded then.
        """
        report = target.home / "report.json"
        report.unlink(missing_ok=True)
        order = {
            "folder": str(target.home),
            "environment": env or {},
            "file_bytes": file_bytes,
            "arguments": _with_command(target.command(**more), command),
            "crash": crash,
        }
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._path)
        writer = None
        with contextlib.ExitStack() as stack:
            if data is None:
                reading, writing = os.pipe()
                stack.callback(os.close, reading)
                writer = os.fdopen(writing, "wb", buffering=0)
            else:
                source = target.home / "stdin"
                source.write_bytes(data)
                reading = stack.enter_context(source.open("rb")).fileno()
            files = [
                stack.enter_context((target.home / name).open("wb")).fileno()
                for name in ("stdout", "stderr")
            ]
            if stdout is not None:
                files[0] = stdout
            socket.send_fds(connection, [json.dumps(order).encode()], [reading, *files])
        connection.settimeout(PATIENCE_SECONDS)
        return Running(int(_line(connection)), connection, target.home, writer, report)

    def run(
        self,
        target: Target,
        messages: Iterable[dict[str, Any] | bytes],
        *,
        seconds: float = PATIENCE_SECONDS,
        **more: Any,
    ) -> Run:
        """Start one, feed it, wait for its end."""
        return self.start(target, lines(messages), **more).end(seconds)


def _with_command(arguments: list[str], command: Sequence[str]) -> list[str]:
    return [arguments[0], *command, *arguments[1:]]


@dataclass(frozen=True)
class Seen:
    """One request as it came by the proxy; `number` counts from 1."""

    number: int
    method: str
    target: str
    head: bytes
    body: bytes


Hook = Callable[[Seen], bool | None]
"""Called with a request; False cuts the connection to the target right there."""


class Proxy:
    """Passes HTTP on to a simulator and calls the hooks before, after and behind each request.

    `before` is called with the request complete and not passed on, `during` when the vendor has
    half of it, `after` when the vendor has answered and the target does not know it, `answered`
    when the whole answer was handed over.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._upstream = (parts.hostname or "", parts.port or 80)
        self._path = parts.path
        self.before: Hook | None = None
        self.during: Hook | None = None
        self.after: Hook | None = None
        self.answered: Hook | None = None
        self.seen: list[Seen] = []

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        with self._lock:
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        """Base address for the target."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}{self._path}"

    def forget(self) -> None:
        """Start counting anew, with no hooks."""
        self.before = self.during = self.after = self.answered = None
        self.seen = []

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._upstream) as server:
            both = {client, server}
            with self._lock:
                self._open |= both
            try:
                with client.makefile("rb") as asks, server.makefile("rb") as answers:
                    while self._one(client, server, asks, answers):
                        pass
            except (OSError, ValueError):
                pass
            finally:
                with self._lock:
                    self._open -= both

    def _one(self, client: socket.socket, server: socket.socket, asks: Any, answers: Any) -> bool:
        message = _message(asks)
        if message is None:
            return False
        head, body = message
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        with self._lock:
            seen = Seen(len(self.seen) + 1, method, target, head, body)
            self.seen.append(seen)
        if self.before and self.before(seen) is False:
            return False
        half = len(body) // 2
        server.sendall(head + body[:half])
        if self.during and self.during(seen) is False:
            return False
        server.sendall(body[half:])
        answer = _message(answers)
        if answer is None:
            return False
        if self.after and self.after(seen) is False:
            return False
        client.sendall(b"".join(answer))
        return not (self.answered and self.answered(seen) is False)


def _message(file: Any) -> tuple[bytes, bytes] | None:
    """Head with its blank line, and the body as it came: by Content-Length, or its chunks."""
    head = b""
    length = 0
    while not head.endswith(b"\r\n\r\n"):
        line = file.readline()
        if not line:
            return None
        head += line
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    if b"transfer-encoding: chunked" not in head.lower():
        return head, file.read(length)
    body = b""
    while True:
        line = file.readline()
        size = int(line.split(b";")[0], 16)
        body += line + file.read(size + 2)
        if size == 0:
            return head, body
