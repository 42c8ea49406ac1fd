"""What a row that was deleted in the source asks for: `on_delete`, its guard, its moment. Pure.

A row merely absent says nothing; only `_sdc_deleted_at` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from target_kit.errors import RowError
from target_kit.versions import version_key

DELETED_AT = "_sdc_deleted_at"
_YES = frozenset({"true", "t", "yes", "y", "1"})
_NO = frozenset({"", "false", "f", "no", "n", "0"})


class OnDelete(StrEnum):
    """What becomes of a known contact whose row was deleted."""

    UNSUBSCRIBE_AND_TAG = "unsubscribe_and_tag"
    TAG = "tag"
    IGNORE = "ignore"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class DeletePolicy:
    """`erasure_column` holds the flag without which nothing is deleted for good; `max_deletes` is
    how many contacts one run may delete so.
    """

    on_delete: OnDelete = OnDelete.UNSUBSCRIBE_AND_TAG
    tag: str = "backoffice-deleted"
    erasure_column: str | None = None
    max_deletes: int = 100

    @property
    def acts(self) -> bool:
        """False when deleted rows are only counted."""
        return self.on_delete is not OnDelete.IGNORE


def read_policy(raw: Mapping[str, Any], where: str, faults: list[str]) -> DeletePolicy:
    """The options of one stream; faults are named, defaults taken for what is missing."""
    default = DeletePolicy()
    on_delete = str(raw.get("on_delete", default.on_delete))
    if on_delete not in tuple(OnDelete):
        faults.append(f"{where}.on_delete: one of {', '.join(OnDelete)}")
        on_delete = default.on_delete
    tag = str(raw.get("deleted_tag", default.tag)).strip()
    if not tag:
        faults.append(f"{where}.deleted_tag: must not be empty")
    erasure = raw.get("erasure_column")
    if on_delete == OnDelete.DELETE and not erasure:
        faults.append(f"{where}.on_delete: 'delete' needs erasure_column")
    elif erasure and on_delete != OnDelete.DELETE:
        faults.append(f"{where}.erasure_column: only with on_delete: delete")
    most = raw.get("max_deletes", default.max_deletes)
    if not isinstance(most, int) or isinstance(most, bool) or most < 0:
        faults.append(f"{where}.max_deletes: must be a whole number, 0 or more")
        most = default.max_deletes
    return DeletePolicy(OnDelete(on_delete), tag, str(erasure) if erasure else None, most)


def is_deleted(record: Mapping[str, Any]) -> bool:
    """Whether the source says so in words (Singer's `_sdc_deleted_at`)."""
    return record.get(DELETED_AT) is not None


def erasure_asked(record: Mapping[str, Any], policy: DeletePolicy) -> bool:
    """Whether this deleted row carries the erasure flag.

    Raises RowError `erasure_flag` for a value that is neither yes nor no: what can't be undone is
    not done on a guess.
    """
    if policy.on_delete is not OnDelete.DELETE or policy.erasure_column is None:
        return False
    text = str(record.get(policy.erasure_column) or "").strip().lower()
    if text not in _YES | _NO:
        raise RowError(
            "erasure_flag",
            f"{policy.erasure_column} is neither true nor false",
            field=policy.erasure_column,
        )
    return text in _YES


def row_version(
    record: Mapping[str, Any], version_column: str | None, policy: DeletePolicy
) -> str | None:
    """The version that orders this row among those of its person.

    A deletion counts from its own moment when `version_column` holds moments too, or nothing: many
    sources delete without touching the column.
    """
    version = version_key(record.get(version_column)) if version_column else None
    if not (version_column and policy.acts and is_deleted(record)):
        return version
    moment = version_key(record.get(DELETED_AT))
    if version is None or moment is None:
        return version or moment
    return max(version, moment) if version[0] == moment[0] else version
