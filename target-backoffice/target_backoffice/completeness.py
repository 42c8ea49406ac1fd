"""Whether an input was all of the feedback there is: the tap's marker against what arrived. Pure.

A tap that dies looks to its target like the end of the data; only the marker `sync_complete` in the
last STATE, with counts that equal what came, tells the one from the other (S1-32).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

#: Markers count milliseconds since 1970 (tap-backoffice, tap-optimizely, singer-seal); what would
#: be older than this is some other number.
_NO_TIME_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)


def gap(
    marker: Mapping[str, Any] | None,
    received: Mapping[str, int],
    wanted: Collection[str],
    came: Collection[str],
) -> str | None:
    """What is missing, in words, or None.

    `received` counts records by the tap's own stream name, as the marker does; `wanted` and `came`
    are stream names as the settings know them.
    """
    if marker is None:
        return (
            "the input did not end with the tap's marker of completeness (sync_complete); run the "
            "tap to its end, or put singer-seal before one that knows no marker"
        )
    counts = marker.get("counts")
    if not isinstance(counts, Mapping):
        return "the marker of completeness has no counts"
    for name in sorted({*counts, *received}):
        if counts.get(name, 0) != received.get(name, 0):
            return (
                f"the tap counted {counts.get(name, 0)} records of stream {name}, "
                f"{received.get(name, 0)} arrived"
            )
    missing = sorted(set(wanted) - set(came))
    if missing:
        return (
            f"stream {', '.join(missing)} did not come; select it in the tap, or take it out of "
            "the setting streams"
        )
    return None


def marker_version(marker: Mapping[str, Any] | None) -> int | None:
    """The marker's version, if it is a number."""
    version = (marker or {}).get("version")
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def began_at(started_at: datetime, version: int | None) -> datetime:
    """When the feedback was asked for: the tap's start, where its marker tells that.

    An input that was kept and is imported days later must not look fresh (S1-32).
    """
    if version is None or not 0 < version < 10**14:
        return started_at
    moment = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=version)
    return moment if _NO_TIME_BEFORE <= moment < started_at else started_at
