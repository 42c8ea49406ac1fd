"""The body of every error, word for word."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from simulators_api import Api
from simulators_support import Simulator

SEED: dict[str, Any] = {
    "fields": [{"perstag": "LAND", "title": "Land"}],
    "lists": ["News"],
    "tags": ["vip"],
    "accounts": ["Example AG", "Other AG"],
    "contacts": [
        {"email": "a@example.com", "account": "Example AG"},
        {"email": "b@example.com"},
    ],
}


def coded(code: str, title: str, pointer: str, **more: Any) -> dict[str, Any]:
    source = {"pointer": f"/data/attributes/{pointer}"}
    return {"errors": [{"title": title, "detail": "", "code": code, **more, "source": source}]}


def missing(pointer: str) -> dict[str, Any]:
    source = {"pointer": f"/data/attributes/{pointer}"}
    return {"errors": [{"status": 422, "title": "Missing attribute", "source": source}]}


NOT_FOUND = {"errors": [{"status": 404, "title": "Not Found"}]}
NO_CONTACT = {"errors": [{"status": 404, "title": "Not Found", "detail": "Contact not found"}]}
TAKEN = coded("duplicate", "Email address already exists in the system", "email")
NOT_AN_ADDRESS = coded(
    "email_invalid",
    "Contact Email Address is not valid.",
    "email",
    error="must_be_valid_email_address",
)
NAMELESS = coded("field_missing", "The account name was not provided.", "name")
SAME_NAME = coded(
    "duplicate",
    'An account named "Example AG" already exists. Please choose a new name.',
    "name",
)
SECOND_ACCOUNT = coded(
    "field_invalid", "The contact is already associated with an account.", "account,contact"
)
SAME_TITLE = {
    "errors": [
        {
            "title": "There is already a field with this title",
            "detail": "A field with the title Land already exists.",
            "code": "duplicate",
        }
    ]
}


def no_result(kind: str) -> dict[str, str]:
    return {"message": f"No Result found for {kind} with id 42"}


CASES: list[tuple[str, str, Any, int, Any]] = [
    ("GET", "contacts/42", None, 404, no_result("Subscriber")),
    ("PUT", "contacts/42", {"contact": {}}, 404, no_result("Subscriber")),
    ("GET", "contacts/42/fieldValues", None, 404, no_result("Subscriber")),
    ("GET", "contacts/42/geoIps", None, 404, no_result("Subscriber")),
    ("DELETE", "contacts/42", None, 404, {"message": "No result found for contact with id 42"}),
    ("GET", "lists/42", None, 404, no_result("_List")),
    ("DELETE", "lists/42", None, 403, no_result("_List")),
    ("GET", "tags/42", None, 404, no_result("Tag")),
    ("GET", "fields/42", None, 404, no_result("Field")),
    ("DELETE", "contactTags/42", None, 404, no_result("SubscriberTag")),
    ("GET", "accountContacts/42", None, 404, no_result("CustomerAccountSubscriber")),
    ("GET", "fieldValues/42", None, 403, no_result("FieldValue")),
    ("DELETE", "fieldValues/42", None, 403, no_result("FieldValue")),
    ("GET", "accountCustomFieldMeta/42", None, 404, NOT_FOUND),
    ("GET", "accountCustomFieldData/42", None, 404, NOT_FOUND),
    ("POST", "contactTags", {"contactTag": {"contact": 42, "tag": 1}}, 404, NO_CONTACT),
    ("POST", "contactTags", {"contactTag": {"tag": 1}}, 422, missing("contact")),
    ("POST", "contactLists", {"contactList": {"list": 1, "status": 1}}, 422, missing("contact")),
    ("POST", "contacts", {"contact": {"email": "A@Example.com"}}, 422, TAKEN),
    ("PUT", "contacts/1", {"contact": {"email": "b@example.com"}}, 422, TAKEN),
    ("POST", "contacts", {"contact": {"email": "nobody"}}, 422, NOT_AN_ADDRESS),
    ("POST", "contact/sync", {"contact": {"email": "nobody"}}, 422, NOT_AN_ADDRESS),
    (
        "POST",
        "contacts",
        {"contact": {"firstName": "A"}},
        422,
        coded("field_missing", "Contact Email Address was not provided.", "email"),
    ),
    ("POST", "contacts", {"person": {}}, 400, {}),
    ("POST", "contacts/sync", {"contact": {"email": "c@example.com"}}, 404, None),
    ("POST", "fields", {"field": {"title": "land", "type": "text"}}, 422, None),
    ("POST", "fields", {"field": {"title": "Land", "type": "text"}}, 422, SAME_TITLE),
    ("POST", "fieldValues", {"contact": 1}, 403, {"message": "Field id not valid"}),
    ("POST", "accounts", {"account": {}}, 422, NAMELESS),
    ("POST", "accounts", {"account": {"name": "Example AG"}}, 422, SAME_NAME),
    (
        "POST",
        "accountContacts",
        {"accountContact": {"account": 2, "contact": 1}},
        422,
        SECOND_ACCOUNT,
    ),
    (
        "POST",
        "contactAutomations",
        {"contactAutomation": {"contact": 1, "automation": 9}},
        403,
        {"message": "Could not create SubscriberSeries"},
    ),
    ("GET", "nothing/here", None, 404, {"message": "No such resource"}),
    (
        "GET",
        "import/info",
        None,
        400,
        {"success": 0, "message": "'batchId' is a required field."},
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "payload"), CASES)
def test_an_error_has_its_documented_body(
    simulator: Simulator, api: Api, method: str, path: str, body: Any, status: int, payload: Any
) -> None:
    """Status and body are those of the reference, and nothing is written."""
    simulator.seed(SEED)
    before = simulator.state()
    answer = api.call(method, path, body)
    assert answer.status_code == status, answer.text
    if payload is not None:
        assert answer.json() == payload
    assert simulator.state() == before


def test_field_options_are_refused_with_a_text(api: Api) -> None:
    """fieldOption/bulk answers 422 with `errors` as a string."""
    answer = api.post("fieldOption/bulk", {"fieldOption": {}})
    assert answer.status_code == 422
    assert isinstance(answer.json()["errors"], str)


def test_a_missing_or_wrong_token_is_forbidden(simulator: Simulator) -> None:
    """Without a known Api-Token every path is 403, even an unknown one."""
    for headers in ({}, {"Api-Token": ""}, {"Api-Token": "wrong"}):
        for path in ("users/me", "nothing"):
            answer = requests.get(f"{simulator.url}/api/3/{path}", headers=headers, timeout=5)
            assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    ("resource", "method", "path", "payload"),
    [
        (
            "lists",
            "GET",
            "lists",
            {
                "errors": [
                    {
                        "status": 403,
                        "title": "Forbidden",
                        "detail": "You do not have permission to view lists.",
                    }
                ]
            },
        ),
        (
            "lists",
            "POST",
            "lists",
            {
                "errors": [
                    {
                        "status": 403,
                        "title": "Forbidden",
                        "detail": "You do not have permission to create lists.",
                    }
                ]
            },
        ),
        ("fields", "GET", "fields", {"message": "Forbidden"}),
        (
            "exclusions",
            "GET",
            "lists/exclusions",
            {"message": "You don't have permission to access this resource"},
        ),
    ],
)
def test_a_missing_permission_is_told_per_resource(
    simulator: Simulator, api: Api, resource: str, method: str, path: str, payload: Any
) -> None:
    """Lists, fields and exclusions each word their 403 differently."""
    simulator.switches(forbidden=resource)
    answer = api.call(method, path, {} if method == "POST" else None)
    assert (answer.status_code, answer.json()) == (403, payload)
    assert api.get("contacts").status_code == 200


def test_a_body_that_is_not_json_is_400(api: Api) -> None:
    """A broken body is 400 `{}`."""
    answer = api.call("POST", "contacts", data=b'{"contact": ')
    assert (answer.status_code, answer.json()) == (400, {})


def test_exclusions_refuse_what_they_do_not_know(simulator: Simulator, api: Api) -> None:
    """Unlike every other list, an unknown filter here is 422, and the total is a number."""
    simulator.event("exclude", phrase="@example.org", match="end")
    assert api.get("lists/exclusions?filters[colour]=red").status_code == 422
    shown = api.get("lists/exclusions?filters[matchType]=end").json()
    assert shown["meta"] == {"total": 1}
    assert shown["exclusions"][0]["matchPhrase"] == "@example.org"


def test_a_bare_base_answers_a_valid_token(api: Api) -> None:
    """GET /api/3/ is 200 with a valid token."""
    assert api.get("").status_code == 200
