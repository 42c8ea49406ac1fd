"""What came back over the wire, judged without a socket: JSON, a web page, half a document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

Problem = Literal["cut", "page", "too large", "too deep"]

_BOM = b"\xef\xbb\xbf"
_EMPTY_STATUSES = frozenset({204, 205})


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer as received; `problem` says why `content` is not all of it."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Decoded:
    """`body` is the JSON; None where there is none, with the reason in `problem` if there is one.

    An error answer without JSON is no problem of its own, only a web page is.
    """

    body: Any = None
    problem: Problem | None = None


def decode(raw: Raw) -> Decoded:
    """Read the body of an answer as JSON.

    The content type is a hint only: PHP sends JSON as text/html, gateways send pages under any
    name. A body without any length that breaks off (no Content-Length, not chunked) looks complete
    to the HTTP library; here it shows because half a document is no JSON.
    """
    text = raw.content.removeprefix(_BOM).strip()
    if raw.problem is not None:
        return Decoded(problem="page" if text.startswith(b"<") else raw.problem)
    kind = raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_success = 200 <= raw.status < 300
    if not text:
        cut = is_success and raw.status not in _EMPTY_STATUSES and not _has_length(raw)
        return Decoded(problem="cut" if cut else None)
    try:
        body = msgspec.json.decode(text)
    except RecursionError:
        return Decoded(problem="too deep")
    except (msgspec.DecodeError, UnicodeDecodeError):
        if text.startswith(b"<") or kind in {"text/html", "application/xhtml+xml"}:
            return Decoded(problem="page")
        return Decoded(problem="cut" if is_success else None)
    if not isinstance(body, dict | list) and not kind.endswith(("/json", "+json")):
        # A bare number under a text type is somebody's message, not an answer of the API.
        return Decoded(problem="page")
    return Decoded(body=body)


def not_allowed(route: str, status: int, *, page: bool) -> str:
    """What 401, 402 and 403 mean and what to do, in one sentence."""
    if page:
        return f"{route} answered {status} with a web page: a firewall in front of the vendor?"
    if status == 402:
        return f"{route} answered 402: the account is unpaid or the plan lacks this feature"
    return f"{route} answered {status}: the key is wrong, or its user or plan does not allow this"


def to_host(raw: Raw) -> str:
    """` to <host>` for a redirect, nothing if its Location has no plain host."""
    try:
        host = urlsplit(raw.headers.get("Location", "")).hostname or ""
    except ValueError:
        return ""
    return f" to {host}" if re.fullmatch(r"[A-Za-z0-9.-]{1,253}", host) else ""


def _has_length(raw: Raw) -> bool:
    return "Content-Length" in raw.headers or "Transfer-Encoding" in raw.headers
