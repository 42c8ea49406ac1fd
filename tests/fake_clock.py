"""A clock that costs no time: sleeping moves it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class FakeClock:
    """Starts at `START`; thread-safe; `slept` lists every sleep."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._seconds = 0.0
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds since the start."""
        with self._lock:
            return self._seconds

    def now(self) -> datetime:
        """Start plus what was slept."""
        return self._start + timedelta(seconds=self.monotonic())

    def sleep(self, seconds: float) -> None:
        """Advance by `seconds`."""
        with self._lock:
            self.slept.append(seconds)
            self._seconds += seconds

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody sleeping."""
        with self._lock:
            self._seconds += seconds
