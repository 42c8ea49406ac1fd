"""Custom fields of accounts: definitions (Meta) and values (Data)."""

from __future__ import annotations

import json
from typing import Any

from api_simulators.activecampaign import errors, stamps
from api_simulators.activecampaign.call import Call, entries, sent, text, whole
from api_simulators.activecampaign.model import Row
from api_simulators.activecampaign.value_rules import DATE, is_number
from api_simulators.wire import Answer, json_answer

META, DATA = "accountCustomFieldMeta", "accountCustomFieldData"
TYPES = (
    "text",
    "textarea",
    "date",
    "datetime",
    "dropdown",
    "multiselect",
    "radio",
    "checkbox",
    "hidden",
    "currency",
    "number",
)
SINGLE_CHOICE = ("dropdown", "radio")
SEVERAL_CHOICES = ("checkbox", "multiselect")


def _found(call: Call, table: str) -> Row:
    row = call.store.tables[table].find(call.args[0])
    if row is None:
        raise errors.titled(404, "Not Found")
    return row


def _meta(call: Call, row: Row) -> dict[str, Any]:
    data = row.data
    return {
        "id": str(row.id),
        "fieldLabel": text(data["fieldLabel"]),
        "fieldType": text(data["fieldType"]),
        "fieldOptions": data.get("fieldOptions"),
        "fieldDefault": data.get("fieldDefault"),
        "fieldDefaultCurrency": data.get("fieldDefaultCurrency"),
        "isFormVisible": whole(data.get("isFormVisible"), 0),
        "isRequired": whole(data.get("isRequired"), 0),
        "displayOrder": whole(data.get("displayOrder"), row.id),
        "personalization": text(data["fieldLabel"]).upper().replace(" ", "_"),
        "knownFieldId": None,
        "hideFieldFlag": 0,
        "createdTimestamp": call.wall(row.created),
        "updatedTimestamp": call.wall(row.updated),
        "links": {DATA: f"{call.base}/{META}/{row.id}/{DATA}"},
    }


def list_meta(call: Call) -> Answer:
    """GET /accountCustomFieldMeta."""
    rows = list(call.store.tables[META])
    default = int(call.switches["fields_default_limit"])
    shown = [_meta(call, row) for row in call.query.page(rows, default)]
    return json_answer(200, {META: shown, "meta": {"total": str(len(rows))}})


def create_meta(call: Call) -> Answer:
    """POST /accountCustomFieldMeta: 200; errors carry the code as a number."""
    given = call.envelope("accountCustomFieldMetum")
    for name in ("fieldLabel", "fieldType"):
        if not given.get(name):
            raise _refused(name, f"The {name} was not provided.")
    if text(given["fieldType"]) not in TYPES:
        raise _refused("fieldType", "The fieldType is not valid.")
    row = call.store.add_row(META, dict(given), call.now, None)
    return json_answer(200, {"accountCustomFieldMetum": _meta(call, row)})


def _refused(pointer: str, title: str) -> errors.ApiError:
    source = {"pointer": f"/data/attributes/{pointer}"}
    error = {"title": title, "detail": "", "code": 422, "source": source}
    return errors.ApiError(json_answer(422, {"errors": [error]}))


def read_meta(call: Call) -> Answer:
    """GET /accountCustomFieldMeta/{id}."""
    return json_answer(200, {"accountCustomFieldMetum": _meta(call, _found(call, META))})


def update_meta(call: Call) -> Answer:
    """PUT /accountCustomFieldMeta/{id}."""
    row = _found(call, META)
    call.store.change_row(META, row, call.envelope("accountCustomFieldMetum"), call.now)
    return json_answer(200, {"accountCustomFieldMetum": _meta(call, row)})


def delete_meta(call: Call) -> Answer:
    """DELETE /accountCustomFieldMeta/{id}: the definition and every value of it."""
    row = _found(call, META)
    for datum in list(call.store.tables[DATA]):
        if datum.data["customFieldId"] == row.id:
            call.store.remove_row(DATA, datum)
    call.store.remove_row(META, row)
    return json_answer(200, {})


def _datum(call: Call, row: Row) -> dict[str, Any]:
    data = row.data
    head = f"{call.base}/{DATA}/{row.id}/"
    kind = text(call.store.tables[META].rows[data["customFieldId"]].data["fieldType"])
    shown = {
        "id": str(row.id),
        "accountCustomFieldMetumId": data["customFieldId"],
        "accountId": data["accountId"],
        "customFieldId": data["customFieldId"],
        "createdTimestamp": call.wall(row.created),
        "updatedTimestamp": call.wall(row.updated),
        "fieldValue": _shown(call, data["fieldValue"]),
        "links": {
            "account": head + "account",
            "accountCustomFieldMetum": head + "accountCustomFieldMetum",
        },
    }
    if kind == "currency" and call.switches["account_currency_shown"]:
        shown["fieldCurrency"] = data.get("fieldCurrency")
    return shown


def _shown(call: Call, value: Any) -> Any:
    if isinstance(value, list) and call.switches["account_choices"] == "json_text":
        return json.dumps(value)
    return value


def list_data(call: Call) -> Answer:
    """GET /accountCustomFieldData with `filters[customerAccountId]`; no meta."""
    account = call.query.number("filters[customerAccountId]")
    rows = [
        row
        for row in call.store.tables[DATA]
        if account in {None, row.data["accountId"]} and call.visible(row.created)
    ]
    return json_answer(200, {DATA: [_datum(call, row) for row in call.query.page(rows)]})


def _checked(call: Call, field: Any, given: dict[str, Any]) -> Row:
    """Return the definition of a field that takes the value; raises 404 or 422."""
    meta = call.store.tables[META].find(field)
    if meta is None:
        raise errors.titled(404, "Not Found")
    value = given.get("fieldValue")
    longest = call.switches["max_value_length"]
    if longest and isinstance(value, str) and len(value) > longest:
        raise errors.invalid("field_invalid", f"{meta.data['fieldLabel']} is too long.", "fields")
    strict = call.switches["field_value_validation"] == "strict"
    if strict and value not in (None, "", []) and not _fits(call, meta, value, given):
        title = f"The value of {meta.data['fieldLabel']} is not valid."
        raise errors.invalid("field_invalid", title, "fields")
    return meta


def _fits(call: Call, meta: Row, value: Any, given: dict[str, Any]) -> bool:
    """Say whether a value has the form its type is documented to have."""
    kind, options = text(meta.data["fieldType"]), meta.data.get("fieldOptions") or []
    if kind in SEVERAL_CHOICES:
        return isinstance(value, list) and set(value) <= set(options)
    if isinstance(value, (list, dict)):
        return False
    if kind in SINGLE_CHOICE:
        return value in options
    written = text(value)
    if kind == "number":
        return is_number(written)
    if kind == "currency":
        code = text(given.get("fieldCurrency"))
        whole_number = written.removeprefix("-").isdigit()
        return whole_number and len(code) == 3 and code.isalpha() and code.isupper()
    if kind == "date":
        return bool(DATE.fullmatch(written)) and stamps.parse(written, call.zone) is not None
    return kind != "datetime" or stamps.parse(written, call.zone) is not None


def _save(call: Call, account: Any, field: Any, given: dict[str, Any]) -> Row:
    """Insert or overwrite the value of (account, field); raises 404 when either is missing."""
    company = call.store.tables["accounts"].find(account)
    meta = _checked(call, field, given)
    if company is None:
        raise errors.titled(404, "Not Found")
    data = {"accountId": company.id, "customFieldId": meta.id}
    data |= sent(given, ("fieldValue", "fieldCurrency"))
    for row in call.store.tables[DATA]:
        if (row.data["accountId"], row.data["customFieldId"]) == (company.id, meta.id):
            call.store.change_row(DATA, row, data, call.now)
            return row
    return call.store.add_row(DATA, {"fieldValue": None} | data, call.now, None)


def check_inline(call: Call, given: Any) -> None:
    """Refuse the `fields` of an account write as a whole, before anything of it is applied."""
    if call.switches["account_inline_fields"] == "works":
        for entry in entries(given):
            _checked(call, entry.get("customFieldId"), entry)


def save_inline(call: Call, account: int, given: Any) -> list[dict[str, Any]]:
    """Save the `fields` of an account write; returns them as the answer shows them."""
    shown = []
    for entry in entries(given):
        row = _save(call, account, entry.get("customFieldId"), entry)
        value = row.data["fieldValue"]
        field = row.data["customFieldId"]
        value = _shown(call, value)
        shown.append({"customFieldId": field, "fieldValue": value, "accountId": str(account)})
    return shown


def create_datum(call: Call) -> Answer:
    """POST /accountCustomFieldData: 200."""
    given = call.envelope("accountCustomFieldDatum")
    account = given.get("customerAccountId", given.get("accountId"))
    if call.switches["account_value_twice"] == "422" and _holds(call, account, given):
        raise _refused("customFieldId", "The account has a value of this field.")
    row = _save(call, account, given.get("customFieldId"), given)
    return json_answer(200, {"accountCustomFieldDatum": _datum(call, row)})


def _holds(call: Call, account: Any, given: dict[str, Any]) -> bool:
    pair = (text(account), text(given.get("customFieldId")))
    return any(
        (text(row.data["accountId"]), text(row.data["customFieldId"])) == pair
        for row in call.store.tables[DATA]
    )


def read_datum(call: Call) -> Answer:
    """GET /accountCustomFieldData/{id}."""
    return json_answer(200, {"accountCustomFieldDatum": _datum(call, _found(call, DATA))})


def update_datum(call: Call) -> Answer:
    """PUT /accountCustomFieldData/{id}."""
    row = _found(call, DATA)
    given = call.envelope("accountCustomFieldDatum")
    _checked(call, row.data["customFieldId"], given)
    data = sent(given, ("fieldValue", "fieldCurrency"))
    call.store.change_row(DATA, row, data, call.now)
    return json_answer(200, {"accountCustomFieldDatum": _datum(call, row)})


def delete_datum(call: Call) -> Answer:
    """DELETE /accountCustomFieldData/{id}."""
    call.store.remove_row(DATA, _found(call, DATA))
    return json_answer(200, {})


def bulk_create(call: Call) -> Answer:
    """POST /accountCustomFieldData/bulkCreate: a bare array."""
    for entry in _array(call):
        account = entry.get("customerAccountId", entry.get("accountId"))
        _save(call, account, entry.get("customFieldId"), entry)
    return json_answer(200, {"message": "the bulk insert was successful"})


def bulk_update(call: Call) -> Answer:
    """PATCH /accountCustomFieldData/bulkUpdate: a bare array of `{id, fieldValue}`."""
    changes = _array(call)
    rows = [call.store.tables[DATA].find(entry.get("id")) for entry in changes]
    numbers = []
    for entry, row in zip(changes, rows, strict=True):
        if row is None:
            raise errors.titled(404, "Not Found")
        data = sent(entry, ("fieldValue", "fieldCurrency"))
        call.store.change_row(DATA, row, data, call.now)
        numbers.append(str(row.id))
    done = f"AccountCustomFieldDatas with ID(s): {', '.join(numbers)} successfully bulk updated."
    return json_answer(200, {"message": done})


def _array(call: Call) -> list[dict[str, Any]]:
    body = call.json()
    if not isinstance(body, list):
        raise errors.malformed()
    return entries(body)
