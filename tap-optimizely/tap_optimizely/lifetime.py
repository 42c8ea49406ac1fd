"""How old the last fetch may be before responses are deleted unread (S1-37). Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from tap_optimizely.bookmarks import Bookmark
from tap_optimizely.errors import GapError
from tap_optimizely.settings import Settings


class Age(StrEnum):
    """What the time since the last fetch means."""

    FRESH = "fresh"
    LATE = "late"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class LastFetch:
    """How far a stream's exports were read; `is_listed` if a full listing is read besides."""

    stream: str
    bookmarks: Sequence[Bookmark]
    is_listed: bool


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


class LifetimeWatch:
    """Compares last fetches with the lifetime, at the vendor's time `now`."""

    def __init__(self, settings: Settings, now: dt.datetime) -> None:
        self._settings = settings
        self._now = now

    def judge(self, fetches: Sequence[LastFetch]) -> Iterator[str]:
        """Yield what is to be warned of.

        Raises:
            GapError: responses are gone for certain, and nobody accepted that.
        """
        days = self._settings.lifetime.days
        ages = {fetch.stream: self._age_of(fetch) for fetch in fetches}
        lost = [stream for stream, found in ages.items() if found is Age.GAP]
        if lost:
            what = (
                f"{', '.join(lost)}: the last fetch is older than the lifetime of responses "
                f"({days} days), so some were deleted before they were fetched"
            )
            if not self._settings.accept_gap:
                raise GapError(f"{what}; to go on with what is left set accept_gap: true")
            yield f"{what}; accepted"
        share = round(self._settings.warn_after_share * 100)
        for stream, found in ages.items():
            if found is Age.LATE:
                yield (
                    f"{stream}: the last fetch is older than {share} % of the lifetime of "
                    f"responses ({days} days); fetch more often"
                )
        yield from self._early_start(fetches, days)

    def _age_of(self, fetch: LastFetch) -> Age:
        """The worst age of a stream's exports; a full listing besides leaves no gap."""
        settings = self._settings
        ages = {
            age(one, self._now, settings.lifetime, settings.warn_after_share)
            for one in fetch.bookmarks
        }
        if Age.GAP in ages and not fetch.is_listed:
            return Age.GAP
        return Age.FRESH if ages == {Age.FRESH} else Age.LATE

    def _early_start(self, fetches: Iterable[LastFetch], days: int) -> Iterator[str]:
        """What was deleted before a first run is nobody's mistake, but good to know."""
        start = self._settings.start
        is_first = any(one.fetched_at is None for fetch in fetches for one in fetch.bookmarks)
        if is_first and start is not None and self._now - start > self._settings.lifetime:
            yield (
                f"start_date is older than the lifetime of responses ({days} days): a first run "
                "gets what is left"
            )
