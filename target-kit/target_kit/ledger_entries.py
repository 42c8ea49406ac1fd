"""What the ledger holds, as values: persons, dated addresses, items of the worklist. Pure.

Rooms that decide take these from here; only rooms at the edge open the ledger itself, since that
loads a database library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

_CONFIDENCE = {"cfd": "proven", "new": "reported", "ctt": "inferred"}


@dataclass(frozen=True, slots=True)
class Person:
    """Who of the source is who at the destination.

    `who` is the person's identity within the stream (`key:17`, `email:<address key>`), `contact_id`
    the technical id at the destination, `address_key` the comparison key of the address it has
    there. `provenance` says how the two were matched last: `cfd` by the key field, `ctt` by the
    address, `new` by the reply to an insert. `fingerprint` is the digest of what was wanted when
    the destination last agreed with it, `b""` while it does not. `seen_at` is aware, in UTC.
    """

    who: str
    contact_id: str
    address_key: str
    provenance: str
    fingerprint: bytes
    seen_at: datetime

    @property
    def confidence(self) -> str:
        """`proven` by the key, `reported` by a reply to an insert, `inferred` from an address."""
        return _CONFIDENCE[self.provenance]


@dataclass(frozen=True, slots=True)
class Interval:
    """From `since` until `until` a person was written to under an address (S2-14); None: still.

    `change` is the class of the change that began it, `first` for the first address seen; `policy`
    is what was done about it.
    """

    who: str
    address_key: str
    since: datetime
    until: datetime | None
    change: str
    policy: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A conflict of one `kind`, and the repair that is proposed."""

    who: str
    kind: str
    message: str
    repair: str


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A finding that is open, with when it was found first and last and how often."""

    who: str
    kind: str
    message: str
    repair: str
    first_seen: datetime
    last_seen: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Approval:
    """An operator's leave for one change of address."""

    who: str
    address_key: str
    approved_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """A membership that a target ended itself when a person's contact was given up for another,
    with the moment that the destination tells of that end (ISO 8601).
    """

    who: str
    contact_id: str
    list_id: str
    ended_at: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A field of one person that had to be written in `times` runs in a row, with the digest of the
    value: as long as the source wants that very value and the destination does not keep it.
    """

    who: str
    name: str
    value: bytes
    times: int


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about the whole scope."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Scope:
    """An account and a stream by name; their rows carry a number."""

    name: str


def succeed(
    current: Mapping[str, Interval], begun: Iterable[Interval]
) -> tuple[list[Interval], list[Interval]]:
    """What becomes of open intervals: those that end, and those that are open afterwards.

    `current` has the open interval of each person, `begun` new ones in their order (A→B→C is two).
    The same address again changes nothing. An interval never ends before it began, whatever a
    clock said.
    """
    ended: list[Interval] = []
    opened: dict[str, Interval] = {}
    for interval in begun:
        before = opened.get(interval.who) or current.get(interval.who)
        if before and before.address_key == interval.address_key:
            continue
        if before:
            ended.append(replace(before, until=max(before.since, interval.since)))
        opened[interval.who] = interval
    return ended, list(opened.values())


def see_again(
    known: Iterable[WorkItem], findings: Iterable[Finding], now: datetime
) -> list[WorkItem]:
    """The items that findings make: new ones, and open ones seen once more in today's words."""
    items = {(item.who, item.kind): item for item in known}
    seen = {}
    for each in findings:
        before = items.get((each.who, each.kind))
        seen[each.who, each.kind] = WorkItem(
            **asdict(each),
            first_seen=before.first_seen if before else now,
            last_seen=now,
            times=before.times + 1 if before else 1,
        )
    return list(seen.values())
