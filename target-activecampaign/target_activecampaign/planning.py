"""The difference between wanted and existing, as data. Pure: no call is made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from target_kit.address import Address
from target_kit.address_change import ChangeClass, ChangePolicy, classify, is_parked
from target_kit.errors import RowError

from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.encoding import encode, is_blank, same
from target_activecampaign.model import FORMER, Change, Contact, Existing, Field, FieldProblem, Rule

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


@dataclass(frozen=True, slots=True)
class AddressPlan:
    """What becomes of a contact's address: `rename` it, sign the contact off for another one
    (`retire`), or let the change wait (`held`).
    """

    rename: Address | None = None
    retire: bool = False
    held: bool = False


def plan_address(
    contact: Contact,
    existing: Existing,
    stream: ContactStream,
    *,
    holder: str | None,
    free: bool = True,
    leave: bool = False,
) -> AddressPlan:
    """What the policy for this kind of change says (S2-2).

    `holder` is the id of the contact that has the wanted address now, `free` whether another
    contact may be given up for it: its key field is blank, or says that it was this person's.
    `leave` is True when somebody approved this very change, or proved consent for the address.
    Raises RowError `address_taken` (S0-36, S2-29).
    """
    if contact.email is None or stream.rule("email") is not Rule.ALWAYS:
        return AddressPlan()
    kind = classify(existing.email, contact.email)
    if kind is None:
        return AddressPlan()
    policy = stream.on_email_change[kind]
    if is_parked(existing.email):  # in the middle of a swap: decided when that began
        policy = ChangePolicy.RENAME
    if policy is ChangePolicy.HOLD and not leave:
        return AddressPlan(held=True)
    if kind is ChangeClass.CASE_ONLY:  # one mailbox: the form shown there stays (S0-26)
        return AddressPlan()
    retire = policy is ChangePolicy.RESUBSCRIBE
    if holder not in (None, existing.id) and not (retire and free):
        raise RowError(
            "address_taken",
            "the new address already belongs to another contact; nothing was changed",
            field="email",
        )
    return AddressPlan(retire=True) if retire else AddressPlan(rename=contact.email)


def plan_update(
    contact: Contact,
    existing: Existing,
    stream: ContactStream,
    fields: Mapping[str, Field],
    address: AddressPlan = AddressPlan(),
) -> Change:
    """What must change on a known contact; empty when it already agrees (S0-34).

    `fields` are the account's custom fields by perstag.
    """
    attributes = {
        name: text
        for name, text in contact.attributes.items()
        if _due(stream.rule(name), existing.attributes.get(name, ""))
        and text != existing.attributes.get(name, "").strip()
    }
    values, problems = _values(contact, existing, stream, fields)
    return Change(existing.id, address.rename, attributes, values, problems, held=address.held)


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
    kept = stored.get(key_field.id, "").strip()
    if contact.key_text and (not kept or kept.startswith(FORMER)):
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
        if (text or clears) and not same(field, before, text):
            values[field.id] = text
    return values, tuple(problems)


def _due(rule: Rule, before: str) -> bool:
    """True when the rule lets an existing value `before` be written over."""
    return rule is Rule.ALWAYS or (rule is Rule.IF_EMPTY and not before.strip())
