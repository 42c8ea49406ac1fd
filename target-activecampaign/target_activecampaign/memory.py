"""What the ledger knows of one stream's persons, and what this run adds to it, a batch at a time.

The destination decides; the ledger only says where to look, since when a person has an address,
and what is still to be decided by people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from target_kit import ledger_entries
from target_kit.address import Address
from target_kit.address_change import ChangeClass, ChangePolicy, classify
from target_kit.clock import Clock
from target_kit.index import DestinationIndex
from target_kit.intended import Row
from target_kit.ledger_entries import Finding, Interval, Person
from target_kit.outcome import Outcome, Result

from target_activecampaign import worklist
from target_activecampaign.model import Contact, Existing
from target_activecampaign.past import Ended, ended_by
from target_activecampaign.states import existing_key
from target_activecampaign.streaks import Streaks

if TYPE_CHECKING:
    from target_kit.ledger import Ledger

_NEVER_LEFT = ("0", "1")  # unconfirmed, active
FIRST = "first"  # the first address seen of a person: nobody knows since when
PASSED = "passed_over"  # an address that the source had between two runs
_THERE = "changed_there"  # the destination, not this target, gave the person this address
_APPROVED = "approved"  # whatever the policy was: somebody let this change go
_PROVEN = "proven"  # what was held came with consent for the new address


class Memory:
    """The ledger of one stream. `recall` a batch, decide, `note` what came of it, `save`."""

    def __init__(
        self, ledger: Ledger, policies: Mapping[ChangeClass, ChangePolicy], clock: Clock
    ) -> None:
        self._ledger = ledger
        self._policies = policies
        self._clock = clock
        self._people: dict[str, Person] = {}
        self._since: dict[str, Interval] = {}
        self._approved: dict[str, set[str]] = {}
        self._ended: dict[str, list[Interval]] = {}
        self._left: dict[str, list[Existing]] = {}
        self._open: dict[str, set[str]] = {}
        for item in ledger.worklist():
            self._open.setdefault(item.who, set()).add(item.kind)
        self._new_people: dict[str, Person] = {}
        self._new_intervals: list[Interval] = []
        self._findings: list[Finding] = []
        self._settled: set[tuple[str, str]] = set()
        self._passed: dict[str, set[str]] = {}
        self.streaks = Streaks(ledger)

    def recall(self, rows: Iterable[Row]) -> None:
        """Have at hand what is known of the persons of these rows, and of their addresses."""
        self.save()
        batch = list(rows)
        whos = [row.identity for row in batch]
        self._ended = self._ledger.ended_at_addresses(r.address_key for r in batch if r.address_key)
        self._people = self._ledger.people(whos)
        self._since = self._ledger.since(whos)
        self._approved = self._ledger.approved(whos)
        self.streaks.recall(whos)

    def contact_id(self, who: str) -> str | None:
        """The contact that this person was seen as last."""
        person = self._people.get(who)
        return person.contact_id if person else None

    def fingerprint(self, who: str) -> bytes:
        """What was wanted of this person when the destination last agreed; empty if it did not."""
        person = self._people.get(who)
        return person.fingerprint if person else b""

    def since(self, contact: Contact) -> datetime | None:
        """Since when the person has the address that the source wants: from now on, if it is
        changing; None if no other address of theirs was ever seen.
        """
        interval = self._since.get(contact.identity)
        if interval is None or contact.email is None:
            return None
        if interval.address_key != contact.email.key:
            return self._clock.now()
        return None if interval.change == FIRST else interval.since

    def approved(self, contact: Contact) -> bool:
        """Whether somebody approved that this person gets this address."""
        allowed = self._approved.get(contact.identity, set())
        return contact.email is not None and contact.email.key in allowed

    def carry(self, who: str, memberships: Iterable[Ended]) -> None:
        """Note which memberships this target ended itself when it gave a contact up."""
        self._ledger.note_ended(ledger_entries.Ended(who, *one) for one in memberships)

    def carried(self, who: str) -> frozenset[Ended]:
        """All that were noted of this person."""
        return frozenset(
            Ended(one.contact_id, one.list_id, one.ended_at) for one in self._ledger.ended(who)
        )

    def passed_over(self, who: str, key: str) -> None:
        """The source had this address, and another one by now (S2-26)."""
        self._passed.setdefault(who, set()).add(key)

    def leave_address(self, existing: Existing) -> None:
        """Keep how a contact stands on lists right before it gets another address: others of this
        run may get the one it has.
        """
        rows = (existing.lists or {}).values()
        if existing.bounces or any(row.status not in _NEVER_LEFT for row in rows):
            self._left.setdefault(existing_key(existing), []).append(existing)

    def others_at(
        self, contact: Contact, read: Callable[[str], Existing | None]
    ) -> tuple[Existing, ...]:
        """Contacts of other persons as they were under this one's address: in this run, and by the
        history before. `read` gives a contact with its lists, 1 call at the most.
        """
        if contact.email is None:
            return ()
        own = self.contact_id(contact.identity)
        found = [one for one in self._left.get(contact.email.key, []) if one.id != own]
        intervals = [i for i in self._ended.get(contact.email.key, []) if i.who != contact.identity]
        people = self._ledger.people({i.who for i in intervals}) if intervals else {}
        for interval in intervals:
            person = people.get(interval.who)
            existing = read(person.contact_id) if person else None
            if existing and interval.until:
                own_ends = self.carried(interval.who)
                found.append(ended_by(existing, interval.until, own_ends))
        return tuple(found)

    def had(self, contact: Contact, key: str) -> None:
        """Note the address (its key) that a person has right before it is changed."""
        who, now = contact.identity, self._clock.now()
        if who not in self._since:
            self._since[who] = Interval(who, key, now, None, FIRST, "")
            self._new_intervals.append(self._since[who])

    def saw(
        self, contact: Contact, contact_id: str, key: str, source: str, fingerprint: bytes
    ) -> None:
        """Note who this person is at the destination now, and at which address (its key)."""
        who, now = contact.identity, self._clock.now()
        person = Person(who, contact_id, key, source, fingerprint, now)
        if not _same(self._people.get(who), person):
            self._new_people[who] = person
        before = self._since.get(who)
        known = {key, before.address_key if before else key}
        for passed in sorted(self._passed.pop(who, set()) - known):
            self._new_intervals.append(Interval(who, passed, now, now, PASSED, ""))
        if before is None:
            self._new_intervals.append(Interval(who, key, now, None, FIRST, ""))
        elif before.address_key != key:
            kind = classify(before.address_key, Address(key, key))
            ours = contact.email is not None and contact.email.key == key
            done = self._done(contact, kind) if ours and kind else _THERE
            self._new_intervals.append(Interval(who, key, now, None, str(kind), done))

    def _done(self, contact: Contact, kind: ChangeClass) -> str:
        """How this target carried a change out: by its policy, or why it was not held any more."""
        if self.approved(contact):
            return _APPROVED
        policy = self._policies[kind]
        return _PROVEN if policy is ChangePolicy.HOLD else str(policy)

    def note(self, who: str, result: Result) -> None:
        """Note what is left to be decided by people, or that nothing is any more. A row can't tell
        whether a former address lives on.
        """
        item = worklist.finding(who, result)
        if item:
            self._findings.append(item)
        still = {worklist.VICTIM, item.kind if item else ""}
        if result.outcome is not Outcome.UNCHANGED:  # whether it was heard has to be seen yet
            still.add(worklist.STUCK)
        self._settled.update((who, kind) for kind in self._open.get(who, set()) - still)

    def find_victims(self, index: DestinationIndex) -> None:
        """Former addresses that live on in contacts of nobody's: made by hand, or by a tool that
        took a changed address for a new person (S2-4). For when the whole account was read.
        """
        victims = set()
        for batch in self._ledger.former():
            own = self._ledger.people({interval.who for interval in batch})
            for interval in batch:
                person = own.get(interval.who)
                for entry in index.by_address(interval.address_key):
                    if person and entry.key is None and entry.id != person.contact_id:
                        victims.add(interval.who)
        self._findings += map(worklist.victim, sorted(victims))
        before = {who for who, kinds in self._open.items() if worklist.VICTIM in kinds}
        self._settled.update((who, worklist.VICTIM) for who in before - victims)

    def note_fields(
        self, items: Sequence[Finding], kind: str, *, still: Callable[[str], bool]
    ) -> None:
        """Note fields that many persons have trouble with; older items of that `kind` are settled
        unless `still` says of the field's name that there is some.
        """
        self._findings += items
        named = {item.who for item in items}
        open_ = {who for who, kinds in self._open.items() if kind in kinds}
        self._settled.update(
            (who, kind) for who in open_ - named if not still(who.removeprefix("field "))
        )

    def note_stuck(self, who: str) -> None:
        """Note somebody whom the destination keeps active on a list."""
        self._findings.append(worklist.stuck(who))

    def forget(self, who: str) -> None:
        """Erase a person from the ledger, and what this run has noted of them."""
        self.save()
        self._ledger.forget([who])

    def doubt(self, contact_ids: Iterable[str]) -> None:
        """These contacts changed at the destination: whether they agree has to be seen again."""
        self._ledger.doubt(contact_ids)

    def doubt_all(self) -> None:
        """Everything has to be seen again."""
        self._ledger.doubt(None)

    def fact(self, name: str) -> str | None:
        """See `Ledger.fact`."""
        return self._ledger.fact(name)

    def set_fact(self, name: str, value: str) -> None:
        """See `Ledger.set_fact`."""
        self._ledger.set_fact(name, value)

    def counts(self) -> dict[str, int]:
        """Open items of the worklist by kind."""
        found: dict[str, int] = {}
        for item in self._ledger.worklist():
            found[item.kind] = found.get(item.kind, 0) + 1
        return dict(sorted(found.items()))

    def save(self) -> None:
        """Make what was noted durable, all of it or nothing."""
        self.streaks.save()
        if self._new_people or self._new_intervals or self._findings or self._settled:
            self._ledger.record(
                people=self._new_people.values(),
                intervals=self._new_intervals,
                findings=self._findings,
                settled=self._settled,
                now=self._clock.now(),
            )
        self._new_people, self._new_intervals = {}, []
        self._findings, self._settled = [], set()


def _same(known: Person | None, seen: Person) -> bool:
    return known is not None and (
        (known.contact_id, known.address_key, known.provenance, known.fingerprint)
        == (seen.contact_id, seen.address_key, seen.provenance, seen.fingerprint)
    )
