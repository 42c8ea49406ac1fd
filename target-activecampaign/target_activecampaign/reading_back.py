"""Read back what was written: a sample of all contacts, and everybody who was taken off a list.

Answers were believed where they kept their contract; whether they were true shows only here. Reads
100 contacts a call, after the last write of a stream; where nothing was written nothing is read.
Who turns out to be active on a list in spite of it all is unsubscribed once more, at once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from target_kit.consent import State
from target_kit.errors import CallFailed, CallRefused, OutcomeUnknown, RowError
from target_kit.outcome import Outcome, Result

from target_activecampaign.client import ActiveCampaign
from target_activecampaign.deletion import DeletePolicy
from target_activecampaign.gathering import decode_contact, encode_contact
from target_activecampaign.itemising import Naming
from target_activecampaign.lists import Lists
from target_activecampaign.look import Look
from target_activecampaign.memberships import mailed_address, withdrawals
from target_activecampaign.memory import Memory
from target_activecampaign.model import Change, Contact, Existing, Field, ListChange
from target_activecampaign.permits import Permit
from target_activecampaign.planning import PAGE
from target_activecampaign.states import state_of
from target_activecampaign.verification import (
    Sample,
    Written,
    active_in_spite,
    missing_in,
    written_by,
)

logger = logging.getLogger(__name__)

_DONE = (Outcome.APPLIED, Outcome.HELD)


@dataclass(frozen=True, slots=True)
class _Left:
    """Somebody who was taken off lists: the row, encoded, and the ids of the lists."""

    row: bytes
    lists: frozenset[str]


@dataclass
class ReadingBack:
    """What one stream writes. `size` contacts are read back, none at all for 0; `fields` are custom
    fields by id, `began` is the moment from which on changes there may be other people's.
    """

    stream: str
    client: ActiveCampaign
    look: Look
    lists: Lists | None
    memory: Memory
    naming: Naming
    fields: Mapping[str, Field]
    began: datetime
    size: int
    contacts: int = 0
    mismatches: int = 0
    again: int = 0
    stuck: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    _open: dict[str, Written] = field(default_factory=dict)
    # One of a kind: a load writes the same things of all contacts, and an import is open for long.
    _kinds: dict[Written, Written] = field(default_factory=dict)
    _left: dict[str, _Left] = field(default_factory=dict)
    _sample: Sample[Written] = field(init=False)

    def __post_init__(self) -> None:
        self._sample = Sample(self.size, f"{self.stream} {self.began.isoformat()}")

    def intend(self, contact: Contact, change: Change) -> None:
        """A change is about to be written; whether it was, the row's outcome tells."""
        if not self.size:
            return
        before = self._open.get(contact.identity, Written())
        written = before | written_by(change)
        self._open[contact.identity] = self._kinds.setdefault(written, written)
        if change.contact_id:
            self.leaving(contact, change.contact_id, withdrawals(change.lists))

    def leaving(self, contact: Contact, contact_id: str, changes: Sequence[ListChange]) -> None:
        """Memberships are about to end."""
        if self.size and changes:
            lists = frozenset(change.list_id for change in changes)
            before = self._left.get(contact_id)
            lists |= before.lists if before else frozenset()
            self._left[contact_id] = _Left(encode_contact(contact), lists)

    def settled(self, contact: Contact, contact_id: str | None, result: Result) -> None:
        """A row has its outcome."""
        written = self._open.pop(contact.identity, None)
        if written and contact_id and result.outcome in _DONE:
            before = self._sample.chosen.get(contact_id, Written())
            self._sample.offer(contact_id, before | written)

    def go(self) -> None:
        """Read back and compare; the memory is told to look at what differs once more."""
        differing: list[str] = []
        try:
            for chunk in self._chunks():
                differing += self._compare(chunk)
        except (CallFailed, CallRefused) as error:
            logger.warning("%s: not everything could be read back: %s", self.stream, error)
        if differing:
            self.memory.save()
            self.memory.doubt(differing)
            names = ", ".join(f"{name} {n}" for name, n in sorted(self.missing.items()))
            logger.warning(
                "%s: %d of %d contacts that were read back are not as they were written: %s",
                self.stream,
                self.mismatches,
                self.contacts,
                names,
            )
        if self.again or self.stuck:
            logger.error(
                "%s: contacts were still active on lists that they had been taken off: %d were "
                "taken off again, %d ActiveCampaign keeps there",
                self.stream,
                self.again,
                self.stuck,
            )

    def details(self) -> dict[str, Any]:
        """For the report: nothing where nothing was read back."""
        if not self.contacts:
            return {}
        share = round(self.mismatches / self.contacts, 4)
        found: dict[str, Any] = {
            "verified": {
                "contacts": self.contacts,
                "mismatches": self.mismatches,
                "mismatch_rate": share,
            }
        }
        found |= {"mismatched_fields": dict(sorted(self.missing.items()))} if self.missing else {}
        stuck = {"unsubscribed_again": self.again, "still_subscribed": self.stuck}
        return found | {name: number for name, number in stuck.items() if number}

    def _chunks(self) -> Iterator[list[str]]:
        ids = list(dict.fromkeys((*self._left, *self._sample.chosen)))
        for start in range(0, len(ids), PAGE):
            yield ids[start : start + PAGE]

    def _compare(self, ids: Sequence[str]) -> list[str]:
        """Read these contacts; returns the ids of those that are not as they were written."""
        found = {one.id: one for one in self.client.read_back(ids)}
        differing = []
        for contact_id in ids:
            believed = self.look.existing(contact_id)
            if believed is None:  # deleted by this very run
                continue
            live, written = found.get(contact_id), self._written(contact_id)
            self.contacts += 1
            fields, naming = self.fields, self.naming
            names = missing_in(live, believed, written, fields, naming, self.began)
            if names:
                differing.append(contact_id)
                self.mismatches += 1
                self.missing.update(names)
            if live and (lists := active_in_spite(live, believed, written)):
                self._take_off(live, lists)
        return differing

    def _written(self, contact_id: str) -> Written:
        left = self._left.get(contact_id)
        written = self._sample.chosen.get(contact_id, Written())
        return written | Written(lists=left.lists) if left else written

    def _take_off(self, live: Existing, lists: Sequence[str]) -> None:
        """Unsubscribe whoever must not be active, by what is there now, and look whether it is so.
        Somebody who joined again by themselves, with consent, stays.
        """
        left = self._left.get(live.id)
        if self.lists is None or left is None:
            return
        contact = decode_contact(left.row)
        self.look.remember([live])
        try:
            mailed = mailed_address(contact, live, renamed=False)
            if not self.lists.leave(contact, live.id, mailed, frozenset(lists)):
                return
            after = self.look.refresh(live.id)
        except (RowError, CallFailed, CallRefused, OutcomeUnknown):
            after = live
        if after and any(state_of(after, one)[0] is State.ACTIVE for one in lists):
            self.stuck += 1
            self.memory.note_stuck(contact.identity)
        else:
            self.again += 1


class Watched:
    """A permit that tells what is about to be written."""

    def __init__(self, permit: Permit, told: ReadingBack) -> None:
        self._permit = permit
        self._told = told

    def change(self, contact: Contact, existing: Existing | None, change: Change) -> None:
        """See Permit."""
        self._permit.change(contact, existing, change)
        self._told.intend(contact, change)

    def leaving(
        self, contact: Contact, existing: Existing, changes: Sequence[ListChange]
    ) -> Sequence[ListChange]:
        """See Permit."""
        allowed = self._permit.leaving(contact, existing, changes)
        self._told.leaving(contact, existing.id, allowed)
        return allowed

    def deletion(self, contact: Contact, existing: Existing | None, policy: DeletePolicy) -> None:
        """See Permit: whoever deletes looks at once whether it is so."""
        self._permit.deletion(contact, existing, policy)

    def made(self, contact_id: str) -> None:
        """See Permit."""
        self._permit.made(contact_id)
