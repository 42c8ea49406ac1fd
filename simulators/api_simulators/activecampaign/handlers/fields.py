"""Custom fields of contacts, their options and where they are shown."""

from __future__ import annotations

import re
from typing import Any

from api_simulators.activecampaign import errors, shapes
from api_simulators.activecampaign.call import Call, text, whole
from api_simulators.activecampaign.model import Field, Option, Relation
from api_simulators.wire import Answer, json_answer

TYPES = (
    "text",
    "textarea",
    "date",
    "datetime",
    "dropdown",
    "radio",
    "checkbox",
    "listbox",
    "hidden",
    "number",
    "NULL",
    "",
)
WRITABLE = ("title", "type", "descript", "perstag", "defval", "visible", "isrequired")


def found(call: Call) -> Field:
    """Return the field named in the path; raises 404 Field."""
    field = call.store.fields.find(call.args[0])
    if field is None:
        raise errors.not_found("Field", call.args[0])
    return field


def list_fields(call: Call) -> Answer:
    """GET /fields: definitions with the options and relations they use."""
    wanted = call.query.get("filters[perstag]")
    fields = [f for f in call.store.fields if wanted is None or f.perstag == wanted.upper()]
    page = call.query.page(fields, int(call.switches["fields_default_limit"]))
    payload = _around(call, list(page))
    payload["fields"] = [shapes.field(call, field) for field in page]
    payload["meta"] = {"total": str(len(fields)), "selected": None}
    return json_answer(200, payload)


def _around(call: Call, fields: list[Field]) -> dict[str, Any]:
    store = call.store
    options = [store.options.rows[number] for field in fields for number in field.options]
    relations = [store.relations.rows[number] for field in fields for number in field.relations]
    return {
        "fieldOptions": [shapes.option(call, row) for row in options],
        "fieldRels": [shapes.relation(call, row) for row in relations],
    }


def read_field(call: Call) -> Answer:
    """GET /fields/{id}."""
    field = found(call)
    return json_answer(200, _around(call, [field]) | {"field": shapes.field(call, field)})


def read_options(call: Call) -> Answer:
    """GET /fields/{id}/options."""
    options = _around(call, [found(call)])["fieldOptions"]
    return json_answer(200, {"fieldOptions": options})


def read_relations(call: Call) -> Answer:
    """GET /fields/{id}/relations."""
    return json_answer(200, {"fieldRels": _around(call, [found(call)])["fieldRels"]})


def perstag_of(title: str) -> str:
    """Return the tag made from a title: UPPER_SNAKE."""
    return re.sub(r"[^0-9A-Z]+", "_", title.upper()).strip("_")


def _free_perstag(call: Call, wanted: str) -> str:
    tag, suffix = wanted, 0
    while call.store.field_by_perstag(tag):
        suffix += 1
        tag = f"{wanted}_{suffix}"
    return tag


def create_field(call: Call) -> Answer:
    """POST /fields: 201; a taken title is 422 without a pointer."""
    given = call.envelope("field")
    title, kind = text(given.get("title")), text(given.get("type"))
    if not title:
        raise errors.invalid("field_missing", "The field title was not provided.", "title")
    if "type" not in given:
        raise errors.invalid("field_missing", "The field type was not provided.", "type")
    if kind not in TYPES:
        raise errors.invalid("field_invalid", "The field type is not valid.", "type")
    _refuse_taken_title(call, title, None)
    tag = perstag_of(text(given.get("perstag")) or title)
    field = Field(
        id=call.store.fields.next_id(),
        title=title,
        type=kind,
        perstag=_free_perstag(call, tag or "FIELD"),
        created=call.now,
        updated=call.now,
        descript=text(given.get("descript")),
        defval=text(given.get("defval")),
        visible=text(given.get("visible", 1)),
        ordernum=whole(given.get("ordernum"), len(call.store.fields) + 1),
        isrequired=text(given.get("isrequired", 0)),
    )
    call.store.add_field(field)
    full = shapes.field(call, field)
    names = ("title", "type", "created_by", "updated_by", "cdate", "udate", "perstag")
    shown = {name: full[name] for name in names}
    shown |= {"ordernum": field.ordernum, "links": full["links"], "id": full["id"]}
    return json_answer(201, {"field": shown})


def _refuse_taken_title(call: Call, title: str, own: int | None) -> None:
    for field in call.store.fields:
        if field.title.casefold() == title.casefold() and field.id != own:
            wording = "There is already a field with this title"
            detail = f"A field with the title {title} already exists."
            raise errors.invalid("duplicate", wording, None, detail=detail)


def update_field(call: Call) -> Answer:
    """PUT /fields/{id}."""
    field = found(call)
    given = call.envelope("field")
    if "title" in given:
        _refuse_taken_title(call, text(given["title"]), field.id)
    for name in WRITABLE:
        if name in given:
            setattr(field, name, text(given[name]))
    field.updated = call.now
    call.store.version += 1
    return json_answer(200, {"field": shapes.field(call, field)})


def delete_field(call: Call) -> Answer:
    """DELETE /fields/{id}: the definition and every value of it."""
    call.store.remove_field(found(call))
    return json_answer(200, {})


def create_relation(call: Call) -> Answer:
    """POST /fieldRels: without one a field is not shown anywhere; relid 0 is all lists."""
    given = call.envelope("fieldRel")
    field = call.store.fields.find(given.get("field"))
    if field is None:
        raise errors.not_found("Field", text(given.get("field")))
    relid = text(given.get("relid", 0))
    if not (relid.isascii() and relid.isdigit()):
        raise errors.invalid("field_invalid", "The relation id is not valid.", "relid")
    store = call.store
    row = store.relations.add(Relation(store.relations.next_id(), field.id, int(relid), call.now))
    field.relations.append(row.id)
    store.version += 1
    shown = {
        "relid": call.echo(given.get("relid", 0)),
        "field": call.echo(given["field"]),
        "cdate": call.iso(row.created),
        "links": [],
        "id": str(row.id),
    }
    return json_answer(201, {"fieldRel": shown})


def list_relations(call: Call) -> Answer:
    """GET /fieldRels."""
    rows = list(call.store.relations)
    shown = [shapes.relation(call, row) for row in call.query.page(rows)]
    return json_answer(200, {"fieldRels": shown, "meta": {"total": str(len(rows))}})


def delete_relation(call: Call) -> Answer:
    """DELETE /fieldRels/{id}."""
    row = call.store.relations.find(call.args[0])
    if row is None:
        raise errors.not_found("FieldRel", call.args[0])
    call.store.relations.remove(row.id)
    call.store.fields.rows[row.field].relations.remove(row.id)
    call.store.version += 1
    return json_answer(200, {})


def create_options(call: Call) -> Answer:
    """POST /fieldOption/bulk: 201; a wrong body is 422 with `errors` as a string."""
    spelling = call.request.path.split("/")[-2]
    if call.switches["field_options_path"] not in ("both", spelling):
        raise errors.message(404, "No such resource")
    body = call.json()
    given = body.get("fieldOptions") if isinstance(body, dict) else None
    if not isinstance(given, list) or not given:
        raise errors.errors_text("fieldOptions must be a non-empty array")
    for entry in given:
        if not isinstance(entry, dict) or call.store.fields.find(entry.get("field")) is None:
            raise errors.errors_text("each field option needs the id of a field")
    shown = []
    for entry in given:
        row = add_option(call, call.store.fields.rows[int(entry["field"])], entry)
        option = shapes.option(call, row) | {"orderid": row.orderid, "isdefault": row.isdefault}
        shown.append(option)
    return json_answer(201, {"fieldOptions": shown})


def add_option(call: Call, field: Field, entry: dict[str, Any]) -> Option:
    """Add one choice to a field."""
    store = call.store
    value = text(entry.get("value"))
    row = Option(
        id=store.options.next_id(),
        field=field.id,
        orderid=whole(entry.get("orderid"), len(field.options) + 1),
        value=value,
        label=text(entry.get("label")) or value,
        isdefault=int(bool(entry.get("isdefault"))),
        created=call.now,
    )
    store.options.add(row)
    field.options.append(row.id)
    store.version += 1
    return row
