"""REST endpoints of recipient lists and their recipients; writes only say "initiated"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.optimizely import columns, recipient_writes
from api_simulators.optimizely.adding import INSERTED, INVALID, Adder, Row
from api_simulators.optimizely.lookups import find, the_list
from api_simulators.optimizely.model import Client, Recipient, RecipientList
from api_simulators.optimizely.operations import BusinessError
from api_simulators.optimizely.rest_call import (
    RestCall,
    RestError,
    RestHandler,
    counted,
    listing,
    ordered,
    paged,
    whole,
)
from api_simulators.wire import Answer, json_answer


def _the_list(call: RestCall) -> RecipientList:
    """Return the list of the path; 409 is what the reference says for an unknown one."""
    try:
        return the_list(call.client, whole(call.args[0]))
    except BusinessError as error:
        raise RestError(409) from error


def _list(call: RestCall, row: RecipientList) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "recipients": len(row.recipients),
        "mediaTypes": ["EMAIL"],
        "testList": row.kind == "test",
        "forTransactionApi": row.kind == "transaction",
        "created": call.moment(row.created),
        "modified": call.moment(row.modified),
        "links": [],
    }


def _lists(call: RestCall) -> Answer:
    tests = call.choice("includeTestLists", ("true", "false"), "true") == "true"
    found = [each for each in call.client.lists.values() if tests or each.kind != "test"]
    keys: dict[str, Callable[[RecipientList], Any]] = {
        "name": lambda row: row.name,
        "created": lambda row: row.created,
        "modified": lambda row: row.modified,
    }
    return paged(call, ordered(call, found, keys, "created"), lambda row: _list(call, row))


def _one_list(call: RestCall) -> Answer:
    return json_answer(200, _list(call, _the_list(call)))


def _attribute_names(call: RestCall) -> Answer:
    names = columns.attribute_names(_the_list(call), None, call.client.switches)
    return json_answer(200, {"attributeNames": names, "links": []})


def _fields(call: RestCall) -> Answer:
    rows = [
        {
            "internalName": field.name,
            "displayName": field.name,
            "type": field.type,
            "required": field.required,
        }
        for field in _the_list(call).attributes.values()
    ]
    return listing(call, rows, 0, len(rows), len(rows))


def _limited(call: RestCall) -> None:
    """Refuse with 429 what is more than may be asked for at the same time."""
    if int(call.client.switches["rest_simultaneous"]) < 1:
        raise RestError(429)


def _recipient(call: RestCall, row: Recipient, readers: dict[str, columns.Read]) -> dict[str, Any]:
    return {
        "id": row.id,
        "created": call.moment(row.created),
        "modified": call.moment(row.modified),
        "data": {name: read(row) for name, read in readers.items()},
        "links": [],
    }


def _readers(call: RestCall, in_list: RecipientList) -> dict[str, columns.Read]:
    names = call.texts("attributeNames")
    try:
        return {name: columns.reader(in_list, name, call.client.switches) for name in names}
    except BusinessError as error:
        raise RestError(400) from error


def _recipients(call: RestCall) -> Answer:
    _limited(call)
    in_list = _the_list(call)
    readers = _readers(call, in_list)
    return paged(
        call, list(in_list.recipients.values()), lambda row: _recipient(call, row, readers)
    )


def _count(call: RestCall) -> Answer:
    _limited(call)
    return counted(len(_the_list(call).recipients))


def _one(call: RestCall) -> tuple[RecipientList, Recipient]:
    in_list = _the_list(call)
    found = find(call.client, in_list, call.args[1])
    if found is None:
        raise RestError(404)
    return in_list, found


def _one_recipient(call: RestCall) -> Answer:
    in_list, found = _one(call)
    return json_answer(200, _recipient(call, found, _readers(call, in_list)))


def _valid(call: RestCall) -> Answer:
    """Say whether mail would reach a recipient and, if not, the first reason."""
    in_list = _the_list(call)
    found = find(call.client, in_list, call.args[1])
    reason = _hindrance(call.client, in_list, found)
    answer = {"valid": reason is None, "recipientListId": in_list.id, "links": []}
    return json_answer(200, answer | ({"validationFailedReason": reason} if reason else {}))


def _hindrance(client: Client, in_list: RecipientList, found: Recipient | None) -> str | None:
    if found is None:
        return "not_found"
    if client.blocklist.matches(found.address):
        return "blacklisted"
    if client.is_bounced_out(found.id):
        return "bounced"
    return "unsubscribed" if client.is_unsubscribed(found.id, in_list.id) else None


def _add(call: RestCall, process_id: int, number: str, address: str, data: dict[str, Any]) -> int:
    """Add one recipient as addAll3 would; returns its code, "validation failed" for a fault."""
    names: list[str | None] = list(data)
    values = [None if value is None else str(value) for value in data.values()]
    try:
        adder = Adder(call.client, _the_list(call), process_id, "EMAIL")
        return adder.add(names, [Row(number, address, values)])[0]
    except BusinessError:
        return INVALID


def _add_many(call: RestCall) -> Answer:
    try:
        body = call.json()
        given = [
            (str(each["id"]), str(each.get("address") or each["id"]), dict(each.get("data") or {}))
            for each in body["recipients"]
        ]
        process_id = int(body.get("optinProcessId") or 0)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RestError(400) from error
    if process_id and process_id not in call.client.optin_processes:
        raise RestError(409)
    _the_list(call)
    failed = [each[0] for each in given if _add(call, process_id, *each) != INSERTED]
    return json_answer(200, {"count": len(given) - len(failed), "failedIds": failed})


def _add_one(call: RestCall) -> Answer:
    number = call.text("recipientId")
    if not number:
        raise RestError(400)
    data = {
        name.removeprefix("data."): values[-1]
        for name, values in call.parameters.items()
        if name.startswith("data.")
    }
    in_list = _the_list(call)
    process_id = call.number("optinProcessId", 0)
    code = _add(call, process_id, number, call.text("address") or number, data)
    if code != INSERTED:
        raise RestError(400 if code == INVALID else 409)
    process = call.client.optin_processes.get(process_id)
    status = 202 if process is not None and process.type == "double" else 201
    found = find(call.client, in_list, number)
    return json_answer(status, _recipient(call, found, {}) if found else {"id": number})


REMOVALS = {
    "blacklisted": recipient_writes.remove_blacklisted,
    "bounced": recipient_writes.remove_bounced,
    "unsubscribed": recipient_writes.remove_unsubscribed,
}


def _remove(call: RestCall) -> Answer:
    """Delete some; without `recipientIds` and `removalType`, or with both empty, everybody."""
    in_list, ids, kind = _the_list(call), call.texts("recipientIds"), call.text("removalType")
    if ids and kind:
        raise RestError(400)
    if kind:
        if kind not in REMOVALS:
            raise RestError(400)
        REMOVALS[kind](call.client, None, in_list.id)  # type: ignore[arg-type] # no session here
    elif ids:
        for each in ids:
            found = find(call.client, in_list, each)
            if found is not None:
                in_list.remove(found)
    else:
        recipient_writes.clear(call.client, None, in_list.id)  # type: ignore[arg-type] # nor here
    return Answer(204, b"")


def _remove_one(call: RestCall) -> Answer:
    in_list, found = _one(call)
    in_list.remove(found)
    return Answer(204, b"")


RECIPIENT_ROUTES: dict[tuple[str, str], RestHandler] = {
    ("GET", "recipientlists"): _lists,
    ("GET", "recipientlists/*"): _one_list,
    ("GET", "recipientlists/*/attributeNames"): _attribute_names,
    ("GET", "recipientlists/*/fields"): _fields,
    ("GET", "recipients/*"): _recipients,
    ("PUT", "recipients/*"): _add_many,
    ("POST", "recipients/*"): _add_one,
    ("DELETE", "recipients/*"): _remove,
    ("GET", "recipients/*/count"): _count,
    ("GET", "recipients/*/*"): _one_recipient,
    ("DELETE", "recipients/*/*"): _remove_one,
    ("GET", "recipients/*/*/valid"): _valid,
}
