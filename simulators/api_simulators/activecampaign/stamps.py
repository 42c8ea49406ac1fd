"""Times as ActiveCampaign writes them: always in the time zone of the account."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=65_536)
def _iso(second: int, zone: str) -> str:
    return datetime.fromtimestamp(second, ZoneInfo(zone)).isoformat()


@lru_cache(maxsize=65_536)
def _wall(second: int, zone: str) -> str:
    return datetime.fromtimestamp(second, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def iso(seconds: float, zone: str) -> str:
    """Return `2026-05-28T05:03:40-05:00`, the form of cdate, udate, sdate, createdTimestamp."""
    return _iso(int(seconds), zone)


def wall(seconds: float, zone: str) -> str:
    """Return `2026-05-28 05:03:40`, the form of every `*_timestamp`, even those named utc."""
    return _wall(int(seconds), zone)


def parse(text: str, zone: str) -> float | None:
    """Read a date or an ISO time, without an offset in account time; None when it is neither."""
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return moment.astimezone(UTC).timestamp()


def is_zone(name: object) -> bool:
    """Say whether the machine knows a time zone of this name."""
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
