"""Wanted against existing memberships and tags, as data: every method passes the consent firewall.

Pure: no call is made here. The lists named by the stream are managed, all others foreign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

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


class ManagedList(NamedTuple):
    """A list that the settings name: its id, whose consent it needs, and whether a contact whose
    address changes stays active there without proof for the new one.
    """

    id: str
    purpose: str
    keeps: bool = False


class Ended(NamedTuple):
    """A membership that this target ended when it gave a contact up, and the moment that the
    destination tells of that end (ISO 8601).
    """

    contact_id: str
    list_id: str
    ended_at: str


@dataclass(frozen=True, slots=True)
class Past:
    """What is remembered of a person's addresses: `since` when they have the present one (None:
    since it was first seen), `formers` the contacts they had, given up for other addresses, and
    `carried` the memberships that ended for no other reason.
    """

    since: datetime | None = None
    formers: tuple[Existing, ...] = ()
    carried: frozenset[Ended] = frozenset()


NO_PAST = Past()


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
    lists: Mapping[str, ManagedList],
    said: Said,
    now: datetime,
    *,
    mailed: str | None,
    past: Past = NO_PAST,
) -> tuple[tuple[ListChange, ...], str]:
    """The memberships to change, unsubscriptions first, and why a wanted one is not made.

    `lists` are the managed lists by their name in the settings; `mailed` is the address after this
    run's change, None to judge consent whatever the address is.
    """
    managed = {one.id: (name, one) for name, one in lists.items()}
    there = existing.lists or {} if existing else {}
    changes: list[ListChange] = []
    kept = ""
    for list_id in [*managed, *(i for i in there if i not in managed)]:
        listing = Listing.MANAGED if list_id in managed else Listing.FOREIGN
        name, rule = managed.get(list_id, ("", ManagedList(list_id, "")))
        state, ended_at = _state(existing, list_id, past)
        status = status_of(
            rule.purpose, contact.consents, (said[rule.purpose],) if rule.purpose in said else ()
        )
        consent = contact.consents.get(rule.purpose)
        stays = rule.keeps and state is State.ACTIVE
        moves = state is State.ACTIVE and not stays and _changes_address(existing, mailed)
        left = _left_before(existing, list_id) if existing and moves else None
        claimed = claim(
            status,
            consent and _addressed(consent, contact, existing, past),
            mailed=None if stays else mailed,
            ended_at=left or ended_at,
            now=now,
        )
        if left and claimed is Claim.GRANTED:  # it may be the very address they left (S2-27)
            claimed = Claim.ABSENT
        unproven = claimed is Claim.ABSENT and (
            claim(status, consent, mailed=None, ended_at=None, now=now) is not Claim.ABSENT
        )
        wanted = contact.wants.get(name)
        if unproven and wanted and consent and consent.evidence_for is None:
            claimed = Claim.MOVED if _changes_address(existing, mailed) else claimed
        if method := decide(listing, state, claimed, wanted=wanted):
            changes.append(ListChange(list_id, method))
        if wanted and (method is None or (unproven and method is Method.UNSUBSCRIBE)):
            before = state is not state_of(existing, list_id)[0]
            why = "unsubscribed_before" if before else _why_not(state, claimed)
            kept = kept or ("no_evidence_for_address" if unproven else why)
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


def _addressed(
    consent: Consent, contact: Contact, existing: Existing | None, past: Past
) -> Consent:
    """The evidence with its address. Where the source does not say which, it is the row's, but
    only if it is no older than that address and the destination has the same: it can't be told
    apart from evidence for the one before (S2-11).
    """
    if consent.evidence_for is not None or contact.email is None:
        return consent
    if existing and existing_key(existing) != contact.email.key:
        return consent
    given = consent.evidence_at
    if given and past.since and given < past.since:
        return consent
    if past.formers and not past.since:  # when, nobody knows: after it was given, as it seems
        return consent
    return replace(consent, evidence_for=contact.email.key)


def _changes_address(existing: Existing | None, mailed: str | None) -> bool:
    """Whether this run gives a contact another address."""
    return bool(existing and mailed is not None and existing_key(existing) != mailed)


def _state(existing: Existing | None, list_id: str, past: Past) -> tuple[State, datetime | None]:
    """As `state_of`; who had left a list under a former address has left it under the new one
    (S2-19), but its bounces were its own (S2-9).
    """
    state, ended_at = state_of(existing, list_id)
    if state is not State.NONE:
        return state, ended_at
    left = [_left_at(former, list_id, past.carried) for former in past.formers]
    known = [moment for was, moment in left if was and moment]
    if len(known) < sum(was for was, _ in left):
        return State.UNSUBSCRIBED, None
    return (State.UNSUBSCRIBED, max(known)) if known else (state, ended_at)


def _left_before(existing: Existing, list_id: str) -> datetime | None:
    """When somebody active had last left or bounced before; under which address, nobody says."""
    row = (existing.lists or {}).get(list_id)
    bounced = _end_of(existing.bounced_on) if existing.bounces else None
    ends = [moment for moment in (row.ended_at if row else None, bounced) if moment is not None]
    return max(ends, default=None)


def ended(existing: Existing, list_id: str) -> Ended:
    """How the destination tells of the end of a membership."""
    row = (existing.lists or {}).get(list_id)
    moment = row.ended_at.isoformat() if row and row.ended_at else ""
    return Ended(existing.id, list_id, moment)


def _left_at(
    former: Existing, list_id: str, carried: frozenset[Ended]
) -> tuple[bool, datetime | None]:
    """Whether the person themselves left a list with that contact, and when, if that is known."""
    row = (former.lists or {}).get(list_id)
    if row is None or _STATES.get(row.status, State.UNSUBSCRIBED) is not State.UNSUBSCRIBED:
        return False, None
    if row.ended_at and ended(former, list_id) in carried:
        return False, None
    return True, row.ended_at


def _why_not(state: State, claimed: Claim) -> str:
    if claimed in (Claim.WITHDRAWN, Claim.ABSENT, Claim.MOVED):
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
