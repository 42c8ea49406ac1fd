"""The corridor: one stream's records from the spool to their outcome, one line a step.

Two passes over the same set (S0-6, S0-27): first what is known is updated, which frees addresses;
then, on the refreshed mapping, what is new is inserted. STATE follows the second pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from target_kit.errors import RowError
from target_kit.intended import Row
from target_kit.outcome import Outcome, Result

from target_activecampaign.collecting import BATCH
from target_activecampaign.gathering import decode_contact
from target_activecampaign.model import Contact
from target_activecampaign.permits import Permit
from target_activecampaign.turns import DELETED_BEFORE, Turn
from target_activecampaign.workshop import Workshop

_MAX_PASSES = 10  # longest chain of addresses handed on that one run resolves against its order


@dataclass
class ContactSink(Workshop):
    """One stream of contacts, in the order in which its rooms are passed."""

    def look_around(self) -> None:
        """Check the whole set, and read what exists; nothing is written at the destination."""
        self.gathering.materialise()
        self.gathering.settle_duplicates()
        self.looking.begin(self.intended.count())

    def look_everybody_up(self) -> None:
        """Read at once what batches would have been read one by one for."""
        for batch in self.intended.batches(BATCH) if self.looking.by_point else ():
            _, due = self.looking.look_at(batch, self.is_late)
            self.look.look_up([contact for contact in due if not contact.deleted])

    def adopt(self, other: ContactSink) -> None:
        """Begin where another one stands that has looked around."""
        self.gathering.adopt(other.gathering)
        self.looking.adopt(other.looking)

    def carry_out(self) -> None:
        """Withdraw, update, insert: every record of the stream gets its outcome."""
        try:
            self._carry_out()
        finally:
            self.memory.save()

    def withdraw(self, permit: Permit | None = None) -> None:
        """What comes before all else: whoever has lost consent is unsubscribed, as far as `permit`
        goes if one is given.
        """
        if self.withdrawn:
            self.withdrawn.permit = permit or self.watched
            batches = self.intended.batches(BATCH)
            self.withdrawn.go(
                ([decode_contact(row.body) for row in batch] for batch in batches),
                by_point=self.looking.by_point,
            )

    def _carry_out(self) -> None:
        if self.deletes:
            self.deletes.go(self.deleted_rows, self.settle_deleted, by_point=self.looking.by_point)
        self.looking.settle_agreeing(self.intended.batches(BATCH), self.is_late)
        self.withdraw()
        self.tally.enforce()
        self.progress.begin(self.tally.total, self.calls)
        self.bulk.update()
        for _ in range(_MAX_PASSES):
            self.turns.begin()
            before = self.intended.count()
            self.process(final=False)
            stuck = self.turns.blocked and self.intended.count() == before
            if not self.turns.blocked or (stuck and not self.swaps.untangle()):
                break
        self.bulk.create()
        self.process(final=True)
        self.reading_back.go()
        self.rewriting.finish()
        self.looking.done()

    def deleted_rows(self) -> Iterator[list[tuple[Row, Contact]]]:
        """Rows of persons deleted in the source, in batches."""
        for batch in self.intended.batches(BATCH) if self.gathering.any_deleted else ():
            rows = [(row, decode_contact(row.body)) for row in batch]
            yield [(row, contact) for row, contact in rows if contact.deleted]

    def settle_deleted(self, row: Row, result: Result) -> None:
        """An erased person is forgotten here as well."""
        self.gathering.settle(row, result)
        if decode_contact(row.body).erase and result.outcome is not Outcome.SUPPRESSED:
            self.memory.forget(row.identity)

    def process(self, *, final: bool) -> None:
        """One pass over the rows still open; in the final one nothing stays open."""
        for batch in self.intended.batches(BATCH):
            self.process_batch(batch, final=final)
            number = self.tally.received + self.tally.reoffered
            self.progress.tell(self.tally.total, number, self.calls)
            if final:
                self.memory.save()
                self.rejects.sync()
                self.advance(self.intended.first_open())

    def process_batch(self, batch: Sequence[Row], *, final: bool) -> None:
        """look → resolve → diff → plan → execute → record, row by row on live data."""
        contacts = [decode_contact(row.body) for row in batch]
        self.memory.recall(batch)
        if self.looking.by_point:
            self.look.look_up([c for c in contacts if not c.deleted])
        rows = zip(batch, contacts, strict=True)
        self.hands.each(rows, lambda pair: self.process_row(*pair, final=final))

    def process_row(self, row: Row, contact: Contact, *, final: bool) -> None:
        """One row's turn, and what became of it."""
        self.stop.check()
        if self.is_late(row):
            self.gathering.settle(row, DELETED_BEFORE)
            return
        turn = self.turns.take(contact, final=final)
        if turn.result:
            self.gathering.settle(row, turn.result)
            self.rewriting.settled(contact, turn.result)
            self.reading_back.settled(contact, self.learn(row, turn, turn.result), turn.result)

    def learn(self, row: Row, turn: Turn, result: Result) -> str | None:
        """Let the ledger know who this person is at the destination by now; returns its id."""
        contact = turn.contact
        try:
            contact_id = turn.contact_id or self.deciding.match(contact).contact_id
        except RowError:
            return None
        entry = self.index.get(contact_id) if contact_id else None
        if entry is None:
            return None
        done = result.outcome in (Outcome.APPLIED, Outcome.UNCHANGED) and not result.cause
        fingerprint = row.digest if done and self.looking.incremental else b""
        self.memory.saw(contact, entry.id, entry.address_key, result.source, fingerprint)
        return entry.id

    @property
    def calls(self) -> int:
        """Requests of this run so far."""
        return self.client.api.calls.total()
