"""How an answer reaches the client: whole, or cut, dripped, held back or reset."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from aiohttp import web

from api_simulators.faults import Action
from api_simulators.wire import HTML_TYPE, Answer, html_answer

Apply = Callable[[], Answer]


class ConnectionCutError(Exception):
    """The connection was closed on purpose; there is nothing left to answer."""


def whole(answer: Answer) -> web.Response:
    """Return the answer as aiohttp wants it."""
    response = web.Response(
        status=answer.status, body=answer.body, headers=answer.headers, reason=answer.reason
    )
    if answer.chunked:
        response.enable_chunked_encoding()
    if answer.headers.get("Connection") == "close":
        response.force_close()
    if answer.body or answer.status == 200:
        response.headers["Content-Type"] = answer.content_type
    return response


def edge_answer(action: Action) -> Answer | None:
    """Return the answer of an action that keeps the request from the vendor, if it has one."""
    options = action.options
    match action.name:
        case "status":
            return _spoiled(options)
        case "html_200":
            return html_answer(200, str(options["title"]))
        case "empty_200":
            return Answer(200, b"")
        case "retry_after":
            answer = Answer(int(options["status"]), b'{"message":"Too Many Requests"}')
            answer.headers["Retry-After"] = str(options["value"])
            return answer
        case "redirect":
            headers = {"Location": str(options["location"])}
            return Answer(int(options["status"]), b"", headers=headers)
        case _:
            return None


def _spoiled(options: dict[str, object]) -> Answer:
    """Build an answer from status, body and content_type: HTML unless a body is given."""
    status = int(str(options["status"]))
    headers = options["headers"]
    named = {str(k): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {}
    if options["body"] is None:
        answer = html_answer(status, f"{status} upstream trouble")
        answer.headers = named
        return answer
    kind = options["content_type"] or "application/json"
    return Answer(status, str(options["body"]).encode(), str(kind), named)


async def deliver(request: web.BaseRequest, apply: Apply, action: Action) -> web.StreamResponse:
    """Do what `action` says, calling `apply` where the vendor is meant to see the request."""
    options = action.options
    match action.name:
        case "reset":
            _abort(request)
        case "hang":
            await asyncio.sleep(float(options["seconds"]))
            _abort(request)
        case "apply_then_status":
            apply()
            return whole(_spoiled(options))
        case "apply_then_reset":
            apply()
            _abort(request)
        case "apply_then_hang":
            answer = apply()
            await asyncio.sleep(float(options["seconds"]))
            return whole(answer)
        case "truncate":
            await _truncate(
                request, apply(), int(options["bytes"]), bool(options["content_length"])
            )
        case "drip":
            return await _drip(request, apply(), int(options["bytes"]), float(options["seconds"]))
        case "close_after":
            await _send_raw(request, apply(), None, content_length=True)
        case "latency":
            await asyncio.sleep(float(options["seconds"]))
            return whole(apply())
    raise ConnectionCutError


def _abort(request: web.BaseRequest) -> None:
    """Close with a TCP reset, so that the client sees a reset and not an end of file."""
    transport = request.transport
    if transport is None:
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _truncate(
    request: web.BaseRequest, answer: Answer, keep: int, content_length: bool
) -> None:
    await _send_raw(request, answer, keep, content_length=content_length)


async def _send_raw(
    request: web.BaseRequest, answer: Answer, keep: int | None, *, content_length: bool
) -> None:
    """Write status line, headers and `keep` bytes of body by hand, then close without a word."""
    transport = request.transport
    if transport is None:
        return
    kind = answer.content_type if answer.body else HTML_TYPE
    lines = [f"HTTP/1.1 {answer.status} OK", f"Content-Type: {kind}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if content_length:
        lines.append(f"Content-Length: {len(answer.body)}")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    body = answer.body if keep is None else answer.body[:keep]
    transport.write(head + body)
    transport.close()


async def _drip(
    request: web.BaseRequest, answer: Answer, step: int, seconds: float
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.headers["Content-Type"] = answer.content_type
    response.content_length = len(answer.body)
    await response.prepare(request)
    for start in range(0, len(answer.body), step):
        await response.write(answer.body[start : start + step])
        await asyncio.sleep(seconds)
    await response.write_eof()
    return response
