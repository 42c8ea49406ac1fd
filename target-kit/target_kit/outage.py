"""What it means that a call failed for good: this call, this route, or the vendor as a whole.

Decides only. One poisoned row must not stop a run, and a vendor that is down must not be asked for
every row: the difference is how many calls in a row came to nothing.
"""

from __future__ import annotations

import threading
from collections import Counter

from target_kit.errors import CallFailed, OutcomeUnknown, VendorUnavailable
from target_kit.retry import Failure, Kind, Patience, Safety

OUTAGE_CALLS = 3
OUTAGE_CALLS_OF_ROUTE = 12


class Outage:
    """Counts calls without a sensible answer; thread-safe. `max_tries` is for the words."""

    def __init__(self, max_tries: int) -> None:
        self._max_tries = max_tries
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._of_route: Counter[str] = Counter()

    def over(self, route: str) -> None:
        """Note a sensible answer to a route."""
        with self._lock:
            self._in_a_row = 0
            del self._of_route[route]

    def given_up(
        self, last: Failure, route: str, safety: Safety, patience: Patience, *, is_read: bool
    ) -> Exception:
        """Name the error of a call that is not repeated any more; see the table in `http.py`."""
        what = f"{route}: {last.what}"
        if last.kind is Kind.CONNECT:
            return VendorUnavailable(f"{what}, {self._max_tries} times; is api_url right?")
        if last.kind is Kind.RATE:
            return VendorUnavailable(f"{what} for minutes; the vendor's quota may be used up")
        in_a_row, of_route = self._count(route)
        if of_route >= OUTAGE_CALLS_OF_ROUTE:
            return VendorUnavailable(f"{what}; {of_route} calls in a row failed like that")
        if safety is Safety.UNSAFE and patience.maybe_applied:
            return OutcomeUnknown(f"{what} after sending; it may have been applied")
        if last.ends_run:
            return VendorUnavailable(
                f"{what}, {self._max_tries} times; does api_url lead elsewhere?"
            )
        if in_a_row >= OUTAGE_CALLS:
            return VendorUnavailable(f"{what}; {in_a_row} calls in a row failed like that")
        if patience.maybe_applied and not is_read:
            return OutcomeUnknown(f"{what}, {self._max_tries} times; it may have been applied")
        return CallFailed(f"{what}, {self._max_tries} times")

    def _count(self, route: str) -> tuple[int, int]:
        """How many calls in a row came to nothing: of all, and of this route."""
        with self._lock:
            self._in_a_row += 1
            self._of_route[route] += 1
            return self._in_a_row, self._of_route[route]
