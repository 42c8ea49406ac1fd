"""What people and mail servers do outside the API: unsubscribe, bounce, block, edit, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.optimizely import seeding
from api_simulators.optimizely.blocklist import block
from api_simulators.optimizely.mailings import STATUSES
from api_simulators.optimizely.model import (
    DEFAULT_CLIENT,
    KINDS,
    Client,
    Recipient,
    RecipientList,
    World,
)
from api_simulators.optimizely.response_events import RESPONSE_EVENTS
from api_simulators.optimizely.unsubscribes import unsubscribe
from api_simulators.wire import ControlError

Details = dict[str, Any]
Event = Callable[[Client, Details], Details]


def event(world: World, data: Details) -> Details:
    """Carry out `{"type": name, ...}`; raises ControlError naming what is unknown.

    `client` names another client than the default one.
    """
    handler = EVENTS.get(str(data.get("type")))
    if handler is None:
        raise ControlError(f"unknown event {data.get('type')!r}; known: {sorted(EVENTS)}")
    number = int(data.get("client", DEFAULT_CLIENT))
    if number not in world.clients:
        raise ControlError(f"no client {number}; known: {sorted(world.clients)}")
    return {"type": data["type"]} | handler(world.clients[number], data)


def _id(data: Details) -> str:
    if not data.get("id"):
        raise ControlError("name the recipient by id")
    return str(data["id"])


def _recipient(client: Client, data: Details) -> tuple[RecipientList, Recipient]:
    in_list = seeding.the_list(client, data.get("list"))
    recipient = in_list.recipients.get(_id(data))
    if recipient is None:
        raise ControlError("no such recipient in the list")
    return in_list, recipient


def _unsubscribe(client: Client, data: Details) -> Details:
    """Unsubscribe `id`, on `list` if one is named; `reason` and `mailing` are kept."""
    list_id = seeding.the_list(client, data["list"]).id if data.get("list") else 0
    unsubscribe(
        client,
        _id(data),
        list_id,
        mailing_id=int(data.get("mailing", 0)),
        reason=str(data.get("reason", "")),
    )
    return {"unsubscribes": len(client.unsubscribes.rows)}


def _resubscribe(client: Client, data: Details) -> Details:
    list_id = int(data.get("list", 0))
    client.resubscribe(_id(data), list_id)
    return {"unsubscribes": len(client.unsubscribes.rows)}


def _block(client: Client, data: Details) -> Details:
    if not data.get("entry"):
        raise ControlError("name the address or pattern by entry")
    block(client, str(data["entry"]), str(data.get("reason", "")))
    return {"blocklist": len(client.blocklist.entries)}


def _unblock(client: Client, data: Details) -> Details:
    if not client.blocklist.remove(str(data.get("entry", ""))):
        raise ControlError("no such entry")
    return {"blocklist": len(client.blocklist.entries)}


def _expire_sessions(client: Client, data: Details) -> Details:  # noqa: ARG001 - every event has this shape
    sessions = client.world.sessions
    mine = [key for key, session in sessions.items() if session.client_id == client.id]
    for key in mine:
        del sessions[key]
    return {"sessions": len(mine)}


def _mailing(client: Client, data: Details) -> Details:
    """Create a mailing (`name`, `mailing_type`, `status`, `lists`) or change the one of `id`."""
    number = int(data.get("id", 0))
    if number not in client.mailings:
        keys = ("id", "name", "status", "lists")
        entry: Details = {key: data[key] for key in keys if key in data}
        entry["type"] = data.get("mailing_type", "regular")
        return {"id": seeding.add_mailing(client, entry).id}
    mailing = client.mailings[number]
    if "lists" in data:
        mailing.lists = [seeding.the_list(client, given).id for given in data["lists"]]
    status = str(data.get("status", mailing.status))
    if status not in STATUSES:
        raise ControlError(f"statuses are {list(STATUSES)}")
    mailing.status = status
    if status == "SENDING" and mailing.started is None:
        mailing.started = client.now()
    if status == "DONE":
        mailing.finished = client.now()
    return {"id": number}


def _edit_recipient(client: Client, data: Details) -> Details:
    """Change `attributes` and `address` of `id` on `list`."""
    in_list, recipient = _recipient(client, data)
    values = dict(data.get("attributes", {}))
    if values.keys() - in_list.attributes.keys():
        raise ControlError(f"attributes are {list(in_list.attributes)}")
    recipient.values.update(values)
    recipient.address = str(data.get("address", recipient.address))
    recipient.modified = client.now()
    return {"id": recipient.id}


def _add_recipient(client: Client, data: Details) -> Details:
    keys = ("list", "id", "address", "attributes")
    entry: Details = {key: data[key] for key in keys if key in data}
    return {"id": seeding.add_recipient(client, entry).id}


def _remove_recipient(client: Client, data: Details) -> Details:
    in_list, recipient = _recipient(client, data)
    in_list.remove(recipient)
    return {"recipients": len(in_list.recipients)}


def _confirm_optin(client: Client, data: Details) -> Details:
    """Finish the double opt-in of `id` on `list`; an unsubscribe ends with it."""
    in_list, recipient = _recipient(client, data)
    recipient.optin_finished = True
    recipient.optin_date = client.now()
    if in_list.kind == "optin":
        client.resubscribe(recipient.id, in_list.id)
    return {"id": recipient.id}


def _add_attribute(client: Client, data: Details) -> Details:
    in_list = seeding.the_list(client, data.get("list"))
    attribute = seeding.make_attribute(data.get("attribute"))
    in_list.attributes[attribute.name] = attribute
    return {"attributes": list(in_list.attributes)}


def _remove_attribute(client: Client, data: Details) -> Details:
    in_list = seeding.the_list(client, data.get("list"))
    name = str(data.get("attribute", ""))
    if in_list.attributes.pop(name, None) is None:
        raise ControlError(f"attributes are {list(in_list.attributes)}")
    for recipient in in_list.recipients.values():
        recipient.values.pop(name, None)
    return {"attributes": list(in_list.attributes)}


def _change_kind(client: Client, data: Details) -> Details:
    in_list = seeding.the_list(client, data.get("list"))
    if data.get("kind") not in KINDS:
        raise ControlError(f"kinds are {list(KINDS)}")
    in_list.kind = str(data["kind"])
    return {"kind": in_list.kind}


def _revoke_user(client: Client, data: Details) -> Details:
    """Take away a `user` and all of its sessions."""
    name = str(data.get("user", ""))
    if client.users.pop(name, None) is None:
        raise ControlError(f"users are {sorted(client.users)}")
    sessions = client.world.sessions
    for key, session in list(sessions.items()):
        if (session.client_id, session.user) == (client.id, name):
            del sessions[key]
    return {"users": sorted(client.users)}


EVENTS: dict[str, Event] = {
    "unsubscribe": _unsubscribe,
    "resubscribe": _resubscribe,
    "block": _block,
    "unblock": _unblock,
    "expire_sessions": _expire_sessions,
    "mailing": _mailing,
    "edit_recipient": _edit_recipient,
    "add_recipient": _add_recipient,
    "remove_recipient": _remove_recipient,
    "confirm_optin": _confirm_optin,
    "add_attribute": _add_attribute,
    "remove_attribute": _remove_attribute,
    "change_kind": _change_kind,
    "revoke_user": _revoke_user,
    **RESPONSE_EVENTS,
}
