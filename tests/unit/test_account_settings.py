"""Options of streams of accounts: what they mean, and what they can't be."""

from __future__ import annotations

from typing import Any

import pytest
from target_activecampaign.compatibility import declared_faults, fits
from target_activecampaign.settings import Settings, read_settings
from target_kit.errors import ConfigurationError

COMPANIES: dict[str, Any] = {
    "object": "account",
    "key": "org_id",
    "key_field": "BUBSACTID",
    "fields": {"name": "org_name"},
}
CONTACTS: dict[str, Any] = {"key": "ctt_id", "fields": {"email": "email"}}


def settings(**streams: dict[str, Any]) -> Settings:
    config = {"api_url": "https://x.api-us1.com", "api_key": "k", "streams": streams}
    return read_settings(config)


def faults(**options: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings(companies={**COMPANIES, **options})
    return str(caught.value)


def test_streams_of_both_objects_stand_side_by_side() -> None:
    """S0-23: each has the columns without which nothing could be matched."""
    money = {"column": "revenue", "type": "currency", "currency_column": "code"}
    companies = {**COMPANIES, "custom_fields": {"Revenue": money}}
    read = settings(companies=companies, contacts=CONTACTS)
    assert (list(read.streams), list(read.account_streams)) == (["contacts"], ["companies"])
    assert read.account_streams["companies"].columns == ("org_name", "org_id", "code")


def test_all_that_makes_no_sense_for_accounts_is_named_at_once() -> None:
    """S4-9: options of contacts are refused with a reason, not passed over."""
    message = faults(
        lists={}, tags={}, consent=[], on_email_change={}, on_duplicate_email="first",
        on_contact_gone="insert", account={}, deleted_tag="x", erasure_column="e", max_deletes=1,
        on_delete="delete", surprise=1,
    )  # fmt: skip
    for option in ("lists: not for accounts: only contacts are on lists", "tags:", "consent:",
                   "on_email_change:", "see on_duplicate_name", "see on_account_gone", "account:",
                   "deleted_tag:", "erasure_column:", "max_deletes:",
                   "on_delete: only ignore: accounts are never deleted",
                   "surprise: not for accounts: no such option"):  # fmt: skip
        assert option in message, option


def test_options_of_accounts_are_refused_for_contacts() -> None:
    """S4-9: they would look like a rule that nobody follows."""
    with pytest.raises(ConfigurationError) as caught:
        settings(contacts={**CONTACTS, "on_duplicate_name": "first", "on_account_gone": "insert"})
    for option in ("on_duplicate_name: only for accounts", "on_account_gone: only for accounts"):
        assert option in str(caught.value)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"fields": {}}, "'name' must be mapped"),
        ({"fields": {"name": "n", "owner": "o"}}, "fields.owner: unknown"),
        ({"key": None}, "key and key_field belong together"),
        ({"key_field": None}, "key and key_field belong together"),
        ({"custom_fields": {"BUBSACTID": "x"}}, "is the key field already"),
        ({"rules": {"name": "never"}}, "rules.name: only always or on_create"),
        ({"rules": {"phone": "always"}}, "rules.phone: no such field"),
        ({"rules": {"name": "sometimes"}}, "rules.name: one of"),
        ({"on_duplicate_name": "newest"}, "'newest' needs version_column"),
        ({"on_duplicate_name": "last"}, "on_duplicate_name: one of"),
        ({"on_account_gone": "ignore"}, "on_account_gone: one of"),
        ({"null_semantics": "maybe"}, "null_semantics: one of"),
        ({"key_type": "uuid"}, "key_type: one of"),
        ({"custom_fields": {"F": {"type": "text"}}}, "F.column: is missing"),
        ({"custom_fields": {"F": {"column": "f", "type": "listbox"}}}, "F.type: one of"),
        ({"custom_fields": {"F": {"column": "f", "title": "T"}}}, "F.title: one of"),
        ({"custom_fields": {"F": {"column": "f", "currency": "EUR"}}}, "only with type currency"),
        (
            {"custom_fields": {"F": {"column": "f", "type": "currency", "currency": "euro"}}},
            "F.currency: an ISO 4217 code",
        ),
        (
            {"custom_fields": {"F": {"column": "f", "type": "currency", "currency": "JPY"}}},
            "F.digits: JPY has no cents",
        ),
        (
            {"custom_fields": {"F": {"column": "f", "type": "currency", "digits": 9}}},
            "F.digits: 0 to 4",
        ),
        (
            {"custom_fields": {"F": {"column": "f", "type": "radio", "options": [{"value": 1}]}}},
            "F.options: an option of an account's field is a plain text",
        ),
        (
            {"custom_fields": {"F": {"column": "f", "type": "radio"}}, "create_fields": True},
            "F.options: a radio can't be created without any",
        ),
    ],
)
def test_each_fault_is_named(options: dict[str, Any], fault: str) -> None:
    """S4-9: in one message, with the option's name."""
    assert fault in faults(**options)


KINDS = ("string", "date", "date-time", "time", "integer", "number", "boolean", "array", "object")


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_has_its_verdict_for_the_types_of_accounts(kind: str) -> None:
    """S4-9: an amount is judged as a number, several choices as a contact's listbox."""
    assert fits(kind, "currency") is fits(kind, "number")
    assert fits(kind, "multiselect") is fits(kind, "listbox")


def test_pairs_that_cannot_work_are_known_without_any_call() -> None:
    """S4-9: as for contacts."""
    custom = {"Revenue": {"column": "since", "type": "currency", "currency": "EUR"}}
    stream = settings(companies={**COMPANIES, "custom_fields": custom}).account_streams["companies"]
    schema = {"properties": {"since": {"type": "string", "format": "date"}}}
    assert declared_faults(stream, schema) == [
        "streams.companies: since (date) can't go into Revenue (currency)"
    ]
