"""Notes, automations, webhooks and activities, as far as clients of contacts touch them."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign import errors, shapes
from api_simulators.activecampaign.call import Call, blank, sent, text
from api_simulators.activecampaign.model import Row
from api_simulators.wire import Answer, json_answer

RELTYPES = ("Subscriber", "Deal", "DealTask", "Activity", "CustomerAccount")
HOOK_EVENTS = (
    "subscribe",
    "unsubscribe",
    "bounce",
    "update",
    "contact_tag_added",
    "contact_tag_removed",
    "subscriber_note",
    "list_add",
)


def _found(call: Call, table: str, kind: str) -> Row:
    row = call.store.tables[table].find(call.args[0])
    if row is None:
        raise errors.not_found(kind, call.args[0])
    return row


def note_shape(call: Call, row: Row) -> dict[str, Any]:
    """Return a note."""
    head = f"{call.base}/notes/{row.id}/"
    return {
        "note": text(row.data["note"]),
        "relid": text(row.data["relid"]),
        "reltype": text(row.data["reltype"]),
        "userid": "1",
        "cdate": call.iso(row.created),
        "mdate": call.iso(row.updated),
        "links": {name: head + name for name in ("activities", "mentions", "notes")},
        "id": str(row.id),
        "user": "1",
    }


def list_notes(call: Call) -> Answer:
    """GET /notes."""
    rows = list(call.store.tables["notes"])
    shown = [note_shape(call, row) for row in call.query.page(rows)]
    return json_answer(200, {"notes": shown, "meta": {"total": str(len(rows))}})


def create_note(call: Call) -> Answer:
    """POST /notes: 201, each time a new one; a note on a contact moves its udate."""
    given = call.envelope("note")
    for name in ("note", "relid", "reltype"):
        if blank(given.get(name)):
            raise errors.missing_attribute(name)
    if text(given["reltype"]) not in RELTYPES:
        raise errors.invalid_attribute("reltype", f"reltype must be one of {', '.join(RELTYPES)}")
    contacts = []
    if given["reltype"] == "Subscriber":
        contact = call.store.contacts.find(given["relid"])
        if contact is None:
            raise errors.not_found("Subscriber", text(given["relid"]))
        call.store.touch_related(contact, call.now)
        contacts = [shapes.full_contact(call, contact)]
    data = {name: given[name] for name in ("note", "relid", "reltype")}
    row = call.store.add_row("notes", data, call.now, None)
    return json_answer(201, {"contacts": contacts, "note": note_shape(call, row)})


def read_note(call: Call) -> Answer:
    """GET /notes/{id}."""
    return json_answer(200, {"note": note_shape(call, _found(call, "notes", "Note"))})


def update_note(call: Call) -> Answer:
    """PUT /notes/{id}."""
    row = _found(call, "notes", "Note")
    given = call.envelope("note")
    data = sent(given, ("note", "relid", "reltype"))
    call.store.change_row("notes", row, data, call.now)
    return json_answer(200, {"note": note_shape(call, row)})


def delete_note(call: Call) -> Answer:
    """DELETE /notes/{id}."""
    call.store.remove_row("notes", _found(call, "notes", "Note"))
    return json_answer(200, {})


def list_automations(call: Call) -> Answer:
    """GET /automations: those of the seed; they do nothing."""
    rows = list(call.store.tables["automations"])
    shown = [
        {
            "name": text(row.data["name"]),
            "cdate": call.iso(row.created),
            "mdate": call.iso(row.updated),
            "status": "1",
            "hidden": "0",
            "entered": str(_enrolled(call, row.id)),
            "links": {},
            "id": str(row.id),
        }
        for row in call.query.page(rows)
    ]
    return json_answer(200, {"automations": shown, "meta": {"total": str(len(rows))}})


def _enrolled(call: Call, automation: int) -> int:
    rows = call.store.tables["contactAutomations"]
    return sum(1 for row in rows if row.data["seriesid"] == automation)


def enrolment_shape(call: Call, row: Row) -> dict[str, Any]:
    """Return a contact's place in an automation."""
    number = str(row.data["seriesid"])
    return {
        "contact": str(row.data["contact"]),
        "seriesid": number,
        "startid": "0",
        "status": "1",
        "adddate": call.iso(row.created),
        "remdate": None,
        "links": {},
        "id": str(row.id),
        "automation": number,
    }


def list_enrolments(call: Call) -> Answer:
    """GET /contactAutomations with `filters[seriesid]`."""
    wanted = call.query.number("filters[seriesid]")
    table = call.store.tables["contactAutomations"]
    rows = [row for row in table if wanted in {None, row.data["seriesid"]}]
    shown = [enrolment_shape(call, row) for row in call.query.page(rows)]
    return json_answer(200, {"contactAutomations": shown, "meta": {"total": str(len(rows))}})


def enrol(call: Call) -> Answer:
    """POST /contactAutomations: 201, again each time; 403 when either side is missing."""
    given = call.envelope("contactAutomation")
    contact = call.store.contacts.find(given.get("contact"))
    automation = call.store.tables["automations"].find(given.get("automation"))
    if contact is None or automation is None:
        raise errors.message(403, "Could not create SubscriberSeries")
    data = {"contact": contact.id, "seriesid": automation.id}
    row = call.store.add_row("contactAutomations", data, call.now, None)
    payload = {
        "contacts": [shapes.full_contact(call, contact)],
        "contactAutomation": enrolment_shape(call, row),
    }
    return json_answer(201, payload)


def read_enrolment(call: Call) -> Answer:
    """GET /contactAutomations/{id}."""
    row = _found(call, "contactAutomations", "SubscriberSeries")
    return json_answer(200, {"contactAutomation": enrolment_shape(call, row)})


def delete_enrolment(call: Call) -> Answer:
    """DELETE /contactAutomations/{id}."""
    row = _found(call, "contactAutomations", "SubscriberSeries")
    call.store.remove_row("contactAutomations", row)
    return json_answer(200, {})


def _hook(call: Call, row: Row) -> dict[str, Any]:
    return {
        "cdate": call.iso(row.created),
        "listid": text(row.data.get("listid", 0)),
        "name": text(row.data.get("name")),
        "url": text(row.data.get("url")),
        "events": row.data.get("events", []),
        "sources": row.data.get("sources", []),
        "links": [],
        "id": str(row.id),
    }


def list_hooks(call: Call) -> Answer:
    """GET /webhooks."""
    rows = list(call.store.tables["webhooks"])
    shown = [_hook(call, row) for row in call.query.page(rows)]
    return json_answer(200, {"webhooks": shown, "meta": {"total": str(len(rows))}})


def list_hook_events(call: Call) -> Answer:  # noqa: ARG001 - every handler has this shape
    """GET /webhook/events: the total is a number here."""
    meta = {"total": len(HOOK_EVENTS)}
    return json_answer(200, {"webhookEvents": list(HOOK_EVENTS), "meta": meta})


def create_hook(call: Call) -> Answer:
    """POST /webhooks: kept, never delivered."""
    given = call.envelope("webhook")
    for name in ("name", "url", "events", "sources"):
        if not given.get(name):
            raise errors.missing_attribute(name)
    row = call.store.add_row("webhooks", dict(given), call.now, None)
    return json_answer(201, {"webhook": _hook(call, row)})


def read_hook(call: Call) -> Answer:
    """GET /webhooks/{id}."""
    return json_answer(200, {"webhook": _hook(call, _found(call, "webhooks", "Webhook"))})


def update_hook(call: Call) -> Answer:
    """PUT /webhooks/{id}."""
    row = _found(call, "webhooks", "Webhook")
    call.store.change_row("webhooks", row, call.envelope("webhook"), call.now)
    return json_answer(200, {"webhook": _hook(call, row)})


def delete_hook(call: Call) -> Answer:
    """DELETE /webhooks/{id}."""
    call.store.remove_row("webhooks", _found(call, "webhooks", "Webhook"))
    return json_answer(200, {})


def list_activities(call: Call) -> Answer:
    """GET /activities?contact=: always empty; without a contact 422."""
    if call.query.get("contact") is None:
        raise errors.missing_attribute("contact")
    return json_answer(200, {"activities": [], "meta": {"total": "0"}})
