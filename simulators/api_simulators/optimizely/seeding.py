"""What is there at the start, and seed data: put into the clients without any call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from api_simulators.optimizely import dispatch
from api_simulators.optimizely.blocklist import block
from api_simulators.optimizely.export_files import STREAMS, ExportRow
from api_simulators.optimizely.export_jobs import note_bounced_out
from api_simulators.optimizely.mailings import STATUSES
from api_simulators.optimizely.mailings import TYPES as MAILING_TYPES
from api_simulators.optimizely.model import (
    CATEGORIES,
    DEFAULT_CLIENT,
    KINDS,
    TYPES,
    Attribute,
    Client,
    Mailing,
    OptinProcess,
    Recipient,
    RecipientList,
    User,
    World,
)
from api_simulators.optimizely.unsubscribes import unsubscribe
from api_simulators.wire import ControlError

DEFAULT_ATTRIBUTES = (
    "email",
    "Vorname",
    "Nachname",
    "Land",
    "opt-in-id",
    "description",
    "media-type",
    "entity-type",
    "entity-id",
)
SINCE = "2020-01-01T00:00:00+00:00"
START: dict[str, Any] = {
    "clients": [
        {"id": DEFAULT_CLIENT, "users": [{"name": "sim-user", "password": "sim-password"}]}
    ],
    "lists": [
        {"id": 120000000001, "name": "Newsletter", "kind": "regular", "created": SINCE},
        {"id": 120000000002, "name": "Newsletter (opt-in)", "kind": "optin", "created": SINCE},
    ],
}
Entry = dict[str, Any]


def furnish(world: World) -> None:
    """Add the default client with its user and its two lists."""
    seed(world, START)


def seed(world: World, data: dict[str, Any]) -> dict[str, Any]:
    """Add `data`; returns how many of each. Raises ControlError at the first thing that does not
    fit, with what came before it already added. `client` names another client than the default.
    """
    unknown = set(data) - set(PARTS) - {"client", "clients"}
    if unknown:
        raise ControlError(f"unknown seed {sorted(unknown)}; known: {['clients', *PARTS]}")
    for entry in data.get("clients", []):
        _add_client(world, entry)
    client = world.client(int(data.get("client", DEFAULT_CLIENT)))
    counts = {"clients": len(data["clients"])} if "clients" in data else {}
    for name, add in PARTS.items():
        if name in data:
            for entry in data[name]:
                add(client, entry)
            counts[name] = len(data[name])
    return counts


def check_keys(entry: Any, known: str, what: str) -> None:
    """Refuse what is no object or has keys beyond the blank-separated `known` ones."""
    if not isinstance(entry, dict) or set(entry) - set(known.split()):
        raise ControlError(f"{what} has {known.split()}, not {entry!r}")


def seconds(value: Any, default: float) -> float:
    """Return a time given as seconds or ISO text; raises ControlError."""
    if value is None:
        return default
    if isinstance(value, int | float):
        return float(value)
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise ControlError(f"not a time: {value!r}") from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _add_client(world: World, entry: Entry) -> None:
    check_keys(entry, "id users", "a client")
    client = world.client(int(entry["id"]))
    for user in entry.get("users", []):
        check_keys(user, "name password operations", "a user")
        allowed = user.get("operations")
        operations = None if allowed is None else frozenset(map(str, allowed))
        client.users[user["name"]] = User(str(user["name"]), str(user["password"]), operations)


def make_attribute(entry: Any) -> Attribute:
    """Return an attribute from its name, or from name, type, required and length."""
    given = {"name": entry} if isinstance(entry, str) else entry
    check_keys(given, "name type required length", "an attribute")
    kind = str(given.get("type", "STRING")).upper()
    if not given.get("name") or kind not in TYPES:
        raise ControlError(f"an attribute needs a name and a type of {sorted(TYPES)}: {entry!r}")
    return Attribute(
        str(given["name"]), kind, bool(given.get("required")), int(given.get("length", 0))
    )


def _add_list(client: Client, entry: Entry) -> None:
    check_keys(entry, "id name kind attributes description id_field created", "a list")
    kind = str(entry.get("kind", "regular"))
    wanted = None if entry.get("id") is None else int(entry["id"])
    if kind not in KINDS or wanted in client.lists:
        raise ControlError(f"a list has a new id and a kind of {list(KINDS)}: {entry!r}")
    fields = [make_attribute(given) for given in entry.get("attributes", DEFAULT_ATTRIBUTES)]
    number, now = client.next_id(wanted), seconds(entry.get("created"), client.now())
    client.lists[number] = RecipientList(
        number,
        str(entry.get("name", f"List {number}")),
        kind,
        {field.name: field for field in fields},
        now,
        now,
        str(entry.get("description", "")),
        str(entry.get("id_field", "")),
    )


def the_list(client: Client, number: Any) -> RecipientList:
    """Return a list by its id; raises ControlError naming the known ones."""
    try:
        return client.lists[int(number)]
    except (KeyError, TypeError, ValueError) as error:
        raise ControlError(f"no list {number!r}; known: {sorted(client.lists)}") from error


def add_recipient(client: Client, entry: Entry) -> Recipient:
    """Add `{list, id, address?, attributes?, created?, optin_finished?}` as it stands."""
    check_keys(entry, "list id address attributes created optin_finished", "a recipient")
    in_list = the_list(client, entry.get("list"))
    number = str(entry.get("id", ""))
    values: dict[str, str | None] = dict(entry.get("attributes") or {})
    unknown = values.keys() - in_list.attributes.keys()
    if not number or number in in_list.recipients or unknown:
        raise ControlError(f"a new id and known attributes are needed, not {sorted(unknown)}")
    address = str(entry.get("address", number))
    if "email" in in_list.attributes:
        values.setdefault("email", address)
    if in_list.id_field:
        values.setdefault(in_list.id_field, number)
    created = seconds(entry.get("created"), client.now())
    finished = bool(entry.get("optin_finished", True))
    recipient = Recipient(number, address, values, created, created, optin_finished=finished)
    in_list.store(recipient)
    return recipient


def _add_recipient(client: Client, entry: Entry) -> None:
    add_recipient(client, entry)


def _add_unsubscribe(client: Client, entry: Entry) -> None:
    check_keys(entry, "id list mailing reason created", "an unsubscribe")
    unsubscribe(
        client,
        str(entry["id"]),
        int(entry.get("list", 0)),
        mailing_id=int(entry.get("mailing", 0)),
        reason=str(entry.get("reason", "")),
        created=seconds(entry.get("created"), client.now()),
    )


def _add_block(client: Client, entry: Any) -> None:
    given = {"entry": entry} if isinstance(entry, str) else entry
    check_keys(given, "entry reason created", "a blocklist entry")
    since = seconds(given.get("created"), client.now())
    block(client, str(given["entry"]), str(given.get("reason", "")), since)


def add_bounces(client: Client, entry: Entry) -> int:
    """Raise a counter: `{id, kind hard or soft, count?}`; returns the new count."""
    check_keys(entry, "id kind count", "a bounce")
    category = f"{entry.get('kind', 'hard')}bounce"
    if category not in CATEGORIES:
        raise ControlError(f"bounces are hard or soft, not {entry.get('kind')!r}")
    if not entry.get("id"):
        raise ControlError("name the recipient by id")
    counters = client.bounces.setdefault(str(entry["id"]), dict.fromkeys(CATEGORIES, 0))
    counters[category] += int(entry.get("count", 1))
    note_bounced_out(client, client.now(), [str(entry["id"])])
    return counters[category]


def _add_bounces(client: Client, entry: Entry) -> None:
    add_bounces(client, entry)


def add_mailing(client: Client, entry: Entry) -> Mailing:
    """Add `{id?, name?, type?, status?, lists?, subject?, started?, finished?}`."""
    check_keys(entry, "id name type status lists subject created started finished", "a mailing")
    kind, status = str(entry.get("type", "regular")), str(entry.get("status", "NEW"))
    if kind not in MAILING_TYPES or status not in STATUSES:
        raise ControlError(f"types are {list(MAILING_TYPES)}, statuses {list(STATUSES)}")
    number = client.next_id(None if entry.get("id") is None else int(entry["id"]))
    lists = [the_list(client, given).id for given in entry.get("lists", [])]
    now = client.now()
    mailing = Mailing(
        number,
        str(entry.get("name", f"Mailing {number}")),
        kind,
        status,
        lists,
        seconds(entry.get("created"), now),
        str(entry.get("subject", "")),
    )
    if status in {"SENDING", "PAUSED", "DONE"}:
        mailing.started = seconds(entry.get("started"), now)
    if status == "DONE":
        mailing.finished = seconds(entry.get("finished"), now)
    client.mailings[number] = mailing
    return mailing


def _add_mailing(client: Client, entry: Entry) -> None:
    add_mailing(client, entry)


def _add_dispatch(client: Client, entry: Entry) -> None:
    check_keys(entry, "mailing list name type campaign links finish time", "a dispatch")
    the_list(client, entry.get("list"))
    dispatch.send(client, entry, seconds(entry.get("time"), client.now()))


def _add_export_file(client: Client, entry: Entry) -> None:
    """Add a file as it stands, its `time` being both creation and modification."""
    check_keys(entry, "stream rows time", "an export file")
    if entry.get("stream") not in STREAMS:
        raise ControlError(f"streams are {list(STREAMS)}")
    rows = [ExportRow(tuple(row)) for row in entry.get("rows", [])]
    moment = int(seconds(entry.get("time"), client.now()) * 1000)
    client.responses.files.write(str(entry["stream"]), rows, moment)


def _add_process(client: Client, entry: Entry) -> None:
    check_keys(entry, "id name description type", "an opt-in process")
    kind = str(entry.get("type", "single"))
    if kind not in {"single", "confirmed", "double"}:
        raise ControlError(f"an opt-in process is single, confirmed or double: {entry!r}")
    number = client.next_id(None if entry.get("id") is None else int(entry["id"]))
    client.optin_processes[number] = OptinProcess(
        number, str(entry.get("name", kind)), str(entry.get("description", "")), kind
    )


PARTS: dict[str, Callable[[Client, Any], None]] = {
    "lists": _add_list,
    "recipients": _add_recipient,
    "unsubscribes": _add_unsubscribe,
    "blocklist": _add_block,
    "bounces": _add_bounces,
    "mailings": _add_mailing,
    "optin_processes": _add_process,
    "dispatches": _add_dispatch,
    "export_files": _add_export_file,
}
