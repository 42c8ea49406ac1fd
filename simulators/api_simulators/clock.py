"""The simulator's clock: the machine's, or one that stands still until it is moved."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from api_simulators.wire import ControlError


class Clock:
    """Seconds since 1970, real by default, frozen after `set` or `advance`."""

    def __init__(self) -> None:
        self._frozen: float | None = None

    def now(self) -> float:
        """Return the current time in seconds since 1970."""
        return time.time() if self._frozen is None else self._frozen

    def control(self, order: dict[str, Any]) -> dict[str, Any]:
        """Apply `{"now": ISO text or seconds}`, `{"advance": seconds}` or `{"real": true}`."""
        unknown = set(order) - {"now", "advance", "real"}
        if unknown:
            raise ControlError(f"unknown clock order {sorted(unknown)}; known: now, advance, real")
        if order.get("real"):
            self._frozen = None
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
