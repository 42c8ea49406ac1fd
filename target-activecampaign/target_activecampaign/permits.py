"""Whether a decision may be carried out: everything may, or only what a plan holds; and, while a
plan is being made, where each decision is noted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from target_kit.consent import Status
from target_kit.plan import Approved, Digests, Entry, Item

from target_activecampaign.deletion import DeletePolicy
from target_activecampaign.itemising import Draft, Naming, deletion, drafts_of, membership
from target_activecampaign.model import Change, Contact, Existing, ListChange
from target_activecampaign.noting import Notes, check_approved, of_stream

#: The consent of a contact for the list with this id, other rows of its address included.
StatusOf = Callable[[Contact, str], Status]


class Permit(Protocol):
    """Asked before anything is written; raises RowError for a row that must not be."""

    def change(self, contact: Contact, existing: Existing | None, change: Change) -> None:
        """One contact is about to be brought into the wanted state."""

    def leaving(
        self, contact: Contact, existing: Existing, changes: Sequence[ListChange]
    ) -> Sequence[ListChange]:
        """Memberships are about to end before all else: those of them that may."""

    def deletion(self, contact: Contact, existing: Existing | None, policy: DeletePolicy) -> None:
        """A person deleted in the source is about to be signed off, or erased."""

    def made(self, contact_id: str) -> None:
        """This contact is new, and of this run's own making."""


class Everything:
    """A run without plan: all that was decided may be done."""

    def change(self, contact: Contact, existing: Existing | None, change: Change) -> None:
        """See Permit."""

    def leaving(
        self, contact: Contact, existing: Existing, changes: Sequence[ListChange]
    ) -> Sequence[ListChange]:
        """See Permit."""
        del contact, existing
        return changes

    def deletion(self, contact: Contact, existing: Existing | None, policy: DeletePolicy) -> None:
        """See Permit."""

    def made(self, contact_id: str) -> None:
        """See Permit."""


class Itemised:
    """What both sides of a plan share: decisions as items with the same digests."""

    def __init__(self, naming: Naming, status_of: StatusOf, digests: Digests) -> None:
        self._naming = naming
        self._status_of = status_of
        self._digests = digests
        self._own: set[str] = set()

    def made(self, contact_id: str) -> None:
        """See Permit."""
        self._own.add(contact_id)

    def _named(self, contact: Contact) -> str:
        return of_stream(self._naming.stream.name, contact.identity)

    def items(self, contact: Contact, existing: Existing | None, change: Change) -> list[Item]:
        """The items of a change."""
        statuses = {one.list_id: self._status_of(contact, one.list_id) for one in change.lists}
        drafts = drafts_of(contact, existing, change, statuses, self._naming)
        return [self.item(contact, existing, draft) for draft in drafts]

    def ends(
        self, contact: Contact, existing: Existing, changes: Sequence[ListChange]
    ) -> list[tuple[ListChange, Item]]:
        """The items of memberships that end."""
        found = []
        for one in changes:
            status = self._status_of(contact, one.list_id)
            draft = membership(contact, existing, one, status, self._naming)
            found.append((one, self.item(contact, existing, draft)))
        return found

    def item(self, contact: Contact, existing: Existing | None, draft: Draft) -> Item:
        """A draft without its values. A contact that this very run has made is still a new one."""
        target = existing.id if existing and existing.id not in self._own else ""
        digest = self._digests.item(
            self._named(contact), target, draft.kind, draft.name, draft.before, draft.after
        )
        return Item(draft.kind, draft.name, draft.rule, digest, draft.withdrawal)


class Planned(Itemised):
    """Only what a plan holds may be done. Withdrawn consent is heard whatever the plan says."""

    def __init__(
        self, naming: Naming, status_of: StatusOf, digests: Digests, approved: Approved
    ) -> None:
        super().__init__(naming, status_of, digests)
        self._approved = approved

    def change(self, contact: Contact, existing: Existing | None, change: Change) -> None:
        """See Permit. Raises RowError `plan_moved`."""
        self._check(contact, self.items(contact, existing, change))

    def leaving(
        self, contact: Contact, existing: Existing, changes: Sequence[ListChange]
    ) -> Sequence[ListChange]:
        """See Permit."""
        who = self._digests.who(self._named(contact))
        return [
            one
            for one, item in self.ends(contact, existing, changes)
            if item.withdrawal or self._approved.allows(who, [item.digest])
        ]

    def deletion(self, contact: Contact, existing: Existing | None, policy: DeletePolicy) -> None:
        """See Permit: an erasure has to be in the plan; whoever is only signed off may be."""
        if contact.erase:
            self._check(contact, [self.item(contact, existing, deletion(contact, policy))])

    def _check(self, contact: Contact, items: Sequence[Item]) -> None:
        check_approved(self._approved, self._digests.who(self._named(contact)), items)


class OnlyWithdrawals(Itemised):
    """A guard has tripped: nothing may be done but what consent forbids to wait."""

    def leaving(
        self, contact: Contact, existing: Existing, changes: Sequence[ListChange]
    ) -> Sequence[ListChange]:
        """See Permit."""
        return [one for one, item in self.ends(contact, existing, changes) if item.withdrawal]

    def change(self, contact: Contact, existing: Existing | None, change: Change) -> None:
        """See Permit."""
        del contact, existing, change
        raise AssertionError("unreachable: no row has its turn after a guard has tripped")

    def deletion(self, contact: Contact, existing: Existing | None, policy: DeletePolicy) -> None:
        """See Permit."""
        del contact, existing, policy
        raise AssertionError("unreachable: no deletion has its turn after a guard has tripped")


class Noting(Itemised):
    """A rehearsal: everything may be done, and is noted; with `approved` all that a plan holds."""

    def __init__(
        self,
        naming: Naming,
        status_of: StatusOf,
        digests: Digests,
        told: Callable[[Entry], None],
        approved: Approved | None = None,
    ) -> None:
        super().__init__(naming, status_of, digests)
        self.notes = Notes(naming.stream.name, digests, told)
        self._may: Permit = Everything()
        if approved is not None:
            self._may = Planned(naming, status_of, digests, approved)

    def made(self, contact_id: str) -> None:
        """See Permit."""
        super().made(contact_id)
        self._may.made(contact_id)

    def change(self, contact: Contact, existing: Existing | None, change: Change) -> None:
        """See Permit."""
        self._may.change(contact, existing, change)
        self.notes.add(contact.identity, self.items(contact, existing, change))

    def leaving(
        self, contact: Contact, existing: Existing, changes: Sequence[ListChange]
    ) -> Sequence[ListChange]:
        """See Permit."""
        due = self._may.leaving(contact, existing, changes)
        items = [item for _, item in self.ends(contact, existing, due)]
        self.notes.add(contact.identity, items)
        return due

    def deletion(self, contact: Contact, existing: Existing | None, policy: DeletePolicy) -> None:
        """See Permit."""
        self._may.deletion(contact, existing, policy)
        self.notes.add(contact.identity, [self.item(contact, existing, deletion(contact, policy))])
