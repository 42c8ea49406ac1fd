"""What people and mail servers do outside the API: unsubscribe, bounce, edit, delete, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.activecampaign.model import Contact, ContactList
from api_simulators.activecampaign.seeding import ContactLoader, add_account, add_field, add_row
from api_simulators.activecampaign.store import Store
from api_simulators.wire import ControlError

Event = Callable[[Store, dict[str, Any], float], dict[str, Any]]


def event(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:
    """Carry out `{"type": name, ...}`; raises ControlError naming what is unknown."""
    handler = EVENTS.get(str(data.get("type")))
    if handler is None:
        raise ControlError(f"unknown event {data.get('type')!r}; known: {sorted(EVENTS)}")
    done = handler(store, data, now)
    store.version += 1
    return {"type": data["type"]} | done


def _contact(store: Store, data: dict[str, Any]) -> Contact:
    """Find the contact by `contact` (id) or `email`."""
    if "contact" in data:
        found = store.contacts.find(data["contact"])
    else:
        ids = store.emails.ids(str(data.get("email", "")).casefold())
        found = store.contacts.rows[ids[0]] if ids else None
    if found is None:
        raise ControlError("no such contact: name it by contact (id) or email")
    return found


def _rows(contact: Contact, data: dict[str, Any]) -> list[ContactList]:
    """Return the contact's rows on `list`, or on every list."""
    rows = list(contact.lists.values())
    if "list" in data:
        rows = [row for row in rows if row.list == int(data["list"])]
    return rows


def _unsubscribe(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:
    contact = _contact(store, data)
    rows = _rows(contact, data)
    for row in rows:
        store.set_list_status(contact, row.list, 2, row.sourceid, now)
        row.reason = str(data.get("reason", ""))
        row.campaign = str(data["campaign"]) if "campaign" in data else None
    return {"contact": str(contact.id), "rows": len(rows)}


def _bounce(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:
    """A hard bounce, or the third soft one, sets status 3."""
    contact = _contact(store, data)
    hard = data.get("kind", "hard") == "hard"
    contact.bounced_hard += hard
    contact.bounced_soft += not hard
    contact.bounced_at = now
    code = str(data.get("code", "5.1.1" if hard else "4.2.2"))
    contact.bounces.append({"time": now, "code": code, "error": str(data.get("error", ""))})
    rows = _rows(contact, data) if hard or contact.bounced_soft >= 3 else []
    for row in rows:
        store.set_list_status(contact, row.list, 3, row.sourceid, now)
    store.touch(contact, now)
    return {"contact": str(contact.id), "rows": len(rows)}


def _edit_contact(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:
    """Set `firstName`, `lastName`, `phone`, `newEmail` and `fieldValues` by perstag."""
    contact = _contact(store, data)
    contact.first_name = str(data.get("firstName", contact.first_name))
    contact.last_name = str(data.get("lastName", contact.last_name))
    contact.phone = str(data.get("phone", contact.phone))
    if "newEmail" in data:
        if store.emails.ids(str(data["newEmail"]).casefold()):
            raise ControlError("the new address belongs to a contact")
        store.rename_contact(contact, str(data["newEmail"]), now)
    for perstag, value in data.get("fieldValues", {}).items():
        field = store.field_by_perstag(perstag)
        if field is None:
            raise ControlError(f"no field {perstag!r}")
        store.set_value(contact, field.id, str(value), now)
    store.touch(contact, now)
    return {"contact": str(contact.id)}


def _create_contact(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:
    """Add `data["values"]`, a contact as in seed data."""
    contact = ContactLoader(store, now, "UTC").add(dict(data.get("values", {})))
    return {"contact": str(contact.id)}


def _delete_contact(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:  # noqa: ARG001 - every event has this shape
    contact = _contact(store, data)
    store.remove_contact(contact)
    return {"contact": str(contact.id)}


def _create_account(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:
    """Add `data["values"]`, an account as in seed data."""
    return {"account": str(add_account(store, dict(data.get("values", {})), now).id)}


def _delete_account(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:  # noqa: ARG001 - every event has this shape
    account = store.row_named("accounts", str(data.get("name", "")))
    if account is None:
        raise ControlError("no such account: name it by name")
    store.remove_account(account)
    return {"account": str(account.id)}


def _create_field(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:
    return {"field": str(add_field(store, dict(data.get("values", {})), now).id)}


def _delete_field(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:  # noqa: ARG001 - every event has this shape
    field = store.field_by_perstag(str(data.get("perstag", "")))
    if field is None:
        raise ControlError("no such field: name it by perstag")
    store.remove_field(field)
    return {"field": str(field.id)}


def _delete_list(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:  # noqa: ARG001 - every event has this shape
    row = store.tables["lists"].find(data.get("list"))
    if row is None:
        raise ControlError("no such list: name it by list (id)")
    store.remove_list(row)
    return {"list": str(row.id)}


def _exclude(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:
    values = {"matchPhrase": data.get("phrase"), "matchType": data.get("match", "exact")}
    return {"exclusion": str(add_row(store, "exclusions", "matchPhrase", values, now).id)}


def _revoke_key(store: Store, data: dict[str, Any], now: float) -> dict[str, Any]:  # noqa: ARG001 - every event has this shape
    store.api_keys.discard(str(data.get("key", "")))
    return {"keys": len(store.api_keys)}


EVENTS: dict[str, Event] = {
    "unsubscribe": _unsubscribe,
    "bounce": _bounce,
    "edit_contact": _edit_contact,
    "create_contact": _create_contact,
    "delete_contact": _delete_contact,
    "create_account": _create_account,
    "delete_account": _delete_account,
    "create_field": _create_field,
    "delete_field": _delete_field,
    "delete_list": _delete_list,
    "exclude": _exclude,
    "revoke_key": _revoke_key,
}
