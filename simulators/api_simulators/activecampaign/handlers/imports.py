"""Bulk import: accepted at once or refused as a whole; `import_work` applies it later."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

from api_simulators.activecampaign import errors, stamps
from api_simulators.activecampaign.call import Call, entries, text
from api_simulators.activecampaign.contact_rules import AT_SIGN, STRICT
from api_simulators.activecampaign.model import Field, Row
from api_simulators.activecampaign.value_rules import fits, stored_form
from api_simulators.wire import Answer, json_answer

MOST_CONTACTS = 250
MOST_BYTES = 399_999
PER_MINUTE, SINGLE_PER_MINUTE = 100, 20
# What must be a list where it is given.
LISTS = ("fields", "tags", "subscribe", "unsubscribe")
REFUSED = "JSON payload did not pass validation. The import was not queued."


def create_import(call: Call) -> Answer:
    """POST /import/bulk_import: 200 with the batch id, or 400 and nothing of it."""
    if len(call.request.body) > MOST_BYTES:
        raise errors.import_refused(f"The payload is larger than {MOST_BYTES} bytes.")
    body = call.json()
    contacts = body.get("contacts") if isinstance(body, dict) else None
    if not isinstance(contacts, list) or not contacts:
        raise errors.import_refused("'contacts' is a required field.")
    if len(contacts) > MOST_CONTACTS:
        raise errors.import_refused(f"No more than {MOST_CONTACTS} contacts may be imported.")
    _check_rate(call, single=len(contacts) == 1)
    reasons = _reasons(call, contacts)
    if reasons:
        raise errors.import_refused(REFUSED, _named(call, reasons))
    data = {
        "batchId": str(uuid.uuid4()),
        "contacts": [_kept(call, contact) for contact in contacts],
        "automations_excluded": [_excluded(call, body, contact) for contact in contacts],
        "due": call.now + float(call.switches["bulk_delay_seconds"]),
        "status": "waiting",
        "success": [],
        "failure": [],
    }
    row = call.store.add_row("imports", data, call.now, None)
    call.store.pending_imports.append(row.id)
    payload = {
        call.switches["bulk_success_key"]: 1,
        "queued_contacts": len(contacts),
        "batchId": data["batchId"],
        "message": "Contact import queued",
    }
    return json_answer(200, payload)


def _check_rate(call: Call, *, single: bool) -> None:
    """Refuse the 101st import of a minute, or the 21st of a single contact."""
    if not call.switches["bulk_rate_limit"]:
        return
    recent = [row for row in call.store.tables["imports"] if row.created > call.now - 60]
    most = PER_MINUTE
    if single:
        recent = [row for row in recent if len(row.data["contacts"]) == 1]
        most = SINGLE_PER_MINUTE
    if len(recent) >= most:
        reason = f"Up to {most} imports may be requested per minute."
        raise errors.import_refused("Rate limit exceeded.", [reason])


def _reasons(call: Call, contacts: list[Any]) -> list[dict[str, Any]]:
    base = int(call.switches["bulk_index_base"])
    strict = call.switches["bulk_unknown_field"] == "400"
    poison = str(call.switches["bulk_refuses"])
    pattern = STRICT if call.switches["email_validation"] == "strict" else AT_SIGN
    found: list[dict[str, Any]] = []
    for index, contact in enumerate(entries(contacts), base):
        email = text(contact.get("email"))
        wrong = [name for name in LISTS if not isinstance(contact.get(name) or [], list)]
        if wrong:
            reason = f"Field '{wrong[0]}' incorrect format"
            found.append({"contact": index, "failureReason": reason})
            continue
        if not pattern.fullmatch(email.strip()) or (poison and poison in email):
            found.append({"contact": index, "failureReason": "Field 'email' incorrect format"})
            continue
        fields = entries(contact.get("fields") or [])
        if strict and any(call.store.fields.find(f.get("id")) is None for f in fields):
            found.append({"contact": index, "failureReason": "Field 'fields' unknown id"})
        elif call.switches["bulk_value_validation"] == "400" and not _values_fit(call, contact):
            found.append({"contact": index, "failureReason": "Field 'fields' incorrect format"})
    return found


def _named(call: Call, reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the reasons that the answer tells."""
    shown = call.switches["bulk_reasons"]
    return reasons if shown == "all" else reasons[: int(shown == "first")]


def _values(call: Call, contact: dict[str, Any]) -> list[tuple[Field, dict[str, Any]]]:
    """The values of a contact whose custom fields exist."""
    given = [one for one in contact.get("fields") or [] if isinstance(one, dict)]
    pairs = [(call.store.fields.find(one.get("id")), one) for one in given]
    return [(field, one) for field, one in pairs if field is not None]


def _values_fit(call: Call, contact: dict[str, Any]) -> bool:
    return all(fits(call, field, text(one.get("value"))) for field, one in _values(call, contact))


def _kept(call: Call, contact: dict[str, Any]) -> dict[str, Any]:
    """A contact as it waits: its values in the form that the account keeps, and whether it will
    not be applied for one of them.
    """
    values = [
        one | {"value": stored_form(call, field, text(one.get("value")))}
        for field, one in _values(call, contact)
    ]
    fails = call.switches["bulk_value_validation"] == "failure" and not _values_fit(call, contact)
    return contact | {"fields": values, "fails": fails}


def _excluded(call: Call, body: dict[str, Any], contact: dict[str, Any]) -> bool:
    """Say whether this contact starts no automations, by the place where the flag is read."""
    place = call.switches["bulk_exclude_automations"]
    inside = place in {"either", "contact"} and bool(contact.get("exclude_automations"))
    beside = place in {"either", "top"} and bool(body.get("exclude_automations"))
    return inside or beside


def import_info(call: Call) -> Answer:
    """GET /import/info?batchId=: false at first, then waiting, active, completed."""
    wanted = call.query.get("batchId")
    if wanted is None:
        raise errors.import_refused("'batchId' is a required field.")
    for row in call.store.tables["imports"]:
        if row.data["batchId"] == wanted:
            data = row.data
            status = _status(call, row)
            payload = {"status": status, "success": data["success"], "failure": data["failure"]}
            return json_answer(200, payload)
    if call.switches["bulk_unknown_batch"] == 404:
        raise errors.message(404, f"No Result found for batch with id {wanted}")
    return json_answer(200, {"status": False, "success": [], "failure": []})


def _status(call: Call, row: Row) -> str | bool:
    if row.data["status"] != "waiting":
        return str(row.data["status"])
    share = (call.now - row.created) / max(row.data["due"] - row.created, 0.001)
    if share < 0.25:
        return False
    return "waiting" if share < 0.5 else "active"


def list_imports(call: Call) -> Answer:
    """GET /import/bulk_import: counts by day of the last seven days."""
    groups: dict[str, dict[str, Counter[str]]] = {"outstanding": {}, "recentlyCompleted": {}}
    for row in call.store.tables["imports"]:
        if row.created < call.now - 7 * 86_400:
            continue
        done = row.data["status"] != "waiting"
        if not done and row.created + call.switches["bulk_listed_after_seconds"] > call.now:
            continue
        group = groups["recentlyCompleted" if done else "outstanding"]
        counts = group.setdefault(stamps.iso(row.created, call.zone)[:10], Counter())
        counts["batches"] += 1
        counts["contacts"] += len(row.data["contacts"])
    shown = {
        name: [
            {"forDate": day, "batches": str(c["batches"]), "contacts": str(c["contacts"])}
            for day, c in sorted(group.items())
        ]
        for name, group in groups.items()
    }
    return json_answer(200, shown)
