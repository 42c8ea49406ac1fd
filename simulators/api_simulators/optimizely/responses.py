"""RpcResponse: how many mails came back, and the counters that decide on suspension."""

from __future__ import annotations

from typing import Any

from api_simulators.optimizely.export_jobs import DAY, note_bounced_out
from api_simulators.optimizely.model import CATEGORIES, Client
from api_simulators.optimizely.operations import (
    BusinessError,
    Kind,
    Operation,
    Service,
    version,
)
from api_simulators.optimizely.response_data import RESPONSE_CATEGORIES, Response

CATEGORY: tuple[str, Kind] = ("category", "string")
RECIPIENT: tuple[str, Kind] = ("recipientId", "string")
MAILING: tuple[str, Kind] = ("mailingId", "long")


def remembered(client: Client, category: str | None, mailing_id: int | None) -> list[Response]:
    """Return the responses of a category that still count; mailing 0 or nil is every mailing."""
    known = {*RESPONSE_CATEGORIES, *(row.category for row in client.responses.responses)}
    if category not in known:
        raise BusinessError("Unknown response category")
    oldest = None
    if client.switches["response_counts_purged"]:
        oldest = client.now() - DAY * float(client.switches["response_lifetime_days"])
    return [
        row
        for row in client.responses.responses
        if row.category == category
        and (not mailing_id or row.mailing_id == mailing_id)
        and (oldest is None or client.responses.mails[row.mail_id].sent >= oldest)
    ]


def counter(client: Client, recipient_id: str, category: str | None) -> int:
    """Return the bounce counter of a recipient, which a reset sets to 0."""
    return client.bounces.get(recipient_id, {}).get(_bounce_category(category), 0)


def reset(client: Client, recipient_id: str) -> None:
    """Set both bounce counters of a recipient to 0."""
    client.bounces.pop(recipient_id, None)
    note_bounced_out(client, client.now(), [recipient_id])


def _bounce_category(category: str | None) -> str:
    if category not in CATEGORIES:
        raise BusinessError("Unknown bounce category")
    return category


def _mailing_count(
    client: Client, _session: Any, category: str | None, mailing_id: int | None
) -> int:
    return len(remembered(client, category, mailing_id))


def _recipient_count(
    client: Client,
    _session: Any,
    category: str | None,
    recipient_id: str | None,
    mailing_id: int | None,
) -> int:
    rows = remembered(client, category, mailing_id)
    return sum(row.recipient_id == recipient_id for row in rows)


def _all_counts(
    client: Client,
    _session: Any,
    category: str | None,
    ids: list[str | None] | None,
    mailing_id: int | None,
) -> list[int]:
    rows = remembered(client, category, mailing_id)
    return [sum(row.recipient_id == each for row in rows) for each in ids or []]


def _counter(client: Client, _session: Any, recipient_id: str | None, category: str | None) -> int:
    return counter(client, recipient_id or "", category)


def _threshold(client: Client, _session: Any, category: str | None) -> int:
    return client.bounce_limit(_bounce_category(category))


def _exceeded(client: Client, _session: Any, recipient_id: str | None) -> bool:
    return client.is_bounced_out(recipient_id or "")


def _reset(client: Client, _session: Any, recipient_id: str | None) -> None:
    reset(client, recipient_id or "")


SERVICE = Service(
    "RpcResponse",
    (
        Operation(
            "getAllRecipientResponseCounts2",
            (CATEGORY, ("recipientIds", "strings"), MAILING),
            "ints",
            _all_counts,
        ),
        Operation("getBounceCounter", (RECIPIENT, CATEGORY), "int", _counter),
        Operation("getBounceCounterThreshold", (CATEGORY,), "int", _threshold),
        Operation("getMailingResponseCount", (CATEGORY, MAILING), "int", _mailing_count),
        Operation(
            "getRecipientResponseCount2", (CATEGORY, RECIPIENT, MAILING), "int", _recipient_count
        ),
        # The vendor's own spelling.
        Operation("isBounceCounterThresholdExeeded", (RECIPIENT,), "boolean", _exceeded),
        Operation("resetBounceCounter", (RECIPIENT,), None, _reset),
        version(),
    ),
)
