"""GET /contacts: filters, orders, keyset and offset paging, sideloading."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from api_simulators.activecampaign import shapes, stamps
from api_simulators.activecampaign.call import Call
from api_simulators.activecampaign.handlers import contact_lists
from api_simulators.activecampaign.handlers.accounts import link_shape
from api_simulators.activecampaign.handlers.tags import contact_tag_shape
from api_simulators.activecampaign.indexes import between
from api_simulators.activecampaign.model import Contact
from api_simulators.wire import Answer, json_answer

Test = Callable[[Contact], bool]
REMEMBERED = 8
OFFSET = re.compile(r"(?<=\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)$")
# Columns `orders[...]` knows; others are ignored, as unknown filters are.
ORDERS: dict[str, Callable[[Contact], Any]] = {
    "id": lambda contact: contact.id,
    "cdate": lambda contact: contact.created,
    "email": lambda contact: contact.email.casefold(),
    "first_name": lambda contact: contact.first_name.casefold(),
    "last_name": lambda contact: contact.last_name.casefold(),
    "name": lambda contact: (contact.first_name.casefold(), contact.last_name.casefold()),
    "score": lambda _: 0,
}
Parts = Callable[[Call, Contact], list[dict[str, Any]]]
# What `include` sideloads; other names are ignored.
INCLUDES: dict[str, Parts] = {
    "fieldValues": lambda call, c: [shapes.field_value(call, v) for v in c.values.values()],
    "contactLists": lambda call, c: [contact_lists.shape(call, r, c) for r in c.lists.values()],
    "contactTags": lambda call, c: [contact_tag_shape(call, r) for r in c.tags.values()],
    "accountContacts": lambda call, c: [link_shape(call, c.account)] if c.account else [],
}


def list_contacts(call: Call) -> Answer:
    """Answer one page; a page by id costs the page, whatever the account's size."""
    ids, total = _select(call)
    contacts = [call.store.contacts.rows[number] for number in ids]
    shown = [shapes.listed_contact(call, contact) for contact in contacts]
    payload: dict[str, Any] = {"scoreValues": [], "contacts": shown}
    if call.switches["include_supported"]:
        for name in (call.query.get("include") or "").split(","):
            _sideload(call, name.strip(), contacts, payload)
    payload["meta"] = {"page_input": _page_input(call), "total": str(total), "sortable": True}
    return json_answer(200, payload)


def _select(call: Call) -> tuple[Sequence[int], int]:
    """Return the ids of the page and the number of contacts that fit."""
    query, store = call.query, call.store
    limit, offset = query.window()
    orders = [(column, down) for column, down in query.orders() if column in ORDERS]
    greater = less = None
    if call.switches["id_greater_supported"]:
        greater, less = query.number("id_greater"), query.number("id_less")
    tests = _tests(call)
    few = _few(call)
    by_id = bool(orders) and orders[0][0] == "id"
    if few is None and not tests and by_id:
        ids = store.contacts.ids()
    elif few is None and not tests and not orders and greater is None and less is None:
        keys = store.email_order.keys()
        return [number for _, number in keys[offset : offset + limit]], len(keys)
    else:
        ids = _filtered(call, few, tests, orders)
    if by_id:
        start, stop = between(ids, greater, less)
        if orders[0][1]:
            top = max(start, stop - offset)
            return list(reversed(ids[max(start, top - limit) : top])), stop - start
        return ids[start + offset : min(stop, start + offset + limit)], stop - start
    if greater is not None or less is not None:
        low, high = greater or 0, float("inf") if less is None else less
        ids = [number for number in ids if low < number < high]
    return ids[offset : offset + limit], len(ids)


def _filtered(
    call: Call, few: list[int] | None, tests: list[Test], orders: list[tuple[str, bool]]
) -> Sequence[int]:
    """Return all ids that fit in their order, ascending when ordered by id; remembered."""
    cache = call.store.searches
    key = (call.store.version, call.switches.version, _search_key(call))
    remember = few is None and not call.switches["search_lag_seconds"]
    if remember and key in cache:
        return cache[key]
    rows = call.store.contacts.rows
    numbers: Sequence[int] = call.store.contacts.ids() if few is None else sorted(few)
    contacts = [rows[n] for n in numbers if all(test(rows[n]) for test in tests)]
    if not orders:
        contacts.sort(key=ORDERS["email"])
    elif orders[0][0] != "id":
        for column, down in reversed(orders):
            contacts.sort(key=ORDERS[column], reverse=down)
    found = [contact.id for contact in contacts]
    if remember:
        if len(cache) >= REMEMBERED or (cache and next(iter(cache))[0] != call.store.version):
            cache.clear()
        cache[key] = found
    return found


def _search_key(call: Call) -> str:
    """Name a search by everything but the page it asks for."""
    paging = {"limit", "offset", "id_greater", "id_less", "include"}
    return repr([pair for pair in call.query.pairs if pair[0] not in paging])


def _few(call: Call) -> list[int] | None:
    """Return candidates from an index where a filter has one, None for all contacts."""
    rows = call.store.contacts.rows
    wanted = call.query.all("ids[]", "ids")
    if wanted:
        cap = call.switches["ids_filter_max"]
        kept = wanted[:cap] if cap else wanted
        parts = [part for value in kept for part in value.split(",")]
        return list({int(part) for part in parts if part.isdigit() and int(part) in rows})
    email = call.query.get("email")
    if email is not None:
        return _by_email(call, email)
    return None


def _by_email(call: Call, email: str) -> list[int]:
    """Find by address; while a search lags, a renamed contact is still found by its old one."""
    store = call.store
    wanted = email.strip() if call.switches["email_trim"] else email
    ids = store.emails.ids(wanted.casefold())
    stale = {n: old for n, (when, old) in store.renamed.items() if not call.visible(when)}
    ids = [n for n in ids if n not in stale]
    ids += [n for n, old in stale.items() if old.casefold() == wanted.casefold()]
    if not call.switches["email_filter_ignores_case"]:
        rows = store.contacts.rows
        ids = [n for n in ids if wanted in {rows[n].email, stale.get(n)}]
    return ids


def _tests(call: Call) -> list[Test]:
    """Return one test per filter that is known and given; everything else is ignored."""
    query = call.query
    tests: list[Test] = []
    if call.switches["search_lag_seconds"]:
        tests.append(lambda contact: call.visible(contact.born))
    if like := (query.get("email_like") or "").casefold():
        tests.append(lambda contact: like in contact.email.casefold())
    if phone := query.get("phone"):
        tests.append(lambda contact: contact.phone.startswith(phone))
    if search := (query.get("search") or "").casefold():
        tests.append(lambda contact: search in _searchable(contact))
    if exclude := query.number("exclude"):
        tests.append(lambda contact: contact.id != exclude)
    if tag := query.number("tagid"):
        tests.append(lambda contact: tag in contact.tags)
    tests += _standing_tests(call)
    for name in ("created_before", "created_after", "updated_before", "updated_after"):
        test = _date_test(call, name)
        if test is not None:
            tests.append(test)
    return tests


def _searchable(contact: Contact) -> str:
    parts = (contact.first_name, contact.last_name, contact.phone, contact.email)
    return "\n".join(parts).casefold()


def _standing_tests(call: Call) -> list[Test]:
    """`listid` and `status`: together the standing on that list, alone on any."""
    list_id, status = call.query.number("listid"), call.query.number("status")
    if status is not None and status < 0:
        status = None
    if list_id and status is not None:
        return [
            lambda contact: list_id in contact.lists and contact.lists[list_id].status == status
        ]
    if list_id:
        return [lambda contact: list_id in contact.lists]
    if status is not None:
        return [lambda contact: any(row.status == status for row in contact.lists.values())]
    return []


def _date_test(call: Call, name: str) -> Test | None:
    given = call.query.get(f"filters[{name}]")
    moment = None if given is None else _moment(call, given)
    if moment is None:
        return None
    if name.endswith("after") and call.switches["date_filter_inclusive"]:
        moment -= 1
    attribute = "created" if name.startswith("created") else "updated"
    if name.endswith("before"):
        return lambda contact: int(getattr(contact, attribute)) < moment
    if attribute == "created":
        return lambda contact: int(contact.created) > moment
    return lambda contact: int(contact.updated) > moment and call.visible(contact.updated)


def _moment(call: Call, given: str) -> float | None:
    if call.switches["date_filter_offset"] == "ignored":
        given = OFFSET.sub("", given.strip())
    return stamps.parse(given, call.zone)


def _sideload(call: Call, name: str, contacts: list[Contact], payload: dict[str, Any]) -> None:
    """Add the rows of one `include` name beside the contacts, their ids inside each."""
    parts = INCLUDES.get(name)
    if parts is None:
        return
    payload[name] = []
    for target, contact in zip(payload["contacts"], contacts, strict=True):
        rows = parts(call, contact)
        payload[name] += rows
        target[name] = [row["id"] for row in rows]


def _page_input(call: Call) -> dict[str, Any]:
    """Return the echo of the request inside `meta`."""
    query = call.query
    limit, offset = query.window()
    cache_id = hashlib.md5(_search_key(call).encode(), usedforsecurity=False).hexdigest()
    return {
        "segmentid": query.number("segmentid"),
        "formid": query.number("formid") or 0,
        "listid": query.number("listid") or 0,
        "tagid": query.number("tagid") or 0,
        "limit": limit,
        "offset": offset,
        "search": query.get("search"),
        "sort": None,
        "seriesid": query.number("seriesid") or 0,
        "waitid": query.number("waitid") or 0,
        "status": -1 if query.number("status") is None else query.number("status"),
        "forceQuery": query.number("forceQuery") or 0,
        "cacheid": cache_id,
    }
