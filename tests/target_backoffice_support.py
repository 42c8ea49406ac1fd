"""Runs target-backoffice on real databases, in this process or as one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tap_support import Database, captured
from target_backoffice.target import TargetBackoffice
from target_kit.errors import StopRun

ROOT = Path(__file__).resolve().parent.parent
SHIPPED: dict[str, Any] = yaml.safe_load(
    (ROOT / "examples" / "backoffice" / "feedback.yml").read_text(encoding="utf-8")
)
NEWSLETTER_SQL = (ROOT / "examples" / "backoffice" / "newsletter.sql").read_text(encoding="utf-8")
NEWSLETTER_LIST, EVENTS_LIST = "120000000001", "120000000003"

_TEXT = {"type": ["string", "null"]}
_MOMENT = {"type": ["string", "null"], "format": "date-time"}
_COMMON: dict[str, Any] = {
    "event_key": {"type": "string", "maxLength": 64},
    "source": {"type": "string"},
    "export": _TEXT,
    "client_id": {"type": "string"},
    **dict.fromkeys(
        ("recipient_id", "list_id", "mailing_id", "entity_type", "entity_id", "opt_in_id"), _TEXT
    ),
    "assigned": {"type": "boolean"},
    "event_time": _MOMENT,
}
#: The streams as tap-optimizely describes them.
COLUMNS: dict[str, dict[str, Any]] = {
    "unsubscribes": {**_COMMON, "scope": _TEXT, "reason": _TEXT, "media_type": _TEXT},
    "bounces": {
        **_COMMON,
        "kind": _TEXT,
        "category": _TEXT,
        "bounced_out": {"type": "boolean"},
        "ends_consent": {"type": "boolean"},
    },
}
Message = dict[str, Any]


def schema(stream: str, *, key: list[str] | None = None, **more: Any) -> Message:
    """A SCHEMA message with the tap's columns and `more`."""
    properties = {**COLUMNS.get(stream, {}), **more}
    keys = ["event_key"] if key is None else key
    body = {"type": "object", "properties": properties}
    return {"type": "SCHEMA", "stream": stream, "schema": body, "key_properties": keys}


def record(stream: str, **data: Any) -> Message:
    """A RECORD message."""
    return {"type": "RECORD", "stream": stream, "record": data}


def unsubscribe(number: int, **more: Any) -> Message:
    """Somebody unsubscribes from the newsletter on 20 November 2026."""
    data = {
        "event_key": f"unsubscribe-{number}",
        "source": "closed_loop",
        "client_id": "1234",
        "recipient_id": f"person{number}@example.com",
        "list_id": NEWSLETTER_LIST,
        "assigned": True,
        "scope": "list",
        "event_time": "2026-11-20T10:00:00+00:00",
    }
    return record("unsubscribes", **{**data, **more})


def bounce(number: int, **more: Any) -> Message:
    """Mail to somebody came back for good on 20 November 2026."""
    data = {
        "event_key": f"bounce-{number}",
        "source": "closed_loop",
        "client_id": "1234",
        "recipient_id": f"person{number}@example.com",
        "assigned": True,
        "kind": "out",
        "bounced_out": True,
        "ends_consent": False,
        "event_time": "2026-11-20T10:00:00+00:00",
    }
    return record("bounces", **{**data, **more})


def marker(**counts: int) -> Message:
    """The tap's last STATE."""
    whole = {"version": 7, "counts": {"unsubscribes": 0, "bounces": 0, **counts}}
    return {"type": "STATE", "value": {"bookmarks": {}, "sync_complete": whole}}


def state(value: Any) -> Message:
    """A STATE in between."""
    return {"type": "STATE", "value": {"bookmarks": {"unsubscribes": {"position": value}}}}


def complete(
    unsubscribes: Iterable[Message] = (), bounces: Iterable[Message] = ()
) -> list[Message]:
    """Both streams and the marker that counts them."""
    some, others = list(unsubscribes), list(bounces)
    counted = marker(unsubscribes=len(some), bounces=len(others))
    return [schema("unsubscribes"), schema("bounces"), *some, *others, counted]


def lines(messages: Iterable[Message | bytes]) -> bytes:
    """Messages as JSON lines; raw bytes are passed on as they are."""
    return b"".join(m if isinstance(m, bytes) else json.dumps(m).encode() + b"\n" for m in messages)


@dataclass(frozen=True)
class Run:
    """What came out of one run."""

    code: int
    states: list[Any]
    said: str
    report: dict[str, Any]

    def stream(self, name: str = "unsubscribes") -> dict[str, Any]:
        """The report of one stream."""
        return next(s for s in self.report["streams"] if s["stream"] == name)

    def outcomes(self, name: str = "unsubscribes") -> dict[str, int]:
        """The outcomes that happened at all."""
        return {outcome: n for outcome, n in self.stream(name)["outcomes"].items() if n}

    def causes(self, name: str = "unsubscribes") -> dict[str, int]:
        """Causes by their last word."""
        return {cause.rsplit(":", 1)[-1]: n for cause, n in self.stream(name)["causes"].items()}

    def matched(self, name: str = "unsubscribes") -> dict[str, int]:
        """Rows by the statement that found their entity."""
        return dict(self.stream(name)["matched_by"])


class Importer:
    """target-backoffice with one configuration, one database and one state directory."""

    def __init__(self, home: Path, database: Database, **config: Any) -> None:
        self.home, self.database = home, database
        self.feedback_file = home / "feedback.json"
        self.config: dict[str, Any] = {
            "database_url": database.url,
            "state_dir": str(home / "state"),
            "report_file": str(home / "report.json"),
            "feedback_file": str(self.feedback_file),
            **config,
        }

    def take(self, messages: Iterable[Message | bytes], **more: Any) -> Run:
        """Run in this process; a StopRun becomes its code and text."""
        report = self.home / "report.json"
        report.unlink(missing_ok=True)
        code, said = 0, ""
        source = io.TextIOWrapper(io.BytesIO(lines(messages)))
        with captured() as output, contextlib.redirect_stderr(io.StringIO()) as errors:
            try:
                target = TargetBackoffice(config={**self.config, **more})
                try:
                    target.listen(source)
                finally:
                    target.target_connector.engine.dispose()
            except StopRun as stopped:
                code, said = stopped.code, str(stopped)
        states = [json.loads(line) for line in output.getvalue().splitlines()]
        return self._result(code, states, said + errors.getvalue())

    def command(self, **more: Any) -> list[str]:
        """The command line, with the configuration written to a file."""
        path = self.home / "config.json"
        path.write_text(json.dumps({**self.config, **more}))
        executable = Path(sys.executable).parent / "target-backoffice"
        return [str(executable), "--config", str(path)]

    def start(self, *, env: dict[str, str] | None = None, **more: Any) -> subprocess.Popen[bytes]:
        """Start it as a process of its own."""
        (self.home / "report.json").unlink(missing_ok=True)
        return subprocess.Popen(
            self.command(**more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            cwd=self.home,
        )

    def run(
        self, messages: Iterable[Message | bytes], *, env: dict[str, str] | None = None, **more: Any
    ) -> Run:
        """Run as a process of its own, to its end."""
        return self.finish(self.start(env=env, **more), lines(messages))

    def finish(self, process: subprocess.Popen[bytes], data: bytes = b"") -> Run:
        """Feed the rest, wait for the end."""
        out, err = process.communicate(data, timeout=120)
        states = [json.loads(line) for line in out.splitlines()]
        return self._result(process.returncode, states, err.decode())

    def _result(self, code: int, states: list[Any], said: str) -> Run:
        path = self.home / "report.json"
        report = json.loads(path.read_text()) if path.exists() else {}
        return Run(code, states, said, report)

    @property
    def feedback(self) -> dict[str, Any] | None:
        """The feedback file; None while there is none."""
        path = self.feedback_file
        return json.loads(path.read_text()) if path.exists() else None

    def rejects(self, stream: str = "unsubscribes") -> list[dict[str, Any]]:
        """The open rejects of a stream."""
        path = self.home / "state" / "rejects" / f"{stream}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


def fetch(database: Database, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query."""
    with contextlib.closing(database.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]


def dump(database: Database, *tables: str) -> dict[str, list[str]]:
    """All rows of the tables, as comparable text."""
    return {
        table: sorted(repr(row) for row in fetch(database, f"SELECT * FROM {table}"))
        for table in tables
    }


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
