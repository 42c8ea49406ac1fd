"""Custom field values in the form each field type wants, and when two forms mean the same.

Formats: contract section 4.2, from the vendor's custom field pages. Encoding refuses what the type
can't hold (S0-54): ActiveCampaign would store it as it is and segments would silently miss it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from target_kit.errors import RowError

from target_activecampaign.model import Field

_MULTIPLE = ("checkbox", "listbox")
_SINGLE = ("dropdown", "radio")


def encode(value: Any, field: Field) -> str:
    """`value` as the text this field stores; "" only for a blank value.

    Raises RowError with cause `field_number`, `field_date`, `field_datetime`, `field_option` or
    `field_structure`.
    """
    if field.type in _MULTIPLE:
        chosen = choices(value, field)
        return f"||{'||'.join(chosen)}||" if chosen else ""
    text = as_text(value, field.perstag)
    if not text:
        return ""
    if field.type == "number":
        return _number(text, field.perstag)
    if field.type == "date":
        return _date(text, field.perstag)
    if field.type == "datetime":
        return _datetime(text, field.perstag)
    if field.type in _SINGLE:
        return _option(text, field)
    return text


def same(field: Field, stored: str, wanted: str) -> bool:
    """True when `stored` means the same as the encoded `wanted`, so that no call is due (S0-53)."""
    if stored == wanted:
        return True
    if not stored or not wanted:
        return False
    if field.type in _MULTIPLE:
        return set(_split(stored)) == set(_split(wanted))
    if field.type == "number":
        return _comparable_number(stored) == _comparable_number(wanted) is not None
    if field.type == "date":
        return stored[:10] == wanted[:10]
    if field.type == "datetime":
        return _instant(stored) == _instant(wanted) is not None
    return stored.strip() == wanted


def is_blank(field: Field, stored: str) -> bool:
    """True for no value, and for what the vendor writes where a date is missing."""
    text = stored.strip()
    return not text or (field.type in ("date", "datetime") and text.startswith("0000-00-00"))


def as_text(value: Any, field: str) -> str:
    """A scalar as text: trimmed; booleans as `true` and `false`, numbers without exponent."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    raise RowError("field_structure", f"{field} is no single value", field=field)


def _number(text: str, field: str) -> str:
    number = _comparable_number(text)
    if number is None:
        raise RowError("field_number", f"{field} is not a number", field=field)
    return f"{number:f}"


def _comparable_number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 40 else None


def _date(text: str, field: str) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        raise RowError("field_date", f"{field} is not a date (YYYY-MM-DD)", field=field) from None


def _datetime(text: str, field: str) -> str:
    instant = _instant(text)
    if instant is None:
        raise RowError(
            "field_datetime", f"{field} is not a date and time with offset (ISO 8601)", field=field
        )
    return instant.isoformat(timespec="seconds")


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        return None


def choices(value: Any, field: Field) -> list[str]:
    """The options of a field of several that a column names: a list, a text divided by commas or
    semicolons, one in the vendor's own form, or a boolean. Raises RowError `field_option`.
    """
    if value is None:
        return []
    if isinstance(value, bool):
        return _tick(value, field)
    items: Sequence[Any]
    if isinstance(value, (list, tuple)):
        items = value
    elif isinstance(value, str) and value.strip().startswith("||"):
        items = _split(value)
    else:
        items = re.split(r"[;,]", value) if isinstance(value, str) else [value]
    texts = [as_text(item, field.perstag) for item in items]
    return [_option(text, field) for text in texts if text]


def _tick(ticked: bool, field: Field) -> list[str]:
    """A boolean in a field of boxes: its "true" or "false", else its only box, ticked or not."""
    word = as_text(ticked, field.perstag)
    offered = {text.casefold() for option in field.options for text in option}
    if field.options and word not in offered:
        if not ticked:
            return []
        if len(field.options) == 1:
            return [field.options[0][0]]
    return [_option(word, field)]


def _split(text: str) -> list[str]:
    return [part for part in text.split("||") if part]


def _option(text: str, field: Field) -> str:
    """The option's value for its value or its label; a field without options takes any text."""
    if not field.options or any(text == value for value, _ in field.options):
        return text
    for value, label in field.options:
        if text.casefold() in (label.casefold(), value.casefold()):
            return value
    raise RowError(
        "field_option", f"{field.perstag} has no such option at ActiveCampaign", field=field.perstag
    )
