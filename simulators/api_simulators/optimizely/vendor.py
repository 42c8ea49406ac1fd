"""Optimizely Campaign behind its paths: SOAP, REST, and what tests and people do beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.clock import Clock
from api_simulators.optimizely import closed_loop, rest, seeding, soap, state, ui_events
from api_simulators.optimizely.model import World
from api_simulators.optimizely.switches import TABLE
from api_simulators.switches import Switches
from api_simulators.wire import Answer, Request, html_answer

Handler = Callable[[World, Request], Answer]

ROUTES: tuple[tuple[str, Handler], ...] = ((soap.PATH, soap.handle), (rest.PREFIX, rest.handle))


class Optimizely:
    """All clients of the vendor; the clock drives sessions, dates and clears put off."""

    name = "optimizely"

    def __init__(self, clock: Clock) -> None:
        self.switches = Switches(TABLE)
        self._clock = clock
        self.world = self._new_world()

    def _new_world(self) -> World:
        world = World(self.switches, self._clock.now)
        seeding.furnish(world)
        return world

    def respond(self, request: Request) -> Answer:
        """Answer one request as the vendor would."""
        self._settle()
        for prefix, handler in ROUTES:
            if request.path.startswith(prefix):
                answer = handler(self.world, request)
                break
        else:
            answer = html_answer(404, "Not Found")
        self._settle()
        if self.switches["reason_phrase"] == "empty":
            answer.reason = ""
        return answer

    def _settle(self) -> None:
        """Let every client do what it does by itself: send waves, run export jobs."""
        for client in self.world.clients.values():
            closed_loop.settle(client, self._clock.now())

    def operation(self, request: Request) -> str:
        """Name the SOAP operation that a request calls."""
        return soap.operation_of(request)

    def reset(self) -> None:
        """Forget all data; the default client with its two lists is there again."""
        self.world = self._new_world()

    def seed(self, data: dict[str, Any]) -> dict[str, Any]:
        """Add data; see `seeding`."""
        counts = seeding.seed(self.world, data)
        self._settle()
        return counts

    def state(self) -> dict[str, Any]:
        """Return everything the clients hold."""
        return state.describe(self.world)

    def event(self, data: dict[str, Any]) -> dict[str, Any]:
        """Do what people and mail servers do; see `ui_events`."""
        self._settle()
        done = ui_events.event(self.world, data)
        self._settle()
        return done
