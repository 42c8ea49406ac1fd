"""Pages, orders and filters over more rows than fit on one page."""

from __future__ import annotations

from typing import Any

import pytest
from simulators_api import Api
from simulators_support import Simulator

MANY = 130
NAMES = [f"n{index:03}" for index in range(1, MANY + 1)]
SEED: dict[str, Any] = {
    "fields": [{"perstag": f"F{index}"} for index in range(1, MANY + 1)],
    "lists": NAMES,
    "tags": NAMES,
    "accounts": NAMES,
    "automations": NAMES,
    "exclusions": NAMES,
    "contacts": [
        {
            "email": f"{MANY - index:03}@example.com",
            "fieldValues": {"F1": str(index)},
            "lists": {"n001": 1 + index % 2},
            "tags": ["n001"],
            "account": "n001",
        }
        for index in range(MANY)
    ],
}
KINDS = {
    "contacts": "contacts",
    "fields": "fields",
    "fieldRels": "fieldRels",
    "fieldValues": "fieldValues",
    "lists": "lists",
    "lists/exclusions": "exclusions",
    "contactLists": "contactLists",
    "tags": "tags",
    "contactTags": "contactTags",
    "accounts": "accounts",
    "accountContacts": "accountContacts",
    "automations": "automations",
    "notes": "notes",
    "webhooks": "webhooks",
    "contactAutomations": "contactAutomations",
    "accountCustomFieldMeta": "accountCustomFieldMeta",
    "users": "users",
}
HOOK = {"name": "h", "url": "https://example.com", "events": ["update"], "sources": ["api"]}
MADE_BY_CALLS: dict[str, Any] = {
    "notes": {"note": {"note": "n", "relid": 1, "reltype": "Subscriber"}},
    "webhooks": {"webhook": HOOK},
    "contactAutomations": {"contactAutomation": {"contact": 1, "automation": 1}},
    "accountCustomFieldMeta": {"accountCustomFieldMetum": {"fieldLabel": "B", "fieldType": "text"}},
    "users": {"user": {"username": "u", "email": "u@example.com"}},
}


@pytest.mark.parametrize(("path", "key"), KINDS.items())
def test_every_kind_is_read_completely_in_pages(
    simulator: Simulator, api: Api, path: str, key: str
) -> None:
    """Pages of 100 by offset meet each row once; a limit over 100 clamps silently to 100."""
    simulator.seed(SEED)
    for _ in range(MANY if path in MADE_BY_CALLS else 0):
        assert api.post(path, MADE_BY_CALLS[path]).status_code < 300
    expected = MANY + 1 if path == "users" else MANY
    pages = [api.get(f"{path}?limit=500&offset={offset}").json() for offset in (0, 100, 200)]
    assert [len(page[key]) for page in pages] == [100, expected - 100, 0]
    ids = [row["id"] for page in pages for row in page[key]]
    assert len(set(ids)) == expected
    assert all(isinstance(number, str) for number in ids)
    total = expected if path == "lists/exclusions" else str(expected)
    assert {page["meta"]["total"] for page in pages} == {total}
    assert len(api.get(path).json()[key]) == 20


def test_account_values_are_paged_without_a_total(simulator: Simulator, api: Api) -> None:
    """accountCustomFieldData has pages but no meta."""
    simulator.seed({"accounts": NAMES})
    meta = {"accountCustomFieldMetum": {"fieldLabel": "B", "fieldType": "text"}}
    api.post("accountCustomFieldMeta", meta)
    rows = [
        {"customerAccountId": number, "customFieldId": 1, "fieldValue": "x"}
        for number in range(1, MANY + 1)
    ]
    assert api.post("accountCustomFieldData/bulkCreate", rows).status_code == 200
    second = api.get("accountCustomFieldData?limit=100&offset=100").json()
    assert len(second["accountCustomFieldData"]) == MANY - 100
    assert "meta" not in second
    changes = [{"id": number, "fieldValue": "y"} for number in range(1, MANY + 1)]
    answer = api.call("PATCH", "accountCustomFieldData/bulkUpdate", changes)
    assert answer.json()["message"].endswith("successfully bulk updated.")
    assert (
        api.get("accountCustomFieldData/130").json()["accountCustomFieldDatum"]["fieldValue"] == "y"
    )


def ids(api: Api, query: str) -> list[int]:
    return [int(contact["id"]) for contact in api.get(f"contacts?{query}").json()["contacts"]]


def test_contacts_come_by_address_unless_ordered(simulator: Simulator, api: Api) -> None:
    """Without `orders` the order is by address; id, DESC and several columns are honoured."""
    simulator.seed(SEED)
    assert ids(api, "limit=3") == [130, 129, 128]
    assert ids(api, "limit=3&orders[id]=ASC") == [1, 2, 3]
    assert ids(api, "limit=3&orders[id]=desc") == [130, 129, 128]
    assert ids(api, "limit=3&orders[email]=DESC") == [1, 2, 3]
    assert ids(api, "limit=3&orders[first_name]=ASC&orders[email]=DESC") == [1, 2, 3]
    assert ids(api, "limit=3&orders[colour]=ASC") == [130, 129, 128]


def test_keyset_pages_meet_every_contact_once(simulator: Simulator, api: Api) -> None:
    """id_greater with orders[id] walks all; id_less walks back; deletions in between are safe."""
    simulator.seed(SEED)
    met: list[int] = []
    while page := ids(api, f"limit=50&orders[id]=ASC&id_greater={met[-1] if met else 0}"):
        met += page
        simulator.event("delete_contact", contact=page[0])
    assert met == list(range(1, MANY + 1))
    assert ids(api, "limit=2&orders[id]=DESC&id_less=100") == [99, 98]
    assert ids(api, "limit=9&orders[id]=ASC&id_greater=10&id_less=13") == [11, 12]
    answer = api.get("contacts?limit=1&orders[id]=ASC&id_greater=100").json()
    assert answer["meta"]["total"] == "29"


def test_a_page_carries_the_values_that_were_included(simulator: Simulator, api: Api) -> None:
    """include adds top-level arrays and the ids of their rows to each contact."""
    simulator.seed(SEED)
    names = "fieldValues,contactLists,contactTags,accountContacts"
    shown = api.get(f"contacts?limit=100&orders[id]=ASC&include={names},nonsense").json()
    for name in names.split(","):
        assert len(shown[name]) == 100
        assert [c[name] for c in shown["contacts"]] == [[row["id"]] for row in shown[name]]
    assert "nonsense" not in shown
    assert [row["value"] for row in shown["fieldValues"][:3]] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("email=130@example.com", [1]),
        ("email=nobody@example.com", []),
        ("email_like=09@", [122, 22]),
        ("search=129@", [2]),
        ("ids[]=3&ids[]=5&ids[]=999", [5, 3]),
        ("ids[0]=3&ids[1]=5", [5, 3]),
        ("status=1&limit=2", [129, 127]),
        ("status=2&listid=1&limit=2", [130, 128]),
        ("listid=2", []),
        ("tagid=1&limit=1", [130]),
        ("exclude=130&limit=1", [129]),
        ("phone=0", []),
        ("filters[created_after]=2099-01-01", []),
        ("filters[updated_before]=2000-01-01", []),
        ("filters[updated_after]=2000-01-01T00:00:00-05:00&limit=1", [130]),
    ],
)
def test_a_contact_filter_finds_what_it_says(
    simulator: Simulator, api: Api, query: str, found: list[int]
) -> None:
    """Each documented filter of GET /contacts selects; the order stays by address."""
    simulator.seed(SEED)
    assert ids(api, query) == found


@pytest.mark.parametrize("query", ["email=", "colour=red", "filters[colour]=red", "email"])
def test_an_unknown_or_empty_filter_returns_everything(
    simulator: Simulator, api: Api, query: str
) -> None:
    """Such a filter is ignored, so the first contact of all comes back."""
    simulator.seed(SEED)
    answer = api.get(f"contacts?{query}").json()
    assert answer["meta"]["total"] == str(MANY)
    assert answer["contacts"][0]["email"] == "001@example.com"


def test_values_are_found_by_field_and_text(simulator: Simulator, api: Api) -> None:
    """filters[fieldid] and filters[val] together are the look-up by custom id."""
    simulator.seed(SEED)
    shown = api.get("fieldValues?filters[fieldid]=1&filters[val]=77").json()
    assert [row["contact"] for row in shown["fieldValues"]] == ["78"]
    assert api.get("fieldValues?filters[fieldid]=2").json()["meta"]["total"] == "0"
    assert api.get("fieldValues?filters[fieldid]=1").json()["meta"]["total"] == str(MANY)
    value = {"fieldValue": {"contact": 78, "field": 1, "value": "new"}}
    api.post("fieldValues", value)
    assert api.get("fieldValues?filters[fieldid]=1&filters[val]=77").json()["fieldValues"] == []
    assert api.get("fieldValues?filters[val]=new").json()["meta"]["total"] == "1"


def test_lists_and_tags_are_compared_by_operator(simulator: Simulator, api: Api) -> None:
    """filters[name][op] on lists and filters[search][op] on tags compare."""
    simulator.seed(SEED)
    for path, column, key in (("lists", "name", "name"), ("tags", "search", "tag")):
        for operator, count in (("eq", 1), ("starts_with", 9), ("contains", 12), ("gt", 130)):
            text = {"eq": "n007", "starts_with": "n00", "contains": "09", "gt": "n"}[operator]
            shown = api.get(f"{path}?filters[{column}][{operator}]={text}&limit=100").json()
            assert shown["meta"]["total"] == str(count), (path, operator)
        down = api.get(f"{path}?orders[{column}]=desc&limit=1").json()
        assert down[path][0][key] == "n130"
