"""Users: the cheap check of a key, and the users of the account."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign import errors
from api_simulators.activecampaign.call import Call, text
from api_simulators.activecampaign.model import Row
from api_simulators.wire import Answer, json_answer

ME: dict[str, Any] = {
    "username": "admin",
    "firstName": "Sample",
    "lastName": "Admin",
    "email": "admin@example.com",
    "phone": "",
    "signature": None,
}


def me(call: Call) -> Answer:
    """GET /users/me: the user the key belongs to."""
    return json_answer(200, {"user": shape(call, Row(1, 0, 0, ME))})


def shape(call: Call, row: Row) -> dict[str, Any]:
    """Return a user."""
    names = ("lists", "userGroup", "dealGroupTotals", "configs")
    links = {name: f"{call.base}/users/{row.id}/{name}" for name in names}
    shown = {name: row.data.get(name, ME.get(name)) for name in ME}
    return shown | {"links": links, "id": str(row.id)}


def list_users(call: Call) -> Answer:
    """GET /users."""
    rows = [Row(1, 0, 0, ME), *call.store.tables["users"]]
    shown = [shape(call, row) for row in call.query.page(rows)]
    return json_answer(200, {"users": shown, "meta": {"total": str(len(rows))}})


def _find(call: Call, attribute: str) -> Row:
    for row in (Row(1, 0, 0, ME), *call.store.tables["users"]):
        held = str(row.id) if attribute == "id" else text(row.data.get(attribute))
        if held == call.args[0]:
            found: Row = row
            return found
    raise errors.not_found("User", call.args[0])


def read_user(call: Call) -> Answer:
    """GET /users/{id}."""
    return json_answer(200, {"user": shape(call, _find(call, "id"))})


def read_by_email(call: Call) -> Answer:
    """GET /users/email/{email}."""
    return json_answer(200, {"user": shape(call, _find(call, "email"))})


def read_by_username(call: Call) -> Answer:
    """GET /users/username/{username}."""
    return json_answer(200, {"user": shape(call, _find(call, "username"))})


def create_user(call: Call) -> Answer:
    """POST /users."""
    given = call.envelope("user")
    table = call.store.tables["users"]
    row = table.add(Row(max(2, table.next_id()), call.now, call.now, dict(given)))
    table.next_id(row.id + 1)
    return json_answer(201, {"user": shape(call, row)})
