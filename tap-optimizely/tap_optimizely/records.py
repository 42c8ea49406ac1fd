"""A row of an export, file or listing → a record: technical columns, key, who it belongs to. Pure.

Every record has the same technical columns, so one loader serves all sources. What a row does not
tell stays null; nothing is looked up and nothing guessed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import typing as t
from collections.abc import Callable, Mapping, Sequence

from tap_optimizely.errors import LayoutError
from tap_optimizely.layouts import TIME_NAMES
from tap_optimizely.timestamps import to_text

Record = dict[str, t.Any]
Row = tuple[str | None, ...]
ReadTime = Callable[[str], dt.datetime]

KEY = "event_key"
# What a row may tell about whom it concerns; roles in a map of columns.
IDENTITY = ("recipient_id", "list_id", "mailing_id", "entity_type", "entity_id", "opt_in_id")
# What makes an event the same one, however often and from wherever it is read.
NATURAL = (*IDENTITY, "kind", "category", "link_id", "url", "pattern", "event_time")
_IDENTIFYING = ("recipient_id", "entity_id", "mailing_id", "link_id", "url", "pattern")
# What settings make of a row: no part of a key.
_JUDGED = {"assigned", "scope", "bounced_out", "ends_consent"}
# The first of these that an export has tells whether a row can still be assigned (S1-38).
_ASSIGNING = ("entity_id", "list_id", "recipient_id")

_FIXED: dict[str, t.Any] = {
    KEY: {
        "type": "string",
        "maxLength": 64,
        "description": "Digest of the columns that make the event.",
    },
    "source": {"type": "string", "description": "rest, closed_loop or csv."},
    "export": {"type": ["string", "null"], "description": "Export of the closed loop."},
    "client_id": {"type": "string", "description": "Client (mandator)."},
    **{name: {"type": ["string", "null"]} for name in IDENTITY},
    "assigned": {"type": "boolean", "description": "Whether the row tells whom it belongs to."},
    "event_time": {"type": ["string", "null"], "format": "date-time"},
}
# Columns that a stream has besides.
_OF_STREAM: dict[str, dict[str, t.Any]] = {
    "unsubscribes": {
        "scope": {"type": ["string", "null"], "description": "list, client, or unknown."},
        "reason": {"type": ["string", "null"]},
        "media_type": {"type": ["string", "null"]},
    },
    "bounces": {
        "kind": {"type": ["string", "null"], "description": "out, hard, soft or other."},
        "category": {"type": ["string", "null"]},
        "bounced_out": {"type": "boolean", "description": "No mail to this address any more."},
        "ends_consent": {"type": "boolean"},
    },
    "opens": {"campaign_id": {"type": ["string", "null"]}},
    "clicks": {"campaign_id": {"type": ["string", "null"]}},
    "blocklist": {
        "pattern": {"type": ["string", "null"]},
        "reason": {"type": ["string", "null"]},
        "modified": {"type": ["string", "null"], "format": "date-time"},
    },
}


def schema(stream: str, columns: t.Iterable[str]) -> dict[str, t.Any]:
    """The JSON Schema of a stream; `columns` are what its exports have."""
    properties = {**_FIXED, **_OF_STREAM.get(stream, {})}
    for name in columns:
        is_time = name in TIME_NAMES
        plain: dict[str, t.Any] = {"type": ["string", "null"]}
        properties.setdefault(name, plain | ({"format": "date-time"} if is_time else {}))
    return {"type": "object", "properties": properties, "required": [KEY]}


def fallback_names(width: int) -> tuple[str, ...]:
    """Names of columns that nobody named."""
    return tuple(f"col_{number}" for number in range(width))


def normal(cells: Sequence[object]) -> Row:
    """A row as text; what is empty is null, as the vendor may write either."""
    return tuple(None if cell is None or cell == "" else str(cell) for cell in cells)


def named(names: Sequence[str], row: Row, read_time: ReadTime, where: str) -> Record:
    """Give the cells their names; times become ISO 8601 in UTC.

    Raises:
        LayoutError: a time is not in the agreed format; `where` names export and row.
    """
    record: Record = dict(zip(names, row, strict=True))
    for name in TIME_NAMES & record.keys():
        if record[name] is not None:
            record[name] = _time(record[name], read_time, f"{where}, column {name}")
    return record


def _time(value: str, read_time: ReadTime, where: str) -> str:
    try:
        return to_text(read_time(value))
    except ValueError:
        pass  # its text quotes the value
    raise LayoutError(f"{where}: the time is not in the agreed format; see timestamp_formats")


def complete(
    record: Mapping[str, t.Any],
    *,
    stream: str,
    source: str,
    export: str | None,
    client_id: int,
    columns: t.Container[str],
) -> Record:
    """Add the technical columns; `columns` are those the source has at all."""
    full: Record = {
        KEY: "",
        "source": source,
        "export": export,
        "client_id": str(client_id),
        **dict.fromkeys(_OF_STREAM.get(stream, ())),
        **dict.fromkeys(IDENTITY),
        "assigned": is_assigned(record, columns),
        "event_time": None,
        **record,
    }
    full[KEY] = event_key(stream, full)
    return full


def is_assigned(record: Mapping[str, t.Any], columns: t.Container[str]) -> bool:
    """Say whether the row itself tells whom it belongs to (S1-38).

    The closed loop recycles its lists, and then the fields of a list that came with a response are
    empty for ever. The most telling column that the export has decides; others are no substitute.
    """
    telling = next((name for name in _ASSIGNING if name in columns), None)
    return telling is not None and record.get(telling) is not None


def event_key(stream: str, record: Mapping[str, t.Any]) -> str:
    """The natural key as one text: SHA-256 of stream, client and what makes the event.

    Where nothing in it identifies an event, the whole row counts.
    """
    names: t.Iterable[str] = NATURAL
    if all(record.get(name) is None for name in _IDENTIFYING):
        names = record.keys() - _JUDGED - {KEY}
    natural = {name: record[name] for name in names if record.get(name) is not None}
    told = json.dumps([stream, record["client_id"], natural], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(told.encode()).hexdigest()
