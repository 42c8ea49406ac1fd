"""Runs the example target as a real process."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).with_name("example_target.py")
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


class Example:
    """The example target in a folder of its own."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.folder = folder
        self.output = folder / "applied.jsonl"
        self.spool = folder / "state" / "spool"
        self.config = {"state_dir": str(folder / "state"), "output": str(self.output), **config}
        self.config_file = folder / "config.json"

    def start(
        self, *arguments: str, limit_file_bytes: int | None = None, **env: str
    ) -> subprocess.Popen[bytes]:
        self.config_file.write_text(json.dumps(self.config))

        def limit() -> None:
            if limit_file_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_file_bytes, limit_file_bytes))

        return subprocess.Popen(
            [sys.executable, str(SCRIPT), *(arguments or ("--config", str(self.config_file)))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=limit,
            env={**os.environ, **env},
        )

    def run(
        self,
        data: bytes | Iterable[bytes] = b"",
        *arguments: str,
        limit_file_bytes: int | None = None,
        **env: str,
    ) -> Run:
        process = self.start(*arguments, limit_file_bytes=limit_file_bytes, **env)
        if not isinstance(data, bytes):
            data = b"".join(data)
        out, err = process.communicate(data, timeout=60)
        return self.result(process.returncode, out, err)

    def result(self, code: int, out: bytes, err: bytes) -> Run:
        lines = self.output.read_text().splitlines() if self.output.exists() else []
        return Run(code, out.decode(), err.decode(), [json.loads(line) for line in lines])

    def finish(self, process: subprocess.Popen[bytes]) -> Run:
        out, err = process.communicate(timeout=60)
        return self.result(process.returncode, out, err)


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def send(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    process.send_signal(signum)
