"""What a REST endpoint gets to see of a request, and the shapes all of them share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from api_simulators.optimizely.model import Client
from api_simulators.wire import Answer, Request, json_answer

DEFAULT_LIMIT = 100
LIMIT_BELOW = 10_000


class RestError(Exception):
    """A refusal; the vendor documents only the status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(slots=True)
class RestCall:
    """One request of an authenticated user: `args` are the variable parts of its path."""

    request: Request
    client: Client
    user: str
    args: tuple[str, ...]
    parameters: dict[str, list[str]]

    def text(self, name: str) -> str | None:
        """Return a parameter, None where it was not sent."""
        found = self.parameters.get(name)
        return found[-1] if found else None

    def texts(self, name: str) -> list[str]:
        """Return a parameter that may be repeated and may have commas between values."""
        given = self.parameters.get(name, [])
        return [each for value in given for each in value.split(",") if each]

    def number(self, name: str, default: int, below: int | None = None) -> int:
        """Return a whole number from 0 up; raises 400 for anything else."""
        given = self.text(name)
        if given is None:
            return default
        number = whole(given)
        if number is None or (below and number >= below):
            raise RestError(400)
        return number

    def choice(self, name: str, known: Sequence[str], default: str) -> str:
        """Return one of the known values; raises 400 for another."""
        given = self.text(name)
        if given is None:
            return default
        if given not in known:
            raise RestError(400)
        return given

    def json(self) -> Any:
        """Return the body; raises 400 when it is not JSON, or no text as half a pair is."""
        body = self.request.body
        try:
            parsed = json.loads(body)
            json.dumps(parsed, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise RestError(400) from error
        return parsed

    def moment(self, seconds: float) -> str | int:
        """Write a time the way the switch rest_times says."""
        form = self.client.switches["rest_times"]
        if form == "epoch_ms":
            return int(seconds * 1000)
        zone = UTC if form == "iso_utc" else ZoneInfo(self.client.switches["server_timezone"])
        text = datetime.fromtimestamp(int(seconds), zone).isoformat()
        return text.replace("+00:00", "Z") if form == "iso_utc" else text


def whole(text: str) -> int | None:
    """Return a whole number from 0 up that fits in 64 bits; None for any other text."""
    fits = text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if fits else None


RestHandler = Callable[[RestCall], Answer]


def listing(call: RestCall, rows: list[Any], offset: int, limit: int, total: int) -> Answer:
    """Return one page in the vendor's envelope."""
    count = total if call.client.switches["rest_count"] == "total" else len(rows)
    page = {"elements": rows, "links": [], "count": count, "offset": offset, "limit": limit}
    return json_answer(200, page)


def paged(call: RestCall, rows: list[Any], shape: Callable[[Any], Any]) -> Answer:
    """Cut the page the request asks for out of all rows and shape only that."""
    offset = call.number("offset", 0)
    limit = call.number("limit", DEFAULT_LIMIT, LIMIT_BELOW)
    page = rows[offset : offset + limit]
    return listing(call, [shape(row) for row in page], offset, limit, len(rows))


def ordered(
    call: RestCall, rows: list[Any], keys: dict[str, Callable[[Any], Any]], default: str
) -> list[Any]:
    """Sort as `sort` and `direction` ask; rows that compare equal stay in the order they came."""
    key = keys[call.choice("sort", list(keys), default)]
    descending = call.choice("direction", ("ASC", "DESC"), "ASC") == "DESC"
    return sorted(rows, key=key, reverse=descending)


def counted(number: int) -> Answer:
    """Return the shape of every endpoint that counts."""
    return json_answer(200, {"links": [], "count": number})


def parameters_of(request: Request) -> dict[str, list[str]]:
    """Return query parameters, or a form's fields where one was sent."""
    found = parse_qs(request.query, keep_blank_values=True)
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        found |= form
    return found
