"""Source record → wanted contact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.mapping import names_of, resolve_key_type, to_contact
from target_activecampaign.model import KeyType, canonical_key
from target_activecampaign.settings import read_settings
from target_kit.errors import RowError


def stream(**options: Any) -> ContactStream:
    config: dict[str, Any] = {"api_url": "http://127.0.0.1:1", "api_key": "k"}
    if options:
        config["streams"] = {"contacts": {"fields": {"email": "email"}, **options}}
    return read_settings(config).streams["contacts"]


RECORD = {
    "ctt_id": 17,
    "email": "  Jörg.Müller@example.com ",
    "given_name": "Jörg",
    "family_name": "Müller",
    "work_phone": "+49 30 1234",
    "date_created": "2020-01-02",
    "org_country": "DE",
    "language_code": None,
    "mobile_phone": "",
    "shoe_size": 43,
}


def test_the_default_mapping_renames_the_columns_of_the_seed_note() -> None:
    """S0-1, S0-5: the flattened row is renamed by declaration only."""
    record = {**RECORD, "email": "joerg.mueller@example.com"}
    contact = to_contact(record, stream(), KeyType.NUMBER)
    assert contact.attributes == {
        "firstName": "Jörg",
        "lastName": "Müller",
        "phone": "+49 30 1234",
        "cdate": "2020-01-02",
    }
    assert (contact.key, contact.key_text) == ("17", "17")
    assert contact.values == {"LAND": "DE"}


def test_unknown_columns_and_blank_values_are_left_out() -> None:
    """S0-39, S0-50: a column without a field and a null country produce nothing to write."""
    contact = to_contact(
        {**RECORD, "email": "a@example.com", "org_country": None}, stream(), KeyType.NUMBER
    )
    assert contact.values == {}
    assert "shoe_size" not in contact.attributes


def test_an_address_is_compared_in_lower_case_and_sent_as_the_source_has_it() -> None:
    """S0-26: comparison ignores case and surrounding blanks, the display form is kept."""
    contact = to_contact({**RECORD, "email": " Max@Example.COM "}, stream(), KeyType.NUMBER)
    assert contact.email is not None
    assert contact.email.key == "max@example.com"
    assert contact.email.display == "Max@Example.COM"


@pytest.mark.parametrize(
    ("email", "cause"),
    [
        ("nobody", "email_syntax"),
        ("a@b@example.com", "email_syntax"),
        ("a\x00b@example.com", "control_characters"),
        ("a@localhost", "email_syntax"),
    ],
)
def test_a_malformed_address_is_a_named_reject_without_the_address(email: str, cause: str) -> None:
    """S0-10, X7: the check names its cause and repeats no personal data."""
    with pytest.raises(RowError) as caught:
        to_contact({**RECORD, "email": email}, stream(), KeyType.NUMBER)
    assert caught.value.cause == cause
    assert email not in caught.value.message


@pytest.mark.parametrize("text", ["123", "0123", " 123 ", "123.0", "1.23E+2"])
def test_spellings_of_a_number_are_one_key(text: str) -> None:
    """S0-22: a numeric key compares as a number."""
    assert canonical_key(text, KeyType.NUMBER) == "123"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0123", "0123"), (" 123 ", "123"), ("123.0", "123.0"), ("", None), ("  ", None)],
)
def test_text_keys_keep_their_zeros(text: str, expected: str | None) -> None:
    """S0-22: a text key compares as text."""
    assert canonical_key(text, KeyType.TEXT) == expected


@pytest.mark.parametrize("text", ["abc", "12-3", "NaN", "Infinity", "1e99999999"])
def test_a_non_numeric_key_is_a_finding_not_a_crash(text: str) -> None:
    """S0-22: what is no number has no canonical form and rejects its row by name."""
    assert canonical_key(text, KeyType.NUMBER) is None
    with pytest.raises(RowError) as caught:
        to_contact({**RECORD, "email": "a@example.com", "ctt_id": text}, stream(), KeyType.NUMBER)
    assert caught.value.cause == "key_format"


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"type": ["integer", "null"]}, KeyType.NUMBER),
        ({"type": "number"}, KeyType.NUMBER),
        ({"type": ["string", "null"]}, KeyType.TEXT),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, KeyType.NUMBER),
        ({}, KeyType.TEXT),
    ],
)
def test_the_key_type_follows_the_declared_column_type(
    declared: dict[str, Any], expected: KeyType
) -> None:
    """S0-22: "as declared" is read from the stream's SCHEMA unless it is configured."""
    schema = {"properties": {"ctt_id": declared}}
    assert resolve_key_type(stream(), schema) is expected


def test_a_row_without_a_key_is_mapped_without_one() -> None:
    """S0-49: a null key is neither compared nor written."""
    contact = to_contact(
        {**RECORD, "email": "a@example.com", "ctt_id": None}, stream(), KeyType.NUMBER
    )
    assert contact.key is None
    assert contact.key_text is None
    assert contact.identity == "email:a@example.com"


def test_records_of_any_tap_are_taken() -> None:
    """Strings for numbers, decimals and booleans become the text the field holds."""
    options = {"custom_fields": {"A": "a", "B": "b", "C": "c"}, "key": "id"}
    record = {
        "id": "9", "email": "a@example.com", "a": Decimal("10.50"), "b": True, "c": 1e-7,
    }  # fmt: skip
    contact = to_contact(record, stream(**options), KeyType.NUMBER)
    assert contact.key == "9"
    assert contact.values == {"A": Decimal("10.50"), "B": True, "C": 1e-7}


def test_a_name_with_bidi_or_control_characters_is_rejected() -> None:
    """S0-10: invisible characters would forge what people read."""
    with pytest.raises(RowError) as caught:
        to_contact(
            {**RECORD, "email": "a@example.com", "given_name": "a\u202eb"},
            stream(),
            KeyType.NUMBER,
        )
    assert caught.value.cause == "control_characters"


def test_an_overlong_value_is_refused_not_cut() -> None:
    """S0-10: no silent truncation."""
    with pytest.raises(RowError) as caught:
        to_contact(
            {**RECORD, "email": "a@example.com", "given_name": "x" * 256},
            stream(),
            KeyType.NUMBER,
        )
    assert (caught.value.cause, caught.value.field) == ("field_length", "given_name")


def test_a_deleted_row_is_a_fact_and_marked_as_such() -> None:
    """S0-63: the flow never deletes; the mark keeps a deleted person from being written."""
    record = {**RECORD, "email": "a@example.com", "_sdc_deleted_at": "2026-01-01T00:00:00Z"}
    assert to_contact(record, stream(), KeyType.NUMBER).deleted


@pytest.mark.parametrize(("key", "cause"), [
    ("1\x002", "control_characters"), ("\u202e17", "control_characters"),
    ("k" * 256, "field_length"),
])  # fmt: skip
def test_a_key_that_no_database_would_keep_is_a_fault_of_its_row(key: str, cause: str) -> None:
    """S0-10: named, so that one row can't end the run in the ledger or at the vendor."""
    with pytest.raises(RowError) as caught:
        to_contact({**RECORD, "email": "a@example.com", "ctt_id": key}, stream(), KeyType.TEXT)
    assert (caught.value.cause, caught.value.field) == (cause, "ctt_id")
    kept = {**RECORD, "email": "a@example.com", "ctt_id": "k\u00a0" + "k" * 253}
    assert to_contact(kept, stream(), KeyType.TEXT).key == kept["ctt_id"]


@pytest.mark.parametrize("email", ["", "  ", None])
def test_a_row_without_address_has_no_name_by_it(email: str | None) -> None:
    """S0-7: else whoever has none would be forgotten with somebody whose contact has none."""
    assert names_of({"ctt_id": 17, "email": email}, stream(), KeyType.NUMBER) == ["key:17"]
