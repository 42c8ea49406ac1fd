"""How something that happened becomes a line of an export file: which columns, which spelling.

No layout is published; it is agreed with the vendor's support for each client, who can add fields
of the recipient list to any stream (integration guide, 4413192163725). So the layouts are switches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from api_simulators.optimizely.export_files import ExportRow

Fact = str | float | None
FieldOf = Callable[[str, str, str], str | None]

LAYOUTS: dict[str, str] = {
    "unsubscribes": "recipient_id,list_id,time",
    "mailing_unsubscribes": "recipient_id,mailing_id,time",
    "outbounces": "recipient_id",
    "responses": "recipient_id,list_id,mailing_id,category,time",
    "opens": "recipient_id,list_id,mailing_id,time",
    "clicks": "recipient_id,list_id,mailing_id,link_id,time",
    "recipients": "recipient_id,list_id,mailing_id,time",
    "mailings": "mailing_id,name,started,finished",
    "links": "link_id,mailing_id,name,url",
}
TIME_FORMATS = ("iso", "german", "epoch_ms")


@dataclass(slots=True, frozen=True)
class Happening:
    """One thing to tell: its facts by column name, times as seconds since 1970.

    `dispatched` is when the mailing it belongs to was sent, None for what never grows too old.
    """

    stream: str
    time: float
    facts: dict[str, Fact]
    dispatched: float | None = None


def names(layout: str) -> tuple[str, ...]:
    """Split a layout as a switch has it: column names with commas between."""
    return tuple(name.strip() for name in layout.split(","))


def is_layout(layout: object) -> bool:
    """Say whether the text names at least one column and leaves none unnamed."""
    return all(names(str(layout)))


@dataclass(slots=True, frozen=True)
class Spelling:
    """How cells are written: which columns, times in which form and zone, and what is missing."""

    columns: tuple[str, ...]
    time_format: str
    zone: str
    null: str | None


def line(happening: Happening, spelling: Spelling, look: FieldOf) -> ExportRow:
    """Write one line; what is no fact is looked up as a field of the recipient in the list.

    A list that is gone (recycled) or a field nobody filled leaves the spelling's `null`.
    """
    facts = happening.facts
    owner = (str(facts.get("list_id") or ""), str(facts.get("recipient_id") or ""))
    cells = []
    for name in spelling.columns:
        value = facts.get(name)
        if isinstance(value, float):
            value = stamp(value, spelling.time_format, spelling.zone)
        elif value is None:
            value = look(*owner, name)
        cells.append(spelling.null if value is None else value)
    return ExportRow(tuple(cells), happening.dispatched)


def stamp(seconds: float, time_format: str, zone: str) -> str:
    """Write a time as `iso` with the zone's offset, `german` without one, or milliseconds."""
    if time_format == "epoch_ms":
        return str(int(seconds * 1000))
    moment = datetime.fromtimestamp(int(seconds), ZoneInfo(zone))
    return moment.isoformat() if time_format == "iso" else moment.strftime("%d.%m.%Y %H:%M:%S")
