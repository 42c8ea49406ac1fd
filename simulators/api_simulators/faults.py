"""The fault plan: which requests go wrong, when, and how. Deciding only; `delivery` does it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from api_simulators.wire import ControlError, Request

# Each action with the parameters it takes and their defaults.
ACTIONS: dict[str, dict[str, Any]] = {
    # Answered at the edge; the vendor never sees the request.
    "status": {"status": 503, "body": None, "content_type": None, "headers": {}},
    "html_200": {"title": "Scheduled maintenance"},
    "empty_200": {},
    "retry_after": {"status": 429, "value": "30"},
    "redirect": {"status": 307, "location": "http://127.0.0.1:1/"},
    "reset": {},
    "hang": {"seconds": 3600.0},
    # The vendor applies the request; the answer is what goes wrong.
    "apply_then_status": {"status": 502, "body": None, "content_type": None, "headers": {}},
    "apply_then_reset": {},
    "apply_then_hang": {"seconds": 3600.0},
    "truncate": {"bytes": 20, "content_length": True},
    "drip": {"bytes": 1, "seconds": 0.1},
    "close_after": {},
    # Nothing is wrong with the answer itself.
    "latency": {"seconds": 1.0},
    "event": {"event": {}, "when": "before"},
}


@dataclass(slots=True, frozen=True)
class Action:
    """What to do to one request: a name of `ACTIONS` and all of its parameters."""

    name: str
    options: dict[str, Any]


@dataclass(slots=True)
class Fault:
    """One line of the plan with its own count of matching requests."""

    method: str | None
    path: re.Pattern[str] | None
    body: re.Pattern[str] | None
    nth: int | None
    every: int | None
    times: int | None
    action: Action
    matched: int = 0
    fired: int = 0

    def matches(self, request: Request) -> bool:
        """Say whether the request is of the kind this fault is about."""
        if self.method is not None and request.method not in self.method.split("|"):
            return False
        if self.path is not None:
            target = f"{request.path}?{request.query}" if request.query else request.path
            if not self.path.search(target):
                return False
        return self.body is None or bool(self.body.search(request.body.decode("utf-8", "replace")))

    def due(self) -> bool:
        """Say whether this matching request, already counted, is one to spoil."""
        if self.times is not None and self.fired >= self.times:
            return False
        if self.nth is not None:
            return self.matched >= self.nth if self.times is not None else self.matched == self.nth
        return self.every is None or self.matched % self.every == 0

    def describe(self) -> dict[str, Any]:
        """Return the line as given, with how often it matched and fired."""
        return {
            "match": {
                "method": self.method,
                "path": self.path.pattern if self.path else None,
                "body": self.body.pattern if self.body else None,
            },
            "nth": self.nth,
            "every": self.every,
            "times": self.times,
            "action": {"type": self.action.name, **self.action.options},
            "matched": self.matched,
            "fired": self.fired,
        }


class FaultPlan:
    """An ordered list of faults; the first that is due acts, all that match count."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def replace(self, lines: Any) -> None:
        """Install a new plan, all of it or nothing; raises ControlError."""
        if not isinstance(lines, list):
            raise ControlError("a fault plan is a list of faults")
        self._faults = [_fault(line) for line in lines]

    def decide(self, request: Request) -> Action | None:
        """Count the request against the plan and return what to do to it."""
        chosen: Fault | None = None
        for fault in self._faults:
            if not fault.matches(request):
                continue
            fault.matched += 1
            if chosen is None and fault.due():
                chosen = fault
        if chosen is None:
            return None
        chosen.fired += 1
        return chosen.action

    def describe(self) -> list[dict[str, Any]]:
        """Return the plan with its counts."""
        return [fault.describe() for fault in self._faults]


def _fault(line: Any) -> Fault:
    known = {"match", "nth", "every", "times", "action"}
    if not isinstance(line, dict) or "action" not in line or set(line) - known:
        raise ControlError(f"a fault has {sorted(known)} and needs an action, not {line!r}")
    match = line.get("match") or {}
    if not isinstance(match, dict) or set(match) - {"method", "path", "body"}:
        raise ControlError(f"match knows method, path and body, not {match!r}")
    return Fault(
        method=str(match["method"]).upper() if match.get("method") else None,
        path=_pattern(match.get("path")),
        body=_pattern(match.get("body")),
        nth=_count(line.get("nth"), "nth"),
        every=_count(line.get("every"), "every"),
        times=_count(line.get("times"), "times"),
        action=_action(line["action"]),
    )


def _pattern(text: Any) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(str(text))
    except re.error as error:
        raise ControlError(f"not a regular expression: {text!r}") from error


def _count(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ControlError(f"{name} counts from 1, not {value!r}")
    return value


def _action(given: Any) -> Action:
    wanted = {"type": given} if isinstance(given, str) else given
    if not isinstance(wanted, dict) or wanted.get("type") not in ACTIONS:
        raise ControlError(f"unknown action {given!r}; known: {sorted(ACTIONS)}")
    name = str(wanted["type"])
    options = {key: value for key, value in wanted.items() if key != "type"}
    unknown = set(options) - set(ACTIONS[name])
    if unknown:
        raise ControlError(f"{name} takes {sorted(ACTIONS[name])}, not {sorted(unknown)}")
    return Action(name, {**ACTIONS[name], **options})
