"""One HTTP server for all vendors: finds the station by path prefix, spoils, logs, answers."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from functools import partial

from aiohttp import web

from api_simulators.activecampaign.vendor import ActiveCampaign
from api_simulators.clock import Clock
from api_simulators.controls import control
from api_simulators.delivery import ConnectionCutError, deliver, edge_answer, whole
from api_simulators.faults import Action
from api_simulators.optimizely.vendor import Optimizely
from api_simulators.vendor import Station, Vendor
from api_simulators.wire import Answer, Request, json_answer

# Actions whose request never reaches the vendor and never gets an answer.
NEVER_ANSWERED = frozenset({"reset", "hang"})

VENDORS: tuple[Callable[[Clock], Vendor], ...] = (ActiveCampaign, Optimizely)


def stations() -> dict[str, Station]:
    """Build one station per registered vendor, by the vendor's path prefix."""
    built: dict[str, Station] = {}
    for make in VENDORS:
        clock = Clock()
        vendor = make(clock)
        built[vendor.name] = Station(vendor, clock)
    return built


class Dispatcher:
    """Takes every request of the process to its vendor or to its vendor's controls."""

    def __init__(self, by_prefix: dict[str, Station]) -> None:
        self._stations = by_prefix
        self._open: dict[str, set[asyncio.BaseTransport]] = {name: set() for name in by_prefix}

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """Answer one HTTP request."""
        target, _, query = raw.raw_path.partition("?")
        body = await raw.content.read() if raw.can_read_body else b""
        parts = target.split("/", 3)
        is_control = len(parts) == 4 and parts[1] == "_sim"
        name = parts[2] if is_control else parts[1]
        station = self._stations.get(name)
        if station is None:
            return whole(json_answer(404, {"vendors": sorted(self._stations)}))
        base_url = f"http://{raw.host}/{name}"
        if is_control:
            request = Request(raw.method, parts[3], query, raw.headers, body, base_url)
            return whole(control(station, request))
        path = target[len(name) + 1 :] or "/"
        request = Request(
            raw.method, path, query, raw.headers, body, base_url, self._count(name, raw.transport)
        )
        return await self._serve(station, raw, request)

    def _count(self, name: str, transport: asyncio.BaseTransport | None) -> int:
        """Note the connection and return how many to this vendor are open."""
        still_open = {known for known in self._open[name] if not known.is_closing()}
        if transport is not None:
            still_open.add(transport)
        self._open[name] = still_open
        return len(still_open)

    async def _serve(
        self, station: Station, raw: web.BaseRequest, request: Request
    ) -> web.StreamResponse:
        action = station.faults.decide(request)
        if action is None:
            return whole(_answer(station, request, None))
        if action.name == "event":
            return whole(_with_event(station, request, action))
        at_edge = edge_answer(action)
        if at_edge is not None:
            _note(station, request, at_edge.status, action.name)
            return whole(at_edge)
        if action.name in NEVER_ANSWERED:
            _note(station, request, 0, action.name)
        try:
            return await deliver(raw, partial(_answer, station, request, action.name), action)
        except ConnectionCutError:
            return web.Response(status=500)


def _answer(station: Station, request: Request, fault: str | None) -> Answer:
    answer = station.vendor.respond(request)
    number = _note(station, request, answer.status, fault)
    station.note("call", f"{request.method} {request.path}", number)
    return answer


def _with_event(station: Station, request: Request, action: Action) -> Answer:
    """Let somebody change something in the vendor's user interface around this request."""
    before = action.options["when"] == "before"
    if before:
        station.event(action.options["event"])
    answer = _answer(station, request, action.name)
    if not before:
        station.event(action.options["event"])
    return answer


def _note(station: Station, request: Request, status: int, fault: str | None) -> int:
    operation = station.vendor.operation(request)
    return station.log.add(station.clock.now(), request, status, fault, operation)


async def serve(host: str, port: int, by_prefix: dict[str, Station]) -> None:
    """Serve until SIGTERM or SIGINT; prints the address as the one line on stdout."""
    server = web.Server(Dispatcher(by_prefix).handle, access_log=None)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(server, host, port)
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    chosen = listener.sockets[0].getsockname()[1]
    sys.stdout.write(f"api-simulators listening on http://{host}:{chosen}\n")
    sys.stdout.flush()
    await stopped.wait()
    listener.close()
    await server.shutdown(timeout=0.1)
