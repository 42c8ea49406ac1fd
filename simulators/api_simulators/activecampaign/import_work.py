"""What a bulk import does once its time has come."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign.call import text
from api_simulators.activecampaign.contact_rules import is_excluded
from api_simulators.activecampaign.model import AccountContact, Contact, Row
from api_simulators.activecampaign.store import Store

IMPORT_SOURCE = "3"
ATTRIBUTES = {"first_name": "first_name", "last_name": "last_name", "phone": "phone"}


def settle(store: Store, now: float) -> None:
    """Apply every import that is due."""
    for number in list(store.pending_imports):
        row = store.tables["imports"].rows[number]
        if row.data["due"] <= now:
            store.pending_imports.remove(number)
            _apply(store, row, now)


def _apply(store: Store, row: Row, now: float) -> None:
    for entry in row.data["contacts"]:
        email = text(entry["email"]).strip()
        if is_excluded(store, email):
            row.data["failure"].append(email)
            continue
        ids = store.emails.ids(email.casefold())
        if ids:
            contact = store.contacts.rows[ids[0]]
        else:
            number = store.contacts.next_id()
            contact = Contact(number, email, "", "", "", now, now, now)
            store.add_contact(contact)
            row.data["success"].append(str(number))
        _write(store, contact, entry, now, overwrite=row.data["empty_overwrites"])
    row.data["status"] = "completed"
    store.version += 1


def _write(
    store: Store, contact: Contact, entry: dict[str, Any], now: float, *, overwrite: bool
) -> None:
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
    _standings(store, contact, entry, now)
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


def _standings(store: Store, contact: Contact, entry: dict[str, Any], now: float) -> None:
    """Subscribe where the person has not unsubscribed before; unsubscribe always."""
    lists = store.tables["lists"]
    for given in entry.get("subscribe") or []:
        found = lists.find(_attribute(given, "listid"))
        held = contact.lists.get(found.id) if found else None
        if found is not None and (held is None or held.status in {0, 1}):
            store.set_list_status(contact, found.id, 1, IMPORT_SOURCE, now)
    for given in entry.get("unsubscribe") or []:
        found = lists.find(_attribute(given, "listid"))
        if found is not None:
            store.set_list_status(contact, found.id, 2, IMPORT_SOURCE, now)
