"""Mailing lists, their group permissions, and the exclusion list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from api_simulators.activecampaign import errors
from api_simulators.activecampaign.call import Call, sent, text
from api_simulators.activecampaign.model import Row
from api_simulators.wire import Answer, json_answer

REQUIRED = ("name", "stringid", "sender_url", "sender_reminder")
WRITABLE = (
    *REQUIRED,
    "channel",
    "description",
    "carboncopy",
    "subscription_notify",
    "unsubscription_notify",
    "user",
)
EXCLUSION_PARAMETERS = frozenset({"limit", "offset"})
EXCLUSION_COLUMNS = ("matchPhrase", "matchType", "channel")
COMPARE: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda held, wanted: held == wanted,
    "neq": lambda held, wanted: held != wanted,
    "lt": lambda held, wanted: held < wanted,
    "lte": lambda held, wanted: held <= wanted,
    "gt": lambda held, wanted: held > wanted,
    "gte": lambda held, wanted: held >= wanted,
    "contains": lambda held, wanted: wanted in held,
    "starts_with": lambda held, wanted: held.startswith(wanted),
}


def filter_rows(call: Call, rows: list[Row], column: str, attribute: str) -> list[Row]:
    """Apply `filters[column]` (equals) and `filters[column][op]` to rows, any case."""
    for name, value in call.query.pairs:
        if name == f"filters[{column}]":
            test = COMPARE["eq"]
        elif name.startswith(f"filters[{column}][") and name[len(column) + 10 : -1] in COMPARE:
            test = COMPARE[name[len(column) + 10 : -1]]
        else:
            continue
        wanted = value.casefold()
        rows = [row for row in rows if test(text(row.data.get(attribute)).casefold(), wanted)]
    return rows


def order_rows(call: Call, rows: list[Row], column: str, attribute: str) -> list[Row]:
    """Apply `orders[column]` to rows."""
    for name, down in call.query.orders():
        if name == column:
            rows = sorted(
                rows, key=lambda row: text(row.data.get(attribute)).casefold(), reverse=down
            )
    return rows


def found(call: Call, *, status: int = 404) -> Row:
    """Return the list named in the path; raises 404, or 403 as DELETE does."""
    row = call.store.tables["lists"].find(call.args[0])
    if row is None:
        raise errors.not_found("_List", call.args[0], status=status)
    return row


def _shape(call: Call, row: Row, counts: Counter[tuple[int, int]]) -> dict[str, Any]:
    head = f"{call.base}/lists/{row.id}/"
    data = row.data
    everyone = sum(count for (number, _), count in counts.items() if number == row.id)
    return {
        "stringid": text(data.get("stringid") or str(data["name"]).lower().replace(" ", "-")),
        "userid": text(data.get("user", 1)),
        "name": text(data["name"]),
        "cdate": call.iso(row.created),
        "sender_url": text(data.get("sender_url")),
        "sender_reminder": text(data.get("sender_reminder")),
        "deletestamp": None,
        "udate": call.iso(row.updated),
        "created_timestamp": call.wall(row.created),
        "updated_timestamp": call.wall(row.updated),
        "created_by": None,
        "updated_by": None,
        "channel": text(data.get("channel") or "email"),
        "description": text(data.get("description")),
        "non_deleted_subscribers": str(everyone),
        "active_subscribers": str(counts[row.id, 1]),
        "links": {
            "contactGoalLists": head + "contactGoalLists",
            "user": head + "user",
            "addressLists": head + "addressLists",
        },
        "id": str(row.id),
        "user": text(data.get("user", 1)),
    }


def _counts(call: Call) -> Counter[tuple[int, int]]:
    return Counter((row.list, row.status) for row in call.store.contact_lists)


def list_lists(call: Call) -> Answer:
    """GET /lists."""
    rows = filter_rows(call, list(call.store.tables["lists"]), "name", "name")
    rows = order_rows(call, rows, "name", "name")
    counts = _counts(call)
    shown = [_shape(call, row, counts) for row in call.query.page(rows)]
    return json_answer(200, {"lists": shown, "meta": {"total": str(len(rows))}})


def read_list(call: Call) -> Answer:
    """GET /lists/{id}."""
    return json_answer(200, {"list": _shape(call, found(call), _counts(call))})


def create_list(call: Call) -> Answer:
    """POST /lists: 201, with numbers where later reads have strings."""
    given = call.envelope("list")
    for name in REQUIRED:
        if not given.get(name):
            raise errors.missing_attribute(name)
    data = sent(given, WRITABLE)
    row = call.store.add_row("lists", data, call.now, None)
    full = _shape(call, row, Counter())
    shown: dict[str, Any] = {
        name: full[name]
        for name in ("name", "channel", "stringid", "sender_url", "sender_reminder", "description")
    }
    shown |= {"send_last_broadcast": 0, "carboncopy": text(data.get("carboncopy"))}
    shown |= {"subscription_notify": "", "unsubscription_notify": ""}
    user = call.echo(data.get("user", 1))
    shown |= {"userid": user, "cdate": full["cdate"], "udate": full["udate"]}
    shown |= {"links": full["links"], "id": full["id"], "user": user}
    return json_answer(201, {"list": shown})


def update_list(call: Call) -> Answer:
    """PUT /lists/{id}."""
    row = found(call)
    given = call.envelope("list")
    data = sent(given, WRITABLE)
    call.store.change_row("lists", row, data, call.now)
    return json_answer(200, {"list": _shape(call, row, _counts(call))})


def delete_list(call: Call) -> Answer:
    """DELETE /lists/{id}: takes the standings on it along; a missing list is told as 403."""
    row = found(call, status=403)
    call.store.remove_list(row)
    return json_answer(200, {})


def create_list_group(call: Call) -> Answer:
    """POST /listGroups: lets a user group see a list."""
    given = call.envelope("listGroup")
    if call.store.tables["lists"].find(given.get("listid")) is None:
        raise errors.not_found("_List", text(given.get("listid")))
    row = call.store.add_row("listGroups", dict(given), call.now, None)
    shown = {"listid": call.echo(given["listid"]), "groupid": call.echo(given.get("groupid", 1))}
    return json_answer(201, {"listGroup": shown | {"links": [], "id": str(row.id)}})


def list_exclusions(call: Call) -> Answer:
    """GET /lists/exclusions: the one list that refuses what it does not know, total a number."""
    allowed = EXCLUSION_PARAMETERS | {
        f"{kind}[{column}]" for kind in ("filters", "orders") for column in EXCLUSION_COLUMNS
    }
    for name, _ in call.query.pairs:
        if name not in allowed:
            raise errors.invalid_attribute(name, "Unknown filter or order.")
    rows = list(call.store.tables["exclusions"])
    for column in EXCLUSION_COLUMNS:
        rows = order_rows(call, filter_rows(call, rows, column, column), column, column)
    shown = [
        {
            "matchPhrase": text(row.data["matchPhrase"]),
            "matchType": text(row.data.get("matchType") or "exact"),
            "channel": text(row.data.get("channel") or "email"),
            "hidden": bool(row.data.get("hidden", False)),
            "lists": row.data.get("lists", []),
            "id": str(row.id),
        }
        for row in call.query.page(rows)
    ]
    return json_answer(200, {"exclusions": shown, "meta": {"total": len(rows)}})
