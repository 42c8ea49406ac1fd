"""Fields that do not stay as they were written: named, and after a while left alone. Pure.

An automation, another integration or the vendor itself may put another value where this target has
written one. Each run would write it again: a tug-of-war that nobody sees, and that starts whatever
starts on a change. A field is counted for each contact while the source wants one and the same
value; it begins anew when that changes, and is forgotten when the destination has it.

A value that is stored in another form of the same (case, blanks, a phone's punctuation, an option's
label) was taken, and is not written again.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from target_kit.ledger_entries import Rewritten

from target_activecampaign.model import Field

_SEVERAL = frozenset({"checkbox", "listbox"})
_CHOICES = _SEVERAL | {"dropdown", "radio"}
_EXACT = frozenset({"number", "date", "datetime"})
_FEWEST_DIGITS = 5


class Why(StrEnum):
    """Why a field that differs is not written."""

    FORM = "form"  # what is there is the same, written in another way
    BACK = "back"  # it was written often enough, and did not stay


@dataclass(frozen=True, slots=True)
class Due:
    """A field that differs: the text `wanted` there, and the one `stored`; `field` None for an
    attribute.
    """

    wanted: str
    stored: str
    field: Field | None = None


def digest(text: str) -> bytes:
    """What a wanted value is remembered by."""
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest()


def left_alone(
    due: Mapping[str, Due],
    known: Mapping[str, Rewritten],
    quarantine_after: int,
    never: Collection[str],
) -> dict[str, Why]:
    """Names of fields that differ and are not to be written, with the reason.

    `known` is what the runs before this one had to write of the contact; after `quarantine_after`
    runs (0: never) it is enough. Fields in `never` are always written.
    """
    left = {}
    for name, one in due.items():
        before = known.get(name)
        if name in never or before is None or before.value != digest(one.wanted):
            continue
        if only_in_form(one):
            left[name] = Why.FORM
        elif 0 < quarantine_after <= before.times:
            left[name] = Why.BACK
    return left


def follow(
    who: str, written: Mapping[str, bytes], known: Mapping[str, Rewritten]
) -> list[Rewritten]:
    """What to remember of a person whose fields were `written` (digests by name)."""
    return [
        Rewritten(who, name, value, _times(known.get(name), value))
        for name, value in written.items()
    ]


def _times(before: Rewritten | None, value: bytes) -> int:
    return before.times + 1 if before and before.value == value else 1


def only_in_form(due: Due) -> bool:
    """Whether both mean the same to a reader, and are spelt in two ways."""
    if not due.wanted or not due.stored:
        return False
    field = due.field
    if field and field.type in _CHOICES:
        return _chosen(due.stored, field) == _chosen(due.wanted, field)
    if _folded(due.stored) == _folded(due.wanted):
        return True
    if field and field.type in _EXACT:
        return False
    one, other = _digits(due.stored), _digits(due.wanted)
    return one == other and len(one) >= _FEWEST_DIGITS


def _chosen(text: str, field: Field) -> set[str]:
    """The options that a value names by value or by label."""
    values = {_folded(label): _folded(value) for value, label in field.options}
    parts = text.split("||") if field.type in _SEVERAL else [text]
    folded = [_folded(part) for part in parts if part.strip()]
    return {values.get(part, part) for part in folded}


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _digits(text: str) -> str:
    """A phone number without what people put between its digits; "" for any other text."""
    if re.search(r"[^\d\s()+/-]", text):
        return ""
    plus = re.sub(r"^\s*\+", "00", text)
    return re.sub(r"\D", "", plus)
