"""Custom field values of accounts in the form of their type (contract section 5)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_activecampaign.account_encoding import Money, encode, has_cents, is_blank, same, sent
from target_activecampaign.account_model import Value
from target_activecampaign.model import Field
from target_kit.errors import RowError

OPTIONS = (("IT", "IT"), ("Trade", "Trade"))


def field(kind: str, currency: str = "") -> Field:
    choices = kind in ("dropdown", "radio", "checkbox", "multiselect")
    return Field("7", "F", kind, OPTIONS if choices else (), currency=currency)


@pytest.mark.parametrize(
    ("kind", "value", "on_the_wire"),
    [
        ("text", " a ", "a"),
        ("textarea", "a\nb", "a\nb"),
        ("hidden", 7, "7"),
        ("number", "12.50", "12.50"),
        ("date", "2026-02-03T10:00:00Z", "2026-02-03"),
        ("datetime", "2026-02-03T10:00:00+01:00", "2026-02-03T09:00:00+00:00"),
        ("dropdown", "trade", "Trade"),
        ("radio", "IT", "IT"),
        ("checkbox", ["it", "Trade"], ["IT", "Trade"]),
        ("multiselect", "Trade", ["Trade"]),
        ("text", None, ""),
        ("multiselect", [], []),
        ("checkbox", None, []),
        ("currency", " ", ""),
    ],
)
def test_each_type_goes_in_its_own_form(kind: str, value: Any, on_the_wire: Any) -> None:
    """S0-54: as a contact's, but several choices are a JSON array."""
    asked = field(kind)
    assert sent(encode(value, asked), asked) == on_the_wire


@pytest.mark.parametrize(
    ("value", "money", "row", "expected"),
    [
        (Decimal("12.5"), Money("EUR"), "", ("1250", "EUR")),
        ("0.10", Money("EUR"), "", ("10", "EUR")),
        (1.1, Money("EUR"), "", ("110", "EUR")),
        (-3, Money("EUR"), "", ("-300", "EUR")),
        (0, Money("EUR"), "", ("0", "EUR")),
        ("7.000", Money("EUR"), "", ("700", "EUR")),
        ("5", Money("EUR"), "CHF", ("500", "CHF")),
        ("5", Money(column="c"), "", ("500", "GBP")),
        ("1250", Money("JPY", digits=0), "", ("1250", "JPY")),
        ("1250", Money("JPY", digits=2), "", ("125000", "JPY")),
        ("1.234", Money("KWD", digits=3), "", ("1234", "KWD")),
        ("9999999999999999.99", Money("EUR"), "", ("999999999999999999", "EUR")),
    ],
)
def test_an_amount_is_whole_cents_with_its_currency(
    value: Any, money: Money, row: str, expected: tuple[str, str]
) -> None:
    """S0-54: never by way of a binary fraction; the row's currency before the settings', those
    before the field's own.
    """
    assert encode(value, field("currency", "GBP"), money, row) == Value(*expected)


@pytest.mark.parametrize(
    ("value", "money", "row"),
    [
        ("1.005", Money("EUR"), ""),
        ("1250.5", Money("JPY", digits=2), ""),
        ("1.23", Money("KWD", digits=1), ""),
        ("much", Money("EUR"), ""),
        ("Infinity", Money("EUR"), ""),
        ("1e17", Money("EUR"), ""),
        ("5", Money(), ""),
        ("5", Money("EUR"), "Euro"),
        ("5", Money("EUR"), "JPY"),
        ("5", Money(), "KWD"),
    ],
)
def test_what_is_no_such_amount_is_refused_by_name(value: Any, money: Money, row: str) -> None:
    """S0-54: more decimals than the currency has, no number, no currency, one without cents."""
    with pytest.raises(RowError) as caught:
        encode(value, field("currency"), money, row)
    assert caught.value.cause == "field_currency"
    assert str(value) not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "stored", "wanted", "equal"),
    [
        ("multiselect", '["b","a"]', '["a","b"]', True),
        ("checkbox", "||a||b||", '["a","b"]', True),
        ("checkbox", "a", '["a"]', True),
        ("multiselect", '["a"]', '["a","b"]', False),
        ("multiselect", "[broken", '["a"]', False),
        ("multiselect", "", "", True),
        ("number", "5.0", "5", True),
        ("date", "2026-02-03T00:00:00-06:00", "2026-02-03", True),
        ("text", "x ", "x", True),
        ("text", "", "x", False),
    ],
)
def test_two_forms_of_one_value_cause_no_call(
    kind: str, stored: str, wanted: str, equal: bool
) -> None:
    """S0-53: by meaning, whatever form an account answers in."""
    assert same(field(kind), Value(stored), Value(wanted)) is equal


@pytest.mark.parametrize(
    ("stored", "equal"),
    [
        (Value("1250", "EUR"), True),
        (Value("1250.00"), True),
        (Value("1250", "USD"), False),
        (Value("1251", "EUR"), False),
        (Value("", "EUR"), False),
    ],
)
def test_an_amount_of_another_currency_is_another_amount(stored: Value, equal: bool) -> None:
    """S0-53: only where the vendor does not tell the currency, the number alone counts."""
    assert same(field("currency"), stored, Value("1250", "EUR")) is equal


@pytest.mark.parametrize(
    ("kind", "stored", "blank"),
    [
        ("multiselect", "[]", True),
        ("multiselect", '[""]', True),
        ("multiselect", '["a"]', False),
        ("date", "0000-00-00", True),
        ("text", " ", True),
        ("currency", "0", False),
    ],
)
def test_what_is_no_value_is_known(kind: str, stored: str, blank: bool) -> None:
    """S0-50: an empty list is none; nothing is no zero."""
    assert is_blank(field(kind), Value(stored)) is blank


def test_currencies_with_other_digits_than_two_are_known() -> None:
    """S0-54: ISO 4217; what is not listed there has cents."""
    assert [c for c in ("EUR", "JPY", "KWD", "CLF", "USD", "XOF") if has_cents(c)] == ["EUR", "USD"]
