"""A Redis to share a rate through, processes that share one, and workers on shards of one set."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import pytest
import redis
from simulators_support import Simulator
from target_kit.clock import SystemClock
from target_kit.lock import run_lock
from target_kit.shards import Shard
from target_kit.shared_rate import SharedRateLimiter, shared_rate
from target_support import Run, Target, lines, record, schema, state

ACCOUNT = "example.api-us1.com"
SECRET = "canary-word"
_numbers = count(1)


def redis_server() -> str | None:
    """Find the server's binary."""
    return shutil.which("redis-server") or shutil.which("redis-server", path="/usr/sbin:/usr/bin")


class RedisServer:
    """`redis-server` of the system on a free port of the loopback interface, with a password."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory / f"redis{next(_numbers)}"
        self.directory.mkdir(mode=0o700)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"redis://:{SECRET}@127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it without any data."""
        options = {
            "port": self.port, "bind": "127.0.0.1", "requirepass": SECRET, "save": "",
            "appendonly": "no", "dir": self.directory, "daemonize": "no",
        }  # fmt: skip
        given = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self.process = subprocess.Popen(
            [redis_server() or "redis-server", *given], stdout=subprocess.DEVNULL
        )
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, "redis-server ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def ask(self, *words: str) -> Any:
        """Send a command, as somebody with the password."""
        with contextlib.closing(redis.Redis.from_url(self.url)) as client:
            return client.execute_command(*words)

    def forget(self) -> None:
        """Empty it."""
        self.ask("FLUSHALL")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


class SlowServer:
    """In front of a server: answers go back with `delay_seconds`, connections can be cut."""

    def __init__(self, port: int, delay_seconds: float) -> None:
        self._port, self.delay_seconds = port, delay_seconds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *ended: object) -> None:
        for each in (self._listener, *self._sockets):
            # Closing alone would leave a thread waiting in it.
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    arguments = (source, sink, source is far)
                    threading.Thread(target=self._pass_on, args=arguments, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                time.sleep(self.delay_seconds if is_answer else 0.0)
                sink.sendall(data)


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@contextmanager
def limiter(
    url: str, per_second: float = 20, account: str = ACCOUNT
) -> Iterator[SharedRateLimiter]:
    """One process's share of a rate."""
    with shared_rate(url, account, per_second, SystemClock()) as opened:
        assert opened is not None
        yield opened


def densest_second(starts: Sequence[float]) -> int:
    """Most starts within any window [t, t + 1]."""
    return max(sum(1 for other in starts if 0 <= other - one <= 1.0) for one in starts)


def start_program(*arguments: str) -> subprocess.Popen[str]:
    """This module as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "workers_support", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(Path(__file__).parent),
                                                        os.environ.get("PYTHONPATH")])),
        },
    )  # fmt: skip


@contextmanager
def holding(kind: str, place: str, shard: Shard | None) -> Iterator[None]:
    """Hold the lock of the account's contacts: `file` in a directory, `postgresql` at a URL."""
    if kind == "file":
        with run_lock(Path(place), ACCOUNT, "contact", shard):
            yield
    else:
        from target_kit.ledger_database import lock_between_machines  # takes long to load

        with lock_between_machines(place, f"{ACCOUNT}/contact", shard):
            yield


class Worker(Target):
    """A target that works on one shard, as a process of its own."""

    process: subprocess.Popen[bytes] | None = None

    def begin(self, records: Sequence[dict[str, Any]]) -> None:
        """Start on these records."""
        given = self.home / "input.jsonl"
        given.write_bytes(lines([schema(), *records, state(len(records))]))
        with (
            given.open("rb") as source,
            (self.home / "out").open("wb") as out,
            (self.home / "err").open("wb") as err,
        ):
            self.process = subprocess.Popen(
                self.command(), stdin=source, stdout=out, stderr=err, cwd=self.home
            )

    def until(self, condition: Callable[[], object]) -> None:
        """Poll until the condition holds; fails when the worker ends before."""

        def met() -> object:
            ended = self.process is None or self.process.poll() is not None
            return condition() or (ended and pytest.fail((self.home / "err").read_text()))

        until(met, 120)

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(30) == -signal.SIGKILL

    def end(self, seconds: float = 240) -> Run:
        """Wait for the end."""
        assert self.process is not None
        code = self.process.wait(seconds)
        report = self.home / "report.json"
        return Run(
            code,
            [json.loads(line) for line in (self.home / "out").read_bytes().splitlines()],
            (self.home / "err").read_text(),
            json.loads(report.read_text()) if report.exists() else {},
        )


def shards_of(keys: range, number: int) -> list[list[dict[str, Any]]]:
    """Records of these keys by shard: as a tap would part them, each person always alike."""
    return [[record(key) for key in keys if key % number == index] for index in range(number)]


def arrivals(sim: Simulator) -> list[float]:
    """When each request came, by the simulator's log."""
    return [entry["time"] for entry in sim.requests()]


def made(sim: Simulator) -> int:
    """How many contacts were really created, by the simulator's log."""
    return sum(
        1
        for entry in sim.requests(writes=True)
        if (entry["method"], entry["path"].rpartition("/")[2]) == ("POST", "contacts")
        and entry["status"] in (200, 201)
    )


def each_once(sim: Simulator, keys: range) -> bool:
    """Whether these keys, and no others, are each on one contact (X1)."""
    found = Counter(c["fieldValues"].get("BUBSCTTID") for c in sim.state()["contacts"])
    return found == Counter(str(key) for key in keys)


def _print_starts(url: str, per_second: float, number: int) -> None:
    with limiter(url, per_second) as shared:
        for _ in range(number):
            shared.wait()
            print(time.monotonic(), flush=True)


def _hold_for_ever(kind: str, place: str, shard: str) -> None:
    with holding(kind, place, Shard.of_folder(shard)):
        print("held", flush=True)
        while True:
            time.sleep(60)


if __name__ == "__main__":
    if sys.argv[1] == "starts":
        _print_starts(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    else:
        _hold_for_ever(*sys.argv[2:])
