"""What a failed attempt means and whether it is repeated. Decides, never talks or sleeps itself.

This is the only layer that repeats calls; `requests` and `urllib3` are told not to.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Literal

from tenacity import RetryCallState

Verdict = Literal["ok", "refused", "credentials", "rate", "not_applied", "trouble"]
"""What a status means: done · refused for what it carried · key, permission or plan · too fast ·
the vendor never acted on it · it may have acted or not."""

Classify = Callable[[int, Any], Verdict]

MIN_RATE_WAIT_SECONDS = 1.0
MAX_RATE_WAIT_SECONDS = 120.0
RATE_PATIENCE_SECONDS = 600.0
"""Total wait one call spends on 429 before the vendor counts as unavailable."""

BACKOFF_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 30.0

# The origin was never reached: developers.cloudflare.com/support/troubleshooting/
# http-status-codes/cloudflare-5xx-errors (521 refused, 523 unreachable, 525/526 TLS to origin).
# 408 and 425 say by definition that the request was not processed (RFC 9110, RFC 8470).
_NOT_APPLIED = frozenset({408, 425, 521, 523, 525, 526})

_NOT_FOUND = re.compile(r"\bno result found\b|\bnot found\b", re.IGNORECASE)


class Safety(Enum):
    """What repeating a call would do."""

    SAFE = "safe"  # GET, PUT by id, DELETE by id: the same again is the same
    CONVERGENT = "convergent"  # an upsert: ends in the same state
    UNSAFE = "unsafe"  # a create: twice makes two; never repeated blindly


class Kind(Enum):
    """Where an attempt failed."""

    CONNECT = "connect"  # no byte of the request left
    RATE = "rate"  # 429
    WIRE = "wire"  # reset, timeout or cut answer after sending began
    STATUS = "status"  # the vendor answered, and that it has trouble


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that came to nothing.

    `maybe_applied` says whether the vendor may have acted; `retry_after` is what it asked for, in
    seconds, already clamped; `what` is a text without values. `ends_run` says that, repeated in
    vain, it concerns all calls and not just this one.
    """

    kind: Kind
    maybe_applied: bool
    what: str
    retry_after: float | None = None
    ends_run: bool = False


def classify_by_status(status: int, body: Any) -> Verdict:
    """Meaning of an HTTP status where the vendor has no habits of its own.

    403 with a body that says "not found" is a missing thing, not a missing permission
    (ActiveCampaign answers so for fieldValues and lists).
    """
    if 200 <= status < 300:
        return "ok"
    if status == 429:
        return "rate"
    if status in _NOT_APPLIED:
        return "not_applied"
    if status == 403 and says_not_found(body):
        return "refused"
    if status in {401, 402, 403}:
        return "credentials"
    if 400 <= status < 500:
        return "refused"
    return "trouble"


def says_not_found(body: Any) -> bool:
    """Whether an error body (`message`, `errors` text or list) says that a thing is missing."""
    if not isinstance(body, dict):
        return False
    texts = [body.get("message"), body.get("errors")]
    if isinstance(body.get("errors"), list):
        for error in body["errors"]:
            if isinstance(error, dict):
                texts += [error.get("title"), error.get("detail")]
    return any(isinstance(text, str) and _NOT_FOUND.search(text) for text in texts)


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """`Retry-After` (seconds or HTTP date) as seconds from `now`, clamped; None if unreadable."""
    if text is None:
        return None
    text = text.strip()
    seconds = _plain_seconds(text)
    if seconds is None:
        seconds = _seconds_until(text, now)
    if seconds is None or math.isnan(seconds):
        return None
    return min(max(seconds, MIN_RATE_WAIT_SECONDS), MAX_RATE_WAIT_SECONDS)


def _plain_seconds(text: str) -> float | None:
    if not re.fullmatch(r"[+-]?\d{1,300}(\.\d{1,300})?", text, re.ASCII):
        return None
    return float(text)


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()


class Patience:
    """How long one call is repeated. One per call; the three methods are tenacity's.

    Rate limiting is counted in seconds waited, everything else in tries: a vendor that says "too
    fast" for a minute is well, one that fails five times is not.
    """

    def __init__(self, safety: Safety, max_tries: int, rng: random.Random) -> None:
        self._safety = safety
        self._max_tries = max_tries
        self._rng = rng
        self._failures = 0
        self._rate_answers = 0
        self._rate_seconds = 0.0
        self.maybe_applied = False

    def note(self, failure: Failure) -> float | None:
        """Take in a failure; seconds to hold all callers, None if only this one has to wait."""
        self.maybe_applied = self.maybe_applied or failure.maybe_applied
        if failure.kind is not Kind.RATE:
            self._failures += 1
            return failure.retry_after
        # Repeated 429 wait longer each time, even where the vendor goes on asking for one second.
        own = min(2.0**self._rate_answers, MAX_BACKOFF_SECONDS)
        hold = max(own, failure.retry_after or 0.0)
        self._rate_answers += 1
        self._rate_seconds += hold
        return hold

    def again(self, state: RetryCallState) -> bool:
        """Whether the last attempt may be repeated at all."""
        result = _result(state)
        if not isinstance(result, Failure):
            return False
        return not (result.maybe_applied and self._safety is Safety.UNSAFE)

    def over(self, state: RetryCallState) -> bool:  # noqa: ARG002 - tenacity's signature
        """Whether patience is used up."""
        return self._failures >= self._max_tries or self._rate_seconds > RATE_PATIENCE_SECONDS

    def wait(self, state: RetryCallState) -> float:
        """Seconds this caller waits: capped exponential, full jitter; 429 wait in the limiter."""
        result = _result(state)
        if isinstance(result, Failure) and result.kind is Kind.RATE:
            return 0.0
        ceiling = min(BACKOFF_SECONDS * 2.0 ** (self._failures - 1), MAX_BACKOFF_SECONDS)
        return self._rng.uniform(0.0, ceiling)


def _result(state: RetryCallState) -> Any:
    # An exception is not ours to judge: it ends the call, `result` raises it again.
    return None if state.outcome is None or state.outcome.failed else state.outcome.result()
