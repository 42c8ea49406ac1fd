"""Tags, and tags on contacts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from api_simulators.activecampaign import errors, shapes
from api_simulators.activecampaign.call import Call, sent, text
from api_simulators.activecampaign.handlers.lists import filter_rows, order_rows
from api_simulators.activecampaign.model import ContactTag, Row
from api_simulators.wire import Answer, json_answer


def found(call: Call) -> Row:
    """Return the tag named in the path; raises 404 Tag."""
    row = call.store.tables["tags"].find(call.args[0])
    if row is None:
        raise errors.not_found("Tag", call.args[0])
    return row


def _shape(call: Call, row: Row, counts: Counter[int]) -> dict[str, Any]:
    return {
        "tagType": text(row.data.get("tagType") or "contact"),
        "tag": text(row.data["tag"]),
        "description": text(row.data.get("description")),
        "subscriber_count": str(counts[row.id]),
        "cdate": call.iso(row.created),
        "created_timestamp": call.wall(row.created),
        "updated_timestamp": call.wall(row.updated),
        "created_by": None,
        "updated_by": None,
        "deleted": "0",
        "links": _links(call, row),
        "id": str(row.id),
    }


def _links(call: Call, row: Row) -> dict[str, str]:
    head = f"{call.base}/tags/{row.id}/"
    return {name: head + name for name in ("contactGoalTags", "templateTags")}


def _counts(call: Call) -> Counter[int]:
    return Counter(row.tag for row in call.store.contact_tags)


def list_tags(call: Call) -> Answer:
    """GET /tags: `search` contains, `filters[search][op]` compares."""
    rows = filter_rows(call, list(call.store.tables["tags"]), "search", "tag")
    search = (call.query.get("search") or "").casefold()
    rows = [row for row in rows if search in text(row.data["tag"]).casefold()]
    rows = order_rows(call, rows, "search", "tag")
    counts = _counts(call)
    shown = [_shape(call, row, counts) for row in call.query.page(rows)]
    return json_answer(200, {"tags": shown, "meta": {"total": str(len(rows))}})


def read_tag(call: Call) -> Answer:
    """GET /tags/{id}."""
    return json_answer(200, {"tag": _shape(call, found(call), _counts(call))})


def create_tag(call: Call) -> Answer:
    """POST /tags: 201 with the short form; a taken name, any case, as switched."""
    given = call.envelope("tag")
    name = text(given.get("tag"))
    if not name:
        raise errors.missing_attribute("tag")
    held = call.store.row_named("tags", name)
    if held is not None:
        status = call.switches["tag_duplicate_status"]
        if status == 200:
            return json_answer(200, {"tag": _short(call, held)})
        if status == 409:
            raise errors.titled(409, "Conflict", "The tag already exists")
        raise errors.invalid("duplicate", "The tag already exists", "tag")
    data = sent(given, ("tag", "tagType", "description"))
    row = call.store.add_row("tags", data, call.now, None)
    return json_answer(201, {"tag": _short(call, row)})


def _short(call: Call, row: Row) -> dict[str, Any]:
    full = _shape(call, row, Counter())
    names = ("tag", "description", "tagType", "cdate", "links", "id")
    return {name: full[name] for name in names}


def update_tag(call: Call) -> Answer:
    """PUT /tags/{id}."""
    row = found(call)
    given = call.envelope("tag")
    data = sent(given, ("tag", "tagType", "description"))
    held = call.store.row_named("tags", text(data.get("tag")))
    if held is not None and held.id != row.id:
        raise errors.invalid("duplicate", "The tag already exists", "tag")
    call.store.change_row("tags", row, data, call.now)
    return json_answer(200, {"tag": _shape(call, row, _counts(call))})


def delete_tag(call: Call) -> Answer:
    """DELETE /tags/{id}: takes it from every contact."""
    row = found(call)
    for held in [held for held in call.store.contact_tags if held.tag == row.id]:
        call.store.untag_contact(held, call.now)
    call.store.remove_row("tags", row)
    return json_answer(200, {})


def contact_tag_shape(call: Call, row: ContactTag) -> dict[str, Any]:
    """Return a tag on a contact."""
    head = f"{call.base}/contactTags/{row.id}/"
    return {
        "contact": str(row.contact),
        "tag": str(row.tag),
        "cdate": call.iso(row.created),
        "created_timestamp": call.wall(row.created),
        "updated_timestamp": call.wall(row.created),
        "created_by": None,
        "updated_by": None,
        "links": {"tag": head + "tag", "contact": head + "contact"},
        "id": str(row.id),
    }


def list_contact_tags(call: Call) -> Answer:
    """GET /contactTags: every tag on every contact."""
    table = call.store.contact_tags
    shown = [contact_tag_shape(call, table.rows[n]) for n in call.query.page(table.ids())]
    return json_answer(200, {"contactTags": shown, "meta": {"total": str(len(table))}})


def tag_contact(call: Call) -> Answer:
    """POST /contactTags: 201 when new, 200 with the same row when already there."""
    given = call.envelope("contactTag")
    for name in ("contact", "tag"):
        if given.get(name) is None:
            raise errors.missing_attribute(name)
    contact = call.store.contacts.find(given["contact"])
    if contact is None:
        raise errors.titled(404, "Not Found", "Contact not found")
    tag = call.store.tables["tags"].find(given["tag"])
    if tag is None:
        raise errors.not_found("Tag", text(given["tag"]))
    row, new = call.store.tag_contact(contact, tag.id, call.now)
    shown = contact_tag_shape(call, row)
    if not new:
        return json_answer(200, {"contactTag": shown})
    shown |= {name: call.echo(given[name]) for name in ("contact", "tag")}
    contacts = [shapes.full_contact(call, contact)]
    return json_answer(201, {"contacts": contacts, "contactTag": shown})


def untag_contact(call: Call) -> Answer:
    """DELETE /contactTags/{id}: by the id of the relation, not of the tag."""
    row = call.store.contact_tags.find(call.args[0])
    if row is None:
        raise errors.not_found("SubscriberTag", call.args[0])
    call.store.untag_contact(row, call.now)
    return json_answer(200, {})
