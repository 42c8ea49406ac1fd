"""The bookmark: how far an incremental stream has come. Never ahead of the rows or the clock."""

from __future__ import annotations

import datetime as dt
import typing as t
import zoneinfo
from decimal import Decimal, InvalidOperation

from tap_backoffice import zones
from tap_backoffice.errors import SourceError, UnsortedError
from tap_backoffice.types import Column, Kind

STATE_KEY = "replication_key"
STATE_VALUE = "replication_key_value"


class Bookmark:
    """Follows one stream's replication key through one run.

    Values are the ones records carry: ISO texts in UTC for timestamps, numbers, texts.
    """

    def __init__(
        self,
        column: Column,
        state: dict[str, t.Any],
        *,
        run_started: dt.datetime,
        zone: zoneinfo.ZoneInfo,
        lookback_seconds: int = 0,
        clock_tolerance: dt.timedelta = dt.timedelta(),
        mixed_offsets: bool = False,
    ) -> None:
        """Start from the stream's part of the STATE.

        `clock_tolerance` is what the source's own sorting may be coarser than a microsecond;
        `mixed_offsets` says that a naive column may also hold texts with an offset (SQLite),
        which the source sorts by their UTC time.

        Raises:
            SourceError: the state holds a value that is none of the column's type.
        """
        self._column, self._zone = column, zone
        self._lookback = dt.timedelta(seconds=lookback_seconds)
        self._tolerance, self._mixed = clock_tolerance, mixed_offsets
        self._cap = _cap(column.kind, run_started)
        saved = state.get(STATE_VALUE) if state.get(STATE_KEY) == column.name else None
        self._value: t.Any = self._capped(_restored(column, saved))
        self._seen: t.Any = None

    @property
    def value(self) -> t.Any:  # text or number, by the column's kind
        """How far all rows have been sent; never after the start of the run; None at first."""
        return self._value

    def write(self, state: dict[str, t.Any]) -> None:
        """Put the bookmark into the stream's part of the STATE."""
        if self._value is None:
            return
        state[STATE_KEY] = self._column.name
        state[STATE_VALUE] = str(self._value) if isinstance(self._value, Decimal) else self._value

    def advance(self, values: t.Sequence[t.Any]) -> None:
        """Take the replication keys of rows just written, in their order; nulls don't count.

        Raises:
            UnsortedError: a row came after one with a greater key.
        """
        present = [value for value in values if value is not None]
        if not present:
            return
        if self._column.kind == "string":
            newest = present[-1]  # the database's collation decides the order of texts
        else:
            chain = present if self._seen is None else [self._seen, *present]
            # Sorting what is sorted is one pass in C; only a disorder is looked at closely.
            if sorted(chain) != chain:
                self._check_order(chain)
            newest = max(chain)
        self._seen = newest
        capped = self._capped(newest)
        if self._value is None or self._column.kind == "string" or capped > self._value:
            self._value = capped

    def _check_order(self, chain: list[t.Any]) -> None:
        previous = chain[0]
        for value in chain[1:]:
            if value < previous and not self._tolerable(value, previous):
                msg = f"rows came out of the order of replication key {self._column.name!r}"
                raise UnsortedError(msg)
            previous = max(previous, value)

    def _tolerable(self, value: t.Any, previous: t.Any) -> bool:
        if self._column.kind not in ("timestamp", "timestamptz"):
            return False
        later, earlier = dt.datetime.fromisoformat(previous), dt.datetime.fromisoformat(value)
        allowed = self._tolerance
        if self._column.kind == "timestamp":
            # Sorted by local time, instants may step back where the clock is put forward.
            allowed += zones.spread(later, self._zone)
        return later - earlier <= allowed

    def _capped(self, value: t.Any) -> t.Any:
        return value if value is None or self._cap is None else min(value, self._cap)

    def lower_bound(self) -> t.Any:  # typed as the driver binds it
        """Give the value to compare the column with (`>=`), typed; None reads from the start.

        Timestamps are naive in UTC for `timestamptz`, naive local for `timestamp`; both less
        the lookback. Dates are dates, decimals Decimals.
        """
        if self._value is None:
            return None
        kind = self._column.kind
        if kind == "date":
            return dt.date.fromisoformat(self._value) - dt.timedelta(
                days=-(-self._lookback // zones.DAY)
            )
        if kind not in ("timestamp", "timestamptz"):
            return self._value
        instant = dt.datetime.fromisoformat(self._value) - self._lookback - self._tolerance
        if kind == "timestamptz":
            return instant
        local = zones.local_lower_bound(instant, self._zone)
        in_utc = instant.astimezone(zones.UTC).replace(tzinfo=None)
        return min(local, in_utc) if self._mixed else local


def _cap(kind: Kind, run_started: dt.datetime) -> str | None:
    now = run_started.astimezone(zones.UTC)
    if kind in ("timestamp", "timestamptz"):
        return now.isoformat()
    return now.date().isoformat() if kind == "date" else None


def _restored(column: Column, saved: t.Any) -> t.Any:  # JSON of a STATE
    if saved is None:
        return None
    try:
        return _parse(column.kind, saved)
    except (ValueError, TypeError, InvalidOperation) as exc:
        msg = (
            f"the state's bookmark for replication key {column.name!r} is no {column.kind}; "
            "clear the state or the stream's part of it"
        )
        raise SourceError(msg) from exc


def _parse(kind: Kind, saved: t.Any) -> t.Any:
    if kind == "integer":
        return int(saved)
    if kind == "decimal":
        return Decimal(str(saved))
    if kind == "float":
        return float(saved)
    if kind == "date":
        return dt.date.fromisoformat(str(saved)[:10]).isoformat()
    if kind in ("timestamp", "timestamptz"):
        # Other taps write naive bookmarks: the SDK takes those for UTC, and so does this one.
        return zones.to_utc_text(dt.datetime.fromisoformat(str(saved)), zones.UTC)
    return str(saved)
