"""What a deleted row asks for, and when it was."""

from __future__ import annotations

from typing import Any

import pytest
from target_activecampaign.deletion import (
    DeletePolicy,
    OnDelete,
    erasure_asked,
    is_deleted,
    read_policy,
    row_version,
)
from target_kit.errors import RowError
from target_kit.versions import version_key

ERASES = DeletePolicy(OnDelete.DELETE, erasure_column="erase")
GONE = "2026-03-01T00:00:00Z"


@pytest.mark.parametrize(
    ("value", "asked"),
    [(True, True), ("Yes", True), (1, True), ("t", True), (False, False), (None, False),
     ("", False), (0, False), (" no ", False), ("Y", True), ("TRUE", True), ("false", False),
     ("F", False), ("n", False), ("0", False), ("1", True)],
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


def test_an_unused_flag_says_nothing() -> None:
    """X6: where deletions are only tagged, whatever the column holds erases nobody."""
    tags = DeletePolicy(OnDelete.TAG, erasure_column="erase")
    assert erasure_asked({"erase": "maybe"}, tags) is False
    assert erasure_asked({"erase": True}, tags) is False
    assert erasure_asked({"erase": True}, DeletePolicy(OnDelete.DELETE)) is False


def test_a_refused_flag_is_named_by_its_column() -> None:
    """X6: not by its value."""
    with pytest.raises(RowError) as caught:
        erasure_asked({"erase": "maybe"}, ERASES)
    assert caught.value.field == "erase"
    assert "maybe" not in caught.value.message


def test_a_deletion_without_moment_is_as_old_as_its_version() -> None:
    """S0-9: a mark that is no moment orders nothing."""
    row = {"_sdc_deleted_at": "", "v": 17}
    assert row_version(row, "v", DeletePolicy()) == version_key(17)
    assert row_version({**row, "v": None}, "v", DeletePolicy()) is None


def test_a_living_row_without_version_has_none() -> None:
    """S0-9: also where deletions are acted on."""
    assert row_version({"v": None}, "v", DeletePolicy()) is None
    assert row_version({"None": GONE, None: GONE}, None, DeletePolicy()) is None  # type: ignore[dict-item]


def test_by_default_nobody_is_deleted_for_good() -> None:
    """X6: whoever says nothing gets people unsubscribed and tagged."""
    faults: list[str] = []
    assert read_policy({}, "s", faults) == DeletePolicy(
        OnDelete.UNSUBSCRIBE_AND_TAG, "backoffice-deleted", None, 100
    )
    assert faults == []


@pytest.mark.parametrize(
    ("raw", "policy"),
    [
        ({"on_delete": "unsubscribe_and_tag"}, DeletePolicy()),
        ({"on_delete": "tag", "deleted_tag": " gone "}, DeletePolicy(OnDelete.TAG, "gone")),
        ({"on_delete": "ignore"}, DeletePolicy(OnDelete.IGNORE)),
        ({"on_delete": "delete", "erasure_column": "erase", "max_deletes": 0},
         DeletePolicy(OnDelete.DELETE, erasure_column="erase", max_deletes=0)),
    ],
)  # fmt: skip
def test_each_policy_is_a_word(raw: dict[str, Any], policy: DeletePolicy) -> None:
    """X6: what is said is what is done, and only `ignore` does nothing."""
    faults: list[str] = []
    assert read_policy(raw, "s", faults) == policy
    assert faults == []
    assert policy.acts is (raw["on_delete"] != "ignore")


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        ({"on_delete": "erase"},
         "s.on_delete: one of unsubscribe_and_tag, tag, ignore, delete"),
        ({"deleted_tag": " "}, "s.deleted_tag: must not be empty"),
        ({"on_delete": "delete"}, "s.on_delete: 'delete' needs erasure_column"),
        ({"on_delete": "tag", "erasure_column": "erase"},
         "s.erasure_column: only with on_delete: delete"),
        ({"max_deletes": -1}, "s.max_deletes: must be a whole number, 0 or more"),
        ({"max_deletes": True}, "s.max_deletes: must be a whole number, 0 or more"),
        ({"max_deletes": "9"}, "s.max_deletes: must be a whole number, 0 or more"),
    ],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_a_fault(raw: dict[str, Any], fault: str) -> None:
    """S0-14, X6: named, never guessed; in its place stands what harms nobody."""
    faults: list[str] = []
    policy = read_policy(raw, "s", faults)
    assert faults == [fault]
    assert policy.max_deletes == 100
