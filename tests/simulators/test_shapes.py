"""The exact shapes of answers, as recorded on real accounts."""

from __future__ import annotations

import re
from typing import Any

from simulators_api import Api
from simulators_support import Simulator

NOW = "2026-05-28T10:03:40+00:00"
STAMP = "2026-05-28T05:03:40-05:00"
LATER = "2026-05-28T05:03:51-05:00"
WALL = "2026-05-28 05:03:40"
SPARSE = {
    "email": "c@example.com",
    "firstName": "P",
    "lastName": "C",
    "cdate": STAMP,
    "udate": STAMP,
    "phone": "",
    "orgid": "0",
    "orgname": "",
    "id": "1",
    "organization": None,
}
FULL = {
    "cdate": STAMP,
    "email": "c@example.com",
    "phone": "",
    "firstName": "P",
    "lastName": "C",
    "orgid": "0",
    "orgname": "",
    "segmentio_id": "",
    "bounced_hard": "0",
    "bounced_soft": "0",
    "bounced_date": None,
    "ip": "0",
    "ua": None,
    "socialdata_lastcheck": None,
    "email_local": "",
    "email_domain": "example.com",
    "sentcnt": "0",
    "rating_tstamp": None,
    "gravatar": "0",
    "deleted": "0",
    "anonymized": "0",
    "adate": None,
    "udate": LATER,
    "edate": None,
    "deleted_at": None,
    "created_utc_timestamp": WALL,
    "updated_utc_timestamp": "2026-05-28 05:03:51",
    "created_timestamp": WALL,
    "updated_timestamp": "2026-05-28 05:03:51",
    "created_by": None,
    "updated_by": None,
    "mpp_tracking": "0",
    "best_send_hour": None,
    "sms_consent": None,
    "sms_consent_updated_at": None,
    "id": "1",
    "organization": None,
}


def without_links(shown: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shown.items() if name not in {"links", "hash"}}


def create(api: Api) -> Any:
    contact = {"email": "c@example.com", "firstName": "P", "lastName": "C"}
    return api.post("contacts", {"contact": contact})


def test_a_create_answers_sparsely(simulator: Simulator, api: Api) -> None:
    """POST /contacts answers 201 with eleven keys, times in account time, 18 links."""
    simulator.clock(now=NOW)
    answer = create(api)
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    shown = answer.json()
    assert set(shown) == {"contact"}
    assert without_links(shown["contact"]) == SPARSE
    links = shown["contact"]["links"]
    assert len(links) == 18
    assert links["bounceLogs"] == f"{api.base}/contacts/1/bounceLogs"


def test_an_update_by_sync_answers_the_full_contact(simulator: Simulator, api: Api) -> None:
    """contact/sync answers 200 with the full contact and a hash that stays; `cdate` stays."""
    simulator.clock(now=NOW)
    create(api)
    simulator.clock(advance=11)
    answer = api.post("contact/sync", {"contact": {"email": "c@example.com"}})
    assert answer.status_code == 200
    contact = answer.json()["contact"]
    assert without_links(contact) == FULL
    assert re.fullmatch("[0-9a-f]{32}", contact["hash"])
    again = api.put("contacts/1", {"contact": {"firstName": "Q"}}).json()["contact"]
    assert again["hash"] == contact["hash"]


def test_a_sync_with_values_shows_them_twice(api: Api) -> None:
    """Values come as objects beside the contact and as id strings inside it."""
    api.field("Land")
    body = {"contact": {"email": "a@example.com", "fieldValues": [{"field": "1", "value": "CH"}]}}
    created = api.post("contact/sync", body)
    assert created.status_code == 201
    updated = api.post("contact/sync", body)
    assert updated.status_code == 200
    for answer in (created, updated):
        assert [row["value"] for row in answer.json()["fieldValues"]] == ["CH"]
        assert answer.json()["contact"]["fieldValues"] == ["1"]


def test_values_beside_the_contact_are_dropped(api: Api) -> None:
    """fieldValues count only inside `contact`."""
    api.field("Land")
    body = {"contact": {"email": "a@example.com"}, "fieldValues": [{"field": "1", "value": "CH"}]}
    api.post("contacts", body)
    assert api.get("contacts/1/fieldValues").json() == {"fieldValues": []}


def test_a_field_value_is_all_strings_when_read(simulator: Simulator, api: Api) -> None:
    """The write echoes the types sent, the read has strings; one row per (contact, field)."""
    simulator.clock(now=NOW)
    simulator.seed({"fields": [{"perstag": "CITY"}], "contacts": [{"email": "a@example.com"}]})
    value = {"contact": 1, "field": 1, "value": "Albany"}
    answer = api.post("fieldValues", {"fieldValue": value})
    assert answer.status_code == 200
    written = answer.json()["fieldValue"]
    assert (written["contact"], written["field"], written["owner"]) == (1, 1, 1)
    assert answer.json()["contacts"][0]["email"] == "a@example.com"
    read = api.get("fieldValues/1").json()["fieldValue"]
    assert without_links(read) == {
        "contact": "1",
        "field": "1",
        "value": "Albany",
        "cdate": STAMP,
        "udate": STAMP,
        "created_by": None,
        "updated_by": None,
        "id": "1",
        "owner": "1",
    }
    again = api.post("fieldValues", {"fieldValue": value | {"value": "Rome"}})
    assert again.json()["fieldValue"]["id"] == "1"
    assert api.get("fieldValues").json()["meta"] == {"total": "1"}


def test_tagging_twice_keeps_the_row(simulator: Simulator, api: Api) -> None:
    """POST /contactTags is 201 first and 200 with the same row, in strings, after."""
    simulator.clock(now=NOW)
    simulator.seed({"tags": ["vip"], "contacts": [{"email": "a@example.com"}]})
    body = {"contactTag": {"contact": 1, "tag": 1}}
    assert api.post("contactTags", body).status_code == 201
    again = api.post("contactTags", body)
    assert again.status_code == 200
    assert without_links(again.json()["contactTag"]) == {
        "contact": "1",
        "tag": "1",
        "cdate": STAMP,
        "created_timestamp": WALL,
        "updated_timestamp": WALL,
        "created_by": None,
        "updated_by": None,
        "id": "1",
    }


def test_a_list_of_contacts_tells_what_it_was_asked(api: Api) -> None:
    """`meta` repeats the page asked for; the total is text; scoreValues lead."""
    api.contact("a@example.com")
    shown = api.get("contacts").json()
    meta = shown["meta"]
    assert re.fullmatch("[0-9a-f]{32}", meta["page_input"].pop("cacheid"))
    assert meta == {
        "page_input": {
            "segmentid": None,
            "formid": 0,
            "listid": 0,
            "tagid": 0,
            "limit": 20,
            "offset": 0,
            "search": None,
            "sort": None,
            "seriesid": 0,
            "waitid": 0,
            "status": -1,
            "forceQuery": 0,
        },
        "total": "1",
        "sortable": True,
    }
    assert list(shown) == ["scoreValues", "contacts", "meta"]
    contact = shown["contacts"][0]
    extra = {"last_click_date", "last_open_date", "whatsapp_id", "scoreValues", "accountContacts"}
    assert extra <= set(contact)
    assert "status" not in contact


def test_one_contact_comes_with_what_hangs_on_it(simulator: Simulator, api: Api) -> None:
    """GET /contacts/{id} has the objects beside the contact and their ids inside."""
    simulator.seed(
        {
            "fields": [{"perstag": "LAND"}],
            "lists": ["News"],
            "contacts": [
                {"email": "a@example.com", "fieldValues": {"LAND": "CH"}, "lists": {"News": 1}}
            ],
        }
    )
    shown = api.get("contacts/1").json()
    assert set(shown) == {
        "contactAutomations",
        "contactLists",
        "deals",
        "fieldValues",
        "geoIps",
        "accountContacts",
        "contact",
    }
    assert shown["contactLists"][0]["status"] == "1"
    assert shown["contact"]["contactLists"] == ["1"]
    assert shown["contact"]["fieldValues"] == ["1"]


def test_a_new_field_has_no_relation_until_one_is_made(api: Api) -> None:
    """A field made by the API is related to no list; the relation echoes numbers."""
    created = api.post("fields", {"field": {"title": "Kunden Nr.", "type": "hidden"}})
    assert created.status_code == 201
    field = created.json()["field"]
    assert (field["perstag"], field["ordernum"], field["id"]) == ("KUNDEN_NR", 1, "1")
    assert api.get("fields/1").json()["field"]["relations"] == []
    related = api.post("fieldRels", {"fieldRel": {"field": 1, "relid": 0}})
    assert related.status_code == 201
    relation = related.json()["fieldRel"]
    assert (relation["field"], relation["relid"], relation["links"]) == (1, 0, [])
    shown = api.get("fields?filters[perstag]=KUNDEN_NR").json()
    assert shown["fields"][0]["relations"] == ["1"]
    assert shown["fieldRels"][0]["relid"] == "0"
    assert shown["meta"] == {"total": "1", "selected": None}


def test_a_subscription_says_what_changed(simulator: Simulator, api: Api) -> None:
    """A new row is 201 with contacts; the same status again is 200 without them."""
    simulator.seed({"lists": ["News"], "contacts": [{"email": "a@example.com"}]})
    new = api.post("contactLists", {"contactList": {"list": 1, "contact": 1, "status": 1}})
    assert new.status_code == 201
    assert set(new.json()) == {"contacts", "contactList"}
    row = new.json()["contactList"]
    assert (row["status"], row["list"], row["id"], row["sourceid"]) == (1, 1, "1", "4")
    assert len(row["links"]) == 8
    again = api.post("contactLists", {"contactList": {"list": 1, "contact": 1, "status": 1}})
    assert again.status_code == 200
    assert set(again.json()) == {"contactList"}
    assert api.get("contacts/1/contactLists").json()["contactLists"][0]["status"] == "1"


def test_accounts_save_their_fields_inline(api: Api) -> None:
    """POST /accounts is 201 with the saved fields; meta is 200 with numbers."""
    meta = {"fieldLabel": "Branch", "fieldType": "text"}
    made = api.post("accountCustomFieldMeta", {"accountCustomFieldMetum": meta})
    assert made.status_code == 200
    assert made.json()["accountCustomFieldMetum"]["isFormVisible"] == 0
    account = {"name": "Example AG", "fields": [{"customFieldId": 1, "fieldValue": "IT"}]}
    created = api.post("accounts", {"account": account})
    assert created.status_code == 201
    shown = created.json()["account"]
    assert shown["fields"] == [{"customFieldId": 1, "fieldValue": "IT", "accountId": "1"}]
    assert shown["customFieldSaveStatus"] == {"status": "success"}
    datum = api.get("accountCustomFieldData?filters[customerAccountId]=1").json()
    assert datum["accountCustomFieldData"][0]["accountId"] == 1
    listed = api.get("accounts?search=example").json()
    assert listed["accounts"][0]["contactCount"] == "0"
    linked = api.post("accountContacts", {"accountContact": {"account": 1, "contact": 9}})
    assert linked.status_code == 404
    number = api.contact("a@example.com")
    body = {"accountContact": {"account": 1, "contact": int(number), "jobTitle": "CFO"}}
    linked = api.post("accountContacts", body)
    assert linked.status_code == 201
    assert linked.json()["accountContact"]["account"] == 1
    assert api.get("accountContacts/1").json()["accountContact"]["account"] == "1"


def test_udate_moves_with_values_lists_tags_and_notes(simulator: Simulator, api: Api) -> None:
    """Each of these writes moves the contact's udate, though no attribute changed."""
    simulator.clock(now=NOW)
    simulator.seed(
        {
            "fields": [{"perstag": "LAND"}],
            "lists": ["News"],
            "tags": ["vip"],
            "contacts": [{"email": "a@example.com"}],
        }
    )
    writes = [
        ("fieldValues", {"fieldValue": {"contact": 1, "field": 1, "value": "CH"}}),
        ("contactLists", {"contactList": {"contact": 1, "list": 1, "status": 1}}),
        ("contactTags", {"contactTag": {"contact": 1, "tag": 1}}),
        ("notes", {"note": {"note": "n", "relid": 1, "reltype": "Subscriber"}}),
    ]
    before = STAMP
    for path, body in writes:
        simulator.clock(advance=10)
        api.post(path, body)
        after = api.get("contacts/1").json()["contact"]["udate"]
        assert after > before
        before = after


def test_a_deleted_contact_takes_everything_along(simulator: Simulator, api: Api) -> None:
    """Values, standings and tags go with it; the address is free; the id is not used again."""
    simulator.seed(
        {
            "fields": [{"perstag": "LAND"}],
            "lists": ["News"],
            "tags": ["vip"],
            "contacts": [
                {
                    "email": "a@example.com",
                    "fieldValues": {"LAND": "CH"},
                    "lists": {"News": 1},
                    "tags": ["vip"],
                }
            ],
        }
    )
    answer = api.delete("contacts/1")
    assert (answer.status_code, answer.json()) == (200, {})
    for path in ("contacts", "fieldValues", "contactLists", "contactTags"):
        assert api.get(path).json()["meta"]["total"] == "0"
    assert api.get("contacts/1").status_code == 404
    assert api.contact("a@example.com") == "2"
