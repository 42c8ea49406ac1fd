"""Whether a decision may be carried out: everything may, or only what a plan holds; and, while a
plan is being made, where each decision is noted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from target_kit.consent import Status
from target_kit.errors import RowError
from target_kit.outcome import Outcome, Result
from target_kit.plan import Approved, Digests, Entry, Item

from target_activecampaign.deletion import DeletePolicy
from target_activecampaign.itemising import Draft, Naming, deletion, drafts_of, membership
from target_activecampaign.model import Change, Contact, Existing, ListChange

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
            contact.identity, target, draft.kind, draft.name, draft.before, draft.after
        )
        return Item(draft.kind, draft.name, draft.rule, digest, draft.withdrawal)

    def who(self, identity: str) -> str:
        """How a person is named in a plan."""
        return self._digests.who(identity)


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
        who = self.who(contact.identity)
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
        due = [item.digest for item in items if not item.withdrawal]
        if not self._approved.allows(self.who(contact.identity), due):
            raise RowError(
                "plan_moved",
                "the plan does not hold this change: the source or ActiveCampaign has changed "
                "since; make a new plan",
            )


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
    """A rehearsal: everything may be done, and is noted. `told` gets an entry for each row in which
    there is something to see; `counts` are by action and `changes` by kind, withdrawals apart.
    """

    def __init__(
        self,
        naming: Naming,
        status_of: StatusOf,
        digests: Digests,
        told: Callable[[Entry], None],
    ) -> None:
        super().__init__(naming, status_of, digests)
        self._told = told
        self._items: dict[str, list[Item]] = {}
        self.actions: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.withdrawals = 0

    def change(self, contact: Contact, existing: Existing | None, change: Change) -> None:
        """See Permit."""
        self._items.setdefault(contact.identity, []).extend(self.items(contact, existing, change))

    def leaving(
        self, contact: Contact, existing: Existing, changes: Sequence[ListChange]
    ) -> Sequence[ListChange]:
        """See Permit."""
        items = [item for _, item in self.ends(contact, existing, changes)]
        self._items.setdefault(contact.identity, []).extend(items)
        return changes

    def deletion(self, contact: Contact, existing: Existing | None, policy: DeletePolicy) -> None:
        """See Permit."""
        item = self.item(contact, existing, deletion(contact, policy))
        self._items.setdefault(contact.identity, []).append(item)

    def settled(self, identity: str, result: Result) -> None:
        """A row has its outcome."""
        noted = self._items.pop(identity, [])
        items = tuple(noted) if result.outcome is not Outcome.UNCHANGED else ()
        action = _action(items, result)
        self.actions[action] += 1
        if not items and result.outcome is Outcome.UNCHANGED:
            return
        self._count(items)
        self._tell(identity, action, items, result.cause)

    def rest(self) -> None:
        """At the end: withdrawals of rows that took no further part, and had their entry before."""
        for identity, items in self._items.items():
            self._count(items)
            self._tell(identity, "unsubscribe", tuple(items), "")
        self._items.clear()

    def _tell(self, identity: str, action: str, items: tuple[Item, ...], cause: str) -> None:
        key = identity.removeprefix("key:") if identity.startswith("key:") else None
        stream = self._naming.stream.name
        self._told(Entry(stream, self.who(identity), key, action, items, cause))

    def _count(self, items: Sequence[Item]) -> None:
        kinds = [item.kind for item in items]
        self.changes["creates"] += "create" in kinds
        self.changes["updates"] += bool(kinds) and not _NEW.intersection(kinds)
        for name, counted in _COUNTED.items():
            self.changes[name] += sum(item.kind in counted for item in items if not item.withdrawal)
        self.withdrawals += sum(item.withdrawal for item in items)


_NEW = frozenset({"create", "delete", "sign_off"})
#: What guards count, by the kinds of items.
_COUNTED: Mapping[str, tuple[str, ...]] = {
    "address_changes": ("rename", "retire"),
    "unsubscribes": ("unsubscribe", "sign_off"),
    "blank_outs": ("clear",),
    "deletes": ("delete",),
    "tag_removals": ("tag_remove",),
}
_WITHOUT_ITEMS = {
    Outcome.UNCHANGED: "nothing",
    Outcome.HELD: "hold",
    Outcome.SUPPRESSED: "suppress",
}


def _action(items: Sequence[Item], result: Result) -> str:
    kinds = {item.kind for item in items}
    if not kinds:
        return _WITHOUT_ITEMS.get(result.outcome, "reject")
    if named := kinds & {"create", "delete"}:
        return min(named)
    return "update" if kinds - {"unsubscribe", "sign_off"} else "unsubscribe"
