"""What a handler gets to see of one request."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from api_simulators.activecampaign import errors, stamps
from api_simulators.activecampaign.query import Query
from api_simulators.activecampaign.store import Store
from api_simulators.switches import Switches
from api_simulators.wire import Answer, Request


@dataclass(slots=True)
class Call:
    """One request after authentication: `args` are the variable parts of its path."""

    request: Request
    store: Store
    switches: Switches
    now: float
    args: tuple[str, ...]
    query: Query
    base: str = ""
    zone: str = ""

    def __post_init__(self) -> None:
        """Work out once what every shape needs: where links start, and the account's zone."""
        self.base = f"{self.request.base_url}/api/3"
        self.zone = str(self.switches["account_timezone"])

    def iso(self, seconds: float) -> str:
        """Write a time with the account's offset."""
        return stamps.iso(seconds, self.zone)

    def wall(self, seconds: float) -> str:
        """Write a time as `*_timestamp` attributes have it."""
        return stamps.wall(seconds, self.zone)

    def moment(self, seconds: float | None) -> str | None:
        """Write a time that may never have been."""
        if seconds is not None:
            return self.iso(seconds)
        written = self.switches["null_date"]
        return None if written == "null" else str(written)

    def json(self) -> Any:
        """Return the body; raises 400 `{}` when it is not JSON, or no text as half a pair is."""
        body = self.request.body
        try:
            parsed = json.loads(body, parse_constant=_refuse_constant)
            if b"\\ud" in body.lower():
                json.dumps(parsed, ensure_ascii=False).encode()
        except ValueError as error:
            raise errors.malformed() from error
        return parsed

    def envelope(self, name: str) -> dict[str, Any]:
        """Return the object under the key `name` of the body; raises 400 `{}` without one."""
        body = self.json()
        inner = body.get(name) if isinstance(body, dict) else None
        if not isinstance(inner, dict):
            raise errors.malformed()
        return inner

    def visible(self, changed: float) -> bool:
        """Say whether lists and searches already know of a change made at `changed`."""
        lag = self.switches["search_lag_seconds"]
        return not lag or changed <= self.now - lag

    def echo(self, value: Any) -> Any:
        """Return an attribute of a create answer in the type it was sent in."""
        return value if self.switches["echo_types"] or value is None else str(value)


def _refuse_constant(name: str) -> None:
    """NaN and Infinity are not JSON, though Python reads them."""
    raise ValueError(name)


Handler = Callable[[Call], Answer]


def text(value: Any) -> str:
    """Return what a PHP back end stores for a JSON scalar."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return "".join(f"||{text(item)}" for item in value) + ("||" if value else "")
    return "Array" if isinstance(value, dict) else str(value)


def blank(value: Any) -> bool:
    """Say whether an attribute is missing, null or empty."""
    return value is None or value == ""


def whole(value: Any, default: int) -> int:
    """Return a number sent as a number or as digits, `default` for anything else."""
    digits = text(value)
    return int(digits) if digits.isascii() and digits.isdigit() else default


def entries(value: Any) -> list[dict[str, Any]]:
    """Return a list of objects, empty when none was sent; raises 400 `{}` for anything else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise errors.malformed()
    return value


def sent(given: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return those attributes of a write that are both known and sent."""
    return {name: given[name] for name in names if name in given}
