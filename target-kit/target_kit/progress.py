"""A line now and then on long runs: how much is done, how long it may still take."""

from __future__ import annotations

import logging

from target_kit.clock import Clock

SECONDS_BETWEEN_LINES = 30.0

logger = logging.getLogger(__name__)


class Progress:
    """Speaks at most every 30 seconds; short runs stay silent."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._started = self._spoke = clock.monotonic()
        self._done_at_start = 0

    def begin(self, done: int) -> None:
        """The slow part starts now, with `done` records settled already."""
        self._started = self._spoke = self._clock.monotonic()
        self._done_at_start = done

    def tell(self, done: int, total: int) -> None:
        """`done` of `total` records are settled; the rest is estimated from the pace so far."""
        now = self._clock.monotonic()
        if now - self._spoke < SECONDS_BETWEEN_LINES:
            return
        self._spoke = now
        pace = (done - self._done_at_start) / (now - self._started)
        left = (
            f"about {(total - done) / pace / 60:.0f} min left" if pace > 0 else "time left unknown"
        )
        share = done / total if total else 1.0
        logger.info(
            "%s: %d of %d records settled (%.0f %%), %s", self._name, done, total, 100 * share, left
        )
