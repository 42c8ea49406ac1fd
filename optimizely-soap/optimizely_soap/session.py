"""One logged-in session for all calls of a client (mandator), renewed before it grows too old.

The vendor ends a session after 20 minutes, by the documentation counted from the login. So the
session is renewed ahead of that time, and once more where the vendor says it is unknown. Several
threads share one login: whoever finds it missing gets it, the others wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from optimizely_soap.codec import NAMESPACE, Parameter, decode_reply, encode_call, long, text
from optimizely_soap.faults import FaultKind, NotSoap, SoapFault

RENEWALS_PER_CALL = 2
_SERVICE = "RpcSession"


class Transport(Protocol):
    """Brings an envelope to a service and its answer back."""

    def __call__(self, service: str, operation: str, body: bytes, *, repeatable: bool) -> bytes:
        """The envelope of a 200, or of a 500 with a Fault; errors of its own for all else.

        `repeatable` False forbids to send the body twice where the first may have been applied.
        """
        ...


@dataclass(frozen=True, slots=True, repr=False)
class _Login:
    session_id: str
    since: float  # monotonic seconds, taken before the login was sent


class SoapSession:
    """Calls of one API user; thread-safe. `session_seconds` is how long a login is used.

    Neither user name nor password show in `repr` or in an error.
    """

    def __init__(
        self,
        transport: Transport,
        clock_monotonic: Callable[[], float],
        *,
        mandator_id: int,
        username: str,
        password: str,
        session_seconds: float,
        namespace: str = NAMESPACE,
    ) -> None:
        self._transport = transport
        self._clock_monotonic = clock_monotonic
        self._credentials = (long(mandator_id), text(username), text(password))
        self._session_seconds = session_seconds
        self._namespace = namespace
        self._lock = threading.Lock()
        self._login: _Login | None = None
        self._refused: str | None = None
        self._reachable = True
        self.logins = 0

    def call(
        self, service: str, operation: str, *params: Parameter, repeatable: bool = True
    ) -> Any:
        """Call with the session id in front and return the decoded reply.

        A call that met a dead session was not applied: it is sent again, after a new login, at most
        `RENEWALS_PER_CALL` times. Raises `SoapFault`, `NotSoap` and what the transport raises.
        """
        for _ in range(RENEWALS_PER_CALL):
            login = self._current()
            try:
                return self._exchange(
                    service, operation, (text(login.session_id), *params), repeatable
                )
            except SoapFault as fault:
                if fault.kind is not FaultKind.SESSION:
                    raise
            self._forget(login)
        login = self._current()
        return self._exchange(service, operation, (text(login.session_id), *params), repeatable)

    def call_without_session(
        self, service: str, operation: str, *params: Parameter, repeatable: bool = True
    ) -> Any:
        """Call an operation that takes no session id (`getVersion`)."""
        return self._exchange(service, operation, params, repeatable)

    def close(self) -> None:
        """Log out, as well as it goes: a session left open ends by itself.

        Where the last call did not reach the vendor, none is tried.
        """
        with self._lock:
            login, self._login = self._login, None
        if login is None or not self._reachable:
            return
        # The work is done: whatever fails here loses nothing.
        with suppress(Exception):
            self._exchange(_SERVICE, "logout", (text(login.session_id),), repeatable=False)

    def _exchange(
        self, service: str, operation: str, params: tuple[Parameter, ...], repeatable: bool
    ) -> Any:
        body = encode_call(service, operation, params, namespace=self._namespace)
        self._reachable = False
        reply = self._transport(service, operation, body, repeatable=repeatable)
        self._reachable = True
        return decode_reply(reply, operation)

    def _current(self) -> _Login:
        """The login in use, a new one if there is none or it is too old."""
        with self._lock:
            now = self._clock_monotonic()
            if self._login is None or now - self._login.since >= self._session_seconds:
                self._login = None
                self._login = _Login(self._log_in(), now)
            return self._login

    def _log_in(self) -> str:
        if self._refused is not None:
            # Each further try with a wrong password could lock the user out.
            raise SoapFault(FaultKind.CREDENTIALS, self._refused)
        self.logins += 1
        try:
            session_id = self._exchange(_SERVICE, "login", self._credentials, repeatable=True)
        except SoapFault as fault:
            if fault.kind is FaultKind.CREDENTIALS:
                self._refused = str(fault)
            raise
        if not isinstance(session_id, str) or not session_id:
            raise NotSoap("login was answered without a session id")
        return session_id

    def _forget(self, login: _Login) -> None:
        """Drop a dead login, unless another thread has got a new one already."""
        with self._lock:
            if self._login is login:
                self._login = None
