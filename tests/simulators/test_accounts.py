"""Accounts as the reference and recordings have them: names, values by type, pages, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from simulators_api import Api
from simulators_support import Simulator

DUPLICATE = 'An account named "{}" already exists. Please choose a new name.'


def create(api: Api, name: str, **more: Any) -> Any:
    return api.post("accounts", {"account": {"name": name, **more}})


def meta(api: Api, label: str, kind: str, **more: Any) -> int:
    body = {"accountCustomFieldMetum": {"fieldLabel": label, "fieldType": kind, **more}}
    return int(api.post("accountCustomFieldMeta", body).json()["accountCustomFieldMetum"]["id"])


def test_a_name_is_taken_once_by_post_and_by_put(api: Api) -> None:
    """422 duplicate with the vendor's words; nothing of the refused write is applied."""
    assert create(api, "Example AG").status_code == 201
    other = create(api, "Example Ltd", accountUrl="https://example.org").json()["account"]["id"]
    again = create(api, "example ag")
    change = {"account": {"name": "Example AG", "accountUrl": "https://example.com"}}
    renamed = api.put(f"accounts/{other}", change)
    for answer, name in ((again, "example ag"), (renamed, "Example AG")):
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (422, "duplicate")
        assert error["title"] == DUPLICATE.format(name)
    account = api.get(f"accounts/{other}").json()["account"]
    assert (account["name"], account["accountUrl"]) == ("Example Ltd", "https://example.org")


@pytest.mark.parametrize("name", [None, ""])
def test_a_name_is_needed(api: Api, name: str | None) -> None:
    """422 field_missing, on creating and on changing."""
    create(api, "Example AG")
    for answer in (create(api, name or ""), api.put("accounts/1", {"account": {"name": name}})):
        (error,) = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (422, "field_missing")
        assert error["source"] == {"pointer": "/data/attributes/name"}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("number", "12.5", "twelve"),
        ("date", "2026-02-03", "03.02.2026"),
        ("datetime", "2026-02-03T10:00:00+01:00", "soon"),
        ("dropdown", "a", "z"),
        ("radio", "b", "B"),
        ("checkbox", ["a", "b"], "||a||"),
        ("multiselect", ["a"], ["z"]),
        ("currency", "1250", "12.50"),
        ("text", "x", ["x"]),
    ],
)
def test_an_account_that_checks_values_knows_each_type(
    simulator: Simulator, api: Api, kind: str, good: Any, bad: Any
) -> None:
    """Strict: what has the documented form is kept as it came, what has not is refused whole."""
    simulator.switches(field_value_validation="strict")
    field = meta(api, "Field", kind, fieldOptions=["a", "b"])
    currency = {"fieldCurrency": "EUR"} if kind == "currency" else {}
    entry = {"customFieldId": field, "fieldValue": bad, **currency}
    assert create(api, "Example AG", fields=[entry]).status_code == 422
    assert api.get("accounts").json()["accounts"] == []
    entry["fieldValue"] = good
    assert create(api, "Example AG", fields=[entry]).status_code == 201
    datum = api.get("accountCustomFieldData/1").json()["accountCustomFieldDatum"]
    assert datum["fieldValue"] == good
    assert datum.get("fieldCurrency") == currency.get("fieldCurrency")


def test_values_and_accounts_come_in_pages(simulator: Simulator, api: Api) -> None:
    """100 at most; values have no meta."""
    names = [f"Company {n}" for n in range(101)]
    simulator.seed(
        {
            "accountFields": ["Key"],
            "accounts": [{"name": name, "fields": {"Key": name}} for name in names],
        }
    )
    for resource, label in (("accounts", "name"), ("accountCustomFieldData", "fieldValue")):
        pages = [api.get(f"{resource}?limit=200&offset={at}").json() for at in (0, 100)]
        assert [row[label] for page in pages for row in page[resource]] == names
        assert [len(page[resource]) for page in pages] == [100, 1]
    assert "meta" not in pages[0]


def test_an_unknown_field_refuses_the_account_whole(api: Api) -> None:
    """404 before anything is made."""
    entry = {"customFieldId": 9, "fieldValue": "x"}
    assert create(api, "Example AG", fields=[entry]).status_code == 404
    assert api.get("accounts").json()["accounts"] == []


def test_others_make_accounts_meanwhile(simulator: Simulator, api: Api) -> None:
    """The event takes what a seed takes."""
    simulator.seed({"accountFields": ["Key"]})
    simulator.event("create_account", values={"name": "Example AG", "fields": {"Key": "7"}})
    (account,) = api.get("accounts").json()["accounts"]
    assert account["name"] == "Example AG"
    path = "accountCustomFieldData?filters[customerAccountId]=1"
    assert api.get(path).json()["accountCustomFieldData"][0]["fieldValue"] == "7"
    simulator.event("delete_account", name="example ag")
    assert api.get("accounts/1").status_code == 404
    assert api.get("accountCustomFieldData").json()["accountCustomFieldData"] == []
