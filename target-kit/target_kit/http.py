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

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import requests

from target_kit.answers import Problem, Raw, decode, not_allowed
from target_kit.caller import Caller
from target_kit.errors import CallRefused, CredentialsError, RowError, VendorUnavailable
from target_kit.outage import OUTAGE_CALLS_OF_ROUTE
from target_kit.retry import Failure, Kind, Safety

__all__ = ["OUTAGE_CALLS_OF_ROUTE", "Answer", "JsonApi", "Safety"]

_PATH = re.compile(r"[A-Za-z0-9._~/-]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx. `body` is the decoded JSON, None where the vendor sent nothing."""

    status: int
    body: Any
    headers: Mapping[str, str]


class JsonApi(Caller):
    """Calls of one account on one base URL, JSON both ways; options as in `Caller`."""

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
        return self.perform(
            request, self._judge, route=route, safety=safety, is_read=method == "GET"
        )

    def _prepare(
        self, method: str, path: str, params: Sequence[tuple[str, str]] | None, json: Any
    ) -> requests.Request:
        if not _PATH.fullmatch(path) or ".." in path.split("/"):
            raise ValueError("path has characters that belong into params")
        request = requests.Request(method, f"{self.base_url}/{path.lstrip('/')}")
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
        return request

    def _judge(self, raw: Raw, route: str) -> Answer | Failure:
        """Turn an answer into a result or an error; see the module's table."""
        decoded = decode(raw)
        verdict = self.classify(raw.status, decoded.body)
        failure = self.failure_of(verdict, raw)
        if failure is not None:
            return failure
        if decoded.problem == "cut":
            # A refusal was not applied, whatever its text would have been.
            return Failure(Kind.WIRE, maybe_applied=verdict == "ok", what="an answer cut short")
        if verdict == "credentials":
            raise CredentialsError(not_allowed(route, raw.status, page=decoded.problem == "page"))
        if decoded.problem and verdict == "ok":
            self.note_broken(route)
        if decoded.problem == "page" or (decoded.problem and verdict == "ok"):
            raise VendorUnavailable(_no_json(route, raw.status, decoded.problem))
        self.made_sense(route, succeeded=verdict == "ok")
        if verdict == "refused":
            raise CallRefused(route, raw.status, decoded.body)
        return Answer(raw.status, decoded.body, raw.headers)


def _no_json(route: str, status: int, problem: Problem) -> str:
    what = "with a web page instead of JSON" if problem == "page" else f"with a body {problem}"
    return f"{route} answered {status} {what}: maintenance, or api_url leads elsewhere"
