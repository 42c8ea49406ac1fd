"""What is known of one person, in words: pure, for `explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from target_kit.commands import DAY
from target_kit.ledger_entries import Interval, Person, WorkItem
from target_kit.plan import Entry, Forecast
from target_kit.rejects import Reject

from target_activecampaign.model import Existing
from target_activecampaign.states import state_of

#: How a record was matched, as the report names it (S0-20).
MATCHED = {
    "cfd": "by its backoffice key in the key field",
    "ctt": "by its address",
    "new": "with nobody: it would be created",
}


@dataclass
class Known:
    """Everything about one person in one stream; what could not be found out is absent."""

    stream: str
    key: str
    person: Person | None = None
    intervals: Sequence[Interval] = ()
    items: Sequence[WorkItem] = ()
    rejects: Sequence[Reject] = ()
    existing: Sequence[Existing] = ()
    lists: Mapping[str, str] = field(default_factory=dict)  # names by id
    tags: Mapping[str, str] = field(default_factory=dict)  # names by id
    deleted: bool = False
    forgotten: bool = False
    planned: Planned | None = None
    with_addresses: bool = False


@dataclass
class Planned:
    """What the next run would do with the record it was given; `entry` None for nothing."""

    matched_by: Mapping[str, int]
    causes: Mapping[str, int]
    entry: Entry | None
    forecast: Forecast


def explained(known: Known) -> Iterator[str]:
    """Line by line."""
    yield f"{known.stream}, key {known.key}"
    yield from _there(known)
    yield from _remembered(known)
    yield from _open(known)
    yield from _planned(known.planned)


def _there(known: Known) -> Iterator[str]:
    if not known.existing:
        yield "  ActiveCampaign: no contact carries this key"
    if len(known.existing) > 1:
        yield f"  ActiveCampaign: {len(known.existing)} contacts carry this key: none is written"
    for one in known.existing:
        shown = f", {one.email}" if known.with_addresses else ""
        yield f"  ActiveCampaign: contact {one.id}{shown}"
        for list_id in one.lists or {}:
            state, ended = state_of(one, list_id)
            since = f" since {ended.strftime(DAY)}" if ended else ""
            yield f"    list {known.lists.get(list_id, list_id)}: {state}{since}"
        names = sorted(known.tags.get(tag, tag) for tag in one.tags or {})
        if names:
            yield f"    tags: {', '.join(names)}"
        if one.bounces:
            yield f"    hard bounces: {one.bounces}"


def _remembered(known: Known) -> Iterator[str]:
    if known.forgotten:
        yield "  forgotten here (forget): rows of this person are left out, cause forgotten"
    if known.deleted:
        yield "  deleted in the source: late rows of this person are left out, cause deleted_before"
    person = known.person
    if person is None:
        yield "  ledger: not seen yet"
        return
    how = MATCHED.get(person.provenance, person.provenance)
    yield f"  ledger: contact {person.contact_id}, last matched {how}"
    for one in known.intervals:
        until = one.until.strftime(DAY) if one.until else "now"
        where = one.address_key if known.with_addresses else "an address"
        what = f"{one.change} {one.policy}".strip()
        yield f"    {where}: {one.since.strftime(DAY)} to {until}  {what}"


def _open(known: Known) -> Iterator[str]:
    for item in known.items:
        yield f"  worklist: {item.kind} since {item.first_seen.strftime(DAY)}: {item.message}"
        yield f"    {item.repair}"
    for reject in known.rejects:
        about = f" ({reject.field})" if reject.field else ""
        yield f"  open reject: {reject.cause}{about} in step {reject.step}, {reject.tries} tries"
        yield f"    {reject.message}"


def _planned(planned: Planned | None) -> Iterator[str]:
    if planned is None:
        yield "  next run: no record to go by; give one with --input"
        return
    for name in planned.matched_by:
        yield f"  next run: matched {MATCHED.get(name, name)}"
    for cause in planned.causes:
        outcome, _, word = cause.partition(":")
        yield f"  next run: {outcome}, {word.replace(':', ': ')}"
    entry = planned.entry
    if entry is None or not entry.items:
        yield "  next run: writes nothing"
        return
    yield f"  next run: {entry.action}"
    for item in entry.items:
        yield f"    {item.words}"
    calls = ", ".join(f"{number} x {route}" for route, number in planned.forecast.calls.items())
    yield f"    calls, look-ups included: {calls}"
