"""Streams of accounts in tests: their messages, and what the simulator holds afterwards."""

from __future__ import annotations

import json
from typing import Any

from simulators_api import Api
from simulators_support import Simulator
from target_support import Run, Target

STREAM: dict[str, Any] = {
    "object": "account",
    "key": "org_id",
    "key_field": "BUBSACTID",
    "fields": {"name": "org_name", "accountUrl": "website"},
}
COLUMNS: dict[str, Any] = {
    "org_id": {"type": ["integer", "null"]},
    "org_name": {"type": ["string", "null"]},
    "website": {"type": ["string", "null"]},
}
#: What a run of accounts may call besides reading.
ALLOWED_WRITES = {
    ("POST", "/accounts"),
    ("PUT", "/accounts/{id}"),
    ("POST", "/accountCustomFieldMeta"),
    ("POST", "/accountCustomFieldData"),
    ("PUT", "/accountCustomFieldData/{id}"),
    ("DELETE", "/accountCustomFieldData/{id}"),
}


def streams(custom: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """The setting `streams` with one stream of accounts."""
    return {"companies": {**STREAM, "custom_fields": custom or {}, **options}}


def schema(**columns: Any) -> dict[str, Any]:
    """A SCHEMA message of the default columns plus `columns`."""
    whole = {"type": "object", "properties": {**COLUMNS, **columns}}
    return {"type": "SCHEMA", "stream": "companies", "schema": whole, "key_properties": []}


def company(org_id: int | None, name: str | None = None, **more: Any) -> dict[str, Any]:
    """A RECORD message; the name defaults to one made of the key."""
    data = {"org_id": org_id, "org_name": f"Company {org_id}" if name is None else name, **more}
    return {"type": "RECORD", "stream": "companies", "record": data}


def deliver(target: Target, *rows: dict[str, Any], **columns: Any) -> Run:
    """SCHEMA, the rows, one STATE."""
    end = {"type": "STATE", "value": {"bookmarks": {"companies": {"replication_key_value": 1}}}}
    return target.run([schema(**columns), *rows, end])


def meta(api: Api, label: str, kind: str = "text", **more: Any) -> int:
    """Make an account custom field; its id."""
    body = {"accountCustomFieldMetum": {"fieldLabel": label, "fieldType": kind, **more}}
    answer = api.post("accountCustomFieldMeta", body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["accountCustomFieldMetum"]["id"])


def make_account(api: Api, name: str, fields: dict[int, Any] | None = None, **more: Any) -> str:
    """Make an account with values by field id; its id."""
    entries = [{"customFieldId": i, "fieldValue": value} for i, value in (fields or {}).items()]
    answer = api.post("accounts", {"account": {"name": name, "fields": entries, **more}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["account"]["id"])


def accounts(sim: Simulator) -> dict[str, dict[str, Any]]:
    """The accounts by name: id, url and values by label."""
    held = sim.state()
    labels = {row["id"]: row["fieldLabel"] for row in held["accountCustomFieldMeta"]}
    found = {
        row["name"]: {"id": row["id"], "url": row.get("accountUrl"), "values": {}}
        for row in held["accounts"]
    }
    by_id = {account["id"]: account for account in found.values()}
    for row in held["accountCustomFieldData"]:
        label = labels[str(row["customFieldId"])]
        values = by_id[str(row["accountId"])]["values"]
        assert label not in values, "two values of one field"
        values[label] = row["fieldValue"]
    return found


def rejects(target: Target) -> list[dict[str, Any]]:
    """The open rejects of the stream."""
    path = target.home / "state" / "rejects" / "companies.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]
