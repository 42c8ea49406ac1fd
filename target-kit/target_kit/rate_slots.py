"""What a server keeps for all who share an account's rate: when the next request may start."""

from __future__ import annotations

from typing import Protocol


class SlotsLost(Exception):
    """The server could not be asked; `reason` in fixed words, without any part of the URL."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Slots(Protocol):
    """The moment kept at a server for one account. Every method raises SlotsLost."""

    def claim(self, interval_seconds: float) -> float:
        """Take the next start (0.0), or say in how many seconds to ask again. Where the past is
        not known, nobody starts for a second.
        """
        ...

    def hold(self, seconds: float) -> None:
        """No start for so long from now."""
        ...

    def delay(self, seconds: float) -> None:
        """All starts to come are so much later."""
        ...

    def close(self) -> None:
        """Leave the server."""
        ...
