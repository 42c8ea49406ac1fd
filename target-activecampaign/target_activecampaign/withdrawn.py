"""Withdrawals first: before any row of the stream is written, whoever has lost consent is
unsubscribed. They know no budget: what fails here is tried again, and counted, in its row's turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from target_kit.consent import WITHDRAWALS, status_of
from target_kit.errors import CallFailed, CallRefused, OutcomeUnknown, RowError
from target_kit.hands import Hands
from target_kit.index import DestinationIndex
from target_kit.signals import StopSignal

from target_activecampaign.identity import Match
from target_activecampaign.lists import Lists
from target_activecampaign.look import Look
from target_activecampaign.memberships import withdrawals
from target_activecampaign.model import Contact
from target_activecampaign.permits import Permit


@dataclass
class Withdrawn:
    """`aside` are rows that take no further part (unreadable, contradicting, losing a shared
    address): what they say of consent still counts. `done` names who was unsubscribed.
    """

    lists: Lists
    look: Look
    index: DestinationIndex
    stop: StopSignal
    resolve: Callable[[Contact], Match]
    permit: Permit
    hands: Hands
    aside: list[Contact] = field(default_factory=list)
    done: set[str] = field(default_factory=set)

    def put_aside(self, contact: Contact | None) -> None:
        """Keep a row that will not be processed; one that withdraws nothing is not needed."""
        if contact and not contact.deleted and _withdraws(contact):
            self.lists.hear(contact)
            self.aside.append(contact)

    def go(self, contacts: Iterable[Sequence[Contact]], *, by_point: bool) -> None:
        """Unsubscribe all who have to be, in batches; `by_point` looks each batch up first."""
        if self.aside:
            self.look.look_up(self.aside)
            self._batch(self.aside)
        for batch in contacts:
            live = [contact for contact in batch if not contact.deleted]
            if by_point:
                self.look.look_up(live)
            self._batch(live)

    def _batch(self, batch: Sequence[Contact]) -> None:
        self.hands.each(batch, self._one)

    def _one(self, contact: Contact) -> None:
        self.stop.check()
        for contact_id in self._ids(contact):
            try:
                with self.hands.alone({f"id {contact_id}"}):
                    self._unsubscribe(contact, contact_id)
            except (RowError, CallRefused, CallFailed, OutcomeUnknown):
                continue  # its own turn says so

    def _ids(self, contact: Contact) -> list[str]:
        """Whom this row is about. Where that is not clear, nothing of the row is written, but a
        withdrawal holds for its address whoever has it.
        """
        try:
            match = self.resolve(contact)
        except RowError:
            if contact.email is None or not _withdraws(contact):
                return []
            return [entry.id for entry in self.index.by_address(contact.email.key)]
        return [match.contact_id] if match.contact_id else []

    def _unsubscribe(self, contact: Contact, contact_id: str) -> None:
        existing = self.look.existing(contact_id)
        known = self.lists.known(existing) if existing else None
        if known is None:
            return
        changes, _ = self.lists.plan(contact, known, None)
        due = self.permit.leaving(contact, known, withdrawals(changes))
        only = {change.list_id for change in due}
        if due and self.lists.leave(contact, contact_id, None, only):
            self.done.add(contact.identity)


def _withdraws(contact: Contact) -> bool:
    return any(status_of(purpose, contact.consents) in WITHDRAWALS for purpose in contact.consents)
