"""What an answer must hold before it is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import target_activecampaign
from target_activecampaign.answers_contract import (
    LISTS,
    OBJECTS,
    READ_ELSEWHERE,
    WRITES,
    break_of_read,
    break_of_write,
)

TAGGED = {"contactTag": {"contact": 7, "tag": 3}}
SOURCES = Path(target_activecampaign.__file__).parent


def tagging(body: Any, status: int = 201) -> str:
    """What is wrong with an answer to tagging contact 7 with tag 3."""
    return break_of_write("POST contactTags", "/api/3/contactTags", status, body, TAGGED)


@pytest.mark.parametrize("contact", [7, "7"])
def test_ids_may_come_back_as_number_or_text(contact: Any) -> None:
    """The vendor does both in one and the same answer."""
    assert tagging({"contactTag": {"id": "1", "contact": contact, "tag": "3"}}) == ""


def test_a_key_that_is_left_out_contradicts_nothing() -> None:
    """Which keys an answer has is documented by examples only."""
    assert tagging({"contactTag": {"id": "1"}}) == ""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "without any content"),
        ([], "without an object"),
        ({}, "without contactTag"),
        ({"contactTag": "1"}, "without contactTag"),
        ({"contactTag": {"contact": "7", "tag": "3"}}, "with a contactTag that has no id"),
        ({"contactTag": {"id": "1", "contact": "8"}}, "with another contact than was sent"),
        (
            {"contactTag": {"id": "1", "contact": "8", "tag": "4"}},
            "with another contact, tag than was sent",
        ),
        ({"success": 0, "contactTag": {"id": "1"}}, "and says success: 0"),
        ({"success": False}, "and says success: false"),
        ({"succeeded": "0"}, "and says succeeded: 0"),
        ({"result_code": 0, "result_message": "x@example.com"}, "and says result_code: 0"),
        ({"errors": [{"title": "x@example.com"}]}, "and says errors"),
        ({"errors": "x@example.com"}, "and says errors"),
        ({"error": "x@example.com"}, "and says error"),
    ],
)
def test_an_answer_that_is_none_is_said_in_words_without_its_values(body: Any, said: str) -> None:
    """A 2xx with nothing, with an error, or about something else leaves the write's fate open."""
    assert tagging(body) == said


@pytest.mark.parametrize("harmless", [{"success": 1}, {"succeeded": True}, {"errors": []}])
def test_words_of_success_and_empty_lists_of_errors_break_nothing(harmless: Any) -> None:
    """Only what says no is a no."""
    assert tagging({"contactTag": {"id": "1"}, **harmless}) == ""


def test_a_success_that_is_not_documented_is_not_believed() -> None:
    """202 may mean: some time, perhaps."""
    assert tagging({"contactTag": {"id": "1"}}, 202) == "which it is not known to do"


@pytest.mark.parametrize(("told", "broken"), [("12", False), (12, False), ("13", True)])
def test_a_write_by_id_is_answered_about_that_id(told: Any, broken: bool) -> None:
    """The id of the path counts, as the payload has none."""
    sent = {"contact": {"firstName": "Ann"}}
    route, path = "PUT contacts/{id}", "/api/3/contacts/12"
    said = break_of_write(route, path, 200, {"contact": {"id": told}}, sent)
    assert said == ("with another id than was sent" if broken else "")


CREATED = {"contact": {"email": "Ann@Example.com", "fieldValues": [{"field": "5", "value": "x"}]}}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"contact": {"id": "9", "email": "ann@example.com"}}, ""),
        ({"contact": {"id": "9"}}, ""),
        (
            {"contact": {"id": "9", "email": "bob@example.com"}},
            "with another email than was sent",
        ),
        ({"contact": {"id": "9"}, "fieldValues": [{"contact": 9, "field": "5"}]}, ""),
        (
            {"contact": {"id": "9"}, "fieldValues": [{"contact": "8", "field": "5"}]},
            "with fieldValues of another contact",
        ),
    ],
)
def test_a_new_contact_is_the_one_that_was_sent(told: dict[str, Any], said: str) -> None:
    """By its address, and by whose values came along: an id alone could be anybody's."""
    assert break_of_write("POST contacts", "/api/3/contacts", 201, told, CREATED) == said


def test_a_removal_is_answered_with_an_object_of_any_kind() -> None:
    """`{}` is what the vendor sends, unless it says that it did not."""
    route, path = "DELETE contactTags/{id}", "/api/3/contactTags/5"
    assert break_of_write(route, path, 200, {}, None) == ""
    assert break_of_write(route, path, 200, {"success": 0}, None) == "and says success: 0"


def test_an_import_is_read_where_it_is_made() -> None:
    """Its refusals come with 200 and name rows."""
    (route,) = READ_ELSEWHERE
    body = {"success": 0, "failureReasons": [{"contact": 1}]}
    assert break_of_write(route, "/api/3/import/bulk_import", 200, body, {}) == ""


@pytest.mark.parametrize(
    ("route", "body", "said"),
    [
        ("contacts", {"contacts": []}, ""),
        ("contacts", {}, "without a list of contacts"),
        ("contacts", {"contacts": None}, "without a list of contacts"),
        ("contacts", {"success": 0}, "without a list of contacts, and says success: 0"),
        ("contacts/{id}", {"contact": {"id": "1"}}, ""),
        ("contacts/{id}", {"errors": ["no"]}, "without contact, and says errors"),
        ("users/me", {}, ""),
    ],
)
def test_a_read_without_what_was_asked_for_is_not_taken_for_nothing_there(
    route: str, body: dict[str, Any], said: str
) -> None:
    """No list is not an empty list: nobody would be found, and everybody be inserted."""
    assert break_of_read(route, body) == said


def written() -> Iterator[str]:
    """Method and route of every write in the sources."""
    for path in SOURCES.glob("*.py"):
        for call in re.findall(r"\.write\(([^)]*)\)", path.read_text()):
            parts = [part.strip().strip("\"'") for part in call.split(",")]
            if parts[0] in ("POST", "PUT", "DELETE"):
                yield f"{parts[0]} {parts[2]}"


def test_every_endpoint_that_is_written_to_has_a_contract() -> None:
    """A new write is not believed before it is said what its answer must hold."""
    by_name = {name for name in written() if not name.endswith(" route")}  # others by a variable
    assert len(by_name) > 8
    assert by_name <= WRITES.keys() | READ_ELSEWHERE


def test_reads_are_about_lists_or_objects_and_never_both() -> None:
    """The two tables are one."""
    assert not LISTS.keys() & OBJECTS.keys()
