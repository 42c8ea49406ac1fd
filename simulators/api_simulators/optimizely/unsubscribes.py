"""RpcUnsubscribe: the stores of people who want no more mail. It has no listing; REST does."""

from __future__ import annotations

from api_simulators.optimizely.lookups import given, texts, the_list, within_limit
from api_simulators.optimizely.model import Client, Session
from api_simulators.optimizely.operations import BusinessError, Kind, Operation, Service, version
from api_simulators.optimizely.unsubscribe_store import Unsubscribe

Texts = list[str | None] | None
Parameters = tuple[tuple[str, Kind], ...]


def unsubscribe(
    client: Client,
    recipient_id: str,
    list_id: int = 0,
    *,
    mailing_id: int = 0,
    reason: str = "",
    media_type: str = "EMAIL",
    created: float | None = None,
) -> None:
    """Keep an unsubscribe, for the client or the list as the vendor has set the client up."""
    scope = client.unsubscribe_scope(list_id)
    since = client.now() if created is None else created
    client.unsubscribes.add(
        Unsubscribe(recipient_id, scope, list_id, mailing_id, since, reason, media_type)
    )


def _add(client: Client, session: Session, list_id: int | None, recipient_id: str | None) -> None:
    if list_id:
        the_list(client, list_id)
    recipient = given(recipient_id, "recipientId")
    unsubscribe(client, recipient, list_id or 0, media_type=session.media_type)


def _add_all(client: Client, session: Session, list_id: int | None, ids: Texts) -> None:
    wanted = texts(ids, "recipientIds")
    within_limit(client, len(wanted))
    for recipient_id in wanted:
        _add(client, session, list_id, recipient_id)


def _add_by_mail_id(client: Client, session: Session, mail_id: str | None) -> None:
    """Unsubscribe whoever got a mail, from the list it was sent to."""
    mail = client.find_mail(given(mail_id, "mailId"))
    if mail is None:
        raise BusinessError("Mail id does not exist")
    mailing_id, list_id, recipient_id = mail
    unsubscribe(client, recipient_id, list_id, mailing_id=mailing_id, media_type=session.media_type)


def _knows(client: Client, scope: int, recipient_id: str) -> bool:
    fold = client.switches["contains_all_case"] == "folded"
    return client.unsubscribes.contains(scope, recipient_id, fold=fold)


def _contains(client: Client, _session: Session, recipient_id: str | None) -> bool:
    return _knows(client, 0, given(recipient_id, "recipientId"))


def _contains_all(client: Client, _session: Session, ids: Texts) -> list[bool]:
    wanted = texts(ids, "recipientIds")
    within_limit(client, len(wanted))
    return [_knows(client, 0, recipient_id) for recipient_id in wanted]


def _contains_in(client: Client, _session: Session, list_id: int, recipient_id: str | None) -> bool:
    the_list(client, list_id)
    scope = client.unsubscribe_scope(list_id)
    wanted = given(recipient_id, "recipientId")
    return _knows(client, scope, wanted) or _knows(client, 0, wanted)


def _contains_all_in(client: Client, session: Session, list_id: int, ids: Texts) -> list[bool]:
    wanted = texts(ids, "recipientIds")
    within_limit(client, len(wanted))
    return [_contains_in(client, session, list_id, recipient_id) for recipient_id in wanted]


def _get_count(client: Client, _session: Session) -> int:
    return len(client.unsubscribes.rows)


def _remove(client: Client, _session: Session, recipient_id: str | None) -> None:
    if not client.unsubscribes.remove(0, given(recipient_id, "recipientId")):
        raise BusinessError("No unsubscribe found")


def _remove_all(client: Client, _session: Session, ids: Texts) -> None:
    for recipient_id in texts(ids, "recipientIds"):
        client.unsubscribes.remove(0, recipient_id)


def _remove_in(client: Client, _session: Session, list_id: int, recipient_id: str | None) -> None:
    scope = client.unsubscribe_scope(the_list(client, list_id).id)
    if not client.unsubscribes.remove(scope, given(recipient_id, "recipientId")):
        raise BusinessError("No unsubscribe found")


def _remove_all_in(client: Client, _session: Session, list_id: int, ids: Texts) -> None:
    scope = client.unsubscribe_scope(the_list(client, list_id).id)
    for recipient_id in texts(ids, "recipientIds"):
        client.unsubscribes.remove(scope, recipient_id)


ONE: Parameters = (("recipientId", "string"),)
MANY: Parameters = (("recipientIds", "strings"),)
LIST: Parameters = (("recipientListId", "long"),)

SERVICE = Service(
    "RpcUnsubscribe",
    (
        Operation("add", (*LIST, *ONE), None, _add),
        Operation("addAll", (*LIST, *MANY), None, _add_all),
        Operation("addByMailId", (("mailId", "string"),), None, _add_by_mail_id),
        Operation("contains", ONE, "boolean", _contains),
        Operation("containsAll", MANY, "booleans", _contains_all),
        Operation("containsByRecipientList", (*LIST, *ONE), "boolean", _contains_in),
        Operation("containsAllByRecipientList", (*LIST, *MANY), "booleans", _contains_all_in),
        Operation("getCount", (), "int", _get_count),
        version(),
        Operation("remove", ONE, None, _remove),
        Operation("removeAll", MANY, None, _remove_all),
        Operation("removeByRecipientList", (*LIST, *ONE), None, _remove_in),
        Operation("removeAllByRecipientList", (*LIST, *MANY), None, _remove_all_in),
    ),
)
