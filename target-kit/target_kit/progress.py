"""A line now and then on long runs: how much is done, how long it may still take."""

from __future__ import annotations

import logging
from collections import deque

from target_kit.clock import Clock

SECONDS_BETWEEN_LINES = 30.0
#: The pace is that of so many of the last lines: long enough to be steady, short enough to follow
#: a vendor that slows down.
_LINES_OF_PACE = 10

logger = logging.getLogger(__name__)


class Progress:
    """Speaks at most every 30 seconds; short runs stay silent.

    `requests_per_second`, where there is a limit: what the calls of `tell` are measured by.
    """

    def __init__(self, name: str, clock: Clock, requests_per_second: float | None = None) -> None:
        self._name = name
        self._clock = clock
        self._rate = requests_per_second
        #: (when, records settled, calls made) at the last lines; the oldest begins the stretch.
        self._marks: deque[tuple[float, int, int]] = deque(maxlen=_LINES_OF_PACE + 1)
        self._spoke = clock.monotonic()
        self._marks.append((self._spoke, 0, 0))

    def begin(self, done: int, calls: int = 0) -> None:
        """The slow part starts now, with `done` records settled and `calls` made already."""
        self._spoke = self._clock.monotonic()
        self._marks.clear()
        self._marks.append((self._spoke, done, calls))

    def tell(self, done: int, total: int, calls: int | None = None) -> None:
        """`done` of `total` records are settled, by `calls` requests in all if that is known.

        The rest is estimated from the last minutes; it never takes less time than the rate limit
        wants for its calls.
        """
        now = self._clock.monotonic()
        if now - self._spoke < SECONDS_BETWEEN_LINES:
            return
        self._spoke = now
        began, done_before, calls_before = self._marks[0]
        self._marks.append((now, done, calls or 0))
        settled = done - done_before
        seconds: float | None = None
        if settled > 0:
            seconds = (total - done) * (now - began) / settled
            if calls is not None and self._rate:
                least = (total - done) * (calls - calls_before) / settled / self._rate
                seconds = max(seconds, least)
        share = int(100 * done / total) if total else 100
        logger.info(
            "%s: %s of %s (%d %%), %s",
            self._name, f"{done:,}", f"{total:,}", share, _in_words(seconds),
        )  # fmt: skip


def _in_words(seconds: float | None) -> str:
    """A time left as people say it; no pace, no promise."""
    if seconds is None:
        return "time left unknown"
    if seconds < 60:
        return "less than a minute left"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"about {minutes} min left"
    hours = seconds / 3600
    return f"about {hours:.0f} h left" if hours >= 10 else f"about {hours:.1f} h left"
