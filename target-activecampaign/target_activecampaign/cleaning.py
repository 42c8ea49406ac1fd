"""Text of the source as it may be sent anywhere: one form, trimmed, without hidden characters.
Pure.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from target_kit.errors import RowError

from target_activecampaign.encoding import as_text

#: Control characters, zero-width and bidi controls have no place in a name or a phone number.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
#: Far above any real value, far below what would make one request a burden.
MAX_ATTRIBUTE_LENGTH = 255


def clean(value: Any, column: str) -> str:
    """A single value as text; raises RowError `control_characters` or `field_structure`."""
    text = unicodedata.normalize("NFC", as_text(value, column)).strip()
    if _FORBIDDEN.search(text):
        raise RowError("control_characters", f"{column} holds control characters", field=column)
    return text


def attribute_of(value: Any, column: str) -> str:
    """The same for an attribute; raises RowError `field_length` as well (S0-10)."""
    text = clean(value, column)
    if len(text) > MAX_ATTRIBUTE_LENGTH:
        raise RowError(
            "field_length", f"{column} is longer than {MAX_ATTRIBUTE_LENGTH}", field=column
        )
    return text


def clean_value(value: Any, column: str) -> Any:
    """A custom field's value, still in its own type; texts in it as `clean` makes them."""
    if isinstance(value, list):
        return [clean(item, column) for item in value]
    if isinstance(value, str):
        return clean(value, column)
    return value
