"""Field values: the point look-up by custom id, and single writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api_simulators.activecampaign import errors, shapes
from api_simulators.activecampaign.call import Call, text
from api_simulators.activecampaign.contact_rules import set_value
from api_simulators.activecampaign.indexes import Inverted, SortedKeys
from api_simulators.activecampaign.model import Contact, Field, FieldValue
from api_simulators.activecampaign.value_rules import check_value, stored_form
from api_simulators.wire import Answer, json_answer

INVALID = "Field id not valid"


def list_values(call: Call) -> Answer:
    """GET /fieldValues: all, of one field, or those of one field that carry a value."""
    field, value = call.query.number("filters[fieldid]"), call.query.get("filters[val]")
    ids = _ids(call, field, value)
    if call.switches["search_lag_seconds"]:
        rows = call.store.field_values.rows
        known = "updated" if value is not None else "created"
        ids = [number for number in ids if call.visible(getattr(rows[number], known))]
    page = [call.store.field_values.rows[number] for number in call.query.page(ids)]
    shown = [shapes.field_value(call, row) for row in page]
    return json_answer(200, {"fieldValues": shown, "meta": {"total": str(len(ids))}})


def _ids(call: Call, field: int | None, value: str | None) -> Sequence[int]:
    store = call.store
    if value is None:
        if field is None:
            return store.field_values.ids()
        return store.value_ids.get(field, SortedKeys[int]()).keys()
    fields = [field] if field is not None else list(store.value_texts)
    found: list[int] = []
    for number in fields:
        found += _matching(call, store.value_texts.get(number, Inverted()), value)
    return sorted(found)


def _matching(call: Call, texts: Inverted, value: str) -> list[int]:
    folded = value.casefold()
    if call.switches["filters_val_match"] == "contains":
        ids = [number for held in texts.texts() if folded in held for number in texts.ids(held)]
    else:
        ids = texts.ids(folded)
    if call.switches["filters_val_ignores_case"]:
        return ids
    rows = call.store.field_values.rows
    if call.switches["filters_val_match"] == "contains":
        return [number for number in ids if value in rows[number].value]
    return [number for number in ids if rows[number].value == value]


def found(call: Call) -> FieldValue:
    """Return the value named in the path; a missing one is told as 403."""
    row = call.store.field_values.find(call.args[0])
    if row is None:
        raise errors.not_found("FieldValue", call.args[0], status=403)
    return row


def read_value(call: Call) -> Answer:
    """GET /fieldValues/{id}."""
    return json_answer(200, {"fieldValue": shapes.field_value(call, found(call))})


def _read(call: Call) -> tuple[dict[str, Any], Contact, Field, str]:
    body = call.json()
    given = body.get("fieldValue") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise errors.message(403, INVALID)
    contact = call.store.contacts.find(given.get("contact"))
    field = call.store.fields.find(given.get("field"))
    if field is None:
        raise errors.message(403, INVALID)
    if contact is None:
        raise errors.not_found("Subscriber", text(given.get("contact")))
    value = text(given.get("value"))
    check_value(call, field, value)
    if body.get("useDefaults") is True:
        _fill_defaults(call, contact, field)
    return given, contact, field, stored_form(call, field, value)


def _fill_defaults(call: Call, contact: Contact, written: Field) -> None:
    """`useDefaults` fills the other required fields of the contact that have no value."""
    for field in call.store.fields:
        wanted = field.isrequired == "1" and field.id != written.id
        if wanted and field.defval and field.id not in contact.values:
            call.store.set_value(contact, field.id, field.defval, call.now)


def _written(call: Call, given: dict[str, Any], contact: Contact, row: FieldValue) -> Answer:
    shown = shapes.field_value(call, row)
    for name in ("created_by", "updated_by"):
        del shown[name]
    shown["contact"] = call.echo(given["contact"])
    shown["field"] = call.echo(given["field"])
    shown["owner"] = call.echo(given["contact"])
    payload = {"contacts": [shapes.full_contact(call, contact)], "fieldValue": shown}
    return json_answer(200, payload)


def create_value(call: Call) -> Answer:
    """POST /fieldValues: an upsert on (contact, field), 200 either way."""
    given, contact, field, value = _read(call)
    row = set_value(call, contact, field.id, value)
    call.store.touch_related(contact, call.now)
    if row is None:
        row = FieldValue(0, contact.id, field.id, "", call.now, call.now)
    return _written(call, given, contact, row)


def update_value(call: Call) -> Answer:
    """PUT /fieldValues/{id}: contact, field and value are required; the row must be theirs."""
    row = found(call)
    given, contact, field, value = _read(call)
    if (row.contact, row.field) != (contact.id, field.id):
        raise errors.message(403, INVALID)
    written = set_value(call, contact, field.id, value)
    call.store.touch_related(contact, call.now)
    return _written(call, given, contact, written or row)


def delete_value(call: Call) -> Answer:
    """DELETE /fieldValues/{id}: removes the row."""
    row = found(call)
    contact = call.store.contacts.rows[row.contact]
    call.store.remove_value(row)
    call.store.touch_related(contact, call.now)
    return json_answer(200, {})
