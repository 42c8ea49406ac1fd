"""RpcMailing, as far as it tells which mailings there are and whether one is being sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from api_simulators.optimizely import dispatch
from api_simulators.optimizely.lookups import find, the_list
from api_simulators.optimizely.model import Client, Mailing, Session
from api_simulators.optimizely.operations import BusinessError, Kind, Operation, Service, version
from api_simulators.optimizely.values import Converter

TYPES = ("regular", "event", "confirmation", "template", "campaign", "split")
STATUSES = ("NEW", "SENDING", "PAUSED", "DONE", "CANCELED", "ACTIVATION_REQUIRED")
COLUMNS = ["ID", "Name", "Subject", "Status", "Created"]
MAILING: tuple[tuple[str, Kind], ...] = (("mailingId", "long"),)
TYPE: tuple[tuple[str, Kind], ...] = (("mailingType", "string"),)


def _mailing(client: Client, mailing_id: int | None) -> Mailing:
    found = client.mailings.get(mailing_id or 0)
    if found is None:
        raise BusinessError("Mailing does not exist")
    return found


def _of_type(client: Client, mailing_type: str | None) -> list[Mailing]:
    if mailing_type not in TYPES:
        raise BusinessError("Unknown mailing type")
    return [row for row in client.mailings.values() if row.type == mailing_type]


def _get_ids(client: Client, _session: Session, mailing_type: str | None) -> list[int]:
    return [row.id for row in _of_type(client, mailing_type)]


def _get_ids_in_status(
    client: Client, _session: Session, mailing_type: str | None, status: str | None
) -> list[int]:
    if status not in STATUSES:
        raise BusinessError("Unknown status")
    return [row.id for row in _of_type(client, mailing_type) if row.status == status]


def _get(name: str) -> Callable[[Client, Session, int], Any]:
    return lambda client, _session, mailing_id: getattr(_mailing(client, mailing_id), name)


def _finished(client: Client, _session: Session, mailing_id: int) -> float:
    """Return when sending ended; raises BusinessError while it has not (docs)."""
    row = _mailing(client, mailing_id)
    if row.finished is None:
        raise BusinessError("Sending is not finished")
    return row.finished


def _list_ids(client: Client, _session: Session, mailing_id: int) -> list[int]:
    return list(_mailing(client, mailing_id).lists)


def _overall(client: Client, _session: Session, mailing_id: int) -> int:
    row = _mailing(client, mailing_id)
    known = (client.lists[number] for number in row.lists if number in client.lists)
    return sum(len(in_list.recipients) for in_list in known)


def _sent(client: Client, _session: Session, mailing_id: int) -> int:
    return len(_mailing(client, mailing_id).sent)


def _rows(client: Client, mailing_type: str | None) -> list[list[str | None]]:
    shown = Converter(client.switches).shown
    return [
        [str(row.id), row.name, row.subject, row.status, shown(row.created)]
        for row in _of_type(client, mailing_type)
    ]


def _data_set(
    client: Client, _session: Session, mailing_type: str | None
) -> list[list[str | None]]:
    return [list(COLUMNS), *_rows(client, mailing_type)]


def _data_set_flat(client: Client, _session: Session, mailing_type: str | None) -> list[str | None]:
    return [value for row in _rows(client, mailing_type) for value in row]


def _send_code(client: Client, row: Mailing, list_id: int, recipient_id: str | None) -> int:
    """Send to one recipient; returns the vendor's code, 0 for sent."""
    if list_id not in client.lists:
        return 4
    in_list = the_list(client, list_id)
    recipient = find(client, in_list, recipient_id)
    if recipient is None:
        return 3
    if client.blocklist.matches(recipient.address):
        return 1
    if client.is_unsubscribed(recipient.id, list_id):
        return 2
    if client.is_bounced_out(recipient.id):
        return 6
    now = client.now()
    dispatch.deliver(client, row, (list_id, recipient.id), now, now)
    return 0


def _send_mail(
    client: Client, _session: Session, mailing_id: int, list_id: int, recipient_id: str | None
) -> int:
    return _send_code(client, _mailing(client, mailing_id), list_id, recipient_id)


def _send_mails(
    client: Client,
    _session: Session,
    mailing_id: int,
    list_id: int,
    ids: list[str | None] | None,
) -> list[int]:
    row = _mailing(client, mailing_id)
    return [_send_code(client, row, list_id, recipient_id) for recipient_id in ids or []]


def _start(client: Client, _session: Session, mailing_id: int, when: float | None) -> None:
    row = _mailing(client, mailing_id)
    if row.status != "NEW":
        raise BusinessError("Mailing has been started already")
    row.scheduled = when
    row.started = client.now() if when is None else max(when, client.now())
    row.status = "SENDING"


SEND: tuple[tuple[str, Kind], ...] = (*MAILING, ("recipientListId", "long"))

SERVICE = Service(
    "RpcMailing",
    (
        Operation("getColumnNames", TYPE, "strings", lambda *_: list(COLUMNS)),
        Operation("getCreatedDate", MAILING, "dateTime", _get("created")),
        Operation("getDataSet", TYPE, "rows", _data_set),
        Operation("getDataSetFlat", TYPE, "strings", _data_set_flat),
        Operation("getIds", TYPE, "longs", _get_ids),
        Operation("getIdsInStatus", (*TYPE, ("status", "string")), "longs", _get_ids_in_status),
        Operation("getName", MAILING, "string", _get("name")),
        Operation("getOverallRecipientCount", MAILING, "int", _overall),
        Operation("getRecipientListIds", MAILING, "longs", _list_ids),
        Operation("getScheduleDate", MAILING, "dateTime", _get("scheduled")),
        Operation("getSendingFinishedDate", MAILING, "dateTime", _finished),
        Operation("getSendingStartedDate", MAILING, "dateTime", _get("started")),
        Operation("getSentRecipientCount", MAILING, "int", _sent),
        Operation("getStatus", MAILING, "string", _get("status")),
        Operation("getSubject", MAILING, "string", _get("subject")),
        version(),
        Operation("sendMail", (*SEND, ("recipientId", "string")), "int", _send_mail),
        Operation("sendMails", (*SEND, ("recipientIds", "strings")), "ints", _send_mails),
        Operation("start", (*MAILING, ("date", "dateTime")), None, _start),
    ),
)
