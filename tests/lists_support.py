"""Runs target-optimizely for real, and the vocabulary of its tests: rows, markers, lists."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from simulators_support import Simulator
from target_support import Run, Target

REGULAR, OPTIN = 120000000001, 120000000002
STREAM = "newsletter_recipients"
COLUMNS = (
    "email", "given_name", "family_name", "org_country", "consent", "optin_id", "description",
    "media_type", "entity_type", "ctt_id",
)  # fmt: skip
SCHEMA_PROPERTIES = {
    name: {"type": ["string", "integer", "number", "boolean", "null"]} for name in COLUMNS
}
LIST: dict[str, Any] = {
    "list_id": REGULAR,
    "consent": "newsletter",
    "consent_column": "consent",
    "recipient_id": "email",
    "email": "email",
    "attributes": {"Vorname": "given_name", "Nachname": "family_name", "Land": "org_country"},
    "technical": {
        "opt-in-id": "optin_id",
        "description": "description",
        "media-type": "media_type",
        "entity-type": "entity_type",
        "entity-id": "ctt_id",
    },
}


def schema(stream: str = STREAM, **properties: Any) -> dict[str, Any]:
    """A SCHEMA message of the selection."""
    whole = {"type": "object", "properties": {**SCHEMA_PROPERTIES, **properties}}
    return {"type": "SCHEMA", "stream": stream, "schema": whole, "key_properties": []}


def row(key: int, stream: str = STREAM, **more: Any) -> dict[str, Any]:
    """A RECORD of the selection."""
    data = {
        "email": f"person{key}@example.com",
        "given_name": f"Given{key}",
        "family_name": f"Family{key}",
        "org_country": "CH",
        "consent": "newsletter",
        "optin_id": f"optin-{key}",
        "description": "newsletter",
        "media_type": "email",
        "entity_type": "contact",
        "ctt_id": key,
        **more,
    }
    return {"type": "RECORD", "stream": stream, "record": data}


def marker(counts: dict[str, int], version: int = 1) -> dict[str, Any]:
    """The last STATE of a tap that read everything."""
    return {
        "type": "STATE",
        "value": {"bookmarks": {}, "sync_complete": {"version": version, "counts": counts}},
    }


def selection(
    rows: Sequence[dict[str, Any]], stream: str = STREAM, **properties: Any
) -> list[dict[str, Any]]:
    """A whole input: SCHEMA, rows, marker."""
    return [schema(stream, **properties), *rows, marker({stream: len(rows)})]


class ListTarget(Target):
    """target-optimizely with one configuration and one state directory."""

    def __init__(self, home: Path, url: str, **config: Any) -> None:
        super().__init__(home, f"{url}/soap11")
        one = config.pop("list", {})
        self.config = {
            "api_url": f"{url}/soap11",
            "mandator_id": 1234,
            "username": "sim-user",
            "password": "sim-password",
            "state_dir": str(home / "state"),
            "report_file": str(home / "report.json"),
            "lists": {STREAM: {**LIST, **one}},
            **config,
        }

    def command(self, **more: Any) -> list[str]:
        """The command line, with the configuration written to a file."""
        path = self.home / "config.json"
        path.write_text(json.dumps({**self.config, **more}))
        executable = Path(sys.executable).parent / "target-optimizely"
        return [str(executable), "--config", str(path)]

    def transfer(self, rows: Sequence[dict[str, Any]], **more: Any) -> Run:
        """Deliver a whole selection."""
        return self.run(selection(rows), **more)

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """Who is not in the list, and why."""
        path = self.home / "state" / "left_out" / f"{STREAM}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()]


def the_list(sim: Simulator, list_id: int = REGULAR) -> dict[str, Any]:
    """A list of client 1234 as the simulator holds it, recipients in stored order."""
    lists = sim.state()["clients"]["1234"]["lists"]
    return next(one for one in lists if one["id"] == list_id)


def recipients(sim: Simulator, list_id: int = REGULAR) -> dict[str, dict[str, Any]]:
    """What a list holds, by recipient id."""
    return {one["id"]: one for one in the_list(sim, list_id)["recipients"]}


def ids(keys: Iterable[int]) -> set[str]:
    """Recipient ids of `row(key)`."""
    return {f"person{key}@example.com" for key in keys}
