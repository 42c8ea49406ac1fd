"""The loop around every call, whatever is spoken: pace, timeouts, retries, TLS, redirects, secrecy.

A request goes out, bytes come back, `judge` makes a result of them or a `Failure`; what a failure
means and when it is repeated is the same for all. The table is in `http.py`.

No text made here holds a parameter, a body or a header: routes, statuses and counts only (X7).
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import requests
import urllib3
from tenacity import Retrying

from target_kit.answers import Problem, Raw, to_host
from target_kit.clock import Clock
from target_kit.errors import ConfigurationError, VendorUnavailable
from target_kit.limits import Deadline, RateLimiter, pause
from target_kit.outage import Outage
from target_kit.redact import quiet_http_loggers
from target_kit.retry import (
    Classify,
    Failure,
    Kind,
    Patience,
    Safety,
    Verdict,
    classify_by_status,
    retry_after_seconds,
)
from target_kit.signals import StopSignal
from target_kit.wire import Exchange, exchange, make_session, tls_trouble

CONNECT_SECONDS = 10.0
MAX_RESPONSE_BYTES = 32 * 1024 * 1024
MAX_ERROR_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
# What the libraries raise when an exchange goes wrong; not all of it arrives as RequestException.
_BREAKS = (OSError, urllib3.exceptions.HTTPError, HTTPException, ValueError)

T = TypeVar("T")
Judge = Callable[[Raw, str], T | Failure]
"""Makes a result of an answer to a route, or says how it failed; may raise what ends the call."""


class Caller:
    """Calls of one account on one base URL; thread-safe. Close it, or use it with `with`.

    `secret_header` is (name, value), None where the secret travels in the body; `accept` is the
    media type asked for. `timeout_seconds` is the total time of one attempt, from the first byte
    sent to the last received; connecting has 10 s per address at most. `classify` replaces the
    meaning of statuses, `rng` drives the jitter, `connections` are kept open for that many threads.
    `limiter` is one that other processes share, else this process has the rate for itself.
    """

    def __init__(
        self,
        base_url: str,
        *,
        secret_header: tuple[str, str] | None,
        user_agent: str,
        requests_per_second: float,
        timeout_seconds: float,
        clock: Clock,
        stop: StopSignal,
        deadline: Deadline,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        max_error_bytes: int = MAX_ERROR_BYTES,
        max_tries: int = 5,
        ca_bundle: Path | None = None,
        classify: Classify = classify_by_status,
        rng: random.Random | None = None,
        connections: int = 8,
        accept: str = "application/json",
        limiter: RateLimiter | None = None,
    ) -> None:
        quiet_http_loggers()
        self.calls: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()  # answers of success that can't be one, by route
        self.writes = 0
        self.limiter = limiter or RateLimiter(requests_per_second, clock, stop)
        self.base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._stop = stop
        self._deadline = deadline
        self._max_response_bytes = max_response_bytes
        self._max_error_bytes = max_error_bytes
        self._max_tries = max_tries
        self.classify = classify
        #: Entered around every call, such as `Hands.waiting`.
        self.waiting: Callable[[], AbstractContextManager[None]] = nullcontext
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._lock = threading.Lock()
        self._succeeded = False
        self._outage = Outage(max_tries)
        self._session = make_session(
            secret_header, user_agent, connections, ca_bundle, accept=accept
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    @property
    def rate_wait_seconds(self) -> float:
        """Seconds all callers together waited for the rate, `Retry-After` included."""
        return self.limiter.waited_seconds

    def perform(
        self,
        request: requests.Request,
        judge: Judge[T],
        *,
        route: str,
        safety: Safety,
        is_read: bool,
    ) -> T:
        """Send a request until `judge` is content or patience is over; raises as the table says.

        `is_read` calls change nothing: they are not counted as writes, and one that fails for good
        is a `CallFailed`, never in doubt.
        """
        patience = Patience(safety, self._max_tries, self._rng)
        prepared = self._session.prepare_request(request)
        with self.waiting():
            result: T | Failure = Retrying(
                retry=patience.again,
                stop=patience.over,
                wait=patience.wait,
                sleep=self.pause,
                retry_error_callback=lambda state: state.outcome and state.outcome.result(),
            )(self._attempt, prepared, judge, route, patience, is_read)
        if isinstance(result, Failure):
            raise self._outage.given_up(result, route, safety, patience, is_read=is_read)
        return result

    def pause(self, seconds: float) -> None:
        """Wait as between two attempts: a signal ends it, and the deadline comes before it."""
        pause(seconds, self._clock, self._stop, self._deadline)

    def _attempt(
        self,
        request: requests.PreparedRequest,
        judge: Judge[T],
        route: str,
        patience: Patience,
        is_read: bool,
    ) -> T | Failure:
        """One request on the wire; a failure holds what has to be held before it is returned."""
        self._stop.check()
        self._deadline.check()
        self.limiter.wait(self._deadline)
        with exchange(min(self._timeout_seconds, self._deadline.remaining())) as sent:
            raw = self._send(request, sent)
        self._count(route, sent, is_read=is_read)
        self.limiter.started_late(sent.late_seconds)
        result = raw if isinstance(raw, Failure) else self._judged(raw, judge, route)
        if isinstance(result, Failure):
            hold = patience.note(result)
            if hold is not None:
                self.limiter.penalise(hold)
        return result

    def _judged(self, raw: Raw, judge: Judge[T], route: str) -> T | Failure:
        if 300 <= raw.status < 400:
            raise self._redirected(raw, route)
        return judge(raw, route)

    def note_broken(self, route: str) -> None:
        """Count an answer of success that was no answer to what was asked."""
        with self._lock:
            self.broken[route] += 1

    def _count(self, route: str, sent: Exchange, *, is_read: bool) -> None:
        with self._lock:
            self.calls[route] += 1
            if sent.started and not is_read:
                self.writes += 1

    def _send(self, request: requests.PreparedRequest, sent: Exchange) -> Raw | Failure:
        left = max(sent.remaining(), 0.001)
        try:
            response = self._session.send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_SECONDS, left), left),
            )
        except _BREAKS as error:
            trouble = tls_trouble(error) if not sent.started else None
            failure = _wire_failure(error, sent)
        else:
            with response:
                return self._read(response)
        if trouble is not None:
            raise VendorUnavailable(trouble)
        return failure

    def _read(self, response: requests.Response) -> Raw:
        """Read the decoded body up to its cap; `requests` undoes gzip piece by piece."""
        limit = self._max_response_bytes if response.ok else self._max_error_bytes
        content = bytearray()
        problem: Problem | None = None
        try:
            for chunk in _chunks(response):
                content += chunk
                if len(content) > limit:
                    problem = "too large"
                    break
        except _BREAKS:
            problem = "cut"
        return Raw(response.status_code, response.headers, bytes(content), problem)

    def failure_of(self, verdict: Verdict, raw: Raw) -> Failure | None:
        """The failure that a verdict on the status stands for, None if the answer has a meaning."""
        if verdict not in {"rate", "trouble", "not_applied"}:
            return None
        return Failure(
            Kind.RATE if verdict == "rate" else Kind.STATUS,
            maybe_applied=verdict == "trouble",
            what=f"status {raw.status}",
            retry_after=self._asked(raw),
        )

    def _asked(self, raw: Raw) -> float | None:
        return retry_after_seconds(raw.headers.get("Retry-After"), self._clock.now())

    def _redirected(self, raw: Raw, route: str) -> ConfigurationError | VendorUnavailable:
        kind = VendorUnavailable if self._succeeded else ConfigurationError
        return kind(
            f"{route} answered {raw.status}, a redirect{to_host(raw)}; redirects are not followed "
            "since the key would go along: put the vendor's final address into api_url"
        )

    def made_sense(self, route: str, *, succeeded: bool) -> None:
        """Note that the vendor answered sensibly: what failed before was no outage."""
        self._outage.over(route)
        self._succeeded = self._succeeded or succeeded


def _chunks(response: requests.Response) -> Iterator[bytes]:
    chunks: Iterator[bytes] = response.iter_content(_CHUNK_BYTES)
    return chunks


def _wire_failure(error: Exception, sent: Exchange) -> Failure:
    if not sent.started:
        return Failure(Kind.CONNECT, maybe_applied=False, what="no connection")
    what = "no answer in time" if isinstance(error, requests.Timeout) else "connection broke"
    return Failure(Kind.WIRE, maybe_applied=sent.complete, what=what)
