"""Wanted against existing memberships and tags, as data: every method passes the consent firewall.

Pure: no call is made here. The lists named by the stream are managed, all others foreign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

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
    TagChange,
)
from target_activecampaign.past import (
    NO_PAST,
    Past,
    left_before,
    left_by_others,
    under_others,
    with_formers,
)
from target_activecampaign.states import existing_key, state_of

Said = Mapping[str, Status]  # by purpose: what other rows of the run say of the same address


class ManagedList(NamedTuple):
    """A list that the settings name: its id, whose consent it needs, and whether a contact whose
    address changes stays active there without proof for the new one.
    """

    id: str
    purpose: str
    keeps: bool = False


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
        state, ended_at = with_formers(existing, list_id, past)
        status = status_of(
            rule.purpose, contact.consents, (said[rule.purpose],) if rule.purpose in said else ()
        )
        consent = contact.consents.get(rule.purpose)
        stays = rule.keeps and state is State.ACTIVE
        moves = state is State.ACTIVE and not stays and _changes_address(existing, mailed)
        left = left_before(existing, list_id) if existing and moves else None
        if elsewhere := None if stays else left_by_others(past.others, list_id):
            state, ended_at, left = under_others(state, ended_at, left, elsewhere)
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
        if wanted and (method is None or unproven):
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


def _why_not(state: State, claimed: Claim) -> str:
    if claimed in (Claim.WITHDRAWN, Claim.ABSENT):
        return "no_consent"
    return {State.UNSUBSCRIBED: "unsubscribed_there", State.BOUNCED: "bounced_there"}.get(state, "")
