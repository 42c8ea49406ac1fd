"""A decision as items: one for each thing that would be written, with the rule that caused it.

Plans, guards and approvals all speak of items. Pure: names and rules only leave this module with
values that are to be hashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from target_kit.address_change import classify, is_parked
from target_kit.consent import WITHDRAWALS, Method, Status

from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.deletion import DeletePolicy
from target_activecampaign.model import Change, Contact, Existing, ListChange
from target_activecampaign.states import existing_key, state_of


class Draft(NamedTuple):
    """One thing to write: `before` and `after` are values, never shown, only hashed.

    `withdrawal` is True where somebody's consent was withdrawn: that is never stopped.
    """

    kind: str
    name: str
    rule: str
    before: str
    after: str
    withdrawal: bool = False


@dataclass(frozen=True, slots=True)
class Naming:
    """How the settings call what changes name by id: custom fields, lists and tags."""

    stream: ContactStream
    fields: Mapping[str, str]
    lists: Mapping[str, str]
    tags: Mapping[str, str]


def drafts_of(
    contact: Contact,
    existing: Existing | None,
    change: Change,
    statuses: Mapping[str, Status],
    naming: Naming,
) -> list[Draft]:
    """All that `change` writes; `statuses` are what is known of consent by the id of each list."""
    if change.retire:
        before = existing_key(existing or _NOBODY)
        return [
            Draft(
                "retire", "email", _address_rule(contact, existing, naming), before, _key(contact)
            )
        ]
    drafts = _contact(contact, existing, change, naming)
    drafts += [
        membership(contact, existing, one, statuses.get(one.list_id, Status.NONE), naming)
        for one in change.lists
    ]
    drafts += [Draft("tag_add", tag, "tags", "", tag.lower()) for tag in change.tags.add]
    removed = (*change.tags.remove, *change.tags.clean)
    names = [naming.tags.get(tag_id, tag_id) for tag_id in removed]
    drafts += [Draft("tag_remove", tag, "tags", tag.lower(), "") for tag in names]
    if change.account_id:
        before = change.account_before
        drafts.append(Draft("associate", "account", "account", before, contact.account_key))
    if change.tags.settles and naming.stream.provenance:
        drafts.append(_settling(existing or _NOBODY, naming, naming.stream.provenance.pending))
    return drafts


def membership(
    contact: Contact,
    existing: Existing | None,
    change: ListChange,
    status: Status,
    naming: Naming,
) -> Draft:
    """A membership that begins or ends, and why."""
    name = naming.lists.get(change.list_id, change.list_id)
    state = state_of(existing, change.list_id)[0]
    kind = "unsubscribe" if change.method is Method.UNSUBSCRIBE else "subscribe"
    withdrawn = kind == "unsubscribe" and status in WITHDRAWALS
    if withdrawn:
        why = "consent withdrawn"
    elif kind == "subscribe":
        why = "newer consent" if change.method is Method.RESUBSCRIBE else "consent given"
    elif contact.wants.get(name) is False:
        why = "not wanted there"
    else:
        why = "no consent for this address"
    before = f"{change.list_id} {state}"  # another list may be called so by the time of applying
    return Draft(kind, name, f"lists.{name}: {why}", before, str(change.method), withdrawn)


def deletion(contact: Contact, policy: DeletePolicy) -> Draft:
    """What becomes of a person who was deleted in the source."""
    if contact.erase:
        return Draft("delete", "", "erasure_column", "", "deleted")
    return Draft("sign_off", "", f"on_delete: {policy.on_delete}", "", policy.tag)


def _contact(
    contact: Contact, existing: Existing | None, change: Change, naming: Naming
) -> list[Draft]:
    stream, drafts = naming.stream, list[Draft]()
    if change.contact_id is None and change.touches_contact:
        drafts.append(Draft("create", "", "new at the destination", "", _key(contact)))
    elif change.email:
        rule, before = _address_rule(contact, existing, naming), existing_key(existing or _NOBODY)
        drafts.append(Draft("rename", "email", rule, before, change.email.key))
    before_attributes = existing.attributes if existing else {}
    for name, text in change.attributes.items():
        kind = "set" if text else "clear"
        before = before_attributes.get(name, "")
        drafts.append(Draft(kind, name, f"rules.{name}: {stream.rule(name)}", before, text))
    before_values = existing.values if existing else {}
    for field_id, text in change.values.items():
        name = naming.fields.get(field_id, field_id)
        kind = "set" if text else "clear"
        hidden = name in stream.hidden_fields
        rule = "key_field" if hidden else f"rules.{name}: {stream.rule(name)}"
        drafts.append(Draft(kind, name, rule, before_values.get(field_id, ""), text))
    return drafts


def _settling(existing: Existing, naming: Naming, pending: str) -> Draft:
    """The note that a tag is still due is emptied, since it is there."""
    found = (value for i, value in existing.values.items() if naming.fields.get(i) == pending)
    return Draft("settle", pending, "provenance.pending", next(found, ""), "")


def _address_rule(contact: Contact, existing: Existing | None, naming: Naming) -> str:
    if existing is None or contact.email is None:
        return "on_email_change"
    if is_parked(existing.email):
        return "on_email_change: a swap"
    kind = classify(existing.email, contact.email)
    if kind is None:
        return "on_email_change: a swap"
    return f"on_email_change.{kind}: {naming.stream.on_email_change[kind]}"


def _key(contact: Contact) -> str:
    return contact.email.key if contact.email else ""


_NOBODY = Existing("", "", {}, {})
