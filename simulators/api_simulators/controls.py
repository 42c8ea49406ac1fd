"""The calls under `/_sim/<vendor>/` with which a test or a person steers a vendor."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from api_simulators.vendor import Station
from api_simulators.wire import Answer, ControlError, Request, json_answer

Control = Callable[[Station, Request], Any]


def control(station: Station, request: Request) -> Answer:
    """Carry out one control call; `request.path` is what follows `/_sim/<vendor>/`."""
    handler = CONTROLS.get((request.method, request.path))
    if handler is None:
        known = sorted(f"{method} {path}" for method, path in CONTROLS)
        return json_answer(404, {"error": f"no such control; known: {known}"})
    try:
        return json_answer(200, handler(station, request))
    except ControlError as error:
        return json_answer(400, {"error": str(error)})


def _body(request: Request) -> Any:
    if not request.body:
        return {}
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise ControlError(f"the body is not JSON: {error}") from error


def _object(request: Request) -> dict[str, Any]:
    body = _body(request)
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    return body


def _reset(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    station.reset()
    return {"reset": True}


def _seed(station: Station, request: Request) -> Any:
    added = station.vendor.seed(_object(request))
    station.note("seed", "seed")
    return added


def _state(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    return station.vendor.state()


def _event(station: Station, request: Request) -> Any:
    return station.event(_object(request))


def _set_faults(station: Station, request: Request) -> Any:
    body = _body(request)
    station.faults.replace(body["faults"] if isinstance(body, dict) and "faults" in body else body)
    return {"faults": station.faults.describe()}


def _faults(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    return {"faults": station.faults.describe()}


def _clear_faults(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    station.faults.replace([])
    return {"faults": []}


def _requests(station: Station, request: Request) -> Any:
    if "summary" in parse_qs(request.query, keep_blank_values=True):
        return station.log.summary()
    return {"requests": station.log.describe()}


def _keep_bodies(station: Station, request: Request) -> Any:
    order = _object(request)
    if set(order) != {"bodies"} or not isinstance(order["bodies"], bool):
        raise ControlError('only {"bodies": true} or {"bodies": false} can be asked for')
    station.log.keep_bodies = order["bodies"]
    return order


def _clear_requests(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    station.log.clear()
    return {"requests": []}


def _journal(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    return station.journal.describe()


def _keep_journal(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    station.journal.keep(station.vendor.state())
    return station.journal.describe()


def _drop_journal(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    station.journal.drop()
    return station.journal.describe()


def _clock(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    return station.clock.describe()


def _set_clock(station: Station, request: Request) -> Any:
    return station.clock.control(_object(request))


def _switches(station: Station, request: Request) -> Any:  # noqa: ARG001 - every control has this shape
    return {"switches": station.vendor.switches.describe()}


def _turn(station: Station, request: Request) -> Any:
    station.vendor.switches.turn(_object(request))
    return {"switches": station.vendor.switches.describe()}


CONTROLS: dict[tuple[str, str], Control] = {
    ("POST", "reset"): _reset,
    ("POST", "seed"): _seed,
    ("GET", "state"): _state,
    ("POST", "event"): _event,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _set_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "requests"): _requests,
    ("POST", "requests"): _keep_bodies,
    ("DELETE", "requests"): _clear_requests,
    ("GET", "journal"): _journal,
    ("POST", "journal"): _keep_journal,
    ("DELETE", "journal"): _drop_journal,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _set_clock,
    ("GET", "switches"): _switches,
    ("POST", "switches"): _turn,
}
