"""Spooled record → Row: values as the database takes them, key and content as digests. Pure.

What a column can't hold is a named reject here, the same on every database: SQLite would take
anything, MariaDB might cut it off.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from target_kit.errors import RowError

from target_backoffice.model import Column, Kind, Row

_INTEGER_LIMIT = 2**63


def to_row(
    seq: int, record: Mapping[str, Any], columns: Sequence[Column], key: Sequence[str]
) -> Row:
    """Convert one record; raises RowError naming the column, never the value."""
    values = {column.name: convert(record.get(column.name), column) for column in columns}
    natural = {name: values[name] for name in key}
    if all(value is None for value in natural.values()):
        raise RowError("key_missing", "all its key columns are empty", field=", ".join(key))
    natural_key = _canonical(natural)
    said = {name: value for name, value in values.items() if value is not None}
    return Row(seq, _digest(natural_key), natural_key, _digest(_canonical(said)), values)


def identity(
    record: Mapping[str, Any], columns: Sequence[Column], key: Sequence[str]
) -> tuple[str, str | None]:
    """Row key and natural key of a record that is no good otherwise; without one, its digest."""
    try:
        row = to_row(0, record, [column for column in columns if column.name in key], key)
    except RowError:
        return _digest(_canonical(record)), None
    return row.key, row.natural_key


def convert(value: Any, column: Column) -> Any:
    """One value as the driver binds it for `column`. Raises RowError."""
    if value is None:
        return None
    try:
        converted = _CONVERTERS[column.kind](value)
    except (ValueError, TypeError, AttributeError, OverflowError, InvalidOperation):
        raise RowError(
            "value_does_not_fit", f"no value for a column of type {column.kind}", field=column.name
        ) from None
    if isinstance(converted, str):
        if "\0" in converted:
            raise RowError("nul_character", "holds a NUL character", field=column.name)
        if column.length is not None and len(converted) > column.length:
            raise RowError("too_long", f"longer than {column.length} characters", field=column.name)
    return converted


def _canonical(values: Mapping[str, Any]) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _integer(value: Any) -> int:
    number = int(value.strip()) if isinstance(value, str) else int(value)
    if not isinstance(value, str) and number != value:
        raise ValueError
    if not -_INTEGER_LIMIT <= number < _INTEGER_LIMIT:
        raise ValueError
    return number


def _float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError
    return float(value)


def _decimal(value: Any) -> Decimal:
    number = Decimal(str(value).strip())
    if not number.is_finite():
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if value in (0, 1):
        return bool(value)
    word = value.strip().lower()
    if word not in ("true", "false"):
        raise ValueError
    return bool(word == "true")


def _aware(value: Any) -> datetime:
    """A moment; without a zone it is taken for UTC."""
    moment = datetime.fromisoformat(value.strip())
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _date(value: Any) -> date:
    return date.fromisoformat(value.strip()[:10])


_CONVERTERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.TIMESTAMP: lambda value: _aware(value).replace(tzinfo=None),
    Kind.TIMESTAMP_WITH_ZONE: _aware,
    Kind.DATE: _date,
    Kind.TIME: lambda value: time.fromisoformat(value.strip()),
    Kind.UUID: lambda value: uuid.UUID(value.strip()),
    Kind.JSON: lambda value: value,
    Kind.OTHER: lambda value: value,
}
