"""Record values as the vendor's text: plain numbers, ISO 8601 with offset (contract 5.4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from optimizely_soap.codec import strip_illegal

_encode = msgspec.json.Encoder(decimal_format="number").encode


def to_text(value: Any) -> str | None:
    """The text to send; None for no value. Characters that XML can't carry are left out (5.5).

    Booleans are `true` and `false`: what the vendor takes for them is not documented.
    """
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _plain(Decimal(repr(value)))
        case Decimal():
            return _plain(value)
        case str():
            # Printable text is all legal: the quick look saves most of the work.
            return value if value.isprintable() else strip_illegal(value)
        case _:
            return strip_illegal(_encode(value).decode())


def moment_text(value: str) -> str:
    """A `date-time` of the source with seconds and offset; what is none stays as it is.

    A moment without a zone is left without one: the vendor reads it in the client's own zone.
    """
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment.isoformat(timespec="seconds")


def same_value(wanted: str | None, stored: str | None) -> bool:
    """Whether a stored value says the same; unset reads as nil whatever was written (5.4).

    Moments are compared as moments, since reads come in the server's zone; all else as text:
    `007` is not `7`.
    """
    if (wanted or "") == (stored or ""):
        return True
    if not wanted or not stored or "T" not in wanted or "T" not in stored:
        return False
    try:
        ours, theirs = datetime.fromisoformat(wanted), datetime.fromisoformat(stored)
    except ValueError:
        return False
    if (ours.tzinfo is None) != (theirs.tzinfo is None):
        return False
    return ours.replace(microsecond=0) == theirs.replace(microsecond=0)


def _plain(number: Decimal) -> str:
    """Without exponent and without zeros that say nothing: 1E+2 is 100, 1.50 is 1.5."""
    if not number.is_finite():
        return ""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
