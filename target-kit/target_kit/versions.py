"""Versions of a record, as text that sorts as versions do. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any


def version_key(value: Any) -> str | None:
    """A version as text that sorts as versions do: 10 after 9, moments by time and not by zone.

    Moments without a zone count as UTC, which orders them rightly among themselves; everything else
    sorts by its characters. None for a blank value: such a row can't be ordered. The first
    character names the kind: number, moment or text; kinds don't compare.
    """
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite() and number >= 0 and number.adjusted() < 40:
        return f"0 {number:061.20f}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return f"2 {text}"
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return f"1 {(moment - datetime(1, 1, 1, tzinfo=UTC)).total_seconds():020.6f}"


def is_newer(version: str | None, than: str | None) -> bool:
    """Whether two versions (see `version_key`) prove that the first is the newer one; without two
    of one kind nothing is proven.
    """
    return version is not None and than is not None and version[0] == than[0] and version > than
