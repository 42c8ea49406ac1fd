"""Frozen values that the rooms of this target hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

#: Columns of our own in every feedback table; the natural key is hashed into `row_key`, because a
#: primary key of the databases takes neither nulls nor long texts.
ROW_KEY, ROW_HASH, FIRST_SEEN, LAST_SEEN = "row_key", "row_hash", "first_seen_at", "last_seen_at"
CONTROL_COLUMNS = (ROW_KEY, ROW_HASH, FIRST_SEEN, LAST_SEEN)


class Kind(StrEnum):
    """What a column of the database takes."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"  # UTC without a zone
    TIMESTAMP_WITH_ZONE = "timestamp with time zone"
    DATE = "date"
    TIME = "time"
    UUID = "uuid"
    JSON = "json"
    OTHER = "other"  # bound as it came; the database decides


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a stream, as the table takes it; `length` in characters."""

    name: str
    kind: Kind
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One entry of `apply_sql`: its text and the names it takes as `:name`."""

    text: str
    parameters: frozenset[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One feedback record, its values as the database's driver binds them, by stream column.

    `key` is the digest of its natural key, `natural_key` that key as JSON, `hash` the digest of
    all that it says.
    """

    seq: int
    key: str
    natural_key: str
    hash: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """A row that the table lacks (`new`) or has otherwise."""

    row: Row
    new: bool
