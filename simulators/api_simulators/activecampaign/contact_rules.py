"""What may be written to a contact, and how: addresses, attributes, inline field values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from api_simulators.activecampaign import errors, stamps
from api_simulators.activecampaign.call import Call, entries, text
from api_simulators.activecampaign.model import Contact, FieldValue
from api_simulators.activecampaign.store import Store
from api_simulators.activecampaign.value_rules import check_value, stored_form

STRICT = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
AT_SIGN = re.compile(r".+@.+", re.DOTALL)
RESERVED = frozenset({"invalid", "test", "example", "localhost"})
ATTRIBUTES = {"firstName": "first_name", "lastName": "last_name", "phone": "phone"}


@dataclass(slots=True)
class Change:
    """A checked write: nothing in it can fail any more."""

    attributes: dict[str, str] = field(default_factory=dict)
    values: list[tuple[int, str]] = field(default_factory=list)
    cdate: float | None = None


def address(call: Call, given: Any) -> str:
    """Return the address as it will be stored; raises 422 email_invalid."""
    email = text(given)
    if call.switches["email_trim"]:
        email = email.strip()
    mode = call.switches["email_validation"]
    pattern = {"at_sign": AT_SIGN, "strict": STRICT}.get(mode)
    if pattern is not None and not pattern.fullmatch(email):
        raise errors.email_invalid()
    top = email.rpartition(".")[2].casefold()
    if top in RESERVED and not call.switches["email_reserved_domains"]:
        raise errors.email_invalid()
    return email.lower() if call.switches["email_case"] == "lower" else email


def owner_of(call: Call, email: str) -> Contact | None:
    """Return the contact that has this address, by the account's idea of sameness."""
    held = [call.store.contacts.rows[number] for number in call.store.emails.ids(email.casefold())]
    if not call.switches["email_unique_ignores_case"]:
        held = [contact for contact in held if contact.email == email]
    return held[0] if held and email else None


def reserved(call: Call, email: str) -> bool:
    """Say whether an archived contact still holds the address."""
    archived = email.casefold() in call.store.archived_emails
    return bool(call.switches["archived_email_reserved"]) and archived


def is_excluded(store: Store, email: str) -> bool:
    """Say whether the exclusion list names the address."""
    folded = email.casefold()
    for row in store.tables["exclusions"]:
        phrase = text(row.data["matchPhrase"]).casefold()
        match text(row.data.get("matchType") or "exact"):
            case "begin" if folded.startswith(phrase):
                return True
            case "end" if folded.endswith(phrase):
                return True
            case "exact" if folded == phrase:
                return True
    return False


def refuse_excluded(call: Call, email: str) -> None:
    """Raise 422 for an address of the exclusion list, where a switch says so."""
    if call.switches["excluded_address"] == "422" and is_excluded(call.store, email):
        title = "Contact Email Address is on the exclusion list."
        raise errors.invalid("email_excluded", title, "email")


def read_change(call: Call, given: dict[str, Any]) -> Change:
    """Check attributes and field values of a write; raises 422 or 403 before anything changes."""
    change = Change()
    for name, attribute in ATTRIBUTES.items():
        if name not in given:
            continue
        if given[name] is None:
            mode = call.switches["null_attribute"]
            if mode == "422":
                raise errors.invalid("field_invalid", f"{name} may not be null.", name)
            if mode == "ignored":
                continue
        change.attributes[attribute] = text(given[name])
    if given.get("cdate"):
        change.cdate = stamps.parse(text(given["cdate"]), call.zone)
    change.values = inline_values(call, given.get("fieldValues"))
    return change


def inline_values(call: Call, given: Any) -> list[tuple[int, str]]:
    """Check the `fieldValues` list inside a contact; entries of unknown fields as switched."""
    found: list[tuple[int, str]] = []
    for entry in entries(given):
        known = call.store.fields.find(entry.get("field"))
        if known is None:
            mode = call.switches["unknown_inline_field"]
            if mode == "422":
                raise errors.invalid("field_invalid", "Field id not valid", "fieldValues")
            if mode == "403":
                raise errors.message(403, "Field id not valid")
            continue
        value = text(entry.get("value"))
        check_value(call, known, value)
        found.append((known.id, stored_form(call, known, value)))
    return found


def apply_change(call: Call, contact: Contact, change: Change) -> list[FieldValue]:
    """Write a checked change; returns the field value rows it wrote."""
    idle = True
    for name, value in change.attributes.items():
        idle = idle and getattr(contact, name) == value
        setattr(contact, name, value)
    if change.cdate is not None and call.switches["cdate_writable"] == "always":
        contact.created = change.cdate
    written = []
    for number, value in change.values:
        held = contact.values.get(number)
        idle = idle and held is not None and held.value == value
        row = set_value(call, contact, number, value)
        if row is not None:
            written.append(row)
    if not idle or call.switches["idle_update_bumps_udate"]:
        call.store.touch(contact, call.now)
    return written


def set_value(call: Call, contact: Contact, field_id: int, value: str) -> FieldValue | None:
    """Write one value; None when clearing it removed the row."""
    if value == "" and call.switches["cleared_value"] == "row_removed":
        held = contact.values.get(field_id)
        if held is not None:
            call.store.remove_value(held)
        return None
    return call.store.set_value(contact, field_id, value, call.now)


def create(call: Call, email: str, change: Change) -> tuple[Contact, list[FieldValue]]:
    """Create a contact with a free address; raises 403 or 422 over the plan's limit."""
    limit = call.switches["contact_limit"]
    if limit and len(call.store.contacts) >= limit:
        wording = "You have reached the contact limit of your plan."
        if call.switches["contact_limit_status"] == 403:
            raise errors.message(403, wording)
        raise errors.invalid("contact_limit", wording, None)
    created = call.now
    if change.cdate is not None and call.switches["cdate_writable"] != "never":
        created = change.cdate
    number = call.store.contacts.next_id()
    contact = Contact(number, email, "", "", "", created, updated=call.now, born=call.now)
    for name, value in change.attributes.items():
        setattr(contact, name, value)
    call.store.add_contact(contact)
    written = [
        row
        for field_id, value in change.values
        if (row := set_value(call, contact, field_id, value)) is not None
    ]
    return contact, written
