"""Subscribing and unsubscribing one contact on one list."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign import errors, shapes
from api_simulators.activecampaign.call import Call, text
from api_simulators.activecampaign.model import Contact, ContactList
from api_simulators.wire import Answer, json_answer

LINKS = (
    "automation",
    "list",
    "contact",
    "form",
    "autosyncLog",
    "campaign",
    "unsubscribeAutomation",
    "message",
)
API_SOURCE = "4"


def shape(call: Call, row: ContactList, contact: Contact) -> dict[str, Any]:
    """Return a standing as reads show it, the status as text."""
    head = f"{call.base}/contactLists/{row.id}/"
    return {
        "contact": str(row.contact),
        "list": str(row.list),
        "form": None,
        "seriesid": "0",
        "sdate": call.moment(row.subscribed),
        "udate": call.moment(_udate(call, row)),
        "status": str(row.status),
        "responder": "1",
        "sync": "0",
        "unsubreason": row.reason,
        "campaign": row.campaign,
        "message": None,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "ip4Sub": "0",
        "sourceid": row.sourceid,
        "autosyncLog": None,
        "ip4_last": "0",
        "ip4Unsub": "0",
        "created_timestamp": call.wall(row.created),
        "updated_timestamp": call.wall(row.updated),
        "created_by": None,
        "updated_by": None,
        "unsubscribeAutomation": None,
        "links": {name: head + name for name in LINKS},
        "id": str(row.id),
        "automation": None,
    }


def _udate(call: Call, row: ContactList) -> float | None:
    mode = call.switches["membership_udate"]
    if mode == "any_change":
        return row.updated
    return row.unsubscribed if mode == "unsubscribed" else None


def list_standings(call: Call) -> Answer:
    """GET /contactLists: every standing; filters are ignored."""
    store = call.store
    page = [
        store.contact_lists.rows[number] for number in call.query.page(store.contact_lists.ids())
    ]
    shown = [shape(call, row, store.contacts.rows[row.contact]) for row in page]
    meta = {"total": str(len(store.contact_lists))}
    return json_answer(200, {"contactLists": shown, "meta": meta})


def set_standing(call: Call) -> Answer:
    """POST /contactLists: 1 subscribes, 2 unsubscribes; the same status again does nothing."""
    given = call.envelope("contactList")
    for name in ("list", "contact", "status"):
        if given.get(name) is None:
            raise errors.missing_attribute(name)
    if text(given["status"]) not in {"1", "2"}:
        raise errors.invalid_attribute("status", "status must be 1 or 2")
    contact = call.store.contacts.find(given["contact"])
    if contact is None:
        raise errors.not_found("Subscriber", text(given["contact"]))
    mailing_list = call.store.tables["lists"].find(given["list"])
    if mailing_list is None:
        if call.switches["contactlists_unknown_list"] == 422:
            raise errors.invalid_attribute("list", "List not found")
        raise errors.not_found("_List", text(given["list"]))
    status, source = int(text(given["status"])), text(given.get("sourceid", API_SOURCE))
    row = contact.lists.get(mailing_list.id)
    if row is not None and (row.status == status or _ignored(call, row, status, source)):
        if status == 2 and call.switches["repeated_unsubscribe"] == "moves_udate":
            row.unsubscribed = row.updated = call.now
        shown = shape(call, row, contact) | {"status": call.echo(given["status"])}
        return _answer(call, 200, contact, shown, changed=False)
    stored = _stored(call, row, status)
    row, new = call.store.set_list_status(contact, mailing_list.id, stored, source, call.now)
    row.reason = "" if status == 1 else row.reason
    shown = shape(call, row, contact)
    for name in ("contact", "list") if new else ():
        shown[name] = call.echo(given[name])
    if stored == status:
        shown["status"] = call.echo(given["status"])
    code = int(call.switches["contactlists_new_row_status"]) if new else 200
    return _answer(call, code, contact, shown, changed=True)


def _answer(
    call: Call, code: int, contact: Contact, shown: dict[str, Any], *, changed: bool
) -> Answer:
    mode = call.switches["contactlists_contacts"]
    if mode == "always" or (changed and mode == "on_change"):
        contacts = [shapes.full_contact(call, contact)]
        return json_answer(code, {"contacts": contacts, "contactList": shown})
    return json_answer(code, {"contactList": shown})


def _stored(call: Call, row: ContactList | None, status: int) -> int:
    """Return what is stored for `status`: a first subscription may wait for a confirmation."""
    waits = call.switches["api_subscription"] == "unconfirmed"
    never_active = row is None or row.subscribed is None
    return 0 if status == 1 and waits and never_active else status


def _ignored(call: Call, row: ContactList, status: int, source: str) -> bool:
    """Say whether a re-subscription is quietly not done, where a switch says so."""
    if status != 1:
        return False
    if row.status == 3:
        return not call.switches["bounced_resubscribe"]
    guarded = bool(call.switches["resubscribe_requires_sourceid"])
    return row.status == 2 and guarded and source != API_SOURCE
