"""RpcOptinProcess: the ways in which a new recipient confirms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.optimizely.model import Client, OptinProcess
from api_simulators.optimizely.operations import (
    BusinessError,
    Kind,
    Operation,
    Service,
    version,
)

PROCESS: tuple[str, Kind] = ("optinProcessId", "long")
NAME: tuple[str, Kind] = ("name", "string")
DESCRIPTION: tuple[str, Kind] = ("description", "string")
MAILING: tuple[str, Kind] = ("mailingId", "long")
URL: tuple[str, Kind] = ("confirmationUrl", "string")


def find(client: Client, process_id: int | None) -> OptinProcess:
    """Return the process; raises BusinessError where there is none."""
    process = client.optin_processes.get(process_id or 0)
    if process is None:
        raise BusinessError("Opt-in process does not exist")
    return process


def _ids(client: Client, _session: Any) -> list[int]:
    return list(client.optin_processes)


def _get(kind: Kind, name: str, read: Callable[[OptinProcess], Any]) -> Operation:
    def run(client: Client, _session: Any, process_id: int | None) -> Any:
        return read(find(client, process_id))

    return Operation(name, (PROCESS,), kind, run)


def _double(process: OptinProcess) -> OptinProcess:
    if process.type != "double":
        raise BusinessError("Only double opt-in processes have a confirmation URL")
    return process


def _url(process: OptinProcess) -> str:
    return _double(process).confirmation_url


def _set_text(field: str) -> Callable[..., None]:
    def run(client: Client, _session: Any, process_id: int | None, value: str | None) -> None:
        process = find(client, process_id)
        if field == "confirmation_url":
            _double(process)
        setattr(process, field, value or "")

    return run


def _set_mailing(
    client: Client, _session: Any, process_id: int | None, mailing_id: int | None
) -> None:
    process = find(client, process_id)
    if process.type == "single":
        raise BusinessError("A single opt-in process has no confirmation mailing")
    process.confirmation_mailing_id = _mailing(client, mailing_id)


def _mailing(client: Client, mailing_id: int | None) -> int:
    if mailing_id not in client.mailings:
        raise BusinessError("Mailing does not exist")
    return mailing_id


def _create(client: Client, kind: str, name: str | None, text: str | None) -> OptinProcess:
    process = OptinProcess(client.next_id(), name or "", text or "", kind)
    client.optin_processes[process.id] = process
    return process


def _create_single(client: Client, _session: Any, name: str | None, text: str | None) -> int:
    return _create(client, "single", name, text).id


def _create_confirmed(
    client: Client, _session: Any, name: str | None, text: str | None, mailing_id: int | None
) -> int:
    confirmation = _mailing(client, mailing_id)
    process = _create(client, "confirmed", name, text)
    process.confirmation_mailing_id = confirmation
    return process.id


def _create_double(
    client: Client,
    _session: Any,
    name: str | None,
    text: str | None,
    mailing_id: int | None,
    url: str | None,
) -> int:
    confirmation = _mailing(client, mailing_id)
    process = _create(client, "double", name, text)
    process.confirmation_mailing_id, process.confirmation_url = confirmation, url or ""
    return process.id


SERVICE = Service(
    "RpcOptinProcess",
    (
        Operation("getIds", (), "longs", _ids),
        _get("string", "getName", lambda process: process.name),
        _get("string", "getDescription", lambda process: process.description),
        _get("string", "getType", lambda process: process.type),
        _get("string", "getConfirmationUrl", _url),
        _get("long", "getConfirmationMailingId", lambda process: process.confirmation_mailing_id),
        Operation("createSingleOptinProcess", (NAME, DESCRIPTION), "long", _create_single),
        Operation(
            "createConfirmedOptinProcess", (NAME, DESCRIPTION, MAILING), "long", _create_confirmed
        ),
        Operation(
            "createDoubleOptinProcess", (NAME, DESCRIPTION, MAILING, URL), "long", _create_double
        ),
        Operation("setName", (PROCESS, NAME), None, _set_text("name")),
        Operation("setDescription", (PROCESS, DESCRIPTION), None, _set_text("description")),
        Operation("setConfirmationUrl", (PROCESS, URL), None, _set_text("confirmation_url")),
        Operation("setConfirmationMailingId", (PROCESS, MAILING), None, _set_mailing),
        version(),
    ),
)
