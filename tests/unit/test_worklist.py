"""What people have to decide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from target_activecampaign.worklist import REPAIRS, changes_back, finding, stuck, victim
from target_kit.outcome import Outcome, Result, Step

README = Path(__file__).parents[2] / "target-activecampaign" / "README.md"
SENTENCE = README.read_text(encoding="utf-8").partition("The kinds of conflicts are\n")[2]
KINDS = re.findall(r"`(\w+)`", SENTENCE.partition(":")[0])


def test_the_readme_names_every_kind() -> None:
    """S0-60: whoever reads the worklist finds its words there, and no other ones."""
    assert sorted(REPAIRS) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_conflict_comes_with_a_repair(kind: str) -> None:
    """S0-60: kind, words and what would settle it."""
    item = finding("key:1", Result(Outcome.REJECTED, Step.UPDATE, kind, "said so"))
    assert item is not None
    assert (item.who, item.kind, item.message) == ("key:1", kind, "said so")
    assert item.repair == REPAIRS[kind]
    assert len(item.repair) > 20


def test_what_needs_no_decision_is_no_item() -> None:
    """Delivered, unchanged, or failed for a reason that passes."""
    for result in (
        Result(Outcome.APPLIED, Step.UPDATE),
        Result(Outcome.FAILED, Step.INSERT, "vendor_failed", "503"),
    ):
        assert finding("key:1", result) is None


def test_a_former_address_that_lives_on_is_an_item_of_its_person() -> None:
    """S2-4: existing victims of changed addresses are found."""
    item = victim("key:1")
    assert (item.who, item.kind) == ("key:1", "old_address_lives")
    assert item.repair == REPAIRS["old_address_lives"]


def test_a_field_that_is_changed_back_is_one_item_for_all_contacts() -> None:
    """Not one for each person: who writes it there is one question."""
    item = changes_back("LAND", 12, 5)
    assert (item.who, item.kind) == ("field LAND", "changes_back")
    assert item.message == "written again on 7 contacts in the last run, left alone on 5"
    row = Result(Outcome.UNCHANGED, Step.UPDATE, "changes_back")
    assert finding("key:1", row) is None


def test_whom_the_destination_keeps_active_is_an_item_of_its_person() -> None:
    """X2: somebody has to see to it."""
    item = stuck("key:1")
    assert (item.who, item.kind, item.repair) == (
        "key:1", "still_subscribed", REPAIRS["still_subscribed"],
    )  # fmt: skip
