"""What a bulk import does once its time has come."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign.call import text
from api_simulators.activecampaign.contact_rules import is_excluded
from api_simulators.activecampaign.model import AccountContact, Contact, Row
from api_simulators.activecampaign.store import Store
from api_simulators.switches import Switches

IMPORT_SOURCE = "3"
ATTRIBUTES = {"first_name": "first_name", "last_name": "last_name", "phone": "phone"}


def settle(store: Store, switches: Switches, now: float) -> None:
    """Apply every import that is due."""
    waiting = (store.tables["imports"].rows[number] for number in store.pending_imports)
    due = [row for row in waiting if row.data["due"] <= now]
    for row in reversed(due) if switches["bulk_order"] == "newest" else due:
        store.pending_imports.remove(row.id)
        _apply(store, switches, row, now)


def _apply(store: Store, switches: Switches, row: Row, now: float) -> None:
    contacts, ends = row.data["contacts"], switches["bulk_ends"]
    reached = {"completed": len(contacts), "failed": 0, "interrupted": len(contacts) // 2}[ends]
    for entry in contacts[:reached]:
        email = text(entry["email"]).strip()
        if is_excluded(store, email):
            if switches["bulk_excluded"] == "failure":
                row.data["failure"].append(email)
            continue
        found = _owner(store, switches, email)
        limit = int(switches["contact_limit"])
        full = found is None and limit and len(store.contacts) >= limit
        fails = switches["bulk_fails"]
        if full or entry.get("fails") or (fails and fails in email):
            row.data["failure"].append(email)
            continue
        contact = found or _create(store, switches, email, now)
        shown = switches["bulk_success_list"]
        if shown == "all" or (shown == "created" and found is None):
            row.data["success"].append(str(contact.id))
        _write(store, switches, contact, entry, now)
    row.data["status"] = ends
    store.version += 1


def _owner(store: Store, switches: Switches, email: str) -> Contact | None:
    """The contact with this address, by the account's idea of sameness."""
    held = [store.contacts.rows[number] for number in store.emails.ids(email.casefold())]
    if not switches["email_unique_ignores_case"]:
        held = [contact for contact in held if contact.email == email]
    return held[0] if held else None


def _create(store: Store, switches: Switches, email: str, now: float) -> Contact:
    stored = email.lower() if switches["email_case"] == "lower" else email
    contact = Contact(store.contacts.next_id(), stored, "", "", "", now, now, now)
    store.add_contact(contact)
    return contact


def _write(
    store: Store, switches: Switches, contact: Contact, entry: dict[str, Any], now: float
) -> None:
    overwrite = switches["bulk_empty_value"] == "overwrites"
    for key, attribute in ATTRIBUTES.items():
        value = entry.get(key)
        if value is not None and (value != "" or overwrite):
            setattr(contact, attribute, text(value))
    for given in entry.get("fields") or []:
        field, value = store.fields.find(given.get("id")), text(given.get("value"))
        if field is not None and (value != "" or overwrite):
            store.set_value(contact, field.id, value, now)
    for name in entry.get("tags") or []:
        tag = store.row_named("tags", text(name))
        tag = tag or store.add_row("tags", {"tag": text(name)}, now, None)
        store.tag_contact(contact, tag.id, now)
    _link(store, contact, text(entry.get("customer_acct_name")), now)
    _standings(store, switches, contact, entry, now)
    store.touch(contact, now)


def _attribute(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, dict) else None


def _link(store: Store, contact: Contact, name: str, now: float) -> None:
    if not name or contact.account is not None:
        return
    account = store.row_named("accounts", name)
    account = account or store.add_row("accounts", {"name": name}, now, None)
    number = store.account_contacts.next_id()
    store.link_account(AccountContact(number, contact.id, account.id, "", now, now))


def _standings(
    store: Store, switches: Switches, contact: Contact, entry: dict[str, Any], now: float
) -> None:
    """Subscribe where the person has not unsubscribed before; unsubscribe always."""
    lists, again = store.tables["lists"], switches["bulk_previously_unsubscribed"]
    for given in entry.get("subscribe") or []:
        found = lists.find(_attribute(given, "listid"))
        held = contact.lists.get(found.id) if found else None
        if found is None or (held and held.status not in {0, 1} and again == "kept"):
            continue
        store.set_list_status(contact, found.id, 1, IMPORT_SOURCE, now)
    for given in entry.get("unsubscribe") or []:
        found = lists.find(_attribute(given, "listid"))
        if found is not None:
            store.set_list_status(contact, found.id, 2, IMPORT_SOURCE, now)
