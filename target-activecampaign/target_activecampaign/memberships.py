"""Wanted against existing memberships and tags, as data: every method passes the consent firewall.

Pure: no call is made here. The lists named by the stream are managed, all others foreign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from target_kit.address import address_key
from target_kit.consent import (
    Claim,
    Consent,
    Listing,
    Method,
    State,
    Status,
    claim,
    decide,
    status_of,
)

from target_activecampaign.list_settings import TagRule
from target_activecampaign.model import (
    Contact,
    Existing,
    FieldProblem,
    ListChange,
    Membership,
    TagChange,
)

#: The vendor's codes; any other, such as 91 (removed by a v1 call), counts as unsubscribed.
_STATES = {"0": State.UNCONFIRMED, "1": State.ACTIVE, "2": State.UNSUBSCRIBED, "3": State.BOUNCED}
#: A day without zone is over everywhere this long after its first moment in UTC.
_DAY_OVER = timedelta(hours=36)

Said = Mapping[str, Status]  # by purpose: what other rows of the run say of the same address


def state_of(existing: Existing | None, list_id: str) -> tuple[State, datetime | None]:
    """What the destination holds, and when it ended it; None where that is not known.

    A hard bounce counts against every list on which the contact is not active.
    """
    row = (existing.lists or {}).get(list_id) if existing else None
    state = _STATES.get(row.status, State.UNSUBSCRIBED) if row else State.NONE
    bounced = existing is not None and existing.bounces > 0 and state is not State.ACTIVE
    if existing and (bounced or state is State.BOUNCED):
        known = [_end_of(existing.bounced_on)]
        if state is State.UNSUBSCRIBED and row:
            known.append(row.ended_at)
        ends = [moment for moment in known if moment is not None]
        return State.BOUNCED, max(ends) if len(ends) == len(known) else None
    return state, row.ended_at if row and state is State.UNSUBSCRIBED else None


def mailed_address(contact: Contact, existing: Existing | None, *, renamed: bool) -> str:
    """Comparison key of the address that a membership will mail."""
    if existing is None or renamed:
        return contact.email.key if contact.email else ""
    return existing_key(existing)


def plan_lists(
    contact: Contact,
    existing: Existing | None,
    list_ids: Mapping[str, tuple[str, str]],
    said: Said,
    now: datetime,
    *,
    mailed: str | None,
) -> tuple[tuple[ListChange, ...], str]:
    """The memberships to change, unsubscriptions first, and why a wanted one is not made.

    `list_ids` are id and purpose of each managed list by its name in the settings; `mailed` is the
    address after this run's change, None to judge consent whatever the address is.
    """
    managed = {list_id: (name, purpose) for name, (list_id, purpose) in list_ids.items()}
    there = existing.lists or {} if existing else {}
    changes: list[ListChange] = []
    kept = ""
    for list_id in [*managed, *(i for i in there if i not in managed)]:
        listing = Listing.MANAGED if list_id in managed else Listing.FOREIGN
        name, purpose = managed.get(list_id, ("", ""))
        state, ended_at = state_of(existing, list_id)
        claimed = claim(
            status_of(purpose, contact.consents, (said[purpose],) if purpose in said else ()),
            _evidence(contact, existing, purpose),
            mailed=mailed,
            ended_at=ended_at,
            now=now,
        )
        wanted = contact.wants.get(name)
        if method := decide(listing, state, claimed, wanted=wanted):
            changes.append(ListChange(list_id, method))
        elif wanted:
            kept = kept or _why_not(state, claimed)
    changes.sort(key=lambda change: change.method is not Method.UNSUBSCRIBE)
    return tuple(changes), kept


def withdrawals(changes: tuple[ListChange, ...]) -> tuple[ListChange, ...]:
    """Those that make somebody inactive."""
    return tuple(change for change in changes if change.method is Method.UNSUBSCRIBE)


def subscriptions(changes: tuple[ListChange, ...]) -> tuple[ListChange, ...]:
    """Those that make somebody active."""
    return tuple(change for change in changes if change.method is not Method.UNSUBSCRIBE)


def plan_tags(
    contact: Contact, existing: Existing | None, rule: TagRule, names: Mapping[str, str]
) -> tuple[TagChange, tuple[FieldProblem, ...]]:
    """Tags to add and to remove; what is neither named nor owned is never touched (S4-22).

    `names` are the account's tags by id. Names compare without case, as the vendor does. Tags of
    the column outside of `owned_prefixes` are problems: nobody said that they are ours.
    """
    held = {names[i].lower(): i for i in (existing.tags or {}) if i in names} if existing else {}
    listed = contact.tags or ()
    problems = tuple(
        FieldProblem("tags", "tag_not_owned", "a tag of the column begins with no owned prefix")
        for tag in listed
        if not rule.owns(tag)
    )
    removed = {tag.lower() for tag in rule.remove}
    wanted = {
        tag.lower(): tag
        for tag in (*rule.add, *(t for t in listed if rule.owns(t)))
        if tag.lower() not in removed
    }
    gone = {tag for tag in held if tag in removed}
    if contact.tags is not None:
        gone |= {tag for tag in held if rule.owns(tag) and tag not in wanted}
    add = tuple(tag for folded, tag in wanted.items() if folded not in held)
    return TagChange(add, tuple(held[tag] for tag in sorted(gone))), problems[:1]


def existing_key(existing: Existing) -> str:
    """Comparison key of a contact's address."""
    return address_key(existing.email)


def _evidence(contact: Contact, existing: Existing | None, purpose: str) -> Consent | None:
    """The evidence with its address. Where the source does not say which, it is the row's, but
    only while the destination has the same: it can't be told apart from evidence for the old one
    (S2-11).
    """
    consent = contact.consents.get(purpose)
    if consent is None or consent.evidence_for is not None or contact.email is None:
        return consent
    if existing and existing_key(existing) != contact.email.key:
        return consent
    return replace(consent, evidence_for=contact.email.key)


def _why_not(state: State, claimed: Claim) -> str:
    if claimed in (Claim.WITHDRAWN, Claim.ABSENT):
        return "no_consent"
    return {State.UNSUBSCRIBED: "unsubscribed_there", State.BOUNCED: "bounced_there"}.get(state, "")


def _end_of(day: str) -> datetime | None:
    try:
        return datetime.fromisoformat(day[:10]).replace(tzinfo=UTC) + _DAY_OVER
    except ValueError:
        return None


def membership_of(status: str, ended: str) -> Membership:
    """A row as the vendor shows it: times come in whole seconds, and "0000-00-00" for none."""
    try:
        moment = datetime.fromisoformat(ended)
    except ValueError:
        return Membership(status)
    if moment.tzinfo is None:
        return Membership(status)
    return Membership(status, moment.astimezone(UTC) + timedelta(seconds=1))
