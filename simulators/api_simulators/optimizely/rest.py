"""The REST API beside SOAP: who is calling, may they, and which endpoint is it."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import unquote

from api_simulators.optimizely.model import Client, World
from api_simulators.optimizely.rest_call import RestCall, RestError, RestHandler, parameters_of
from api_simulators.optimizely.rest_recipients import RECIPIENT_ROUTES
from api_simulators.optimizely.rest_responses import RESPONSE_ROUTES
from api_simulators.optimizely.rest_suppression import SUPPRESSION_ROUTES
from api_simulators.wire import Answer, Request, html_answer, json_answer

PREFIX = "/rest/"
ACCEPTED = ("application/json", "application/vnd.optivo.broadmail.v1+json", "application/*", "*/*")
Routes = dict[tuple[str, str], RestHandler]


def _authenticated(call: RestCall) -> Answer:
    return json_answer(200, {"links": [], "username": call.user})


# By method and path below the client's id; `*` is a part of any text.
ROUTES: Routes = {
    ("GET", "users/authenticated"): _authenticated,
    **SUPPRESSION_ROUTES,
    **RESPONSE_ROUTES,
    **RECIPIENT_ROUTES,
}


def handle(world: World, request: Request) -> Answer:
    """Answer a request to a path that starts with `/rest/`."""
    try:
        return _handle(world, request)
    except RestError as error:
        return _refusal(error.status, str(world.switches["rest_error_body"]))


def _handle(world: World, request: Request) -> Answer:
    client_id, _, path = request.path.removeprefix(PREFIX).partition("/")
    client, user = _caller(world, client_id, request.headers.get("Authorization", ""))
    resource = path.partition("/")[0]
    if resource in str(world.switches["rest_forbidden"]).split(","):
        raise RestError(403)
    handler, args = _route(request.method, path.strip("/"))
    if not _acceptable(request.headers.get("Accept", "*/*")):
        raise RestError(406)
    return handler(RestCall(request, client, user, args, parameters_of(request)))


def _caller(world: World, client_id: str, authorization: str) -> tuple[Client, str]:
    """Find client and user: 401 for nobody's credentials, 403 for those of another client."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        plain = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RestError(401) from error
    name, _, password = plain.partition(":")
    if scheme.lower() != "basic":
        raise RestError(401)
    known_to = [
        client
        for client in world.clients.values()
        if name in client.users and client.users[name].password == password
    ]
    if not known_to:
        raise RestError(401)
    for client in known_to:
        if str(client.id) == client_id:
            return client, name
    raise RestError(403)


def _acceptable(header: str) -> bool:
    wanted = [each.partition(";")[0].strip().lower() for each in header.split(",")]
    return any(each in ACCEPTED for each in wanted)


def _route(method: str, path: str) -> tuple[RestHandler, tuple[str, ...]]:
    """Find the endpoint, a fixed path before one with variable parts; raises 404 or 405."""
    parts = path.split("/")
    allowed = False
    found: list[tuple[int, RestHandler, tuple[str, ...]]] = []
    for (verb, pattern), handler in ROUTES.items():
        args = _match(pattern.split("/"), parts)
        if args is None:
            continue
        allowed = True
        if verb == method:
            found.append((len(args), handler, args))
    if not found:
        raise RestError(405 if allowed else 404)
    _, handler, args = min(found, key=lambda each: each[0])
    return handler, args


def _match(pattern: list[str], parts: list[str]) -> tuple[str, ...] | None:
    if len(pattern) != len(parts):
        return None
    args = []
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted == "*" and part:
            args.append(unquote(part))
        elif wanted != part:
            return None
    return tuple(args)


def _refusal(status: int, form: str) -> Answer:
    if form == "json":
        answer = json_answer(status, {"status": status})
    elif form == "html":
        answer = html_answer(status, "Error")
    else:
        answer = Answer(status, b"")
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="Optimizely Campaign"'
    return answer
