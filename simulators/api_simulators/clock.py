"""The simulator's clock: the machine's, one that runs behind it, or one that stands still."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from api_simulators.wire import ControlError


class Clock:
    """Seconds since 1970, real by default, frozen after `now` or `advance`."""

    def __init__(self) -> None:
        self._frozen: float | None = None
        self._behind = 0.0

    def now(self) -> float:
        """Return the current time in seconds since 1970."""
        return time.time() - self._behind if self._frozen is None else self._frozen

    def control(self, order: dict[str, Any]) -> dict[str, Any]:
        """Apply `{"now": ISO text or seconds}`, `{"advance": seconds}`, `{"real": true}`, or
        `{"behind": seconds}`: the clock runs, so much behind the machine's.
        """
        known = ("now", "advance", "behind", "real")
        if unknown := set(order) - set(known):
            raise ControlError(f"unknown clock order {sorted(unknown)}; known: {', '.join(known)}")
        if order.get("real"):
            self._frozen, self._behind = None, 0.0
        if "behind" in order:
            self._frozen, self._behind = None, float(order["behind"])
        if "now" in order:
            self._frozen = _seconds(order["now"])
        if "advance" in order:
            self._frozen = self.now() + float(order["advance"])
        return self.describe()

    def describe(self) -> dict[str, Any]:
        """Return the time and whether it stands still."""
        now = self.now()
        stamp = datetime.fromtimestamp(now, UTC).isoformat()
        return {"now": stamp, "seconds": now, "frozen": self._frozen is not None}


def _seconds(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ControlError(f"not an ISO time: {value!r}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
