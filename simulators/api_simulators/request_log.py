"""Every request that reached a vendor, kept compact so that a long run fits in memory."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from api_simulators.wire import Request

CAP = 500_000
_NUMBER = re.compile(r"(?<!/api)/\d+(?=/|$)")


@dataclass(slots=True, frozen=True)
class Entry:
    """One request: when (seconds since 1970), what, and the status the vendor decided on.

    `status` is 0 where a fault cut the connection before the vendor saw the request. `operation`
    is what SOAP calls have in their bodies and other requests in their paths.
    """

    number: int
    time: float
    method: str
    path: str
    query: str
    status: int
    fault: str | None
    body: str | None
    operation: str = ""

    def describe(self) -> dict[str, Any]:
        """Return the entry as the control call shows it."""
        shown: dict[str, Any] = {
            "n": self.number,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "time": self.time,
        }
        if self.operation:
            shown["operation"] = self.operation
        if self.fault:
            shown["fault"] = self.fault
        if self.body is not None:
            shown["body"] = self.body
        return shown


class RequestLog:
    """The last `CAP` requests; bodies only while `keep_bodies` is on."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=CAP)
        self._count = 0
        self.keep_bodies = False

    def add(
        self, time: float, request: Request, status: int, fault: str | None, operation: str = ""
    ) -> int:
        """Note one request; returns its number."""
        self._count += 1
        body = request.body.decode("utf-8", "replace") if self.keep_bodies else None
        entry = Entry(
            self._count,
            time,
            request.method,
            request.path,
            request.query,
            status,
            fault,
            body,
            operation,
        )
        self._entries.append(entry)
        return self._count

    def clear(self) -> None:
        """Forget every request; the numbering starts again at 1."""
        self._entries.clear()
        self._count = 0

    def describe(self) -> list[dict[str, Any]]:
        """Return the kept entries, oldest first."""
        return [entry.describe() for entry in self._entries]

    def summary(self) -> dict[str, Any]:
        """Return how many requests went to each endpoint, ids written as `{id}`, and by status."""
        endpoints: Counter[str] = Counter()
        operations: Counter[str] = Counter()
        statuses: Counter[str] = Counter()
        for entry in self._entries:
            endpoints[f"{entry.method} {_NUMBER.sub('/{id}', entry.path)}"] += 1
            if entry.operation:
                operations[entry.operation] += 1
            statuses[str(entry.status)] += 1
        writes = sum(1 for entry in self._entries if entry.method != "GET")
        return {
            "total": self._count,
            "writes": writes,
            "endpoints": dict(endpoints),
            "operations": dict(operations),
            "statuses": dict(statuses),
        }
