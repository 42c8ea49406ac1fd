"""RpcSession: login, how long a session is good for, and what a user may call."""

from __future__ import annotations

import secrets
from typing import Any

from api_simulators.optimizely import faults
from api_simulators.optimizely.model import Client, Session, World
from api_simulators.optimizely.operations import BusinessError, Operation, Service, version

MANY = 10_000
MEDIA_TYPES = ("EMAIL", "SMS")
LOCALES = ("de", "en")


def _login(
    client: Client,
    _session: Session | None,
    mandator_id: int | None,
    username: str | None,
    password: str | None,
) -> str:
    world = client.world
    entered = world.clients.get(mandator_id or 0)
    user = entered.users.get(username or "") if entered else None
    if entered is None or user is None or user.password != password:
        raise faults.invalid_credentials()
    if len(world.sessions) > MANY:
        _forget_dead(world)
    now = world.now()
    session = Session(secrets.token_hex(8), entered.id, user.name, now, now)
    world.sessions[session.id] = session
    return session.id


def _forget_dead(world: World) -> None:
    alive = {key: session for key, session in world.sessions.items() if is_alive(world, session)}
    world.sessions = alive


def is_alive(world: World, session: Session) -> bool:
    """Say whether a session is young enough; it is not from its last second on."""
    since = session.created if world.switches["session_expiry"] == "absolute" else session.used
    return bool(world.now() < since + 60 * int(world.switches["session_minutes"]))


def enter(world: World, session_id: str | None) -> Session:
    """Return the session of a call; raises SoapFault for one that is unknown or too old."""
    session = world.sessions.get(session_id or "")
    if session is None or not is_alive(world, session):
        world.sessions.pop(session_id or "", None)
        raise faults.invalid_session(session_id)
    session.used = world.now()
    return session


def check_permission(world: World, session: Session | None, service: str, operation: str) -> None:
    """Refuse a foreign address, and what is not on the user's whitelist; raises BusinessError."""
    if world.switches["ip_refused"] == "fault":
        raise BusinessError("IP address is not allowed")
    if session is None:
        return
    user = world.clients[session.client_id].users[session.user]
    named = {operation, f"{service}.{operation}"}
    everyone = {name.strip() for name in str(world.switches["allowed_operations"]).split(",")}
    for allowed in (user.operations, everyone - {""} or None):
        if allowed is not None and not named & allowed:
            raise BusinessError(str(world.switches["denied_text"]))


def _logout(client: Client, session: Session) -> None:
    client.world.sessions.pop(session.id, None)


def _set_locale(_client: Client, session: Session, locale: str | None) -> None:
    session.locale = locale or LOCALES[0]


def _set_media_type(_client: Client, session: Session, media_type: str | None) -> None:
    if media_type not in MEDIA_TYPES:
        raise BusinessError("Unknown media type")
    session.media_type = media_type


def _get(name: str) -> Any:
    return lambda _client, session: getattr(session, name)


SERVICE = Service(
    "RpcSession",
    (
        Operation(
            "login",
            (("mandatorId", "long"), ("username", "string"), ("password", "string")),
            "string",
            _login,
            needs_session=False,
        ),
        Operation("logout", (), None, _logout),
        Operation("getLocale", (), "string", _get("locale")),
        Operation("setLocale", (("locale", "string"),), None, _set_locale),
        Operation("getMediaType", (), "string", _get("media_type")),
        Operation("setMediaType", (("mediaType", "string"),), None, _set_media_type),
        version(),
    ),
)
