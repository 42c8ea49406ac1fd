"""Record values → texts for the vendor, codes and kinds → what they mean. All pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_kit.outcome import Outcome
from target_optimizely.codes import result_of
from target_optimizely.kinds import kind_in_data_set
from target_optimizely.model import Kind
from target_optimizely.shapes import (
    UnexpectedAnswer,
    check_length,
    check_rows,
    each,
    table,
)
from target_optimizely.values import moment_text, same_value, to_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None), ("", ""), (" kept ", " kept "), (True, "true"), (False, "false"),
        (0, "0"), (-7, "-7"), (2**60, str(2**60)), (1.5, "1.5"), (1.0, "1"), (1e21, "1" + "0" * 21),
        (Decimal("1E+2"), "100"), (Decimal("1.50"), "1.5"), (Decimal("0.000001"), "0.000001"),
        (float("nan"), ""), (float("inf"), ""), ("a\x00b\x0bc", "abc"), ("]]>", "]]>"),
        (["x", 1], '["x",1]'), ({"a": Decimal("1.10")}, '{"a":1.10}'),
    ],
)  # fmt: skip
def test_a_value_is_written_in_one_way(value: Any, text: str | None) -> None:
    """S1-5: no exponents, no trailing zeros, no characters that XML lacks."""
    assert to_text(value) == text


@given(st.text())
def test_no_text_holds_what_xml_cannot_carry(value: str) -> None:
    """S1-22: whatever comes in, what goes out can be sent."""
    sent = to_text(value)
    assert sent is not None
    assert not set(sent) & set(map(chr, [0, 1, 8, 11, 12, 14, 31, 0xFFFE, 0xFFFF]))
    assert set(sent) <= set(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_numbers_keep_their_value(value: Decimal) -> None:
    """S1-5: the text is the number, however it was spelled."""
    sent = to_text(value)
    assert sent is not None
    assert "E" not in sent
    assert Decimal(sent) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-01-02T03:04:05.678+00:00", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02", "2026-01-02T00:00:00"),
        ("soon", "soon"),
    ],
)
def test_a_moment_is_written_to_the_second(value: str, text: str) -> None:
    """S1-5: what is no moment stays for the vendor to refuse."""
    assert moment_text(value) == text


@pytest.mark.parametrize(
    ("wanted", "stored", "same"),
    [
        (None, None, True), (None, "", True), ("", None, True), ("a", None, False),
        ("007", "7", False), ("Ada", "ada", False),
        ("2026-01-02T03:04:05+00:00", "2026-01-02T04:04:05+01:00", True),
        ("2026-01-02T03:04:05+00:00", "2026-01-02T04:04:06+01:00", False),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05+01:00", False),
        ("2026-01-02T03:04:05+00:00", "T", False),
    ],
)  # fmt: skip
def test_equal_values_are_known_as_equal(wanted: Any, stored: Any, same: bool) -> None:
    """X3: unset reads as nil, moments come back in the server's zone; all else is text."""
    assert same_value(wanted, stored) is same


@pytest.mark.parametrize(
    ("code", "sent_before", "outcome"),
    [
        (0, False, Outcome.APPLIED), (1, False, Outcome.REJECTED), (2, False, Outcome.SUPPRESSED),
        (3, False, Outcome.SUPPRESSED), (4, False, Outcome.SUPPRESSED),
        (5, False, Outcome.REJECTED), (5, True, Outcome.APPLIED), (6, False, Outcome.REJECTED),
        (7, False, Outcome.FAILED), (8, True, Outcome.REJECTED), (-1, False, Outcome.REJECTED),
        (99, False, Outcome.REJECTED),
    ],
)  # fmt: skip
def test_every_code_has_its_outcome(code: int, sent_before: bool, outcome: Outcome) -> None:
    """S1-22 S1-26: 5 is success only for what this run has sent; unknown ones never are."""
    assert result_of(code, sent_before=sent_before).outcome is outcome


HEAD = ["ID", "Name", "Type"]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ([], None),
        ([HEAD, ["8", "News", "Default"]], None),
        ([HEAD, ["7", "News", "Default"]], Kind.REGULAR),
        ([HEAD, ["7", "News", "Opt-in"]], Kind.OPTIN),
        ([HEAD, ["7", "News", "Transaction"]], Kind.TRANSACTION),
        ([["ID", "Name", "Listenart"], ["7", "News", "Opt-in-Liste"]], None),
        ([["ID", "Name", "Typ"], ["7", "News", "Transaktionsliste"]], Kind.TRANSACTION),
        ([["ID", "Name"], ["7", "Opt-in news"]], None),
        ([HEAD, ["7", "Opt-in news", "something new"]], None),
        ([HEAD, ["7", "News", None]], None),
    ],
)
def test_only_a_column_about_kinds_tells_a_kind(data: list[list[str | None]], kind: Any) -> None:
    """S1-28: a name is no evidence, an unknown word is none either."""
    assert kind_in_data_set(data, 7) is kind


@pytest.mark.parametrize("value", [None, "x", [1, True], [1, "2"], [None], {"a": 1}])
def test_answers_of_another_shape_are_no_answers(value: object) -> None:
    """S1-31: True is no number, nothing is nothing."""
    with pytest.raises(UnexpectedAnswer):
        each(int, "Rpc.get", value)


def test_rows_of_another_width_are_no_answer() -> None:
    """S1-21: a table has a value for each name that was asked for; the words hold no value."""
    assert table("Rpc.get", [["a", None]], 2) == [["a", None]]
    with pytest.raises(UnexpectedAnswer, match="a row of 1 values for 2 names"):
        table("Rpc.get", [["secret"]], 2)
    with pytest.raises(UnexpectedAnswer, match="1 values for 2"):
        check_length("Rpc.get", [True], 2)
    with pytest.raises(ValueError, match="one row"):
        check_rows(["a", "b"], ["x"], [["1"]])
