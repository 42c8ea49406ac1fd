"""What crosses between the HTTP server and a vendor: one request in, one answer out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json"
HTML_TYPE = "text/html; charset=UTF-8"
_ENCODER = json.JSONEncoder(check_circular=False, ensure_ascii=False, separators=(",", ":"))


@dataclass(slots=True, frozen=True)
class Request:
    """A request as the vendor sees it: `path` starts after the vendor's prefix.

    `connections` counts the connections to this vendor that are open now, this one included.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    connections: int = 1


@dataclass(slots=True)
class Answer:
    """A complete answer; how it reaches the client is the business of `delivery`.

    `reason` replaces the status line's phrase where it is not None. A header `Connection: close`
    is also carried out.
    """

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    chunked: bool = False


def json_answer(status: int, payload: Any, headers: dict[str, str] | None = None) -> Answer:
    """Return `payload` as compact JSON, the way the vendors send it."""
    return Answer(status, _ENCODER.encode(payload).encode(), JSON_TYPE, headers or {})


def html_answer(status: int, title: str) -> Answer:
    """Return the kind of page a proxy or a maintenance mode shows."""
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>"
    return Answer(status, page.encode(), HTML_TYPE)


class ControlError(Exception):
    """A control call that makes no sense; told to the caller as 400 with this text."""
