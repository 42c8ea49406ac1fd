"""Custom field values of accounts in the form each type wants, and when two mean the same. Pure.

Forms: contract section 5 (create-a-custom-field-value): several choices are a JSON array, amounts
are in cents with a currency beside them; all other types are as those of contacts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from target_kit.errors import RowError

from target_activecampaign import encoding
from target_activecampaign.account_model import Value
from target_activecampaign.model import Field

_MULTIPLE = ("checkbox", "multiselect")
CURRENCY = "currency"
#: Digits behind the point of currencies that have not two (ISO 4217, list one).
_DIGITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
         "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
_CENTS = 2


@dataclass(frozen=True, slots=True)
class Money:
    """What the settings say of a currency field: its code, or the column that has it; `digits` of
    a whole that one is sent as, None for cents.
    """

    currency: str = ""
    column: str = ""
    digits: int | None = None


def is_currency(text: str) -> bool:
    """Whether this is the form of an ISO 4217 code."""
    return len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()


def has_cents(currency: str) -> bool:
    """Whether one of this currency is a hundred cents, so that "in cents" leaves no question."""
    return _DIGITS.get(currency, _CENTS) == _CENTS


def encode(value: Any, field: Field, money: Money = Money(), currency: str = "") -> Value:
    """`value` as this field keeps it; a blank text only for a blank value.

    `currency` is what the row says of it. Raises RowError as `encoding.encode` does, and
    `field_currency` for an amount that is no such amount or whose currency is not known.
    """
    if field.type in _MULTIPLE:
        chosen = encoding.choices(value, field)
        return Value(msgspec.json.encode(chosen).decode() if chosen else "")
    if field.type == CURRENCY:
        return _amount(value, field, money, currency or money.currency or field.currency)
    return Value(encoding.encode(value, field))


def sent(value: Value, field: Field) -> Any:
    """The value as it stands in a request."""
    return _array(value.text) if field.type in _MULTIPLE else value.text


def same(field: Field, stored: Value, wanted: Value) -> bool:
    """True when `stored` means the same as the encoded `wanted`, so that no call is due (S0-53).

    An amount whose currency the vendor does not tell is compared by its number.
    """
    if field.type in _MULTIPLE:
        return set(_array(stored.text)) == set(_array(wanted.text))
    if field.type == CURRENCY:
        told = stored.currency in ("", wanted.currency)
        return told and encoding.same(replace(field, type="number"), stored.text, wanted.text)
    return encoding.same(field, stored.text, wanted.text)


def is_blank(field: Field, stored: Value) -> bool:
    """True for no value, no choice, and what the vendor writes where a date is missing."""
    if field.type in _MULTIPLE:
        return not _array(stored.text)
    return encoding.is_blank(field, stored.text)


def _amount(value: Any, field: Field, money: Money, currency: str) -> Value:
    name = field.perstag
    text = encoding.as_text(value, name)
    if not text:
        return Value("")
    if not is_currency(currency):
        raise RowError("field_currency", f"{name} has no currency (ISO 4217 code)", field=name)
    if money.digits is None and not has_cents(currency):
        raise RowError(
            "field_currency",
            f"{name} is in a currency without cents; set digits as ActiveCampaign shows it",
            field=name,
        )
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount.adjusted()) > 15:
        raise RowError("field_currency", f"{name} is not an amount", field=name)
    own = _DIGITS.get(currency, _CENTS)
    sent_as = _CENTS if money.digits is None else money.digits
    if amount != round(amount, min(own, sent_as)):
        raise RowError("field_currency", f"{name} has more decimals than its currency", field=name)
    return Value(f"{amount.scaleb(sent_as).to_integral_value():f}", currency)


def _array(text: str) -> list[str]:
    """Choices from however they come back: a JSON array, a contact's form, or one alone."""
    text = text.strip()
    if text.startswith("||"):
        return [part for part in text.split("||") if part]
    try:
        found = msgspec.json.decode(text) if text.startswith("[") else None
    except msgspec.DecodeError:
        found = None
    if isinstance(found, list):
        return [str(item) for item in found if item not in (None, "")]
    return [text] if text else []
