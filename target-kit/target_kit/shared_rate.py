"""The request rate that several processes, on whatever machines, share for one account.

A server that all of them reach keeps one moment: when the next request may start, by the server's
own clock. Whoever gets a start moves it on, in one step of the server, so starts are as even as
those of one process: no burst, no catching up, and a `Retry-After` that one is told holds all.

Clients' clocks play no part. A request that leaves late (the grant was long on its way, the machine
was busy, a connection had to be made) comes closer to those after it: these are moved by as much,
at most by one interval, which is all the room that a request takes. A grant so late that others
have started since is left unused. Without the server nothing is sent.

No library does this: pyrate-limiter 4.5 on Redis counts by its clients' clocks, on PostgreSQL it
grants a whole second's starts at once and falls back to a client's clock; limits 5.8 counts by
clients' clocks and knows no PostgreSQL; neither can hold everybody for a `Retry-After`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from target_kit.clock import Clock
from target_kit.errors import ConfigurationError, VendorUnavailable
from target_kit.limits import RateLimiter, pause
from target_kit.rate_slots import Slots, SlotsLost
from target_kit.signals import StopSignal

SHARED_MARGIN = 0.15
"""Several machines are less even than one: starts are spaced 15 % wider than the rate asks, so that
of six in a row one may be 150 ms late at five a second.
"""

LATE_SECONDS = 0.02
"""A request that leaves later than this after its grant moves those to come."""

STALE_SECONDS = 0.2
"""A grant that took longer than this, and than an interval, to get here is not used: there would be
one request too many in its second. Somebody that far from the server uses the third all the same.
"""

_GRANTS = 3
_AGAIN_SECONDS = (0.5, 1.0, 2.0)  # a server may be restarting
_SCHEMES = {
    "redis": "redis",
    "rediss": "redis",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
}
T = TypeVar("T")


class SharedRateLimiter(RateLimiter):
    """A `RateLimiter` whose next start is kept by `slots`. `VendorUnavailable` once it is lost."""

    def __init__(
        self, slots: Slots, per_second: float, clock: Clock, stop: StopSignal | None = None
    ) -> None:
        super().__init__(per_second, clock, stop, margin=SHARED_MARGIN)
        self._slots = slots

    def penalise(self, seconds: float) -> None:
        """Hold every caller of every process for `seconds` from now."""
        with self._lock:
            self._ask(lambda: self._slots.hold(seconds))

    def started_late(self, seconds: float) -> None:
        """Move the starts to come by as much as this request left late."""
        if seconds > LATE_SECONDS:
            with self._lock:
                self._delay(seconds)

    def _claim(self) -> float:
        wait = late = 0.0
        with self._lock:
            for _ in range(_GRANTS):
                asked = self._clock.monotonic()
                wait = self._ask(lambda: self._slots.claim(self.interval_seconds))
                late = self._clock.monotonic() - asked
                if wait > 0 or late <= max(STALE_SECONDS, self.interval_seconds):
                    break
            if wait == 0 and late > LATE_SECONDS:
                self._delay(2 * late)  # saying so takes as long again
        return wait

    def _delay(self, seconds: float) -> None:
        moved = min(seconds, self.interval_seconds)
        self._ask(lambda: self._slots.delay(moved))

    def _ask(self, question: Callable[[], T]) -> T:
        for seconds in _AGAIN_SECONDS:
            try:
                return question()
            except SlotsLost:
                pause(seconds, self._clock, self._stop)
        try:
            return question()
        except SlotsLost as lost:
            reason = lost.reason
        raise VendorUnavailable(
            f"rate_limit_url: the shared request rate can't be kept: {reason}; nothing more is "
            "sent, what was not yet applied comes again on the next run"
        )


@contextmanager
def shared_rate(
    url: str | None,
    account: str,
    per_second: float,
    clock: Clock,
    stop: StopSignal | None = None,
) -> Iterator[SharedRateLimiter | None]:
    """The limiter that everybody with this `url` and `account` shares; None without a URL.

    Raises ConfigurationError for a URL that can't be right, VendorUnavailable when the server is
    out of reach, here or at any later call.
    """
    if not url:
        yield None
        return
    scheme = _SCHEMES.get(url.strip().partition("://")[0].lower())
    if scheme is None:
        raise ConfigurationError(
            "rate_limit_url: must be redis://host:6379/0, rediss:// for TLS, or "
            "postgresql://user:password@host/database"
        )
    slots = _open(scheme, url.strip(), account)
    try:
        yield SharedRateLimiter(slots, per_second, clock, stop)
    finally:
        slots.close()


def _open(scheme: str, url: str, account: str) -> Slots:
    """Loads a driver: only whoever shares a rate has to have it."""
    try:
        if scheme == "redis":
            from target_kit.rate_redis import RedisSlots

            return RedisSlots(url, account)
        from target_kit.rate_postgresql import PostgresqlSlots

        return PostgresqlSlots(url, account)
    except ImportError:
        extra = "redis" if scheme == "redis" else "postgres"
        raise ConfigurationError(
            f"rate_limit_url: no driver is installed; install the extra `{extra}`"
        ) from None
