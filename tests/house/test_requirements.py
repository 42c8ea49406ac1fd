"""Every requirement in force is named by a test; numbers that do not exist are not named."""

from __future__ import annotations

import pytest
from house_support import ROOT, load_tool

requirements = load_tool("requirements")
TEXT = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
WORDING = requirements.listed(TEXT)
ADMITTED = requirements.admitted(TEXT)
COVERED = requirements.named_by_tests(ROOT / "tests")


def test_all_253_numbers_are_listed_once() -> None:
    """The document holds S0 to S4 and X completely, each number once."""
    sizes = {"S0": 65, "S1": 47, "S2": 33, "S3": 59, "S4": 41, "X": 8}
    found = {name: sum(1 for n in WORDING if n.startswith(name)) for name in sizes}
    assert found == sizes
    assert TEXT.count("\n- **") == sum(sizes.values())


@pytest.mark.parametrize("number", [f"S0-{n}" for n in range(1, 66)])
def test_each_requirement_of_the_first_flow_is_proven(number: str) -> None:
    """Some test's docstring names the number."""
    assert number in COVERED, f"{number} is open: {WORDING[number]}"


def test_tests_name_only_numbers_that_exist() -> None:
    """A number that the document does not hold is a slip of the pen."""
    assert sorted(set(COVERED) - set(WORDING)) == []


def test_what_is_in_force_is_proven_or_admitted_to_be_open() -> None:
    """A number is named by a test, or stands in the table of open ones with its reason."""
    missing = set(requirements.open_numbers(WORDING, COVERED))
    assert sorted(missing - set(ADMITTED)) == []
    assert sorted(set(ADMITTED) - missing) == []
