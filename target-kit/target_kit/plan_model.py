"""What a plan says: an entry for each record, items for what would be written, their words. Pure.

Nothing here can hold an address or a value: persons and values are keyed hashes, names are those
of the settings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

#: So many entries are shown to people; the numbers are always those of all.
SHOWN = 1_000
#: The order in which people read them; what is not here comes after, by name.
ACTIONS = {
    "create": "would be created",
    "add": "would be put on the list",
    "update": "would be changed",
    "unsubscribe": "would be unsubscribed",
    "remove": "would be taken off the list",
    "delete": "would be deleted for good",
    "suppress": "would be left out (suppressed)",
    "hold": "would be held back",
    "reject": "would be rejected",
    "nothing": "need nothing",
}
# What is not here has its own name for its word.
_KINDS = {
    "clear": "empty",
    "rename": "change the address",
    "add": "put on list",
    "remove": "take off list",
    "subscribe": "subscribe to list",
    "unsubscribe": "unsubscribe from list",
    "tag_add": "add tag",
    "tag": "add tag",
    "tag_remove": "remove tag",
    "associate": "connect with account",
    "settle": "note as tagged in",
    "delete": "delete for good",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that would be written for one record.

    `kind`: create, set, clear, rename, subscribe, unsubscribe, tag_add, tag_remove, ... `name`: the
    attribute, custom field, list or tag as in the settings, or "". `rule`: what caused it, in the
    settings' terms (`rules.firstName: always`). `digest`: see `Digests.item`. `withdrawal`: consent
    was withdrawn, so no guard stops it.
    """

    kind: str
    name: str
    rule: str
    digest: str
    withdrawal: bool = False

    @property
    def words(self) -> str:
        """As people read it: `set firstName (rules.firstName: always)`."""
        said = " ".join(one for one in (_KINDS.get(self.kind, self.kind), self.name) if one)
        exempt = "no guard stops it" if self.withdrawal else ""
        why = "; ".join(one for one in (self.rule, exempt) if one)
        return f"{said} ({why})" if why else said


@dataclass(frozen=True, slots=True)
class Entry:
    """What would happen to one record.

    `who` is `Digests.who` of the identity, `key` the backoffice key (None for a row without one),
    `action` one of `ACTIONS`, `cause` the fixed word of a reject, hold, suppression or kept wish.
    """

    stream: str
    who: str
    key: str | None
    action: str
    items: tuple[Item, ...] = ()
    cause: str = ""

    @property
    def name(self) -> str:
        """How the record is called in front of people."""
        return self.key if self.key is not None else f"a row without key ({self.who[:8]})"


@dataclass(slots=True)
class Forecast:
    """The calls that carrying out the plan takes, per route as in the report.

    `seconds` is their time at `requests_per_second`; 0 where there is no limit.
    """

    calls: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    requests_per_second: float = 0.0
    seconds: float = 0.0

    @classmethod
    def of(cls, calls: Mapping[str, int], writes: int, requests_per_second: float) -> Self:
        """From the calls that were counted, `writes` of them writing."""
        number = sum(calls.values())
        seconds = number / requests_per_second if requests_per_second else 0.0
        return cls(dict(calls), number - writes, writes, requests_per_second, seconds)

    @property
    def words(self) -> str:
        """As people read it."""
        said = f"{sum(self.calls.values()):,} calls: {self.reads:,} reads, {self.writes:,} writes"
        if not self.requests_per_second:
            return said
        long = "less than a minute"
        if self.seconds >= 60:
            long = f"about {self.seconds / 60:,.0f} minutes"
        return f"{said}; {long} at {self.requests_per_second:g} requests/s"


@dataclass(slots=True)
class PlanHeader:
    """What holds for the whole plan.

    `account` is the host only, `settings` a digest of the settings, `streams` counts records by
    action (`nothing` too), `guards` are those that would say no (`Tripped.as_dict`), `notes` what
    else would be made (a custom field, a tag). `made_by` stands for the key of the hashes.
    """

    target: str
    version: str
    created_at: str
    account: str
    settings: str
    streams: dict[str, dict[str, int]] = field(default_factory=dict)
    forecast: Forecast = field(default_factory=Forecast)
    guards: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    made_by: str = ""

    @property
    def actions(self) -> list[str]:
        """Those that some stream counts, in the order of `ACTIONS`."""
        found = {action for counts in self.streams.values() for action in counts}
        return [one for one in ACTIONS if one in found] + sorted(found - set(ACTIONS))

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What, when, where."""
        return [
            ("Target", f"{self.target} {self.version}"),
            ("Account", self.account),
            ("Made at", self.created_at),
            ("Settings", self.settings),
        ]


@dataclass(slots=True)
class Overview:
    """The numbers of all entries, and the first `SHOWN` of them.

    `changes` counts items by (stream, words), `causes` entries by (stream, action, cause).
    """

    shown: list[Entry] = field(default_factory=list)
    number: int = 0
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    causes: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def count(self, entry: Entry) -> None:
        """One more entry."""
        self.number += 1
        if len(self.shown) < SHOWN:
            self.shown.append(entry)
        self.changes.update((entry.stream, item.words) for item in entry.items)
        if entry.cause:
            self.causes[entry.stream, entry.action, entry.cause] += 1

    @property
    def left_out(self) -> str:
        """Says that not all entries are shown; "" if all are."""
        rest = self.number - len(self.shown)
        said = f"These are the first {len(self.shown):,}; {rest:,} more are in the plan file."
        return said if rest else ""
