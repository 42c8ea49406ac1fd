"""Runs target-activecampaign for real: as a process of its own, fed with Singer lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONTACT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ctt_id": {"type": ["integer", "null"]},
        "email": {"type": ["string", "null"]},
        "given_name": {"type": ["string", "null"]},
        "family_name": {"type": ["string", "null"]},
        "work_phone": {"type": ["string", "null"]},
        "date_created": {"type": ["string", "null"], "format": "date"},
        "org_country": {"type": ["string", "null"]},
        "language_code": {"type": ["string", "null"]},
        "mobile_phone": {"type": ["string", "null"]},
        "updated_at": {"type": ["string", "null"], "format": "date-time"},
    },
}


def schema(stream: str = "contacts", **properties: Any) -> dict[str, Any]:
    """A SCHEMA message of the default columns plus `properties`."""
    whole = {**CONTACT_SCHEMA, "properties": {**CONTACT_SCHEMA["properties"], **properties}}
    return {"type": "SCHEMA", "stream": stream, "schema": whole, "key_properties": []}


def record(ctt_id: int | None, email: str | None = None, **more: Any) -> dict[str, Any]:
    """A RECORD message; the address defaults to one made of the key."""
    data = {"ctt_id": ctt_id, "email": email or f"person{ctt_id}@example.com", **more}
    return {"type": "RECORD", "stream": "contacts", "record": data}


def state(value: Any) -> dict[str, Any]:
    """A STATE message with one bookmark."""
    return {"type": "STATE", "value": {"bookmarks": {"contacts": {"replication_key_value": value}}}}


def lines(messages: Iterable[dict[str, Any] | bytes]) -> bytes:
    """Messages as JSON lines; raw bytes are passed on as they are."""
    return b"".join(m if isinstance(m, bytes) else json.dumps(m).encode() + b"\n" for m in messages)


@dataclass(frozen=True)
class Run:
    """What came out of one process."""

    code: int
    states: list[Any]
    stderr: str
    report: dict[str, Any]

    @property
    def stream(self) -> dict[str, Any]:
        """The report of the only stream."""
        (stream,) = self.report["streams"]
        return dict(stream)

    @property
    def outcomes(self) -> dict[str, int]:
        """The outcomes that happened at all."""
        return {name: n for name, n in self.stream["outcomes"].items() if n}

    @property
    def causes(self) -> dict[str, int]:
        """Causes without outcome and step."""
        counts: dict[str, int] = {}
        for name, n in self.stream["causes"].items():
            cause = name.rsplit(":", 1)[-1]
            counts[cause] = counts.get(cause, 0) + n
        return counts

    @property
    def last_state(self) -> Any:
        """Bookmark value of the last STATE."""
        return self.states[-1]["bookmarks"]["contacts"]["replication_key_value"]


class Target:
    """target-activecampaign with one configuration and one state directory."""

    def __init__(self, home: Path, api_url: str, **config: Any) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.config: dict[str, Any] = {
            "api_url": api_url,
            "api_key": "sim-key",
            "requests_per_second": 5000,
            "state_dir": str(home / "state"),
            "report_file": str(home / "report.json"),
            "create_fields": True,
            "connections": 1,  # so that the n-th request is the same one in every run
            "strategy": "single",  # what tests of bulk import say otherwise
            **config,
        }

    def command(self, **more: Any) -> list[str]:
        """The command line, with the configuration written to a file."""
        path = self.home / "config.json"
        path.write_text(json.dumps({**self.config, **more}))
        return [
            str(Path(sys.executable).parent / "target-activecampaign"), "--config", str(path),
        ]  # fmt: skip

    def run(self, messages: Iterable[dict[str, Any] | bytes], **more: Any) -> Run:
        """Feed the messages, wait for the end."""
        return self.run_bytes(lines(messages), **more)

    def deliver(self, records: Sequence[dict[str, Any]], **more: Any) -> Run:
        """SCHEMA, the records, one STATE holding their number."""
        return self.run([schema(), *records, state(len(records))], **more)

    def run_bytes(self, data: bytes, *, env: dict[str, str] | None = None, **more: Any) -> Run:
        """Feed bytes, wait for the end."""
        report = self.home / "report.json"
        report.unlink(missing_ok=True)
        done = subprocess.run(
            self.command(**more),
            input=data,
            capture_output=True,
            timeout=240,
            env={**os.environ, **(env or {})},
            cwd=self.home,
        )
        return Run(
            done.returncode,
            [json.loads(line) for line in done.stdout.splitlines()],
            done.stderr.decode(),
            json.loads(report.read_text()) if report.exists() else {},
        )

    @property
    def rejects(self) -> list[dict[str, Any]]:
        """The open rejects of the contacts stream."""
        path = self.home / "state" / "rejects" / "contacts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]
