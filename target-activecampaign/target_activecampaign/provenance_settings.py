"""The stream option `provenance`, checked: what a record is at the source, and which tags of the
official Salesforce connector tell it at ActiveCampaign. Every fault is collected, none raised.

Default names: S4-18 to S4-20 for person accounts; for contacts and leads those of
https://help.activecampaign.com/hc/en-us/articles/360019757379.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from target_activecampaign.list_settings import TagRule


class RecordType(StrEnum):
    """What a record is at the source."""

    CONTACT = "contact"
    LEAD = "lead"
    PERSON_ACCOUNT = "person_account"


@dataclass(frozen=True, slots=True)
class TypeTags:
    """The tags of one record type: set when this target made the contact, when the record was a
    lead before, and when the record was made from a contact that ActiveCampaign had.
    """

    created: str
    lead_converted: str | None
    added: str

    @property
    def folded(self) -> frozenset[str]:
        """All of them, as names compare."""
        return frozenset(n.lower() for n in (self.created, self.lead_converted, self.added) if n)


DEFAULT_TAGS: Mapping[RecordType, TypeTags] = {
    RecordType.CONTACT: TypeTags(
        "created-from-salesforce-contact",
        "salesforce-lead-converted-to-contact",
        "added-to-salesforce-contact",
    ),
    RecordType.LEAD: TypeTags("created-from-salesforce-lead", None, "added-to-salesforce-lead"),
    RecordType.PERSON_ACCOUNT: TypeTags(
        "created-from-salesforce-person-account",
        "salesforce-lead-converted-to-person-account",
        "added-to-salesforce-person-account",
    ),
}


@dataclass(frozen=True, slots=True)
class Provenance:
    """`constant` or `column` say what a record is, `words` how the source calls each type (lower
    case). `decides` are the types for which this stream is the source of truth (S4-24). `pending`
    is the perstag of the field that keeps which created tag is still due.
    """

    constant: RecordType | None
    column: str | None
    words: Mapping[str, RecordType]
    converted_from: str | None = None
    added_when: str | None = None
    decides: frozenset[RecordType] = frozenset(RecordType)
    tags: Mapping[RecordType, TypeTags] = field(default_factory=lambda: DEFAULT_TAGS)
    pending: str = "BUBSTAGDUE"
    require_provenance_tag: bool = False
    clean_up: bool = False
    legacy_tags: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All that must be in the SCHEMA."""
        return tuple(c for c in (self.column, self.converted_from, self.added_when) if c)


def read_provenance(
    raw: Mapping[str, Any] | None,
    tag_rule: TagRule | None,
    fields: Iterable[str],
    where: str,
    faults: list[str],
) -> Provenance | None:
    """`provenance` of one stream, None without any; `tag_rule` and `fields` (perstags) are what
    other options of the stream have taken.
    """
    if not raw:
        return None
    where = f"{where}.provenance"
    said = str(raw.get("record_type") or "").strip()
    if not said:
        faults.append(f"{where}.record_type: a column, or one of {', '.join(RecordType)}")
    constant = RecordType(said) if said in tuple(RecordType) else None
    tags = _tags(raw.get("tags") or {}, where, faults)
    legacy = tuple(str(tag).strip() for tag in raw.get("legacy_tags") or ())
    faults.extend(_legacy_faults(legacy, tags, where, clean_up=bool(raw.get("clean_up"))))
    if tag_rule:
        ours = {name for one in tags.values() for name in one.folded}
        faults.extend(_foreign_faults(tag_rule, {*ours, *(t.lower() for t in legacy)}, where))
    pending = str(raw.get("pending_field") or "BUBSTAGDUE")
    if pending.upper() in {perstag.upper() for perstag in fields}:
        faults.append(f"{where}.pending_field: {pending} is another field of this stream")
    return Provenance(
        constant=constant,
        column=None if constant else said,
        words=_words(raw.get("values") or {}, where, faults),
        converted_from=_column(raw, "converted_from"),
        added_when=_column(raw, "added_when"),
        decides=_decides(raw.get("source_of_truth"), constant, where, faults),
        tags=tags,
        pending=pending,
        require_provenance_tag=bool(raw.get("require_provenance_tag")),
        clean_up=bool(raw.get("clean_up")),
        legacy_tags=legacy,
    )


def truth_faults(streams: Iterable[tuple[str, Provenance | None]]) -> list[str]:
    """Record types of which several streams would be the source of truth (S4-24)."""
    faults: list[str] = []
    first: dict[RecordType, str] = {}
    for name, provenance in streams:
        for kind in sorted(provenance.decides if provenance else ()):
            if kind in first:
                faults.append(
                    f"streams.{name}.provenance.source_of_truth: {kind} is decided by "
                    f"{first[kind]} already; name in each what it decides"
                )
            first.setdefault(kind, name)
    return faults


def _column(raw: Mapping[str, Any], name: str) -> str | None:
    return str(raw[name]) if raw.get(name) else None


def _words(raw: Mapping[str, Any], where: str, faults: list[str]) -> dict[str, RecordType]:
    words = {kind.value: kind for kind in RecordType}
    for name, given in raw.items():
        if name not in tuple(RecordType):
            faults.append(f"{where}.values.{name}: one of {', '.join(RecordType)}")
            continue
        for word in given if isinstance(given, list) else [given]:
            folded = str(word).strip().lower()
            if not folded:
                faults.append(f"{where}.values.{name}: holds a blank")
            elif words.setdefault(folded, RecordType(name)) != name:
                faults.append(f"{where}.values: {folded} means two record types")
    return words


def _tags(raw: Mapping[str, Any], where: str, faults: list[str]) -> dict[RecordType, TypeTags]:
    tags = dict(DEFAULT_TAGS)
    for name, given in raw.items():
        if name not in tuple(RecordType):
            faults.append(f"{where}.tags.{name}: one of {', '.join(RecordType)}")
            continue
        kind = RecordType(name)
        texts = {event: str(text or "").strip() for event, text in given.items()}
        known = [e for e in ("created", "lead_converted", "added") if getattr(tags[kind], e)]
        faults.extend(
            f"{where}.tags.{name}.{event}: one of {', '.join(known)}, not blank"
            for event, text in texts.items()
            if event not in known or not text
        )
        wanted = {event: texts.get(event) or getattr(tags[kind], event) for event in known}
        tags[kind] = TypeTags(wanted["created"], wanted.get("lead_converted"), wanted["added"])
    seen: set[str] = set()
    for kind, one in tags.items():
        if seen & one.folded:
            faults.append(f"{where}.tags.{kind}: a tag can't stand for two record types")
        seen |= one.folded
    return tags


def _decides(
    raw: Any, constant: RecordType | None, where: str, faults: list[str]
) -> frozenset[RecordType]:
    if raw is None:
        return frozenset([constant] if constant else RecordType)
    named = [str(kind) for kind in raw]
    unknown = [kind for kind in named if kind not in tuple(RecordType)]
    faults.extend(
        f"{where}.source_of_truth: {k} is none of {', '.join(RecordType)}" for k in unknown
    )
    return frozenset(RecordType(kind) for kind in named if kind not in unknown)


def _legacy_faults(
    legacy: tuple[str, ...], tags: Mapping[RecordType, TypeTags], where: str, *, clean_up: bool
) -> list[str]:
    """What clean-up must not be told: nothing, blanks, and the tags it waits for (S4-28)."""
    faults = [f"{where}.clean_up: needs legacy_tags"] if clean_up and not legacy else []
    if not all(legacy):
        faults.append(f"{where}.legacy_tags: holds a blank")
    kept = tags[RecordType.PERSON_ACCOUNT].folded
    faults.extend(
        f"{where}.legacy_tags: {tag} is a tag of person accounts and never cleaned up"
        for tag in legacy
        if tag.lower() in kept
    )
    return faults


def _foreign_faults(rule: TagRule, ours: set[str], where: str) -> list[str]:
    """Tags that the option `tags` would set or remove as well: two owners would undo each other."""
    named = {tag.lower() for tag in (*rule.add, *rule.remove)}
    return [
        f"{where}: {tag} is set or removed by the option tags too"
        for tag in sorted(ours)
        if tag in named or (rule.owned_prefixes and rule.owns(tag))
    ]
