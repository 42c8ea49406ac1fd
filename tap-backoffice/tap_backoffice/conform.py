"""Turns what a driver gives into what JSON carries, a column at a time.

Used for every database but PostgreSQL, which writes its JSON itself (rows_postgres.py).
A value that JSON or the declared type cannot hold becomes null and is counted.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
import typing as t
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import msgspec

from tap_backoffice import zones
from tap_backoffice.types import Column

Values = t.Sequence[t.Any]
_NONE = type(None)
_TRUE, _FALSE = (
    {"1", "t", "true", "y", "yes", "on", "j", "ja"},
    {"0", "f", "false", "n", "no", "off", "nein", ""},
)
# Types that pass as they are; anything else in the column is looked at value by value.
_AS_IS: dict[str, frozenset[type]] = {
    "integer": frozenset({int, _NONE}),
    "string": frozenset({str, _NONE}),
    "boolean": frozenset({bool, _NONE}),
}
_json = msgspec.json.Decoder(float_hook=Decimal)


class Unrepresentable(Exception):  # a verdict on a value, not a failure
    """The value has no counterpart in JSON or in the column's declared type."""


class ColumnConformer:
    """Conforms the values of one column; `lost` counts those that became null."""

    def __init__(self, column: Column, zone: dt.tzinfo, *, singer_decimal: bool = False) -> None:
        """Choose the conversion by the column's kind; `zone` is for naive timestamps."""
        self.column, self.lost = column, 0
        self._as_is = _AS_IS.get(column.kind)
        self._one = _conversion(column, zone, singer_decimal=singer_decimal)
        self._plain_utc = zone.utcoffset(None) is None and str(zone) == "UTC"
        self._is_time = column.kind in ("timestamp", "timestamptz")

    def __call__(self, values: Values) -> Values:
        """Give the values as JSON carries them, same order, same length."""
        if self._as_is is not None and self._as_is.issuperset(map(type, values)):
            return values
        one = self._one
        try:
            return [None if value is None else one(value) for value in values]
        except Unrepresentable:
            return [None if value is None else self._tried(value) for value in values]

    def _tried(self, value: object) -> object:
        try:
            return self._one(value)
        except Unrepresentable:
            self.lost += 1
            return None


def _conversion(
    column: Column, zone: dt.tzinfo, *, singer_decimal: bool
) -> Callable[[t.Any], t.Any]:
    if column.kind in ("timestamp", "timestamptz"):
        assumed = zones.UTC if column.kind == "timestamptz" else zone
        fixed = column.kind == "timestamptz" or str(zone) == "UTC"
        return _timestamp_in_utc if fixed else lambda value: _timestamp(value, assumed)
    if column.kind == "decimal" and singer_decimal:
        return lambda value: str(_decimal(value))
    return {
        "integer": _integer,
        "float": _float,
        "decimal": _decimal,
        "boolean": _boolean,
        "bits": lambda value: int.from_bytes(value, "big") if isinstance(value, bytes) else value,
        "string": _string,
        "date": _date,
        "time": _time,
        "binary": _binary,
        "json": _document,
        "array": any_value,
        "any": any_value,
    }[column.kind]


def _integer(value: t.Any) -> int:
    try:
        whole = int(value)
    except (TypeError, ValueError, OverflowError) as exc:
        raise Unrepresentable from exc
    if isinstance(value, (float, Decimal)) and whole != value:
        raise Unrepresentable
    return whole


def _float(value: t.Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as exc:
        raise Unrepresentable from exc
    if not math.isfinite(number):
        raise Unrepresentable
    return number


def _decimal(value: t.Any) -> Decimal:
    if type(value) is not Decimal:
        try:
            value = Decimal(str(value))  # repr of a float is its shortest exact text
        except InvalidOperation as exc:
            raise Unrepresentable from exc
    if not value.is_finite():
        raise Unrepresentable
    return t.cast("Decimal", value)


def _boolean(value: t.Any) -> bool:
    if isinstance(value, (int, float, Decimal)):
        return value != 0
    if isinstance(value, bytes):
        return any(value)
    word = str(value).strip().lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise Unrepresentable


def _string(value: t.Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError as exc:
            raise Unrepresentable from exc
    if isinstance(value, set):  # some drivers give MySQL SETs as sets
        return ",".join(sorted(map(str, value)))
    return str(value)


def _date(value: t.Any) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    try:
        return dt.date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError as exc:
        raise Unrepresentable from exc


def _timestamp_in_utc(value: t.Any) -> str:
    if type(value) is str and len(value) in (19, 26) and value[10] in " T":
        # The server's or SQLite's usual text: check by parsing, keep the digits.
        try:
            dt.datetime.fromisoformat(value)
        except ValueError as exc:
            raise Unrepresentable from exc
        return f"{value[:10]}T{value[11:]}+00:00".replace(".000000+", "+")
    return _timestamp(value, zones.UTC)


def _timestamp(value: t.Any, zone: dt.tzinfo) -> str:
    if isinstance(value, dt.datetime):
        moment = value
    elif isinstance(value, dt.date):
        moment = dt.datetime.combine(value, dt.time())
    elif isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value.strip())
        except ValueError as exc:
            raise Unrepresentable from exc
    else:
        raise Unrepresentable
    try:
        return zones.to_utc_text(moment, zone)
    except (OverflowError, ValueError) as exc:
        raise Unrepresentable from exc


def _time(value: t.Any) -> str:
    return any_value(value) if isinstance(value, dt.timedelta) else str(value)


def _binary(value: t.Any) -> str:
    raw = value.encode() if isinstance(value, str) else bytes(value)
    return base64.b64encode(raw).decode()


def _document(value: t.Any) -> t.Any:  # JSON has no one type
    if isinstance(value, (str, bytes)):
        try:
            return _json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise Unrepresentable from exc
    return any_value(value)


def any_value(value: t.Any) -> t.Any:  # decides by the value itself
    """Conform a value whose column says nothing about its type."""
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, dt.datetime):
        return _timestamp(value, zones.UTC)
    if isinstance(value, (dt.date, dt.time, uuid.UUID)):
        return str(value)
    if isinstance(value, dt.timedelta):
        return f"PT{value.total_seconds():.6f}S"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _binary(value)
    if isinstance(value, (list, tuple)):
        return [None if item is None else any_value(item) for item in value]
    if isinstance(value, dict):
        return {str(k): None if v is None else any_value(v) for k, v in value.items()}
    return str(value)
