"""Source record → consent, list wishes and tags of one contact. Pure, part of the mapping.

Blank consent is no consent. A word that can't be read is a fault of the row: it neither subscribes
nor unsubscribes anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from target_kit.address import address_key
from target_kit.consent import Consent, Status
from target_kit.errors import RowError

from target_activecampaign.encoding import as_text
from target_activecampaign.list_settings import ConsentColumns, ListRule, TagRule

_YES = frozenset({"true", "1", "yes"})
_NO = frozenset({"false", "0", "no"})
#: A date or time without zone may lie this much earlier than it reads (UTC+14).
_EASTERNMOST = timedelta(hours=14)


def consents_of(
    record: Mapping[str, Any], sources: Mapping[str, ConsentColumns]
) -> dict[str, Consent]:
    """What the record says of each purpose; raises RowError `consent_unreadable`."""
    return {purpose: _consent(record, source) for purpose, source in sources.items()}


def wants_of(record: Mapping[str, Any], lists: Mapping[str, ListRule]) -> dict[str, bool]:
    """On which lists the record wants the person, off which; blank columns say nothing.

    Raises RowError `list_wish_unreadable`.
    """
    wants: dict[str, bool] = {}
    for name, rule in lists.items():
        wanted = True if rule.when is None else flag_of(record.get(rule.when), rule.when)
        if wanted is not None:
            wants[name] = wanted
    return wants


def tags_of(record: Mapping[str, Any], rule: TagRule | None) -> tuple[str, ...] | None:
    """Tags in the rule's column: a list, or a text divided by commas or semicolons. None where the
    column is null: then the person's tags are left as they are.
    """
    value = record.get(rule.column) if rule and rule.column else None
    if value is None or rule is None or rule.column is None:
        return None
    items = value if isinstance(value, list) else re.split("[;,]", as_text(value, rule.column))
    texts = (as_text(item, rule.column) for item in items)
    return tuple(dict.fromkeys(text for text in texts if text))


def _consent(record: Mapping[str, Any], source: ConsentColumns) -> Consent:
    given = _moment(record.get(source.granted_at), source.granted_at)
    proven = bool(as_text(record.get(source.evidence), source.evidence))
    address = as_text(record.get(source.address), source.address) if source.address else None
    return Consent(
        status=_status(record.get(source.column), source.column),
        evidence_at=given if proven else None,
        evidence_for=None if address is None else address_key(address),
    )


def _status(value: Any, column: str) -> Status:
    word = as_text(value, column).lower()
    if not word or word in _NO:
        return Status.NONE
    if word in _YES:
        return Status.CONFIRMED
    try:
        return Status(word)
    except ValueError:
        raise RowError(
            "consent_unreadable",
            f"{column} holds none of true, false, {', '.join(Status)}",
            field=column,
        ) from None


def _moment(value: Any, column: str) -> datetime | None:
    """The earliest moment that the text can mean."""
    text = as_text(value, column)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return moment.replace(tzinfo=UTC) - _EASTERNMOST
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise RowError(
            "consent_unreadable", f"{column} is not a date or time (ISO 8601)", field=column
        ) from None


def flag_of(value: Any, column: str, cause: str = "list_wish_unreadable") -> bool | None:
    """Yes, no or None for blank; raises RowError with `cause` for any other word."""
    word = as_text(value, column).lower()
    if not word:
        return None
    if word in _YES | _NO:
        return word in _YES
    raise RowError(cause, f"{column} is neither true nor false", field=column)
