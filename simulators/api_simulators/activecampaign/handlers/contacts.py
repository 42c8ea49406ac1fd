"""Contacts: create, sync by address, update, delete, read one."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign import errors, shapes
from api_simulators.activecampaign.call import Call, blank, whole
from api_simulators.activecampaign.contact_rules import (
    address,
    apply_change,
    create,
    owner_of,
    read_change,
    refuse_excluded,
    reserved,
)
from api_simulators.activecampaign.handlers import accounts, contact_lists
from api_simulators.activecampaign.model import Contact, FieldValue
from api_simulators.wire import Answer, json_answer


def found(call: Call) -> Contact:
    """Return the contact named in the path; raises 404 Subscriber."""
    contact = call.store.contacts.find(call.args[0])
    if contact is None:
        raise errors.not_found("Subscriber", call.args[0])
    return contact


def _same_letters(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _wanted_address(call: Call, given: dict[str, Any]) -> str:
    if blank(given.get("email")):
        if given.get("allowNullEmail") and given.get("phone"):
            return ""
        raise errors.email_missing()
    return address(call, given["email"])


def create_contact(call: Call) -> Answer:
    """POST /contacts: 201 with the sparse contact, 422 when the address is taken."""
    given = call.envelope("contact")
    email = _wanted_address(call, given)
    change = read_change(call, given)
    if owner_of(call, email) or reserved(call, email):
        raise errors.email_duplicate()
    refuse_excluded(call, email)
    contact, written = create(call, email, change)
    payload: dict[str, Any] = {"contact": shapes.created_contact(call, contact)}
    if given.get("fieldValues"):
        payload = {"fieldValues": _values(call, written)} | payload
    return json_answer(201, payload)


def sync_contact(call: Call) -> Answer:
    """POST /contact/sync: create or update by address alone; what is not sent stays."""
    given = call.envelope("contact")
    if blank(given.get("email")):
        raise errors.email_missing()
    email = address(call, given["email"])
    change = read_change(call, given)
    contact = owner_of(call, email)
    if contact is None:
        if reserved(call, email):
            raise errors.email_duplicate()
        contact, written = create(call, email, change)
        status = int(call.switches["sync_created_status"])
        shown = shapes.created_contact(call, contact)
        shown |= {"email_empty": False, "hash": shapes.contact_hash(contact.id)}
    else:
        written = apply_change(call, contact, change)
        status = 200
        shown = shapes.full_contact(call, contact)
    payload: dict[str, Any] = {"contact": shown}
    if given.get("fieldValues"):
        shown["fieldValues"] = [str(row.id) for row in written]
        payload = {"fieldValues": _values(call, written)} | payload
    return json_answer(status, payload)


def sync_plural(call: Call) -> Answer:
    """POST /contacts/sync: not a sync at all; clients have seen 404 and a plain create."""
    if call.switches["contacts_sync_plural"] == "create":
        return create_contact(call)
    raise errors.message(404, "No such resource")


def update_contact(call: Call) -> Answer:
    """PUT /contacts/{id}: the sent attributes, the address among them, and field values."""
    contact = found(call)
    given = call.envelope("contact")
    email = contact.email
    if given.get("email") is not None:
        email = address(call, given["email"])
        if call.switches["put_email_case_only"] == "kept" and _same_letters(email, contact.email):
            email = contact.email
    if call.switches["inline_field_values_on_put"] == "ignored":
        given = {name: value for name, value in given.items() if name != "fieldValues"}
    change = read_change(call, given)
    owner = owner_of(call, email)
    taken = reserved(call, email) if owner is None else owner.id != contact.id
    if taken:
        mode = call.switches["put_email_conflict"]
        if mode == "others_applied":
            apply_change(call, contact, change)
        if mode != "email_ignored":
            raise errors.email_duplicate()
        email = contact.email
    if email != contact.email:
        refuse_excluded(call, email)
        call.store.rename_contact(contact, email, call.now)
        call.store.touch(contact, call.now)
    written = apply_change(call, contact, change)
    payload: dict[str, Any] = {"contact": shapes.full_contact(call, contact)}
    if given.get("fieldValues"):
        payload["contact"]["fieldValues"] = [str(row.id) for row in written]
        payload = {"fieldValues": _values(call, written)} | payload
    return json_answer(200, payload)


def delete_contact(call: Call) -> Answer:
    """DELETE /contacts/{id}: gone for good, with everything on it; 200 `{}`."""
    contact = call.store.contacts.find(call.args[0])
    if contact is None:
        raise errors.delete_not_found(call.args[0])
    quota = call.switches["delete_quota"]
    if quota and len(call.store.archived) >= quota:
        text = "You have reached the limit of contacts that can be deleted."
        raise errors.message(int(call.switches["delete_quota_status"]), text)
    call.store.remove_contact(contact)
    return json_answer(200, {})


def read_contact(call: Call) -> Answer:
    """GET /contacts/{id}: the contact and, beside it, what hangs on it."""
    archived = call.store.archived if call.switches["deleted_contact_readable"] else {}
    contact = archived.get(whole(call.args[0], 0)) or found(call)
    values = list(contact.values.values())
    shown = shapes.listed_contact(call, contact)
    shown["deleted"] = str(int(contact.id in archived))
    shown["contactAutomations"] = []
    shown["contactLists"] = [str(row.id) for row in contact.lists.values()]
    shown["deals"] = []
    shown["fieldValues"] = [str(value.id) for value in values]
    shown["geoIps"] = []
    payload = {
        "contactAutomations": [],
        "contactLists": [contact_lists.shape(call, row, contact) for row in contact.lists.values()],
        "deals": [],
        "fieldValues": _values(call, values),
        "geoIps": [],
        "accountContacts": [accounts.link_shape(call, link)] if (link := contact.account) else [],
        "contact": shown,
    }
    return json_answer(200, payload)


def _values(call: Call, rows: list[FieldValue]) -> list[dict[str, Any]]:
    return [shapes.field_value(call, row) for row in rows]
