"""All calls of one run to the vendor: SOAP through one session, REST with Basic authorisation.

Everything the tap asks is a read, so every call may be repeated:

    came back                                     what happens
    ────────────────────────────────────────────  ─────────────────────────────────────────────
    no connection, time over, cut answer          again, at most `max_tries`; then VendorError
    408, 425, 429, 5xx without a SOAP fault       again (after Retry-After); then VendorError
    200 that is no SOAP or no JSON                again; then VendorError
    a SOAP fault (with status 500)                goes to the session, which renews a dead login
    certificate or TLS wrong, 3xx, other 4xx      VendorError, at once
    401, 403, a fault about login or permission   AccessError, at once

No text made here holds a value, an address or a session id.
"""

from __future__ import annotations

import base64
import json
import time
import typing as t
from collections.abc import Callable
from urllib.parse import urlencode

from optimizely_soap.codec import Parameter, envelope_kind, int_, long, strip_illegal, text
from optimizely_soap.faults import FaultKind, NotSoap, SoapFault
from optimizely_soap.session import SoapSession
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from tap_optimizely.errors import AccessError, VendorError
from tap_optimizely.settings import Settings
from tap_optimizely.wire import Broken, Response, Wire

CLOSED_LOOP_SERVICE = "RpcClosedLoop"
_LONGEST_WAIT_SECONDS = 60.0
_TROUBLE = frozenset({408, 425, 429})
_NOT_SET_UP = "is the closed-loop interface set up for this client, and allowed to this user?"


class _Again(Exception):
    """Trouble that may pass; `wait_seconds` is what the vendor asked for."""

    def __init__(self, what: str, wait_seconds: float | None = None) -> None:
        super().__init__(what)
        self.wait_seconds = wait_seconds


class Vendor:
    """The vendor, for one client (mandator); `sleep` and the clock are parameters."""

    def __init__(
        self,
        settings: Settings,
        user_agent: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock_monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._sleep = sleep
        self._wire = Wire(timeout_seconds=settings.timeout_seconds, user_agent=user_agent)
        self._session = SoapSession(
            self._soap,
            clock_monotonic,
            mandator_id=settings.mandator_id,
            username=settings.username,
            password=settings.password,
            session_seconds=settings.session_seconds,
        )
        plain = f"{settings.username}:{settings.password}".encode()
        self._basic = "Basic " + base64.b64encode(plain).decode()

    def close(self) -> None:
        """Log out and close the connections."""
        self._session.close()
        self._wire.close()

    def current_time_ms(self) -> int:
        """The vendor's clock, the one that export files are stamped with."""
        now = self.call(CLOSED_LOOP_SERVICE, "getCurrentTime")
        if not isinstance(now, int):
            raise VendorError("getCurrentTime was answered without a time")
        return now

    def export_rows(
        self, operation: str, since_ms: int, until_ms: int, start_row: int, number_of_rows: int
    ) -> list[tuple[str | None, ...]]:
        """A page of an export's rows; `start_row` counts from 0."""
        window = (long(since_ms), long(until_ms), int_(start_row), int_(number_of_rows))
        rows = self.call(CLOSED_LOOP_SERVICE, operation, *window)
        if rows is None:
            return []
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise VendorError(f"{operation} was answered with something else than rows")
        return [tuple(row) for row in rows]

    def bounce_counter(self, recipient_id: str, category: str) -> int:
        """How many bounces the vendor counts towards suspending a recipient; 0 for a stranger."""
        if strip_illegal(recipient_id) != recipient_id:
            return 0  # SOAP cannot carry such an id, so the vendor cannot know it
        count = self.call(
            "RpcResponse", "getBounceCounter", text(recipient_id), text(category), stranger=0
        )
        if not isinstance(count, int):
            raise VendorError("getBounceCounter was answered without a number")
        return count

    def call(
        self, service: str, operation: str, *params: Parameter, stranger: t.Any = None
    ) -> t.Any:
        """Call an operation with the session; `stranger` stands for "no such recipient".

        Raises:
            AccessError: login or permission is refused.
            VendorError: anything else that cannot be helped.
        """
        try:
            return self._session.call(service, operation, *params)
        except SoapFault as fault:
            kind, phrase = fault.kind, str(fault)
        except NotSoap as broken:
            raise VendorError(f"{operation}: {broken}") from None
        if kind is FaultKind.NOT_FOUND and stranger is not None:
            return stranger
        if kind is FaultKind.CREDENTIALS:
            raise AccessError(
                f"the vendor refuses the login ({phrase}); check mandator_id, username and password"
            )
        if service == CLOSED_LOOP_SERVICE and kind in {FaultKind.PERMISSION, FaultKind.OTHER}:
            raise AccessError(f"{operation} is refused ({phrase}); {_NOT_SET_UP}")
        if kind is FaultKind.PERMISSION:
            raise AccessError(f"{operation} is refused ({phrase}); is it allowed to this user?")
        raise VendorError(f"{operation}: {phrase}")

    def listing(self, path: str, offset: int, limit: int, sort: str) -> list[dict[str, t.Any]]:
        """The elements of one page of a REST listing, in the order of `sort`."""
        query = {"offset": offset, "limit": limit, "sort": sort}
        url = f"{self._settings.rest_url}/{self._settings.mandator_id}/{path}?{urlencode(query)}"
        headers = {"Accept": "application/json", "Authorization": self._basic}
        document = self._retried(lambda: self._json(self._wire.send("GET", url, headers)), path)
        elements = document.get("elements") if isinstance(document, dict) else None
        if not isinstance(elements, list) or not all(isinstance(one, dict) for one in elements):
            raise VendorError(f"GET {path}: the answer has no list of elements")
        return elements

    def _soap(self, service: str, operation: str, body: bytes, *, repeatable: bool) -> bytes:
        url = f"{self._settings.api_url}/{service}"
        headers = {"Content-Type": "text/xml;charset=UTF-8", "SOAPAction": '""'}

        def attempt() -> bytes:
            response = self._wire.send("POST", url, headers, body)
            if response.status in {200, 500} and _is_envelope(response):
                return response.body
            self._refuse(response)
            raise _Again("an answer that is no SOAP envelope")

        answer: bytes = self._retried(attempt, operation, repeatable=repeatable)
        return answer

    def _json(self, response: Response) -> t.Any:
        self._refuse(response)
        try:
            return json.loads(response.body)
        except (ValueError, RecursionError):
            pass
        raise _Again("an answer that is no JSON")

    @staticmethod
    def _refuse(response: Response) -> None:
        """Raise unless the status is 200."""
        status = response.status
        if status == 200:
            return
        if status in {401, 403}:
            raise AccessError(f"status {status}: the vendor refuses user, password or this machine")
        if status in _TROUBLE or status >= 500:
            raise _Again(f"status {status}", _retry_after(response))
        if 300 <= status < 400:
            raise VendorError(
                f"status {status}: a redirect is not followed, the password would go along; put "
                "the vendor's final address into the settings"
            )
        raise VendorError(f"status {status}; is the address right?")

    def _retried(
        self, attempt: Callable[[], t.Any], what: str, *, repeatable: bool = True
    ) -> t.Any:
        tries = self._settings.max_tries if repeatable else 1

        def once() -> t.Any:
            try:
                return attempt()
            except Broken as broken:
                if broken.final:
                    raise VendorError(str(broken)) from None
                raise _Again(str(broken)) from None

        try:
            return Retrying(
                retry=retry_if_exception_type(_Again),
                stop=stop_after_attempt(tries),
                wait=_wait,
                sleep=self._sleep,
                reraise=True,
            )(once)
        except _Again as trouble:
            msg = f"{what}: {trouble}, {tries} times"
        except (AccessError, VendorError) as refused:
            raise type(refused)(f"{what}: {refused}") from None
        raise VendorError(msg)


def _is_envelope(response: Response) -> bool:
    try:
        kind = envelope_kind(response.body)
    except NotSoap:
        return False
    return response.status == 200 or kind == "fault"


def _retry_after(response: Response) -> float | None:
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = getattr(error, "wait_seconds", None)
    patience = min(0.5 * 2.0 ** (state.attempt_number - 1), _LONGEST_WAIT_SECONDS)
    return min(asked, _LONGEST_WAIT_SECONDS) if asked is not None else patience
