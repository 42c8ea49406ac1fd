"""What one row needs: who it is at the destination and what must change there.

Pure decisions (identity, planning, memberships) on what the index knows; reads only where the
look-up of the batch did not bring what lists, tags or accounts have to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from target_kit.address_change import ChangePolicy, is_parked, parked
from target_kit.clock import Clock
from target_kit.consent import Claim, claim, status_of
from target_kit.errors import RowError
from target_kit.index import DestinationIndex, Entry

from target_activecampaign import identity, planning
from target_activecampaign.accounts import Accounts
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.execute import Executor
from target_activecampaign.lists import GONE, Lists
from target_activecampaign.look import Look
from target_activecampaign.memberships import mailed_address, withdrawals
from target_activecampaign.memory import Memory
from target_activecampaign.model import (
    FORMER,
    Change,
    Contact,
    Existing,
    Field,
    FieldProblem,
    TagChange,
)
from target_activecampaign.past import Past
from target_activecampaign.rewriting import Rewriting
from target_activecampaign.states import existing_key
from target_activecampaign.tags import Tags


@dataclass
class Deciding:
    """Decides row by row for one stream; parts that the stream does not use are None."""

    stream: ContactStream
    fields: Mapping[str, Field]
    look: Look
    index: DestinationIndex
    executor: Executor
    memory: Memory
    clock: Clock
    lists: Lists | None = None
    tags: Tags | None = None
    accounts: Accounts | None = None
    rewriting: Rewriting | None = None

    def resolve(self, contact: Contact) -> identity.Match:
        """Who this is at the destination, by what the index knows now."""
        if contact.deleted:
            return identity.Match(None, "")
        match = self.match(contact)
        if match.contact_id is None and self.look.verify_before_insert:
            self.look.confirm_new(contact)
            match = self.match(contact)
        if match.contact_id is None and (known := self.memory.contact_id(contact.identity)):
            match = self._known_before(contact, known)
        return match

    def _known_before(self, contact: Contact, known: str) -> identity.Match:
        """The contact this person was seen as last, if it says so itself: searches may not show it
        yet. Raises RowError `contact_gone` where the settings want that (S0-37).
        """
        if not self.look.find_known(known) and self.stream.on_contact_gone == "reject":
            raise RowError("contact_gone", GONE)
        return self.match(contact)

    def match(self, contact: Contact) -> identity.Match:
        """As `resolve`, without another look at the destination."""
        return identity.resolve(
            contact,
            self.index.by_key(contact.key) if contact.key else [],
            self.index.by_address(contact.email.key) if contact.email else [],
            has_key_column=self.stream.key is not None,
        )

    def plan(self, contact: Contact, match: identity.Match) -> Change | None:
        """What must change; None when a rule forbids writing this row (S0-7)."""
        if contact.deleted or (match.contact_id is None and contact.email is None):
            return None
        existing = self.look.existing(match.contact_id) if match.contact_id else None
        if self.tags and contact.origin:
            existing = self.tags.known(existing) if existing else None
            if cause := self.tags.barred(contact, existing):
                return self._only_withdrawals(contact, existing, cause)
        if existing is None:
            change = planning.plan_create(contact, self.stream, self.fields)
            if self.tags:
                change = replace(change, values=change.values | self.tags.marks(contact))
            return self._memberships(contact, None, self._account(contact, change))
        address = self._address(contact, existing)
        if address.rename or address.retire:
            self.memory.had(contact, existing_key(existing))
        if address.retire:
            return Change(existing.id, None, {}, {}, retire=True)
        change = planning.plan_update(contact, existing, self.stream, self.fields, address)
        if self.rewriting:
            change = self.rewriting.plan(contact, existing, change)
        return self._memberships(contact, existing, self._account(contact, change))

    def touched(self, contact: Contact) -> frozenset[str]:
        """Names of the contacts and addresses that this row may concern, by what is known now: two
        rows that share one are not worked on at the same time.
        """
        entries = self.index.by_key(contact.key) if contact.key else []
        addresses = {contact.email.key} if contact.email else set()
        entries += [entry for one in addresses for entry in self.index.by_address(one)]
        ids = {entry.id for entry in entries} | {self.memory.contact_id(contact.identity)}
        addresses |= {entry.address_key for entry in entries}
        return frozenset({f"id {one}" for one in ids if one} | {f"at {one}" for one in addresses})

    def step_aside(self, contact: Contact, contact_id: str) -> Change:
        """What lets another contact have this one's address, in the middle of a swap."""
        existing = self.look.existing(contact_id) or self.executor.gone()
        address = planning.AddressPlan(rename=parked(contact_id))
        change = planning.plan_update(contact, existing, self.stream, self.fields, address)
        change = self._memberships(contact, existing, change)
        return replace(change, lists=withdrawals(change.lists), tags=TagChange())

    def holder(self, contact: Contact, contact_id: str) -> Entry | None:
        """Another contact that has the address this row wants."""
        holders = self.index.by_address(contact.email.key) if contact.email else []
        return next((entry for entry in holders if entry.id != contact_id), None)

    def past(self, contact: Contact) -> Past:
        """What is remembered of the addresses this person had."""
        since = self.memory.since(contact)
        if self.lists is None or not any(contact.wants.values()):
            return Past(since)
        others = self.memory.others_at(contact, self._known_by_id)
        if ChangePolicy.RESUBSCRIBE not in self.stream.on_email_change.values():
            return Past(since, others=others)
        read = (self.lists.known(former) for former in self.look.formers(contact))
        formers = tuple(former for former in read if former)
        carried = self.memory.carried(contact.identity) if formers else frozenset()
        return Past(since, formers, carried, others)

    def _known_by_id(self, contact_id: str) -> Existing | None:
        """A contact with its lists, read where the index does not have it."""
        existing = self.look.existing(contact_id) if self.look.find_known(contact_id) else None
        return self.lists.known(existing) if existing and self.lists else existing

    def _address(self, contact: Contact, existing: Existing) -> planning.AddressPlan:
        if contact.email is None or contact.email.display == existing.email:  # nearly all rows
            return planning.AddressPlan()
        other = self.holder(contact, existing.id)
        theirs = f"{FORMER}{contact.key}"
        return planning.plan_address(
            contact,
            existing,
            self.stream,
            holder=other.id if other else None,
            free=other is None or other.key in (None, theirs),
            leave=self.memory.approved(contact) or self._proves_address(contact),
        )

    def _proves_address(self, contact: Contact) -> bool:
        """Whether the source has consent that was given for this very address (S2-11)."""
        return contact.email is not None and any(
            consent.evidence_for is not None
            and claim(
                status_of(purpose, contact.consents),
                consent,
                mailed=contact.email.key,
                ended_at=None,
                now=self.clock.now(),
            )
            in (Claim.GRANTED, Claim.RENEWED)
            for purpose, consent in contact.consents.items()
        )

    def _only_withdrawals(self, contact: Contact, existing: Existing | None, cause: str) -> Change:
        """A row that must not be written is still heard in what it takes away."""
        barred = Change(
            existing.id if existing else None, None, {}, {}, kept=cause, suppressed=True
        )
        if self.lists is None or existing is None:
            return barred
        known = self.lists.known(existing)
        if known is None:
            self.executor.gone()
        changes, _ = self.lists.plan(contact, known, None)
        return replace(barred, lists=withdrawals(changes))

    def _memberships(self, contact: Contact, existing: Existing | None, change: Change) -> Change:
        """Add what lists and tags need; reads them where the look-up did not bring them."""
        if self.lists:
            known = self.lists.known(existing) if existing else None
            if existing and known is None:
                self.executor.gone()
            existing = known
            if known and change.email and not is_parked(known.email):
                self.memory.leave_address(known)
            renamed = change.email is not None
            mailed = None if change.held else mailed_address(contact, known, renamed=renamed)
            lists, kept = self.lists.plan(contact, known, mailed)
            if change.held:  # whoever they write to next, who must not be active leaves
                lists = withdrawals(lists)
            change = replace(change, lists=lists, kept=kept)
        if self.tags:
            existing = self.tags.known(existing) if existing else None
            tags, problems = self.tags.plan(contact, existing)
            change = replace(change, tags=tags, problems=(*change.problems, *problems))
        return change

    def _account(self, contact: Contact, change: Change) -> Change:
        """Add the account to associate; an unknown one leaves the contact's as it is (S0-38)."""
        if self.accounts is None or not contact.account_key:
            return change
        try:
            account_id = self.accounts.account_of(contact.account_key)
        except RowError as error:
            problem = FieldProblem("account", error.cause, error.message)
            return replace(change, problems=(*change.problems, problem))
        if change.contact_id and not self.accounts.differs(change.contact_id, account_id):
            return change
        before = self.accounts.now_of(change.contact_id) if change.contact_id else ""
        return replace(change, account_id=account_id, account_before=before)
