"""What one row needs: who it is at the destination and what must change there.

Pure decisions (identity, planning, memberships) on what the index knows; reads only where the
look-up of the batch did not bring what lists, tags or accounts have to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from target_kit.errors import RowError
from target_kit.index import DestinationIndex

from target_activecampaign import identity, planning
from target_activecampaign.accounts import Accounts
from target_activecampaign.execute import Executor
from target_activecampaign.lists import Lists
from target_activecampaign.look import Look
from target_activecampaign.memberships import mailed_address, withdrawals
from target_activecampaign.model import Change, Contact, Existing, Field, FieldProblem
from target_activecampaign.settings import ContactStream
from target_activecampaign.tags import Tags


@dataclass
class Deciding:
    """Decides row by row for one stream; parts that the stream does not use are None."""

    stream: ContactStream
    fields: Mapping[str, Field]
    look: Look
    index: DestinationIndex
    executor: Executor
    lists: Lists | None = None
    tags: Tags | None = None
    accounts: Accounts | None = None

    def resolve(self, contact: Contact) -> identity.Match:
        """Who this is at the destination, by what the index knows now."""
        if contact.deleted:
            return identity.Match(None, "")
        match = self.match(contact)
        if match.contact_id is None and self.look.verify_before_insert:
            self.look.confirm_new(contact)
            match = self.match(contact)
        return match

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
        holders = self.index.by_address(contact.email.key) if contact.email else []
        others = [h.id for h in holders if h.id != existing.id]
        holder = others[0] if others else (holders[0].id if holders else None)
        change = planning.plan_update(
            contact, existing, self.stream, self.fields, address_holder=holder
        )
        return self._memberships(contact, existing, self._account(contact, change))

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
            mailed = mailed_address(contact, known, renamed=change.email is not None)
            lists, kept = self.lists.plan(contact, known, mailed)
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
        return replace(change, account_id=account_id)
