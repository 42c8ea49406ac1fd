"""What the server asks of a vendor, and the furniture that stands around each one."""

from __future__ import annotations

from typing import Any, Protocol

from api_simulators.clock import Clock
from api_simulators.faults import FaultPlan
from api_simulators.journal import Journal
from api_simulators.request_log import RequestLog
from api_simulators.switches import Switches
from api_simulators.wire import Answer, Request


class Vendor(Protocol):
    """A simulated vendor: pure in-memory state behind `respond`."""

    name: str
    switches: Switches

    def respond(self, request: Request) -> Answer:
        """Answer one request as the vendor would."""
        ...

    def operation(self, request: Request) -> str:
        """Name what a request asks for, where method and path do not say; empty where they do."""
        ...

    def reset(self) -> None:
        """Forget all data."""
        ...

    def seed(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add data in the vendor's seed format; returns what was added, as counts."""
        ...

    def state(self) -> dict[str, Any]:
        """Return everything the vendor holds."""
        ...

    def event(self, data: dict[str, Any]) -> dict[str, Any]:
        """Do what a person does in the vendor's own user interface."""
        ...


class Station:
    """One vendor with its own clock, fault plan, request log and journal of changes."""

    def __init__(self, vendor: Vendor, clock: Clock) -> None:
        self.vendor = vendor
        self.clock = clock
        self.faults = FaultPlan()
        self.log = RequestLog()
        self.journal = Journal()

    def event(self, data: dict[str, Any]) -> dict[str, Any]:
        """Let the vendor's `event` happen."""
        done = self.vendor.event(data)
        self.note("event", str(data.get("type")))
        return done

    def note(self, by: str, what: str, request: int | None = None) -> None:
        """Write into the journal what has changed since the last time, if it is kept."""
        if self.journal.kept:
            self.journal.note(self.clock.now(), by, what, request, self.vendor.state())

    def reset(self) -> None:
        """Return to the state right after the process started."""
        self.vendor.switches.reset()
        self.vendor.reset()
        self.clock.control({"real": True})
        self.faults.replace([])
        self.log.clear()
        self.log.keep_bodies = False
        self.journal.drop()
