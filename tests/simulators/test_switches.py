"""Every switch makes a difference that a client can see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulators_api import Api
from simulators_support import Simulator

Look = Callable[[Simulator, Api], Any]
NOON = "2026-05-28T17:00:00+00:00"
PROBES: dict[str, tuple[Any, Look]] = {}


def probe(name: str, flipped: Any) -> Callable[[Look], Look]:
    """Register what a client sees differently once switch `name` stands at `flipped`."""

    def register(look: Look) -> Look:
        assert name not in PROBES
        PROBES[name] = (flipped, look)
        return look

    return register


def person(simulator: Simulator, **attributes: Any) -> None:
    """Seed one contact, a field of each checked type, a list and a tag."""
    simulator.seed(
        {
            "fields": [{"perstag": "LAND"}, {"perstag": "BORN", "type": "date"}],
            "lists": ["News"],
            "tags": ["vip"],
            "contacts": [{"email": "a@example.com", "firstName": "Ada", **attributes}],
        }
    )


def values(*entries: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"field": field, "value": value} for field, value in entries]


@probe("bad_token_status", 401)
def _(simulator: Simulator, api: Api) -> Any:
    return api.get("users/me", headers={"Api-Token": "wrong"}).status_code


@probe("account_lapsed", True)
def _(simulator: Simulator, api: Api) -> Any:
    return api.get("users/me").status_code


@probe("forbidden", "tags")
def _(simulator: Simulator, api: Api) -> Any:
    return api.get("tags").status_code


@probe("rate_limit", False)
def _(simulator: Simulator, api: Api) -> Any:
    return [api.get("users/me").status_code for _ in range(6)]


@probe("rate_limit_per_second", 3)
def _(simulator: Simulator, api: Api) -> Any:
    return [api.get("users/me").status_code for _ in range(6)]


@probe("rate_limit_status", 503)
def _(simulator: Simulator, api: Api) -> Any:
    return [api.get("users/me").status_code for _ in range(6)]


@probe("ratelimit_headers", "only_429")
def _(simulator: Simulator, api: Api) -> Any:
    return ["RateLimit-Limit" in api.get("users/me").headers for _ in range(6)]


@probe("too_many_requests_body", "html")
def _(simulator: Simulator, api: Api) -> Any:
    return [api.get("users/me").headers["Content-Type"] for _ in range(6)]


@probe("retry_after", "soon")
def _(simulator: Simulator, api: Api) -> Any:
    return [api.get("users/me").headers.get("Retry-After") for _ in range(6)]


@probe("unknown_path", "html")
def _(simulator: Simulator, api: Api) -> Any:
    return api.get("nothing").text


@probe("patch_supported", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return api.call("PATCH", "contacts/1", {"contact": {"firstName": "B"}}).status_code


@probe("account_timezone", "Europe/Zurich")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return api.get("contacts/1").json()["contact"]["cdate"]


@probe("echo_types", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    value = {"contact": 1, "field": 1, "value": "CH"}
    return api.post("fieldValues", {"fieldValue": value}).json()["fieldValue"]["contact"]


@probe("contacts_sync_plural", "create")
def _(simulator: Simulator, api: Api) -> Any:
    return api.post("contacts/sync", {"contact": {"email": "a@example.com"}}).status_code


@probe("sync_created_status", 200)
def _(simulator: Simulator, api: Api) -> Any:
    return api.post("contact/sync", {"contact": {"email": "a@example.com"}}).status_code


@probe("put_email_conflict", "others_applied")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    api.contact("b@example.com")
    change = {"contact": {"email": "b@example.com", "firstName": "New"}}
    return api.put("contacts/1", change).status_code, simulator.state()["contacts"][0]["firstName"]


@probe("email_case", "lower")
def _(simulator: Simulator, api: Api) -> Any:
    api.contact("Ada@Example.com")
    return list(simulator.contacts())


@probe("email_trim", False)
def _(simulator: Simulator, api: Api) -> Any:
    api.contact(" a@example.com ")
    return list(simulator.contacts())


@probe("email_validation", "strict")
def _(simulator: Simulator, api: Api) -> Any:
    return api.post("contacts", {"contact": {"email": "a@localhost"}}).status_code


@probe("email_unique_ignores_case", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return api.post("contacts", {"contact": {"email": "A@example.com"}}).status_code


@probe("email_filter_ignores_case", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return api.get("contacts?email=A@example.com").json()["meta"]["total"]


@probe("archived_email_reserved", True)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    api.delete("contacts/1")
    contact = {"contact": {"email": "a@example.com"}}
    return [api.post(path, contact).status_code for path in ("contacts", "contact/sync")]


@probe("null_attribute", "ignored")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    api.put("contacts/1", {"contact": {"firstName": None}})
    return simulator.contacts()["a@example.com"]["firstName"]


@probe("cdate_writable", "never")
def _(simulator: Simulator, api: Api) -> Any:
    api.contact("a@example.com", cdate="2001-02-03")
    return simulator.contacts()["a@example.com"]["cdate"]


@probe("idle_update_bumps_udate", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    simulator.clock(advance=60)
    api.put("contacts/1", {"contact": {"firstName": "Ada"}})
    return simulator.contacts()["a@example.com"]["udate"]


@probe("contact_limit", 1)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return api.post("contacts", {"contact": {"email": "b@example.com"}}).status_code


@probe("contact_limit_status", 422)
def _(simulator: Simulator, api: Api) -> Any:
    simulator.switches(contact_limit=1)
    person(simulator)
    return api.post("contacts", {"contact": {"email": "b@example.com"}}).status_code


@probe("include_supported", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return "fieldValues" in api.get("contacts?include=fieldValues").json()


@probe("id_greater_supported", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return len(api.get("contacts?orders[id]=ASC&id_greater=1").json()["contacts"])


@probe("ids_filter_max", 1)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    api.contact("b@example.com")
    return len(api.get("contacts?ids[]=1&ids[]=2").json()["contacts"])


@probe("fields_default_limit", 100)
def _(simulator: Simulator, api: Api) -> Any:
    simulator.seed({"fields": [{"perstag": f"F{index}"} for index in range(30)]})
    return len(api.get("fields").json()["fields"])


@probe("filters_val_match", "contains")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator, fieldValues={"LAND": "CH"})
    return api.get("fieldValues?filters[fieldid]=1&filters[val]=H").json()["meta"]["total"]


@probe("filters_val_ignores_case", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator, fieldValues={"LAND": "CH"})
    return api.get("fieldValues?filters[fieldid]=1&filters[val]=ch").json()["meta"]["total"]


@probe("search_lag_seconds", 30)
def _(simulator: Simulator, api: Api) -> Any:
    api.contact("a@example.com")
    by_id = api.get("contacts/1").status_code
    found = api.get("contacts?email=a@example.com").json()["contacts"]
    return by_id, len(found)


@probe("field_value_validation", "strict")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    change = {"contact": {"fieldValues": values(("2", "yesterday"))}}
    return api.put("contacts/1", change).status_code


@probe("datetime_storage", "as_sent")
def _(simulator: Simulator, api: Api) -> Any:
    simulator.seed({"fields": [{"perstag": "AT", "type": "datetime"}]})
    field = simulator.state()["fields"][-1]["id"]
    api.contact("a@example.com")
    payload = {"contact": "1", "field": field, "value": "2026-01-01T12:00:00+00:00"}
    api.post("fieldValues", {"fieldValue": payload})
    return simulator.contacts()["a@example.com"]["fieldValues"]["AT"]


@probe("unknown_inline_field", "422")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    change = {"contact": {"fieldValues": values(("99", "x"))}}
    return api.put("contacts/1", change).status_code


@probe("inline_field_values_on_put", "ignored")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    api.put("contacts/1", {"contact": {"fieldValues": values(("1", "CH"))}})
    return simulator.contacts()["a@example.com"]["fieldValues"]


@probe("cleared_value", "row_removed")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator, fieldValues={"LAND": "CH"})
    api.put("contacts/1", {"contact": {"fieldValues": values(("1", ""))}})
    return simulator.contacts()["a@example.com"]["fieldValues"]


@probe("max_value_length", 5)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    change = {"contact": {"fieldValues": values(("1", "Switzerland"))}}
    return api.put("contacts/1", change).status_code


@probe("contactlists_new_row_status", 200)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return api.subscribe("1", "1").status_code


@probe("contactlists_unknown_list", 422)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return api.subscribe("1", "99").status_code


@probe("resubscribe_requires_sourceid", True)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator, lists={"News": 2})
    api.subscribe("1", "1", sourceid=0)
    return simulator.contacts()["a@example.com"]["lists"]


@probe("bounced_resubscribe", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator, lists={"News": 3})
    api.subscribe("1", "1")
    return simulator.contacts()["a@example.com"]["lists"]


@probe("tag_duplicate_status", 409)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return api.post("tags", {"tag": {"tag": "VIP", "tagType": "contact"}}).status_code


@probe("plan_accounts", False)
def _(simulator: Simulator, api: Api) -> Any:
    return api.get("accounts").text


def account(api: Api, name: str, **more: Any) -> Any:
    return api.post("accounts", {"account": {"name": name, **more}})


def account_field(api: Api, kind: str, value: Any, **more: Any) -> Any:
    """Give a new account a value of a new field; what is read of it."""
    meta = {"fieldLabel": "Field", "fieldType": kind, "fieldOptions": ["a", "b"]}
    api.post("accountCustomFieldMeta", {"accountCustomFieldMetum": meta})
    account(api, "Example AG", fields=[{"customFieldId": 1, "fieldValue": value, **more}])
    return api.get("accountCustomFieldData").json()["accountCustomFieldData"]


@probe("account_name_ignores_case", False)
def _(simulator: Simulator, api: Api) -> Any:
    return [account(api, name).status_code for name in ("Example AG", "EXAMPLE AG")]


@probe("account_search", "equals")
def _(simulator: Simulator, api: Api) -> Any:
    account(api, "Example AG")
    return len(api.get("accounts?search=example").json()["accounts"])


@probe("account_url", "completed")
def _(simulator: Simulator, api: Api) -> Any:
    return account(api, "Example AG", accountUrl="example.com").json()["account"]["accountUrl"]


@probe("account_inline_fields", "ignored")
def _(simulator: Simulator, api: Api) -> Any:
    return len(account_field(api, "text", "x"))


@probe("account_value_twice", "422")
def _(simulator: Simulator, api: Api) -> Any:
    account_field(api, "text", "x")
    datum = {"customerAccountId": 1, "customFieldId": 1, "fieldValue": "y"}
    return api.post("accountCustomFieldData", {"accountCustomFieldDatum": datum}).status_code


@probe("account_choices", "json_text")
def _(simulator: Simulator, api: Api) -> Any:
    return account_field(api, "multiselect", ["a", "b"])[0]["fieldValue"]


@probe("account_currency_shown", False)
def _(simulator: Simulator, api: Api) -> Any:
    return account_field(api, "currency", "1250", fieldCurrency="EUR")[0].get("fieldCurrency")


def bulk(api: Api, *contacts: dict[str, Any], **beside: Any) -> Any:
    return api.post("import/bulk_import", {"contacts": list(contacts), **beside})


@probe("bulk_success_key", "success")
def _(simulator: Simulator, api: Api) -> Any:
    return sorted(bulk(api, {"email": "a@example.com"}).json())


@probe("bulk_index_base", 1)
def _(simulator: Simulator, api: Api) -> Any:
    return bulk(api, {"email": "nobody"}).json()["failureReasons"]


@probe("bulk_exclude_automations", "contact")
def _(simulator: Simulator, api: Api) -> Any:
    bulk(api, {"email": "a@example.com"}, exclude_automations=True)
    return simulator.state()["imports"][0]["automations_excluded"]


@probe("bulk_rate_limit", False)
def _(simulator: Simulator, api: Api) -> Any:
    answers = [bulk(api, {"email": "a@example.com"}) for _ in range(21)]
    return answers[-1].status_code


@probe("bulk_delay_seconds", 60)
def _(simulator: Simulator, api: Api) -> Any:
    bulk(api, {"email": "a@example.com"})
    simulator.clock(advance=5)
    return list(simulator.contacts())


@probe("bulk_empty_value", "ignored")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    bulk(api, {"email": "a@example.com", "first_name": ""})
    simulator.clock(advance=5)
    return simulator.contacts()["a@example.com"]["firstName"]


@probe("bulk_unknown_field", "400")
def _(simulator: Simulator, api: Api) -> Any:
    return bulk(api, {"email": "a@example.com", "fields": [{"id": 9, "value": "x"}]}).status_code


@probe("bulk_unknown_batch", 200)
def _(simulator: Simulator, api: Api) -> Any:
    return api.get("import/info?batchId=none").status_code


@probe("bulk_refuses", "a@")
def _(simulator: Simulator, api: Api) -> Any:
    return bulk(api, {"email": "a@example.com"}).status_code


@probe("bulk_reasons", "none")
def _(simulator: Simulator, api: Api) -> Any:
    return bulk(api, {"email": "nobody"}).json()["failureReasons"]


@probe("bulk_value_validation", "400")
def _(simulator: Simulator, api: Api) -> Any:
    simulator.seed({"fields": [{"perstag": "COUNT", "type": "number"}]})
    return bulk(api, {"email": "a@example.com", "fields": [{"id": 1, "value": "x"}]}).status_code


def bulk_info(simulator: Simulator, api: Api, *contacts: dict[str, Any]) -> Any:
    """What is told of an import that is over."""
    batch = bulk(api, *contacts).json()["batchId"]
    simulator.clock(advance=5)
    return api.get(f"import/info?batchId={batch}").json()


@probe("bulk_fails", "a@")
def _(simulator: Simulator, api: Api) -> Any:
    return bulk_info(simulator, api, {"email": "a@example.com"})


@probe("bulk_excluded", "silent")
def _(simulator: Simulator, api: Api) -> Any:
    simulator.event("exclude", phrase="a@example.com")
    return bulk_info(simulator, api, {"email": "a@example.com"})


@probe("bulk_ends", "failed")
def _(simulator: Simulator, api: Api) -> Any:
    return bulk_info(simulator, api, {"email": "a@example.com"})


@probe("bulk_success_list", "empty")
def _(simulator: Simulator, api: Api) -> Any:
    return bulk_info(simulator, api, {"email": "a@example.com"})


@probe("bulk_previously_unsubscribed", "subscribed")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator, lists={"News": 2})
    bulk_info(simulator, api, {"email": "a@example.com", "subscribe": [{"listid": 1}]})
    return simulator.contacts()["a@example.com"]["lists"]


@probe("bulk_order", "newest")
def _(simulator: Simulator, api: Api) -> Any:
    for name in ("First", "Second"):
        bulk(api, {"email": "a@example.com", "first_name": name})
    simulator.clock(advance=5)
    return simulator.contacts()["a@example.com"]["firstName"]


@probe("bulk_listed_after_seconds", 1.0)
def _(simulator: Simulator, api: Api) -> Any:
    bulk(api, {"email": "a@example.com"})
    return api.get("import/bulk_import").json()["outstanding"]


@probe("bad_token_body", "html")
def _(simulator: Simulator, api: Api) -> Any:
    return api.get("users/me", headers={"Api-Token": "wrong"}).headers.get("Content-Type")


@probe("null_date", "0000-00-00")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator, lists={"News": 1})
    answer = api.get("contacts/1").json()
    contact, (membership,) = answer["contact"], answer["contactLists"]
    return contact["bounced_date"], contact["deleted_at"], membership["udate"]


@probe("put_email_case_only", "kept")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    answer = api.put("contacts/1", {"contact": {"email": "A@Example.com"}})
    return answer.status_code, answer.json()["contact"]["email"], list(simulator.contacts())


@probe("email_reserved_domains", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    change = {"contact": {"email": "placeholder@nobody.invalid"}}
    return api.put("contacts/1", change).status_code, api.post("contacts", change).status_code


@probe("excluded_address", "422")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    simulator.event("exclude", phrase="@example.org", match="end")
    change = {"contact": {"email": "b@example.org"}}
    return api.put("contacts/1", change).status_code, list(simulator.contacts())


@probe("deleted_contact_readable", True)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    api.delete("contacts/1")
    return api.get("contacts/1").status_code, simulator.contacts()


@probe("delete_quota", 1)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    api.contact("b@example.com")
    return [api.delete(f"contacts/{number}").status_code for number in (1, 2)]


@probe("delete_quota_status", 422)
def _(simulator: Simulator, api: Api) -> Any:
    simulator.switches(delete_quota=1)
    person(simulator)
    api.contact("b@example.com")
    return [api.delete(f"contacts/{number}").status_code for number in (1, 2)]


@probe("related_writes_bump_udate", False)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    simulator.clock(advance=60)
    before = udate(simulator)
    api.subscribe("1", "1")
    api.post("contactTags", {"contactTag": {"contact": 1, "tag": 1}})
    api.post("fieldValues", {"fieldValue": {"contact": 1, "field": 1, "value": "CH"}})
    related = udate(simulator) != before
    api.put("contacts/1", {"contact": {"firstName": "New"}})
    return related, udate(simulator) != before


def udate(simulator: Simulator) -> Any:
    return simulator.contacts()["a@example.com"]["udate"]


@probe("date_filter_inclusive", True)
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return [
        api.get("contacts", params={f"filters[{name}_after]": moment}).json()["meta"]["total"]
        for name in ("updated", "created")
        for moment in (NOON, "2026-05-28T16:59:59+00:00")
    ]


@probe("date_filter_offset", "ignored")
def _(simulator: Simulator, api: Api) -> Any:
    simulator.clock(advance=1)
    person(simulator)
    params = {"filters[updated_after]": NOON}
    return api.get("contacts", params=params).json()["meta"]["total"]


@probe("field_options_path", "fieldOptions")
def _(simulator: Simulator, api: Api) -> Any:
    simulator.seed({"fields": [{"perstag": "KIND", "type": "dropdown"}]})
    payload = {"fieldOptions": [{"field": "1", "value": "a", "label": "a", "orderid": 1}]}
    return [
        api.post(f"{path}/bulk", payload).status_code for path in ("fieldOption", "fieldOptions")
    ]


@probe("api_subscription", "unconfirmed")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    answer = api.subscribe("1", "1").json()["contactList"]["status"]
    return answer, simulator.contacts()["a@example.com"]["lists"]


@probe("membership_udate", "any_change")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    row = api.subscribe("1", "1").json()["contactList"]
    simulator.clock(advance=60)
    gone = api.subscribe("1", "1", status=2).json()["contactList"]
    return row["udate"], gone["udate"]


@probe("repeated_unsubscribe", "moves_udate")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator, lists={"News": 2})
    simulator.clock(advance=60)
    return api.subscribe("1", "1", status=2).json()["contactList"]["udate"]


@probe("contactlists_contacts", "never")
def _(simulator: Simulator, api: Api) -> Any:
    person(simulator)
    return ["contacts" in api.subscribe("1", "1").json() for _ in range(2)]


@probe("contact_parts_paged", True)
def _(simulator: Simulator, api: Api) -> Any:
    names = [f"List {number}" for number in range(30)]
    tags = [f"tag {number}" for number in range(30)]
    simulator.seed({"lists": names, "tags": tags})
    person(simulator, lists=dict.fromkeys(names, 1), tags=tags)
    return [
        len(api.get(f"contacts/1/{part}").json()[part]) for part in ("contactLists", "contactTags")
    ]


def _renamed(simulator: Simulator, api: Api) -> Any:
    """What a write of a name answers, and what is there afterwards."""
    person(simulator)
    answer = api.put("contacts/1", {"contact": {"firstName": "New"}}).json()
    return (
        answer.get("contact", {}).get("id"),
        answer.get("success"),
        simulator.contacts()["a@example.com"]["firstName"],
    )


probe("untrue_ignores", "contacts")(_renamed)
probe("untrue_failures", "contacts")(_renamed)
probe("untrue_echo", "contacts")(_renamed)


def _kept(simulator: Simulator, api: Api) -> Any:
    """What is kept of a custom field's value."""
    person(simulator)
    api.put("contacts/1", {"contact": {"fieldValues": values(("1", "Freedonia"))}})
    return simulator.contacts()["a@example.com"]["fieldValues"]


probe("untrue_form", "LAND=upper")(_kept)
probe("automation_overwrites", "LAND=Nirgends")(_kept)


LIMITED = {
    "rate_limit",
    "rate_limit_per_second",
    "rate_limit_status",
    "ratelimit_headers",
    "too_many_requests_body",
    "retry_after",
}


def test_every_switch_has_a_probe(simulator: Simulator) -> None:
    """The table below and the simulator's switches are the same set."""
    assert set(PROBES) == set(simulator.switches())


@pytest.mark.parametrize("name", sorted(PROBES))
def test_a_flipped_switch_is_seen_by_a_client(simulator: Simulator, api: Api, name: str) -> None:
    """The same calls answer differently at the default and at the other position."""
    flipped, look = PROBES[name]

    def seen(**switches: Any) -> Any:
        simulator.reset()
        simulator.clock(now=NOON)
        simulator.switches(**({"rate_limit": name in LIMITED} | switches))
        return look(simulator, api)

    assert seen() != seen(**{name: flipped})


@pytest.mark.parametrize(
    ("name", "position", "expected"),
    [
        ("put_email_conflict", "nothing_applied", (422, "Ada")),
        ("put_email_conflict", "others_applied", (422, "New")),
        ("put_email_conflict", "email_ignored", (200, "New")),
        ("null_attribute", "clears", ""),
        ("null_attribute", "ignored", "Ada"),
        ("null_attribute", "422", "Ada"),
        ("unknown_inline_field", "ignore", 200),
        ("unknown_inline_field", "422", 422),
        ("unknown_inline_field", "403", 403),
        ("tag_duplicate_status", 422, 422),
        ("tag_duplicate_status", 409, 409),
        ("tag_duplicate_status", 200, 200),
        ("cdate_writable", "on_create", "2001-02-03T00:00:00-06:00"),
        ("cdate_writable", "never", "2026-05-28T12:00:00-05:00"),
        ("archived_email_reserved", False, [201, 200]),
        ("archived_email_reserved", True, [422, 422]),
        ("resubscribe_requires_sourceid", True, {"1": "2"}),
        ("resubscribe_requires_sourceid", False, {"1": "1"}),
        ("cleared_value", "empty_row", {"LAND": ""}),
        ("cleared_value", "row_removed", {}),
        ("email_validation", "none", 201),
        ("search_lag_seconds", 30, (200, 0)),
        ("bad_token_body", "empty", None),
        ("null_date", "0000-00-00 00:00:00", ("0000-00-00", *["0000-00-00 00:00:00"] * 2)),
        ("put_email_case_only", "kept", (200, "a@example.com", ["a@example.com"])),
        ("put_email_case_only", "applied", (200, "A@Example.com", ["A@Example.com"])),
        ("email_reserved_domains", False, (422, 422)),
        ("excluded_address", "422", (422, ["a@example.com"])),
        ("deleted_contact_readable", True, (200, {})),
        ("delete_quota", 1, [200, 403]),
        ("delete_quota_status", 422, [200, 422]),
        ("related_writes_bump_udate", False, (False, True)),
        ("date_filter_inclusive", True, ["1"] * 4),
        ("date_filter_inclusive", False, ["0", "1"] * 2),
        ("date_filter_offset", "ignored", "0"),
        ("field_options_path", "fieldOption", [201, 404]),
        ("api_subscription", "unconfirmed", ("0", {"1": "0"})),
        ("membership_udate", "never", (None, None)),
        ("membership_udate", "unsubscribed", (None, "2026-05-28T12:01:00-05:00")),
        ("repeated_unsubscribe", "no_change", "2026-05-28T12:00:00-05:00"),
        ("contactlists_contacts", "always", [True, True]),
        ("contactlists_contacts", "on_change", [True, False]),
        ("contact_parts_paged", True, [20, 20]),
        ("bulk_exclude_automations", "top", [True]),
        ("bulk_exclude_automations", "contact", [False]),
    ],
)
def test_a_position_does_what_its_name_says(
    simulator: Simulator, api: Api, name: str, position: Any, expected: Any
) -> None:
    """The positions that matter most to a target answer exactly this."""
    simulator.clock(now=NOON)
    simulator.switches(**{name: position})
    assert PROBES[name][1](simulator, api) == expected


def test_an_unknown_switch_is_refused_with_the_known_names(simulator: Simulator) -> None:
    """400 names the switches, and nothing of the order is done."""
    with pytest.raises(ValueError, match=r"unknown switch \['colour'\].*put_email_conflict"):
        simulator.switches(colour="red", bad_token_status=401)
    with pytest.raises(ValueError, match="may be"):
        simulator.switches(put_email_conflict="maybe")
    with pytest.raises(ValueError, match="number"):
        simulator.switches(rate_limit_per_second="many")
    with pytest.raises(ValueError, match="true or false"):
        simulator.switches(rate_limit="perhaps")
    with pytest.raises(ValueError, match="zone"):
        simulator.switches(account_timezone="Mars/Olympus")
    assert simulator.switches()["bad_token_status"] == 403


def test_a_lagging_search_catches_up(simulator: Simulator, api: Api) -> None:
    """After the lag a new contact, a new address and a new value are found, not before."""
    simulator.clock(now=NOON)
    person(simulator, fieldValues={"LAND": "CH"})
    simulator.clock(advance=3600)
    simulator.switches(search_lag_seconds=30)
    api.put(
        "contacts/1", {"contact": {"email": "b@example.com", "fieldValues": values(("1", "DE"))}}
    )
    queries = {
        "contacts?email=a@example.com": ("1", "0"),
        "contacts?email=b@example.com": ("0", "1"),
        "contacts?filters[updated_after]=2026-05-28T17:30:00Z": ("0", "1"),
        "fieldValues?filters[fieldid]=1&filters[val]=DE": ("0", "1"),
    }
    for query, (during, _) in queries.items():
        assert api.get(query).json()["meta"]["total"] == during, query
    simulator.clock(advance=31)
    for query, (_, after) in queries.items():
        assert api.get(query).json()["meta"]["total"] == after, query


def test_switches_given_at_the_start_survive_a_reset() -> None:
    """--switch sets what reset returns to."""
    with Simulator(rate_limit="off", bad_token_status=401) as own:
        own.switches(bad_token_status=403)
        own.reset()
        assert own.switches()["bad_token_status"] == 401
