"""Which account a row is, and what has to change there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from target_activecampaign.account_mapping import to_account
from target_activecampaign.account_model import Account, ExistingAccount, Value, name_key
from target_activecampaign.account_planning import plan, resolve, same_url
from target_activecampaign.account_settings import AccountStream
from target_activecampaign.model import Field, KeyType
from target_activecampaign.settings import read_settings
from target_kit.errors import RowError

FIELDS = {"KEY": Field("1", "KEY", "hidden"), "F": Field("2", "F", "text")}


@dataclass(frozen=True)
class Entry:
    id: str
    key: str | None = None


def stream(**options: Any) -> AccountStream:
    raw = {
        "object": "account", "key": "id", "key_field": "KEY",
        "fields": {"name": "name", "accountUrl": "url"}, "custom_fields": {"F": "f"}, **options,
    }  # fmt: skip
    config = {"api_url": "https://x.api-us1.com", "api_key": "k", "streams": {"companies": raw}}
    return read_settings(config).account_streams["companies"]


def account(options: dict[str, Any] | None = None, **record: Any) -> Account:
    return to_account({"id": 7, "name": "A", **record}, stream(**options or {}), KeyType.NUMBER)


@pytest.mark.parametrize(
    ("by_key", "by_name", "expected"),
    [
        ([Entry("3", "7")], [Entry("4")], ("3", "cfd")),
        ([], [Entry("4")], ("4", "name")),
        ([], [], (None, "new")),
        ([Entry("3", "7"), Entry("4", "7")], [], "ambiguous_key"),
        ([], [Entry("3"), Entry("4")], "ambiguous_name"),
        ([], [Entry("3", "8")], "name_of_other_key"),
        ([], [Entry("3", "?see file")], "key_field_unreadable"),
    ],
)
def test_a_row_is_one_account_or_a_named_reject(
    by_key: list[Entry], by_name: list[Entry], expected: Any
) -> None:
    """S0-18, S0-22, S0-24, S0-25: key first, then name; never a pick."""
    if isinstance(expected, tuple):
        assert resolve(account(), by_key, by_name, has_key_column=True) == expected
        return
    with pytest.raises(RowError) as caught:
        resolve(account(), by_key, by_name, has_key_column=True)
    assert caught.value.cause == expected


def test_names_alone_match_where_there_is_no_key_column() -> None:
    """S0-23: whatever somebody keeps in a key field."""
    assert resolve(account(), [], [Entry("3", "8")], has_key_column=False) == ("3", "name")


@pytest.mark.parametrize(
    ("stored", "wanted", "equal"),
    [
        ("http://example.com", "example.com", True),
        ("https://Example.com/", "example.com", True),
        ("http://example.com", "https://example.com", False),
        ("example.com/A", "example.com/a", False),
        ("", "example.com", False),
        ("", "", True),
        (" example.com ", "example.com", True),
    ],
)
def test_a_website_is_one_however_it_was_completed(stored: str, wanted: str, equal: bool) -> None:
    """S0-34: a scheme or a slash that the vendor adds is no difference; a path minds case."""
    assert same_url(stored, wanted) is equal


def test_only_differences_are_planned() -> None:
    """S0-34, S0-53: name by letter, website and values by meaning, the key only where blank."""
    existing = ExistingAccount("3", "A", "http://x.example", {"1": Value("007"), "2": Value("f ")})
    row = account(url="x.example", f="f")
    assert plan(row, existing, stream(), FIELDS).empty
    change = plan(account(name="a", f="g"), existing, stream(), FIELDS)
    assert (change.attributes, change.values) == ({"name": "a"}, {"2": Value("g")})
    bare = ExistingAccount("3", "A", "", {"1": Value("")})
    assert plan(account(), bare, stream(), FIELDS).values == {"1": Value("7")}


def test_a_new_account_gets_all_that_is_not_blank() -> None:
    """S0-49, S0-50: name, website, key and values; nothing is cleared there."""
    clears = {"null_semantics": "clear"}
    change = plan(account(clears, url=None, f=""), None, stream(**clears), FIELDS)
    assert (change.account_id, change.attributes) == (None, {"name": "A"})
    assert change.values == {"1": Value("7")}


def test_a_taken_name_stops_the_row() -> None:
    """S0-36 for names; an unchanged name is nobody's but its own."""
    existing = ExistingAccount("3", "A", "", {"1": Value("7")})
    with pytest.raises(RowError) as caught:
        plan(account(name="B"), existing, stream(), FIELDS, name_is_free=False)
    assert caught.value.cause == "name_taken"
    assert plan(account(), existing, stream(), FIELDS, name_is_free=False).empty
    kept = stream(rules={"name": "on_create"})
    assert plan(account(name="B"), existing, kept, FIELDS, name_is_free=False).empty


def test_nulls_clear_only_where_they_shall_and_never_name_or_key() -> None:
    """S0-50: by option, and below the rules."""
    existing = ExistingAccount("3", "A", "u", {"1": Value("7"), "2": Value("f")})
    row = {"id": 7, "name": None, "url": None, "f": None}
    for options, attributes, values in (
        ({}, {}, {}),
        ({"null_semantics": "clear"}, {"accountUrl": ""}, {"2": Value("")}),
        (
            {"null_semantics": "clear", "rules": {"F": "if_empty", "accountUrl": "on_create"}},
            {},
            {},
        ),
    ):
        wanted = to_account(row, stream(**options), KeyType.NUMBER)
        change = plan(wanted, existing, stream(**options), FIELDS)
        assert (change.attributes, change.values) == (attributes, values)


def test_a_row_that_can_not_be_read_keeps_its_identity() -> None:
    """S0-60: by key, else by name, else by its content; a deleted row is known by its key alone."""
    assert account().identity == "key:7"
    assert account(id=None, name=" Example  AG ").identity == f"name:{name_key('example ag')}"
    assert account(id=None, name=None).identity.startswith("row:")
    gone = account(name={"un": "readable"}, _sdc_deleted_at="2026-01-01T00:00:00Z")
    assert (gone.identity, gone.deleted) == ("key:7", True)


@pytest.mark.parametrize(
    ("record", "cause"),
    [
        ({"id": "seven"}, "key_format"),
        ({"name": "x" * 256}, "field_length"),
        ({"name": "a\x00b"}, "control_characters"),
        ({"url": ["a"]}, "field_structure"),
    ],
)
def test_a_row_that_can_not_be_taken_says_why(record: dict[str, Any], cause: str) -> None:
    """S0-10: without a value of it in the message."""
    with pytest.raises(RowError) as caught:
        account(**record)
    assert caught.value.cause == cause
