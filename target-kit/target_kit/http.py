"""The one way to a vendor's JSON API: a call goes out, an `Answer` or a named error comes back.

What was sent × what came back × safety → what happens:

    came back                              SAFE, CONVERGENT               UNSAFE
    ─────────────────────────────────────  ─────────────────────────────  ────────────────────────
    no connection (DNS, refused, time)     repeat; then VendorUnavailable the same
    certificate or TLS version wrong       VendorUnavailable, at once     the same
    request cut while being sent           repeat (1)                     the same
    reset, timeout, cut answer after it    repeat (2)                     OutcomeUnknown, at once
    5xx, status out of range               repeat (2)                     OutcomeUnknown, at once
    408 425 521 523 525 526                repeat (1): never processed    the same
    429                                    all callers wait, repeat;      the same
                                           then VendorUnavailable
    2xx with JSON or nothing               Answer                         Answer
    2xx with a web page, too large or      VendorUnavailable, at once     the same
    too deep
    2xx with half a JSON document          like a cut answer              OutcomeUnknown, at once
    3xx                                    ConfigurationError before the first success, then
                                           VendorUnavailable; never followed
    401, 402, 403 (not "not found")        CredentialsError, at once      the same
    other 4xx with JSON or nothing         CallRefused                    the same
    other 4xx with a web page              VendorUnavailable, at once     the same

    (1) tries used up: CallFailed, certainly not applied.
    (2) tries used up: a read is CallFailed, a write OutcomeUnknown. When `OUTAGE_CALLS` calls in a
        row end like that the vendor is down, not the row poisoned: VendorUnavailable. The same when
        `OUTAGE_CALLS_OF_ROUTE` calls of one route do, whatever other routes (look-ups) answered.

A `DELETE` or `PUT` that was repeated may meet its own first success (404): the caller treats "gone"
as done. `Interrupted` and the deadline end the run between attempts; what was open comes again.

No text made here holds a parameter, a body or a header: routes, statuses and counts only (X7).
"""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import requests
import urllib3
from tenacity import Retrying

from target_kit.answers import Problem, Raw, decode, not_allowed, to_host
from target_kit.clock import Clock
from target_kit.errors import (
    CallFailed,
    CallRefused,
    ConfigurationError,
    CredentialsError,
    OutcomeUnknown,
    RowError,
    VendorUnavailable,
)
from target_kit.limits import Deadline, RateLimiter, pause
from target_kit.redact import quiet_http_loggers
from target_kit.retry import (
    Classify,
    Failure,
    Kind,
    Patience,
    Safety,
    classify_by_status,
    retry_after_seconds,
)
from target_kit.signals import StopSignal
from target_kit.wire import Exchange, exchange, make_session, tls_trouble

__all__ = ["Answer", "JsonApi", "Safety"]

OUTAGE_CALLS = 3
OUTAGE_CALLS_OF_ROUTE = 12
CONNECT_SECONDS = 10.0
MAX_RESPONSE_BYTES = 32 * 1024 * 1024
_MAX_ERROR_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
# What the libraries raise when an exchange goes wrong; not all of it arrives as RequestException.
_BREAKS = (OSError, urllib3.exceptions.HTTPError, HTTPException, ValueError)
_PATH = re.compile(r"[A-Za-z0-9._~/-]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx. `body` is the decoded JSON, None where the vendor sent nothing."""

    status: int
    body: Any
    headers: Mapping[str, str]


class JsonApi:
    """Calls of one account on one base URL; thread-safe. Close it, or use it with `with`.

    `secret_header` is (name, value); `timeout_seconds` is the total time of one attempt, from the
    first byte sent to the last received; connecting has 10 s per address at most. `classify`
    replaces the meaning of statuses, `rng` drives the jitter, `connections` are kept open for that
    many threads.
    """

    def __init__(
        self,
        base_url: str,
        *,
        secret_header: tuple[str, str],
        user_agent: str,
        requests_per_second: float,
        timeout_seconds: float,
        clock: Clock,
        stop: StopSignal,
        deadline: Deadline,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        max_tries: int = 5,
        ca_bundle: Path | None = None,
        classify: Classify = classify_by_status,
        rng: random.Random | None = None,
        connections: int = 8,
    ) -> None:
        quiet_http_loggers()
        self.calls: Counter[str] = Counter()
        self.writes = 0
        self.limiter = RateLimiter(requests_per_second, clock, stop)
        self._base_url = base_url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._stop = stop
        self._deadline = deadline
        self._max_response_bytes = max_response_bytes
        self._max_tries = max_tries
        self._classify = classify
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._lock = threading.Lock()
        self._succeeded = False
        self._calls_without_sense = 0
        self._senseless_of_route: Counter[str] = Counter()
        self._session = make_session(secret_header, user_agent, connections, ca_bundle)

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

    def call(
        self,
        method: str,
        path: str,
        *,
        route: str,
        params: Sequence[tuple[str, str]] | None = None,
        json: Any = None,
        safety: Safety,
    ) -> Answer:
        """Send one request, repeating as the module's table says.

        `path` is relative to the base URL, `route` its name for counts and messages
        (`GET contacts/{id}`): no values in it. `json` None sends no body. Raises what the table
        names, and `RowError` for text that can't be encoded.
        """
        request = self._prepare(method, path, params, json)
        patience = Patience(safety, self._max_tries, self._rng)
        result: Answer | Failure = Retrying(
            retry=patience.again,
            stop=patience.over,
            wait=patience.wait,
            sleep=self._pause,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )(self._attempt, request, route, patience)
        if isinstance(result, Answer):
            return result
        raise self._given_up(result, route, safety, patience, is_read=method == "GET")

    def _prepare(
        self, method: str, path: str, params: Sequence[tuple[str, str]] | None, json: Any
    ) -> requests.PreparedRequest:
        if not _PATH.fullmatch(path) or ".." in path.split("/"):
            raise ValueError("path has characters that belong into params")
        request = requests.Request(method, f"{self._base_url}/{path.lstrip('/')}")
        try:
            request.params = [(name, value.encode()) for name, value in params or ()]
            if json is not None:
                request.data = msgspec.json.encode(json)
                request.headers = {"Content-Type": "application/json"}
        except UnicodeEncodeError:
            broken = True  # the error carries the value: leave its reach before raising
        else:
            broken = False
        if broken:
            raise RowError("encoding", "a value is not valid Unicode text (a lone surrogate)")
        return self._session.prepare_request(request)

    def _pause(self, seconds: float) -> None:
        pause(seconds, self._clock, self._stop, self._deadline)

    def _attempt(
        self, request: requests.PreparedRequest, route: str, patience: Patience
    ) -> Answer | Failure:
        """One request on the wire; a failure holds what has to be held before it is returned."""
        self._stop.check()
        self._deadline.check()
        self.limiter.wait(self._deadline)
        with exchange(min(self._timeout_seconds, self._deadline.remaining())) as sent:
            raw = self._send(request, sent)
        self._count(request, route, sent)
        result = raw if isinstance(raw, Failure) else self._judge(raw, route)
        if isinstance(result, Failure):
            hold = patience.note(result)
            if hold is not None:
                self.limiter.penalise(hold)
        return result

    def _count(self, request: requests.PreparedRequest, route: str, sent: Exchange) -> None:
        with self._lock:
            self.calls[route] += 1
            if sent.started and request.method != "GET":
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
        limit = self._max_response_bytes if response.ok else _MAX_ERROR_BYTES
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

    def _judge(self, raw: Raw, route: str) -> Answer | Failure:
        """Turn an answer into a result or an error; see the module's table."""
        if 300 <= raw.status < 400:
            raise self._redirected(raw, route)
        decoded = decode(raw)
        verdict = self._classify(raw.status, decoded.body)
        if verdict == "rate":
            return Failure(
                Kind.RATE,
                maybe_applied=False,
                what=f"status {raw.status}",
                retry_after=self._asked(raw),
            )
        if verdict in {"trouble", "not_applied"}:
            return Failure(
                Kind.STATUS,
                maybe_applied=verdict == "trouble",
                what=f"status {raw.status}",
                retry_after=self._asked(raw),
            )
        if decoded.problem == "cut":
            # A refusal was not applied, whatever its text would have been.
            return Failure(Kind.WIRE, maybe_applied=verdict == "ok", what="an answer cut short")
        if verdict == "credentials":
            raise CredentialsError(not_allowed(route, raw.status, page=decoded.problem == "page"))
        if decoded.problem == "page" or (decoded.problem and verdict == "ok"):
            raise VendorUnavailable(_no_json(route, raw.status, decoded.problem))
        self._made_sense(route, succeeded=verdict == "ok")
        if verdict == "refused":
            raise CallRefused(route, raw.status, decoded.body)
        return Answer(raw.status, decoded.body, raw.headers)

    def _asked(self, raw: Raw) -> float | None:
        return retry_after_seconds(raw.headers.get("Retry-After"), self._clock.now())

    def _redirected(self, raw: Raw, route: str) -> ConfigurationError | VendorUnavailable:
        kind = VendorUnavailable if self._succeeded else ConfigurationError
        return kind(
            f"{route} answered {raw.status}, a redirect{to_host(raw)}; redirects are not followed "
            "since the key would go along: put the vendor's final address into api_url"
        )

    def _made_sense(self, route: str, *, succeeded: bool) -> None:
        with self._lock:
            self._calls_without_sense = 0
            del self._senseless_of_route[route]
            self._succeeded = self._succeeded or succeeded

    def _given_up(
        self, last: Failure, route: str, safety: Safety, patience: Patience, *, is_read: bool
    ) -> Exception:
        """Name the error of a call that is not repeated any more."""
        what = f"{route}: {last.what}"
        if last.kind is Kind.CONNECT:
            return VendorUnavailable(f"{what}, {self._max_tries} times; is api_url right?")
        if last.kind is Kind.RATE:
            return VendorUnavailable(f"{what} for minutes; the vendor's quota may be used up")
        in_a_row, of_route = self._count_senseless(route)
        if of_route >= OUTAGE_CALLS_OF_ROUTE:
            return VendorUnavailable(f"{what}; {of_route} calls in a row failed like that")
        if safety is Safety.UNSAFE and patience.maybe_applied:
            return OutcomeUnknown(f"{what} after sending; it may have been applied")
        if in_a_row >= OUTAGE_CALLS:
            return VendorUnavailable(f"{what}; {in_a_row} calls in a row failed like that")
        if patience.maybe_applied and not is_read:
            return OutcomeUnknown(f"{what}, {self._max_tries} times; it may have been applied")
        return CallFailed(f"{what}, {self._max_tries} times")

    def _count_senseless(self, route: str) -> tuple[int, int]:
        """How many calls in a row came to nothing: of all, and of this route."""
        with self._lock:
            self._calls_without_sense += 1
            self._senseless_of_route[route] += 1
            return self._calls_without_sense, self._senseless_of_route[route]


def _chunks(response: requests.Response) -> Iterator[bytes]:
    chunks: Iterator[bytes] = response.iter_content(_CHUNK_BYTES)
    return chunks


def _wire_failure(error: Exception, sent: Exchange) -> Failure:
    if not sent.started:
        return Failure(Kind.CONNECT, maybe_applied=False, what="no connection")
    what = "no answer in time" if isinstance(error, requests.Timeout) else "connection broke"
    return Failure(Kind.WIRE, maybe_applied=sent.complete, what=what)


def _no_json(route: str, status: int, problem: Problem) -> str:
    what = "with a web page instead of JSON" if problem == "page" else f"with a body {problem}"
    return f"{route} answered {status} {what}: maintenance, or api_url leads elsewhere"
