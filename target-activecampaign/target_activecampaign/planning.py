"""The difference between wanted and existing, as data. Pure: no call is made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from target_kit.errors import RowError

from target_activecampaign.encoding import encode, is_blank, same
from target_activecampaign.model import Change, Contact, Existing, Field, FieldProblem, Rule
from target_activecampaign.settings import ContactStream

PAGE = 100  # rows a list call returns at most (docs: pagination)


@dataclass(frozen=True, slots=True)
class Reads:
    """How the existing contacts are read, and why: shown in the report."""

    strategy: str  # "crawl" or "point"
    because: str

    def as_dict(self) -> dict[str, str]:
        """For the report."""
        return {"strategy": self.strategy, "because": self.because}


def choose_reads(setting: str, records: int, total: int) -> Reads:
    """Few records against many contacts: look each up; else read all pages in id order.

    A look-up costs about two calls a record (key field, then address) plus one per 100 contacts;
    a crawl one call per 100 contacts of the account.
    """
    point = 2 * records + ceil(records / PAGE)
    crawl = ceil(total / PAGE) + 1
    numbers = f"{records} records: about {point} look-ups against {crawl} pages"
    if setting != "auto":
        return Reads(setting, f"configured; {numbers}")
    return Reads("point" if point < crawl else "crawl", numbers)


def plan_update(
    contact: Contact,
    existing: Existing,
    stream: ContactStream,
    fields: Mapping[str, Field],
    *,
    address_holder: str | None,
) -> Change:
    """What must change on a known contact; empty when it already agrees (S0-34).

    `fields` are the account's custom fields by perstag; `address_holder` is the id of the contact
    that has the wanted address now, if any. Raises RowError `address_taken` (S0-36).
    """
    email = None
    if contact.email and stream.rule("email") is Rule.ALWAYS:
        if address_holder not in (None, existing.id):
            raise RowError(
                "address_taken",
                "the new address already belongs to another contact; nothing was changed",
                field="email",
            )
        if address_holder is None:
            email = contact.email
    attributes = {
        name: text
        for name, text in contact.attributes.items()
        if _due(stream.rule(name), existing.attributes.get(name, ""))
        and text != existing.attributes.get(name, "").strip()
    }
    values, problems = _values(contact, existing, stream, fields)
    return Change(existing.id, email, attributes, values, problems)


def plan_create(contact: Contact, stream: ContactStream, fields: Mapping[str, Field]) -> Change:
    """Everything a new contact gets, `cdate` included (S0-41); its address is not None."""
    values, problems = _values(contact, None, stream, fields)
    attributes = {name: text for name, text in contact.attributes.items() if text}
    return Change(None, contact.email, attributes, values, problems)


def _values(
    contact: Contact, existing: Existing | None, stream: ContactStream, fields: Mapping[str, Field]
) -> tuple[dict[str, str], tuple[FieldProblem, ...]]:
    """Encoded values by field id that differ from what is stored (S0-53), and what can't be."""
    values: dict[str, str] = {}
    problems: list[FieldProblem] = []
    stored = existing.values if existing else {}
    key_field = fields[stream.key_field]
    if contact.key_text and not stored.get(key_field.id, "").strip():
        values[key_field.id] = contact.key_text  # S0-49
    for perstag, raw in contact.values.items():
        field = fields[perstag]
        before = "" if is_blank(field, stored.get(field.id, "")) else stored[field.id]
        if existing and not _due(stream.rule(perstag), before):
            continue
        try:
            text = encode(raw, field)
        except RowError as error:
            problems.append(FieldProblem(perstag, error.cause, error.message))
            continue
        clears = stream.clears or raw is False  # a box no longer ticked
        if (text or (before and clears)) and not same(field, before, text):
            values[field.id] = text
    return values, tuple(problems)


def _due(rule: Rule, before: str) -> bool:
    """True when the rule lets an existing value `before` be written over."""
    return rule is Rule.ALWAYS or (rule is Rule.IF_EMPTY and not before.strip())
