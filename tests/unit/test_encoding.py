"""Custom field values in the form of their type (contract section 4.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from target_activecampaign.encoding import encode, same
from target_activecampaign.model import Field
from target_kit.errors import RowError

OPTIONS = (("de", "Deutschland"), ("fr", "Frankreich"))


def field(kind: str, options: tuple[tuple[str, str], ...] = ()) -> Field:
    return Field("7", "F", kind, options)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", " Ja ", "Ja"),
        ("textarea", "a\nb", "a\nb"),
        ("hidden", 17, "17"),
        ("text", True, "true"),
        ("text", Decimal("1E+3"), "1000"),
        ("text", 0.1, "0.1"),
        ("number", "1234.50", "1234.50"),
        ("number", 7, "7"),
        ("number", Decimal("1E+2"), "100"),
        ("date", "2026-03-29", "2026-03-29"),
        ("date", "2026-03-29T23:30:00+02:00", "2026-03-29"),
        ("datetime", "2026-03-29T02:45:00-05:00", "2026-03-29T07:45:00+00:00"),
        ("datetime", "2026-03-29T02:45:00.123456Z", "2026-03-29T02:45:00+00:00"),
        ("dropdown", "de", "de"),
        ("dropdown", "Frankreich", "fr"),
        ("radio", "DEUTSCHLAND", "de"),
        ("listbox", ["de", "Frankreich"], "||de||fr||"),
        ("checkbox", "de", "||de||"),
        ("checkbox", "||de||fr||", "||de||fr||"),
        ("listbox", "de; fr", "||de||fr||"),
        ("text", None, ""),
        ("listbox", [], ""),
        ("number", " ", ""),
    ],
)
def test_each_type_gets_its_own_form(kind: str, value: Any, expected: str) -> None:
    """S0-54: text, date, number, drop-down and multi-select as the field's type requires."""
    options = OPTIONS if kind in ("dropdown", "radio", "listbox", "checkbox") else ()
    assert encode(value, field(kind, options)) == expected


@pytest.mark.parametrize(
    ("kind", "value", "cause"),
    [
        ("number", "twelve", "field_number"),
        ("number", "NaN", "field_number"),
        ("date", "29.03.2026", "field_date"),
        ("date", "2026-02-30", "field_date"),
        ("datetime", "2026-03-29T02:45:00", "field_datetime"),
        ("datetime", "soon", "field_datetime"),
        ("dropdown", "Atlantis", "field_option"),
        ("listbox", ["de", "Atlantis"], "field_option"),
        ("text", {"a": 1}, "field_structure"),
        ("text", ["a"], "field_structure"),
    ],
)
def test_what_the_type_cannot_hold_is_refused_by_name(kind: str, value: Any, cause: str) -> None:
    """S0-54: the vendor would store it verbatim and never find it again."""
    options = OPTIONS if kind in ("dropdown", "listbox") else ()
    with pytest.raises(RowError) as caught:
        encode(value, field(kind, options))
    assert caught.value.cause == cause
    assert str(value) not in caught.value.message


@pytest.mark.parametrize(
    ("kind", "stored", "wanted", "equal"),
    [
        ("number", "5", "5.00", True),
        ("number", "5", "6", False),
        ("number", "five", "5", False),
        ("date", "2026-03-29 00:00:00", "2026-03-29", True),
        ("datetime", "2026-03-29T02:45:00-05:00", "2026-03-29T07:45:00+00:00", True),
        ("datetime", "junk", "2026-03-29T07:45:00+00:00", False),
        ("listbox", "||a||b||", "||b||a||", True),
        ("listbox", "||a||", "||b||a||", False),
        ("text", "x ", "x", True),
        ("text", "x", "X", False),
        ("text", "", "x", False),
    ],
)
def test_two_forms_of_one_value_cause_no_call(
    kind: str, stored: str, wanted: str, equal: bool
) -> None:
    """S0-53: values are compared by meaning, so the vendor's own spelling is no difference."""
    assert same(field(kind), stored, wanted) is equal
