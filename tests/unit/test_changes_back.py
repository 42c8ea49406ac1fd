"""What does not stay as it was written: counted, left alone in time, and never for its form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_activecampaign.changes_back import Due, Why, digest, follow, left_alone, only_in_form
from target_activecampaign.model import Field
from target_kit.ledger_entries import Rewritten

LAND = Field("5", "LAND", "text")
COLOURS = Field("6", "COLOURS", "checkbox", (("r", "Red"), ("b", "Blue")))
COLOUR = Field("7", "COLOUR", "dropdown", (("r", "Red"), ("b", "Blue")))
NUMBER = Field("8", "NUMBER", "number")
DATE = Field("9", "DATE", "date")
DUE = {"LAND": Due("Chile", "Peru", LAND)}


def known(times: int, wanted: str = "Chile") -> dict[str, Rewritten]:
    """LAND has been written so often."""
    return {"LAND": Rewritten("key:1", "LAND", digest(wanted), times)}


@pytest.mark.parametrize(
    ("times", "after", "left"), [(1, 2, False), (2, 2, True), (9, 2, True), (9, 0, False)]
)
def test_a_field_is_left_alone_after_so_many_runs(times: int, after: int, left: bool) -> None:
    """At the boundary and beside it; 0 is never."""
    expected = {"LAND": Why.BACK} if left else {}
    assert left_alone(DUE, known(times), after, ()) == expected


def test_another_wanted_value_is_written() -> None:
    """What did not stay was another one."""
    assert left_alone(DUE, known(9, "Cuba"), 2, ()) == {}


def test_who_somebody_is_is_always_written() -> None:
    """Without the key field the person would be lost."""
    assert left_alone(DUE, known(9), 2, ("LAND",)) == {}


def test_what_was_never_written_is_written_whatever_its_form() -> None:
    """A change of case alone is a change, the first time."""
    due = {"LAND": Due("CHILE", "Chile", LAND)}
    assert left_alone(due, {}, 1, ()) == {}
    assert left_alone(due, known(1, "CHILE"), 0, ()) == {"LAND": Why.FORM}


@given(st.lists(st.sampled_from(["a", "b"]), max_size=8))
def test_the_count_is_that_of_the_last_runs_with_one_value(wanted: list[str]) -> None:
    """Whatever came before: it is as long as the run of equal values at the end."""
    memory: dict[str, Rewritten] = {}
    for value in wanted:
        (entry,) = follow("key:1", {"LAND": digest(value)}, memory)
        memory = {"LAND": entry}
    expected = 0
    for value in reversed(wanted):
        if value != wanted[-1]:
            break
        expected += 1
    assert (memory["LAND"].times if memory else 0) == expected


SAME = [
    (LAND, "Chile", "CHILE"),
    (LAND, "Chile  Norte", "Chile Norte "),
    (LAND, "a\r\nb", "a\nb"),
    (LAND, "Zu\u0308rich", "Z\u00fcrich"),
    (None, "+49 30 12345", "+493012345"),
    (None, "+49 (30) 123-45", "0049 30 12345"),
    (COLOUR, "r", "Red"),
    (COLOUR, "r", "RED"),
    (COLOURS, "||r||b||", "||Blue||Red||"),
    (NUMBER, "1e3", "1E3"),
]
DIFFERENT = [
    (LAND, "Chile", "Peru"),
    (LAND, "Chile", ""),
    (LAND, "", "Chile"),
    (None, "+49 30 12345", "+49 30 12346"),
    (None, "12-3", "123"),
    (LAND, "1234.56", "123456"),
    (NUMBER, "12345", "123-45"),
    (DATE, "2020-01-02", "20200102"),
    (COLOUR, "r", "Blue"),
    (COLOURS, "||r||b||", "||r||"),
]


@pytest.mark.parametrize(("field", "wanted", "stored"), SAME)
def test_another_form_is_the_same(field: Field | None, wanted: str, stored: str) -> None:
    """Case, blanks, Unicode's forms, a phone's punctuation, labels for values."""
    assert only_in_form(Due(wanted, stored, field))


@pytest.mark.parametrize(("field", "wanted", "stored"), DIFFERENT)
def test_another_value_is_not(field: Field | None, wanted: str, stored: str) -> None:
    """Numbers, dates and few digits are compared as they are; blank is no form of anything."""
    assert not only_in_form(Due(wanted, stored, field))


def test_half_a_pair_is_remembered_as_well() -> None:
    """Text that can't be encoded never reaches the vendor, and breaks nothing here."""
    assert len(digest("\ud800")) == 8
