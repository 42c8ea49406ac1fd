"""Which tags tell where a contact came from, and whether a row may speak for it. Pure.

A contact that carries tags of person accounts is handled as one, whatever else it carries (S4-26).
That this target made a contact can't be seen afterwards, so it is written into the contact itself
when it is made (field `pending`), and emptied once the tag is on: a run that was cut short in
between is completed by the next one, and no other contact is ever said to be made by us.
"""

from __future__ import annotations

from collections.abc import Mapping

from target_kit.errors import RowError

from target_activecampaign.model import Origin
from target_activecampaign.provenance_settings import Provenance, RecordType

#: Why a row is not written; in the report as causes of suppressed rows.
OTHER_SOURCE = "other_source_of_truth"
PERSON_ACCOUNT_THERE = "person_account_there"
NO_TAG = "no_provenance_tag"

Held = Mapping[str, str]  # ids of a contact's tags by their names in lower case


def kinds_of(held: Held, pending: str, rule: Provenance) -> frozenset[RecordType]:
    """The record types that a contact's tags tell of, one that is still due included."""
    return frozenset(
        kind for kind in RecordType if pending == kind or rule.tags[kind].folded & held.keys()
    )


def barred(origin: Origin, held: Held | None, pending: str, rule: Provenance) -> str:
    """Why this row must not be written, "" if it may be; `held` is None for a new contact.

    Raises RowError `not_convertible`: only contacts turn into person accounts (S4-29).
    """
    kind = RecordType(origin.record_type)
    if kind not in rule.decides:
        return OTHER_SOURCE
    if held is None:
        return ""
    there = kinds_of(held, pending, rule)
    if kind is not RecordType.PERSON_ACCOUNT and RecordType.PERSON_ACCOUNT in there:
        return PERSON_ACCOUNT_THERE
    is_lead_only = there == {RecordType.LEAD}
    if kind is RecordType.PERSON_ACCOUNT and is_lead_only and not origin.converted_from:
        raise RowError(
            "not_convertible",
            "the contact is a lead at ActiveCampaign, and only contacts turn into person accounts; "
            "convert the lead, so that converted_from says so",
        )
    if rule.require_provenance_tag and not there and not due(origin, held, pending, rule):
        return NO_TAG
    return ""


def due(origin: Origin, held: Held, pending: str, rule: Provenance) -> tuple[str, ...]:
    """Tags to add; `pending` is the record type from which this target made the contact, "" unless
    its tag is still due (S4-18 to S4-21).
    """
    tags = rule.tags[RecordType(origin.record_type)]
    wanted: list[str] = []
    if pending in tuple(RecordType):
        wanted.append(rule.tags[RecordType(pending)].created)
    if origin.added and pending != origin.record_type and tags.created.lower() not in held:
        wanted.append(tags.added)
    if origin.converted_from == RecordType.LEAD and tags.lead_converted:
        wanted.append(tags.lead_converted)
    return tuple(tag for tag in wanted if tag.lower() not in held)


def legacy(origin: Origin, held: Held, rule: Provenance) -> tuple[str, ...]:
    """Ids of the listed tags to clean up, in their order; none until a tag of person accounts is
    among `held`, which stays (S4-27, S4-28).
    """
    if origin.record_type != RecordType.PERSON_ACCOUNT:
        return ()
    if not rule.tags[RecordType.PERSON_ACCOUNT].folded & held.keys():
        return ()
    folded = dict.fromkeys(tag.lower() for tag in rule.legacy_tags)
    return tuple(held[tag] for tag in folded if tag in held)
