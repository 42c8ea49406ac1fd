"""What hangs on one contact: GET /contacts/{id}/<part>, mostly without `meta`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from api_simulators.activecampaign import errors, shapes
from api_simulators.activecampaign.call import Call, Handler
from api_simulators.activecampaign.handlers import accounts, contact_lists, others, tags
from api_simulators.activecampaign.handlers.contacts import found
from api_simulators.activecampaign.model import Contact
from api_simulators.wire import Answer, json_answer

T = TypeVar("T")
# Parts nobody can write here, with the key of the answer.
ALWAYS_EMPTY = {
    "contactLogs": "contactLogs",
    "trackingLogs": "trackingLogs",
    "geoIps": "geoIps",
    "scoreValues": "scoreValues",
    "automationEntryCounts": "automationEntryCounts",
    "plusAppend": "plusAppend",
    "contactGoals": "contactGoals",
    "contactDeals": "contactDeals",
    "deals": "deals",
}


def empty_part(key: str) -> Handler:
    """Return a handler that answers an existing contact with nothing."""

    def answer(call: Call) -> Answer:
        found(call)
        return json_answer(200, {key: []})

    return answer


def _page(call: Call, rows: list[T]) -> Sequence[T]:
    return call.query.page(rows) if call.switches["contact_parts_paged"] else rows


def field_values(call: Call) -> Answer:
    """GET /contacts/{id}/fieldValues."""
    rows = _page(call, list(found(call).values.values()))
    return json_answer(200, {"fieldValues": [shapes.field_value(call, row) for row in rows]})


def standings(call: Call) -> Answer:
    """GET /contacts/{id}/contactLists."""
    contact = found(call)
    rows = _page(call, list(contact.lists.values()))
    shown = [contact_lists.shape(call, row, contact) for row in rows]
    return json_answer(200, {"contactLists": shown})


def contact_tags(call: Call) -> Answer:
    """GET /contacts/{id}/contactTags."""
    rows = _page(call, list(found(call).tags.values()))
    return json_answer(200, {"contactTags": [tags.contact_tag_shape(call, row) for row in rows]})


def account_contacts(call: Call) -> Answer:
    """GET /contacts/{id}/accountContacts."""
    row = found(call).account
    shown = [] if row is None else [accounts.link_shape(call, row)]
    return json_answer(200, {"accountContacts": shown})


def organization(call: Call) -> Answer:
    """GET /contacts/{id}/organization: the deprecated mirror of the account."""
    contact = found(call)
    if contact.account is None:
        raise errors.not_found("Organization", "0")
    row = call.store.tables["accounts"].rows[contact.account.account]
    shown = {
        "name": row.data["name"],
        "created_timestamp": call.wall(row.created),
        "updated_timestamp": call.wall(row.updated),
        "userid": "0",
        "id": str(row.id),
        "owner": "1",
    }
    return json_answer(200, {"organization": shown})


def contact_data(call: Call) -> Answer:
    """GET /contacts/{id}/contactData: the key of the answer is singular."""
    contact = found(call)
    stamps = {"tstamp": call.iso(contact.updated), "contact": str(contact.id)}
    return json_answer(200, {"contactDatum": stamps | {"id": str(contact.id)}})


def notes(call: Call) -> Answer:
    """GET /contacts/{id}/notes."""
    number = str(found(call).id)
    rows = [row for row in call.store.tables["notes"] if str(row.data.get("relid")) == number]
    rows = [row for row in rows if row.data.get("reltype") == "Subscriber"]
    return json_answer(200, {"notes": [others.note_shape(call, row) for row in rows]})


def automations(call: Call) -> Answer:
    """GET /contacts/{id}/contactAutomations."""
    number = found(call).id
    rows = [r for r in call.store.tables["contactAutomations"] if r.data["contact"] == number]
    shown = [others.enrolment_shape(call, row) for row in rows]
    return json_answer(200, {"contactAutomations": shown})


def bounce_logs(call: Call) -> Answer:
    """GET /contacts/{id}/bounceLogs."""
    return json_answer(200, {"bounceLogs": _bounces(call, found(call))})


def all_bounce_logs(call: Call) -> Answer:
    """GET /bounceLogs: undocumented, every bounce of the account."""
    shown = [entry for contact in call.store.contacts for entry in _bounces(call, contact)]
    page = call.query.page(shown)
    return json_answer(200, {"bounceLogs": list(page), "meta": {"total": str(len(shown))}})


def _bounces(call: Call, contact: Contact) -> list[dict[str, Any]]:
    return [
        {
            "tstamp": call.iso(entry["time"]),
            "bounceid": str(index),
            "subscriberid": str(contact.id),
            "campaignid": "0",
            "messageid": "0",
            "codeid": "0",
            "email": contact.email,
            "error": entry["error"],
            "source": "",
            "created_timestamp": call.wall(entry["time"]),
            "updated_timestamp": call.wall(entry["time"]),
            "created_by": None,
            "updated_by": None,
            "links": {},
            "id": f"{contact.id}{index:02}",
            "bounce": str(index),
            "contact": str(contact.id),
            "campaign": None,
            "message": None,
            "code": entry["code"],
        }
        for index, entry in enumerate(contact.bounces, 1)
    ]


PARTS: dict[str, Handler] = {
    "fieldValues": field_values,
    "contactLists": standings,
    "contactTags": contact_tags,
    "accountContacts": account_contacts,
    "organization": organization,
    "contactData": contact_data,
    "notes": notes,
    "contactAutomations": automations,
    "bounceLogs": bounce_logs,
} | {name: empty_part(key) for name, key in ALWAYS_EMPTY.items()}
