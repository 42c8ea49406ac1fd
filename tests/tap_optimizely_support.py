"""Runs tap-optimizely as a process against the simulated vendor."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from simulators_support import Simulator

CLIENT, USER, PASSWORD = 1234, "sim-user", "sim-password"
LIST = 120000000001
#: Columns as the simulator's files have them by default.
COLUMNS = {
    "unsubscribes": ["recipient_id", "list_id", "time"],
    "mailing_unsubscribes": ["recipient_id", "mailing_id", "time"],
    "outbounces": ["recipient_id"],
    "responses": ["recipient_id", "list_id", "mailing_id", "category", "time"],
    "opens": ["recipient_id", "list_id", "mailing_id", "time"],
    "clicks": ["recipient_id", "list_id", "mailing_id", "link_id", "time"],
    "sent": ["recipient_id", "list_id", "mailing_id", "time"],
    "mailings": ["mailing_id", "name", "started", "finished"],
    "links": ["link_id", "mailing_id", "name", "url"],
}
START = "2026-03-01T06:00:00+00:00"
DAY = 86_400
# What discovery says, asked once: columns of a catalogue do not count, only what it selects.
_offered: dict[str, Any] = {}


@dataclass
class Run:
    """What a run of the tap wrote."""

    output: bytes
    code: int
    errors: str

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """All messages; a line cut by a signal is left out."""
        return [json.loads(line) for line in self.output.split(b"\n")[:-1]]

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of one stream."""
        return [
            m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream
        ]

    def schema(self, stream: str) -> dict[str, Any]:
        """The columns of one stream."""
        found: dict[str, Any] = next(
            m["schema"]["properties"]
            for m in self.messages
            if m["type"] == "SCHEMA" and m["stream"] == stream
        )
        return found

    @property
    def states(self) -> list[dict[str, Any]]:
        """The values of all STATE messages."""
        return [m["value"] for m in self.messages if m["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        """The last STATE, empty without one."""
        return self.states[-1] if self.states else {}

    @property
    def markers(self) -> list[dict[str, Any]]:
        """The markers of completeness."""
        return [s["sync_complete"] for s in self.states if "sync_complete" in s]

    @property
    def said(self) -> str:
        """The last line on stderr."""
        return self.errors.splitlines()[-1] if self.errors.strip() else ""


class Forge:
    """Starts processes of the tap that share one import; see `tap_optimizely_forge`."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("tap_optimizely_forge.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, arguments: list[str], environment: dict[str, str], directory: Path) -> Run:
        """Run the tap to its end."""
        output, errors = directory / "output", directory / "errors"
        order = {
            "arguments": arguments,
            "environment": environment,
            "output": str(output),
            "errors": str(errors),
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return Run(output.read_bytes(), code, errors.read_text())

    def close(self) -> None:
        """End it."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()


class Tap:
    """The tap with a configuration for one simulator; each run is a process."""

    def __init__(self, simulator: Simulator, directory: Path, forge: Forge) -> None:
        self.simulator, self.directory, self._forge = simulator, directory, forge
        self._runs = 0
        self.config: dict[str, Any] = {
            "api_url": f"{simulator.url}/soap11",
            "mandator_id": CLIENT,
            "username": USER,
            "password": PASSWORD,
            "columns": COLUMNS,
        }

    def arguments(
        self, *streams: str, state: dict[str, Any] | None = None, **config: Any
    ) -> list[str]:
        """The arguments that read `streams` (all without any) from `state` on."""
        self._runs += 1
        merged = {k: v for k, v in {**self.config, **config}.items() if v is not None}
        given = ["--config", self._file("config", merged)]
        if state:
            given += ["--state", self._file("state", state)]
        if streams:
            given += ["--catalog", self._file("catalog", self.catalog(*streams))]
        return given

    def command(self, *streams: str, **more: Any) -> list[str]:
        """The command line of a process that a test starts and stops itself."""
        return [sys.executable, "-m", "tap_optimizely", *self.arguments(*streams, **more)]

    def catalog(self, *streams: str) -> dict[str, Any]:
        """A catalogue that selects some streams."""
        if not _offered:
            config = self._file("discovery", self.config)
            done = self._forge.run(["--config", config, "--discover"], {}, self.directory)
            _offered.update(json.loads(done.output))
        offered: dict[str, Any] = copy.deepcopy(_offered)
        for entry in offered["streams"]:
            for crumb in entry["metadata"]:
                if not crumb["breadcrumb"]:
                    crumb["metadata"]["selected"] = entry["tap_stream_id"] in streams
        return offered

    def _file(self, name: str, content: Any) -> str:
        path = self.directory / f"{name}{self._runs}.json"
        path.write_text(json.dumps(content))
        return str(path)

    def run(
        self,
        *streams: str,
        state: dict[str, Any] | None = None,
        log_level: str = "INFO",
        environment: dict[str, str] | None = None,
        **config: Any,
    ) -> Run:
        """Run to the end; `config` is added to the usual one, None takes a setting away."""
        arguments = self.arguments(*streams, state=state, **config)
        return self._forge.run(
            arguments, {"LOGLEVEL": log_level, **(environment or {})}, self.directory
        )

    def dry(self, *streams: str) -> Run:
        """Run the connection test, `--test`."""
        return self._forge.run([*self.arguments(*streams), "--test"], {}, self.directory)


def by_recipient(records: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Records by whom they concern."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        found.setdefault(str(record["recipient_id"]), []).append(record)
    return found
