"""How old the last fetch may be before responses are deleted unread (S1-37). Pure."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from tap_optimizely.bookmarks import Bookmark


class Age(StrEnum):
    """What the time since the last fetch means."""

    FRESH = "fresh"
    LATE = "late"
    GAP = "gap"


def age(bookmark: Bookmark, now: dt.datetime, lifetime: dt.timedelta, warn_after: float) -> Age:
    """Judge the time since the last successful fetch; an export never fetched is fresh.

    A gap is certain once the whole lifetime has passed: what was written right after the last
    fetch is deleted by now. `warn_after` is a share of the lifetime.
    """
    if bookmark.fetched_at is None:
        return Age.FRESH
    passed = now - bookmark.fetched_at
    if passed > lifetime:
        return Age.GAP
    return Age.LATE if passed > lifetime * warn_after else Age.FRESH
