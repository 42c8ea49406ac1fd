"""RpcMailId: which mailing, list and recipient a message belonged to."""

from __future__ import annotations

from typing import Any

from api_simulators.optimizely.model import Client
from api_simulators.optimizely.operations import (
    BusinessError,
    Kind,
    Operation,
    Service,
    version,
)
from api_simulators.optimizely.response_data import Mail

PARAMETERS: tuple[tuple[str, Kind], ...] = (("mailId", "string"),)


def find(client: Client, mail_id: str | None) -> Mail:
    """Return the message; raises BusinessError where no message has the id."""
    mail = client.responses.mails.get(mail_id or "")
    if mail is None:
        raise BusinessError("Invalid mail id")
    return mail


def _mailing(client: Client, _session: Any, mail_id: str | None) -> int:
    return find(client, mail_id).mailing_id


def _mandator(client: Client, _session: Any, mail_id: str | None) -> int:
    find(client, mail_id)
    return client.id


def _list(client: Client, _session: Any, mail_id: str | None) -> int:
    return find(client, mail_id).list_id


def _recipient(client: Client, _session: Any, mail_id: str | None) -> str:
    return find(client, mail_id).recipient_id


SERVICE = Service(
    "RpcMailId",
    (
        Operation("getMailingId", PARAMETERS, "long", _mailing),
        Operation("getMandatorId", PARAMETERS, "long", _mandator),
        Operation("getRecipientListId", PARAMETERS, "long", _list),
        Operation("getRecipientId", PARAMETERS, "string", _recipient),
        version(),
    ),
)
