"""Memberships: resolved before the first write, read before each, re-read when in doubt.

Who may be called for is decided in `memberships`, through the consent firewall; this module makes
the calls. The vendor re-subscribes whoever is named, so a subscription is never repeated blindly,
and its answer is compared with what was read before: whoever left or bounced in between is
unsubscribed again at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec
from target_kit.clock import Clock
from target_kit.consent import Method, State, Status, join, status_of
from target_kit.errors import ConfigurationError, OutcomeUnknown, RowError

from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.list_client import ListEndpoints, MailingList
from target_activecampaign.look import Look
from target_activecampaign.memberships import ManagedList, plan_lists, subscriptions, withdrawals
from target_activecampaign.model import Contact, Existing, ListChange, Membership
from target_activecampaign.past import NO_PAST, Past
from target_activecampaign.states import state_of

#: The managed lists by their names in the settings.
ListIds = Mapping[str, ManagedList]
GONE = "the contact was deleted at ActiveCampaign"


def resolve_lists(streams: Sequence[ContactStream], client: ListEndpoints) -> dict[str, ListIds]:
    """The managed lists of each stream; raises ConfigurationError naming all that do not fit."""
    if not any(stream.lists for stream in streams):
        return {}
    known, faults = client.lists(), []
    resolved: dict[str, ListIds] = {}
    for stream in streams:
        found: dict[str, ManagedList] = {}
        for name, rule in stream.lists.items():
            try:
                found[name] = ManagedList(_resolve(name, known), rule.purpose, rule.keeps)
            except ConfigurationError as error:
                faults.append(f"streams.{stream.name}.lists.{name}: {error}")
        ids = [one.id for one in found.values()]
        if len(set(ids)) < len(ids):
            faults.append(f"streams.{stream.name}.lists: two entries name the same list")
        resolved[stream.name] = found
    if faults:
        raise ConfigurationError("; ".join(faults))
    return resolved


def _resolve(name: str, known: Sequence[MailingList]) -> str:
    found = [one for one in known if name in (one.name, one.id)]
    if not found:
        raise ConfigurationError("ActiveCampaign has no list of this name or id, or hides it")
    if len(found) > 1:
        raise ConfigurationError(f"{len(found)} lists have this name or id; name it by another")
    if found[0].channel != "email":
        raise ConfigurationError(f"is a list for {found[0].channel}, not for e-mail")
    return found[0].id


class Lists:
    """The managed lists of one stream."""

    def __init__(
        self,
        client: ListEndpoints,
        look: Look,
        list_ids: ListIds,
        clock: Clock,
        past: Callable[[Contact], Past],
    ) -> None:
        self._client = client
        self._look = look
        self._list_ids = list_ids
        self._clock = clock
        self._past = past
        self._said: dict[str, dict[str, Status]] = {}

    def hear(self, contact: Contact) -> None:
        """Take a row into account that shares its address with others: all of them are facts about
        the same address, and the most restrictive holds.
        """
        if contact.email is None or contact.deleted:
            return
        said = self._said.setdefault(contact.email.key, {})
        for one in self._list_ids.values():
            status = status_of(one.purpose, contact.consents)
            said[one.purpose] = join(said.get(one.purpose, status), status)

    def adopt(self, other: Lists) -> None:
        """Take into account what another one has heard."""
        self._said = {key: dict(said) for key, said in other._said.items()}

    def is_shared(self, contact: Contact) -> bool:
        """Whether rows were heard that share this one's address."""
        return contact.email is not None and contact.email.key in self._said

    def known(self, existing: Existing) -> Existing | None:
        """The contact with its memberships: 1 call where its look-up did not bring them."""
        return existing if existing.lists is not None else self._look.refresh(existing.id)

    def plan(
        self, contact: Contact, existing: Existing | None, mailed: str | None
    ) -> tuple[tuple[ListChange, ...], str]:
        """See `memberships.plan_lists`."""
        said = self._said.get(contact.email.key, {}) if contact.email else {}
        now = self._clock.now()
        past = self._past(contact) if mailed is not None else NO_PAST
        return plan_lists(contact, existing, self._list_ids, said, now, mailed=mailed, past=past)

    def status(self, contact: Contact, list_id: str) -> Status:
        """What is known of the consent that a list needs, by all rows of the address."""
        purposes = [one.purpose for one in self._list_ids.values() if one.id == list_id]
        if not purposes:
            return Status.NONE
        said = self._said.get(contact.email.key, {}) if contact.email else {}
        heard = (said[purposes[0]],) if purposes[0] in said else ()
        return status_of(purposes[0], contact.consents, heard)

    def leave(
        self,
        contact: Contact,
        contact_id: str,
        mailed: str | None,
        only: Collection[str] | None = None,
    ) -> str:
        """Unsubscribe where that is due by what is there now, from lists of `only` if that is
        given; returns "unsubscribed" if it was.

        Raises RowError `contact_gone`, `still_subscribed`, and what calls raise.
        """
        live = self._live(contact_id)
        due = withdrawals(self.plan(contact, live, mailed)[0])
        due = tuple(change for change in due if only is None or change.list_id in only)
        for change in due:
            live = self._unsubscribe(live, change.list_id)
        return "unsubscribed" if due else ""

    def enter(
        self,
        contact: Contact,
        contact_id: str,
        mailed: str | None,
        due: Collection[str],
        *,
        created: bool,
    ) -> str:
        """Subscribe to lists of `due` where that is still allowed by what is there now; a contact
        of our own making is on none yet. Returns why a wanted membership was not made, if so.

        Raises RowError `not_subscribed`, `contact_gone`, and what calls raise.
        """
        live = (self._look.existing(contact_id) if created else None) or self._live(contact_id)
        for last_try in (False, True):
            planned, kept = self.plan(contact, live, mailed)
            changes = [c for c in subscriptions(planned) if c.list_id in due]
            try:
                for change in changes:
                    before, live = live, self._subscribe(live, change)
                    if _left(before, live, change.list_id):
                        live = self._unsubscribe(live, change.list_id)
                        kept = "left_meanwhile"
            except OutcomeUnknown:
                if last_try:
                    raise
                before, live = live, self._live(contact_id)
                for change in changes:
                    active = state_of(live, change.list_id)[0] is State.ACTIVE
                    if active and _left(before, live, change.list_id):
                        live = self._unsubscribe(live, change.list_id)
            else:
                return kept
        raise AssertionError("unreachable: the last try returns or raises")

    def _live(self, contact_id: str) -> Existing:
        live = self._look.refresh(contact_id)
        if live is None:
            raise RowError("contact_gone", GONE)
        return live

    def _unsubscribe(self, live: Existing, list_id: str) -> Existing:
        answer = self._client.set_status(live.id, list_id, Method.UNSUBSCRIBE)
        after = self._remember(live, list_id, answer.membership)
        if state_of(after, list_id)[0] is State.ACTIVE:  # an answer may tell of the state before
            after = self._live(live.id)
            if state_of(after, list_id)[0] is State.ACTIVE:
                raise RowError("still_subscribed", "ActiveCampaign did not unsubscribe the contact")
        return after

    def _subscribe(self, live: Existing, change: ListChange) -> Existing:
        answer = self._client.set_status(live.id, change.list_id, change.method)
        if answer.bounces is None:  # "nothing changed": already so, or quietly refused
            after = self._live(live.id)
        else:
            after = self._remember(live, change.list_id, answer.membership, answer.bounces)
        if state_of(after, change.list_id)[0] is not State.ACTIVE:
            raise RowError(
                "not_subscribed", "ActiveCampaign took the subscription and did not carry it out"
            )
        return after

    def _remember(
        self, live: Existing, list_id: str, membership: Membership, bounces: int | None = None
    ) -> Existing:
        after = msgspec.structs.replace(
            live,
            lists={**(live.lists or {}), list_id: membership},
            bounces=live.bounces if bounces is None else bounces,
        )
        self._look.remember([after])
        return after


def _left(before: Existing, after: Existing, list_id: str) -> bool:
    """True when the person unsubscribed or bounced between the two: a subscription of ours hides
    the status, but not that it has been another. Who was not on the list can't have left it: a time
    told of them is one of joining.
    """
    old, new = ((e.lists or {}).get(list_id) for e in (before, after))
    if after.bounces > before.bounces:
        return True
    return bool(old and new and new.ended_at is not None and new.ended_at != old.ended_at)
