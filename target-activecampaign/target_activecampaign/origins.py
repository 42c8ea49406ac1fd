"""Source record → what it is there and was before. Pure, part of the mapping."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from target_kit.errors import RowError

from target_activecampaign.encoding import as_text
from target_activecampaign.model import Origin
from target_activecampaign.provenance_settings import Provenance, RecordType
from target_activecampaign.wishes import flag_of

#: What each record type may have been before (S4-19, S4-29).
_CONVERTIBLE = {
    RecordType.CONTACT: (RecordType.LEAD,),
    RecordType.LEAD: (),
    RecordType.PERSON_ACCOUNT: (RecordType.CONTACT, RecordType.LEAD),
}


def origin_of(record: Mapping[str, Any], rule: Provenance | None) -> Origin | None:
    """What the record says of itself, None where no rule asks for it.

    Raises RowError `record_type_unreadable`, and `not_convertible` for what can't have become
    this: only contacts and converted leads become person accounts (S4-29).
    """
    if rule is None:
        return None
    kind = rule.constant or _kind(record, rule.column or "", rule)
    added = rule.added_when and _added(record, rule.added_when)
    return Origin(kind.value, _before(record, kind, rule), bool(added))


def is_person_account(origin: Origin | None) -> bool:
    """True for what is contact and account in one: it has no account beside it (S4-3)."""
    return origin is not None and origin.record_type == RecordType.PERSON_ACCOUNT


def _kind(record: Mapping[str, Any], column: str, rule: Provenance) -> RecordType:
    found = rule.words.get(as_text(record.get(column), column).lower())
    if found is None:
        raise RowError(
            "record_type_unreadable",
            f"{column} names no record type; see provenance.values",
            field=column,
        )
    return found


def _before(record: Mapping[str, Any], kind: RecordType, rule: Provenance) -> str:
    column = rule.converted_from
    word = as_text(record.get(column), column).lower() if column else ""
    before = rule.words.get(word)
    if not word or before is kind:
        return ""
    if before is None or before not in _CONVERTIBLE[kind]:
        raise RowError(
            "not_convertible",
            f"{column} names what can't be turned into a {kind}: contacts can be turned into "
            "person accounts, leads be converted to either",
            field=column,
        )
    return before.value


def _added(record: Mapping[str, Any], column: str) -> bool:
    return bool(flag_of(record.get(column), column, "record_type_unreadable"))
