"""How fast and how long: the shared rate of one account, the deadline of one run, every wait.

`pause` is the only place of the HTTP edge that sleeps: it stops for a signal and never sleeps past
the deadline.
"""

from __future__ import annotations

import math
import threading

from target_kit.clock import Clock
from target_kit.errors import VendorUnavailable
from target_kit.signals import StopSignal

SAFETY_MARGIN = 0.03
"""Starts are spaced 3 % wider than the rate asks: what leaves evenly may arrive less evenly."""

_SLICE_SECONDS = 1.0
"""Longest sleep at a stretch: a worker thread gets no signal, it has to look."""


class Deadline:
    """The moment the run has to end (`deadline_seconds`); `None` means never."""

    def __init__(self, seconds: float | None, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._ends_at = math.inf if seconds is None else clock.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, `inf` without a deadline, never negative."""
        return max(0.0, self._ends_at - self._clock.monotonic())

    def check(self) -> None:
        """Raise `VendorUnavailable` when no time is left."""
        if self.remaining() <= 0:
            raise self._reached("")

    def check_wait(self, seconds: float) -> None:
        """Raise `VendorUnavailable` when a wait of `seconds` would not end in time."""
        if seconds >= self.remaining():
            raise self._reached(f" by a wait of {seconds:.0f} s")

    def _reached(self, how: str) -> VendorUnavailable:
        return VendorUnavailable(
            f"deadline_seconds ({self._seconds:g}) reached{how}; what was not yet applied comes "
            "again on the next run"
        )


def pause(
    seconds: float,
    clock: Clock,
    stop: StopSignal | None = None,
    deadline: Deadline | None = None,
) -> None:
    """Sleep `seconds`; `Interrupted` on a signal, `VendorUnavailable` if the deadline comes first.

    A wait that can't end before the deadline is not begun: sleeping would gain nothing.
    """
    if deadline is not None:
        deadline.check_wait(seconds)
    ends_at = clock.monotonic() + seconds
    while (left := ends_at - clock.monotonic()) > 0:
        _sleep(min(left, _SLICE_SECONDS), clock, stop)


def _sleep(seconds: float, clock: Clock, stop: StopSignal | None) -> None:
    if stop is None:
        clock.sleep(seconds)
    elif threading.current_thread() is threading.main_thread():
        with stop.interruptible():
            clock.sleep(seconds)
    else:
        # Signals reach the main thread only; from here "may raise" would be said on its behalf.
        stop.check()
        clock.sleep(seconds)


class RateLimiter:
    """Spaces the starts of requests evenly, for all threads together.

    In no sliding window of one second are there more than `per_second` starts, as vendors count
    per account (ActiveCampaign: developers.activecampaign.com/reference/rate-limits). There is no
    burst and no catching up.
    """

    def __init__(
        self,
        per_second: float,
        clock: Clock,
        stop: StopSignal | None = None,
        *,
        margin: float = SAFETY_MARGIN,
    ) -> None:
        if not per_second > 0:
            raise ValueError("per_second must be above 0")
        # A fractional rate of 2.5 still means at most 2 starts in any one second.
        whole = math.floor(per_second) if 1 <= per_second < math.inf else per_second
        self.interval_seconds = (1.0 + margin) / whole
        self.waited_seconds = 0.0
        self._clock = clock
        self._stop = stop
        self._lock = threading.Lock()
        self._next_start = -math.inf

    def wait(self, deadline: Deadline | None = None) -> None:
        """Return when the caller may start its request; raises as `pause` does."""
        while (delay := self._claim()) > 0:
            pause(delay, self._clock, self._stop, deadline)
            with self._lock:
                self.waited_seconds += delay

    def penalise(self, seconds: float) -> None:
        """Hold every caller, also those waiting already, for `seconds` from now."""
        with self._lock:
            self._next_start = max(self._next_start, self._clock.monotonic() + seconds)

    def started_late(self, seconds: float) -> None:
        """A request was on its way only so long after its start; several processes mind that."""

    def _claim(self) -> float:
        """Take the next start if it is due, else say how long to wait before asking again.

        A start is claimed only when it is due: one reserved in advance would ignore a penalty
        that comes meanwhile.
        """
        with self._lock:
            now = self._clock.monotonic()
            if now < self._next_start:
                return self._next_start - now
            self._next_start = now + self.interval_seconds
            return 0.0
