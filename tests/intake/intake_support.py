"""Runs the example target as a real process."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
CANARY = "max.canary@example.com"
SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}, "email": {"type": ["null", "string"]}},
}


def message(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, **fields}).encode() + b"\n"


def schema(stream: str = "contacts", body: dict[str, Any] | None = None, key: str = "id") -> bytes:
    return message("SCHEMA", stream=stream, schema=body or SCHEMA, key_properties=[key])


def record(number: int, stream: str = "contacts", **fields: Any) -> bytes:
    return message("RECORD", stream=stream, record={"id": number, "email": CANARY, **fields})


def state(**value: Any) -> bytes:
    return message("STATE", value=value)


def contacts(count: int) -> bytes:
    return schema() + b"".join(record(number) for number in range(1, count + 1))


@dataclass
class Run:
    code: int
    stdout: str
    stderr: str
    applied: list[dict[str, Any]]

    @property
    def states(self) -> list[Any]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def failures(self) -> list[str]:
        """Lines of the target itself; the SDK's log lines begin with a date."""
        return [line for line in self.stderr.splitlines() if line.startswith("target-example: ")]


class Nursery:
    """Starts example targets by forking a process that has imported everything."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "example_nursery.py"), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def ask(self, request: dict[str, Any], descriptors: Iterable[int] = ()) -> int:
        socket.send_fds(self._socket, [json.dumps(request).encode()], list(descriptors))
        answer = self._socket.recv(100)
        assert answer, "the nursery died"
        return int(answer)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(timeout=30)


class Child:
    """A running example target, with the pipes to its standard streams."""

    def __init__(self, nursery: Nursery, request: dict[str, Any]) -> None:
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        ours_err, theirs_err = os.pipe()
        self.stdin = os.fdopen(ours_in, "wb")
        self.stdout = os.fdopen(ours_out, "rb")
        self.stderr = os.fdopen(ours_err, "rb")
        self._nursery = nursery
        self.pid = nursery.ask(request, (theirs_in, theirs_out, theirs_err))
        for descriptor in (theirs_in, theirs_out, theirs_err):
            os.close(descriptor)

    def send_signal(self, signum: int) -> None:
        os.kill(self.pid, signum)

    def communicate(self, data: bytes = b"") -> tuple[int, bytes, bytes]:
        """Feed `data`, end the input, read everything; exit code, stdout, stderr."""
        outputs = {"out": b"", "err": b""}

        def read(name: str, file: IO[bytes]) -> None:
            with contextlib.suppress(ValueError):
                outputs[name] = file.read()

        threads = [
            threading.Thread(target=read, args=("err", self.stderr)),
            *(
                []
                if self.stdout.closed
                else [threading.Thread(target=read, args=("out", self.stdout))]
            ),
        ]
        for thread in threads:
            thread.start()
        with contextlib.suppress(BrokenPipeError):
            if data:
                self.stdin.write(data)
                self.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            self.stdin.close()
        for thread in threads:
            thread.join(timeout=60)
        code = self._nursery.ask({"wait": self.pid})
        self.stdout.close()
        self.stderr.close()
        return code, outputs["out"], outputs["err"]


class Example:
    """The example target in a folder of its own."""

    def __init__(self, folder: Path, nursery: Nursery, **config: Any) -> None:
        self.folder = folder
        self.output = folder / "applied.jsonl"
        self.spool = folder / "state" / "spool"
        self.config = {"state_dir": str(folder / "state"), "output": str(self.output), **config}
        self.config_file = folder / "config.json"
        self._nursery = nursery

    def start(self, *arguments: str, limit: int | None = None, **env: str) -> Child:
        """`limit`: the largest file in bytes that the process may write."""
        self.config_file.write_text(json.dumps(self.config))
        arguments = arguments or ("--config", str(self.config_file))
        return Child(self._nursery, {"arguments": arguments, "limit": limit, "env": env})

    def run(self, data: bytes = b"", *arguments: str, limit: int | None = None, **env: str) -> Run:
        return self.finish(self.start(*arguments, limit=limit, **env), data)

    def finish(self, child: Child, data: bytes = b"") -> Run:
        return self.result(*child.communicate(data))

    def run_fresh(self, data: bytes, *arguments: str) -> Run:
        """With an interpreter of its own, as a user starts it."""
        self.config_file.write_text(json.dumps(self.config))
        done = subprocess.run(
            [sys.executable, str(HERE / "example_target.py"), *arguments],
            input=data,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return self.result(done.returncode, done.stdout, done.stderr)

    def result(self, code: int, out: bytes, err: bytes) -> Run:
        lines = self.output.read_text().splitlines() if self.output.exists() else []
        return Run(code, out.decode(), err.decode(), [json.loads(line) for line in lines])


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
