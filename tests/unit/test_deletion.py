"""What a deleted row asks for, and when it was."""

from __future__ import annotations

from typing import Any

import pytest
from target_activecampaign.deletion import (
    DeletePolicy,
    OnDelete,
    erasure_asked,
    is_deleted,
    row_version,
)
from target_kit.errors import RowError
from target_kit.versions import version_key

ERASES = DeletePolicy(OnDelete.DELETE, erasure_column="erase")
GONE = "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("value", "asked"),
    [(True, True), ("Yes", True), (1, True), ("t", True), (False, False), (None, False),
     ("", False), (0, False), (" no ", False)],
)  # fmt: skip
def test_the_flag_is_yes_or_no(value: Any, asked: bool) -> None:
    """X6: nothing is deleted for good without it."""
    assert erasure_asked({"erase": value}, ERASES) is asked
    assert not erasure_asked({"erase": value}, DeletePolicy(OnDelete.TAG))


@pytest.mark.parametrize("value", ["2026-01-01", "maybe", 2, ["true"]])
def test_a_flag_that_is_neither_is_refused(value: Any) -> None:
    """X6: what can't be undone is not done on a guess."""
    with pytest.raises(RowError) as caught:
        erasure_asked({"erase": value}, ERASES)
    assert caught.value.cause == "erasure_flag"


@pytest.mark.parametrize(
    ("column", "version", "expected"),
    [
        ("v", "2026-01-01T00:00:00Z", version_key(GONE)),
        ("v", "2026-05-01T00:00:00Z", version_key("2026-05-01T00:00:00Z")),
        ("v", None, version_key(GONE)),
        ("v", 17, version_key(17)),
        (None, "2026-05-01T00:00:00Z", None),
    ],
)
def test_a_deletion_counts_from_its_own_moment(
    column: str | None, version: Any, expected: str | None
) -> None:
    """S0-9: many sources delete without touching the version; numbers and moments don't mix."""
    row = {"_sdc_deleted_at": GONE, "v": version}
    assert row_version(row, column, DeletePolicy()) == expected


def test_a_living_row_has_its_own_version_and_ignored_deletions_too() -> None:
    """S0-9: nothing changes where deletions are not acted on."""
    row = {"v": "2026-01-01T00:00:00Z"}
    assert row_version(row, "v", DeletePolicy()) == version_key(row["v"])
    gone = {**row, "_sdc_deleted_at": GONE}
    assert row_version(gone, "v", DeletePolicy(OnDelete.IGNORE)) == version_key(row["v"])
    assert is_deleted(gone)
    assert not is_deleted({"_sdc_deleted_at": None})
