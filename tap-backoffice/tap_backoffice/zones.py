"""Time: naive timestamps of the source ↔ UTC, safe where the clock is put forward or back."""

from __future__ import annotations

import datetime as dt
import zoneinfo

UTC = dt.UTC
DAY = dt.timedelta(days=1)


def to_utc_text(naive: dt.datetime, zone: dt.tzinfo) -> str:
    """Give a source timestamp as ISO text in UTC; a time with an offset keeps its instant."""
    aware = naive if naive.tzinfo is not None else naive.replace(tzinfo=zone)
    return aware.astimezone(UTC).isoformat()


def spread(instant: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.timedelta:
    """Say how far local clocks may disagree about an instant: an hour around a DST change."""
    offsets = [
        (instant + shift).astimezone(zone).utcoffset() or dt.timedelta()
        for shift in (-DAY, dt.timedelta(), DAY)
    ]
    return max(offsets) - min(offsets)


def local_lower_bound(instant: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """Give a naive local time that no row changed at or after `instant` can lie before.

    In the hour the clock is put back, a later instant has an earlier local time; the bound
    steps back by that hour, so rows are sent twice rather than lost.
    """
    return instant.astimezone(zone).replace(tzinfo=None, fold=0) - spread(instant, zone)
