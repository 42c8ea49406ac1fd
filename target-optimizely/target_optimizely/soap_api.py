"""The one way to Campaign: an envelope goes out, an envelope or a named error comes back.

Pace, timeouts, retries, TLS and redirects are the kit's (`target_kit/http.py` has the table); here
is only what an answer means where SOAP is spoken:

    came back                              repeatable                     not repeatable
    ─────────────────────────────────────  ─────────────────────────────  ────────────────────────
    200 with an envelope                   its bytes                      its bytes
    500, 200 or other 4xx with a Fault     its bytes: the session judges  the same
    200 with a web page, half an envelope  repeat; then VendorUnavailable OutcomeUnknown, at once
    or nothing
    200 above the cap                      VendorUnavailable, at once     the same
    500 without a Fault, other 5xx         repeat (2)                     OutcomeUnknown, at once
    401, 402, 403                          CredentialsError, at once      the same
    other 4xx with a web page              VendorUnavailable, at once     the same
    other 4xx                              CallRefused                    the same

The session id, the password and the recipients are all in the body: it is never part of any text.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Set as AbstractSet
from pathlib import Path

import requests
from optimizely_soap.codec import envelope_kind
from optimizely_soap.faults import NotSoap
from target_kit.answers import Raw, not_allowed
from target_kit.caller import Caller
from target_kit.clock import Clock
from target_kit.errors import CallRefused, CredentialsError, VendorUnavailable
from target_kit.limits import Deadline
from target_kit.retry import Failure, Kind, Safety
from target_kit.signals import StopSignal

#: `getAll` has no pages: a list comes in one answer.
MAX_RESPONSE_BYTES = 256 * 1024 * 1024
#: A Fault repeats all values of the call it refuses.
MAX_FAULT_BYTES = 16 * 1024 * 1024

_SERVICE = re.compile(r"[A-Za-z0-9]+", re.ASCII)


class SoapApi(Caller):
    """Transport of a `SoapSession`; thread-safe. Close it, or use it with `with`.

    `api_url` is the base up to `/soap11`. `reading` are the operations that change nothing
    (`RpcRecipient.getCount`): all others count as `writes`. `timeout_seconds` is the total time of
    one attempt. The vendor names no rate, so by default none is kept.
    """

    def __init__(
        self,
        api_url: str,
        *,
        reading: AbstractSet[str],
        user_agent: str,
        timeout_seconds: float,
        clock: Clock,
        stop: StopSignal,
        deadline: Deadline,
        requests_per_second: float = math.inf,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        max_tries: int = 5,
        ca_bundle: Path | None = None,
        rng: random.Random | None = None,
        connections: int = 8,
    ) -> None:
        super().__init__(
            api_url,
            secret_header=None,
            user_agent=user_agent,
            requests_per_second=requests_per_second,
            timeout_seconds=timeout_seconds,
            clock=clock,
            stop=stop,
            deadline=deadline,
            max_response_bytes=max_response_bytes,
            max_error_bytes=MAX_FAULT_BYTES,
            max_tries=max_tries,
            ca_bundle=ca_bundle,
            rng=rng,
            connections=connections,
            accept="text/xml",
        )
        self._reading = frozenset(reading)

    def __call__(self, service: str, operation: str, body: bytes, *, repeatable: bool) -> bytes:
        """Send an envelope to a service; see the module's table. Counted as `Service.operation`."""
        if not _SERVICE.fullmatch(service):
            raise ValueError("a service is a plain name")
        route = f"{service}.{operation}"
        request = requests.Request(
            "POST",
            f"{self.base_url}/{service}",
            data=body,
            # Axis refuses a call without SOAPAction and ignores its value.
            headers={"Content-Type": "text/xml;charset=UTF-8", "SOAPAction": '""'},
        )
        return self.perform(
            request,
            self._judge,
            route=route,
            safety=Safety.SAFE if repeatable else Safety.UNSAFE,
            is_read=route in self._reading,
        )

    def _judge(self, raw: Raw, route: str) -> bytes | Failure:
        verdict = self.classify(raw.status, None)
        holds = _holds(raw)
        if holds == "fault" and (verdict in {"ok", "refused"} or raw.status == 500):
            self.made_sense(route, succeeded=False)
            return raw.content
        failure = self.failure_of(verdict, raw)
        if failure is not None:
            return failure
        is_page = holds is None and raw.content.lstrip().startswith(b"<")
        if verdict == "credentials":
            raise CredentialsError(not_allowed(route, raw.status, page=is_page))
        if verdict == "refused":
            return self._refused(raw, route, is_page=is_page)
        if raw.problem == "too large":
            raise VendorUnavailable(f"{route} answered with more than the target takes in")
        if holds is None:
            return Failure(
                Kind.WIRE, maybe_applied=True, what="an answer without an envelope", ends_run=True
            )
        self.made_sense(route, succeeded=True)
        return raw.content

    def _refused(self, raw: Raw, route: str, *, is_page: bool) -> Failure:
        if raw.problem == "cut":
            return Failure(Kind.WIRE, maybe_applied=False, what="an answer cut short")
        if is_page:
            raise VendorUnavailable(
                f"{route} answered {raw.status} with a web page: maintenance, or api_url leads "
                "elsewhere"
            )
        self.made_sense(route, succeeded=False)
        raise CallRefused(route, raw.status)


def _holds(raw: Raw) -> str | None:
    """`reply` or `fault` for a whole envelope, None for all else."""
    if raw.problem is not None:
        return None
    try:
        return envelope_kind(raw.content)
    except NotSoap:
        return None
