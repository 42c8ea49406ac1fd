"""Rows that fit go by bulk import, before the rows are looked at one by one.

Known contacts are imported before the first pass over the rows, new ones before the last. What has
been imported is read back, and every row is decided anew on what is there then: where nothing is
left to do it was applied, else it is written by single calls, whose verdict is the row's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from target_kit.errors import (
    CallFailed,
    CallRefused,
    ConfigurationError,
    CredentialsError,
    OutcomeUnknown,
    RowError,
    VendorUnavailable,
)
from target_kit.index import DestinationIndex
from target_kit.intended import IntendedSet, Row
from target_kit.outcome import Step
from target_kit.signals import StopSignal

from target_activecampaign.bulk_bisect import Bisection
from target_activecampaign.bulk_client import Invalid
from target_activecampaign.bulk_planning import (
    CDATE,
    FEWEST,
    ImportRow,
    Spellings,
    cut,
    import_row,
    pays,
)
from target_activecampaign.bulk_queue import Done
from target_activecampaign.collecting import BATCH
from target_activecampaign.deciding import Deciding
from target_activecampaign.execute import LookAgain
from target_activecampaign.gathering import decode_contact
from target_activecampaign.importing import Importing
from target_activecampaign.look import Look
from target_activecampaign.memory import Memory
from target_activecampaign.model import Contact, Existing
from target_activecampaign.permits import Permit

logger = logging.getLogger(__name__)

#: Waits for contacts that were created and that the lists do not show yet.
_LAG_SECONDS = (1.0, 2.0, 4.0, 8.0)
_NOT_NOW = (RowError, LookAgain, CallRefused, CallFailed, OutcomeUnknown)


@dataclass
class Bulk:
    """The imports of one stream. `imported` has the step of each person whose row was imported;
    `skips` are rows that must not be written; `by_point` says whether batches are looked up.
    """

    name: str
    how: Importing
    permit: Permit
    deciding: Deciding
    look: Look
    index: DestinationIndex
    intended: IntendedSet
    memory: Memory
    stop: StopSignal
    skips: Callable[[Row], bool]
    by_point: Callable[[], bool]
    tag_names: MutableMapping[str, str]
    imported: dict[str, Step] = field(default_factory=dict)
    batches: int = 0
    refused: int = 0
    dated: int = 0
    _sent: dict[int, str | None] = field(default_factory=dict)
    _off: bool = False

    def update(self) -> None:
        """Import what changes of known contacts, and read them back."""
        self._go(created=False)

    def create(self) -> None:
        """Import new contacts, and read all that are newer than the newest one before."""
        self._go(created=True)
        if self.dated >= FEWEST and self.how.strategy == "auto":
            logger.warning(
                "%s: %d contacts are made one by one, because imports take no date of creation "
                "(cdate); leave cdate out of fields, or set strategy to bulk to go without it",
                self.name,
                self.dated,
            )

    def counts(self) -> dict[str, int]:
        """For the report: rows imported, batches, rows of refused batches left to single calls, and
        how many have a date of creation, which no import takes.
        """
        found: dict[str, int] = {}
        if self.batches or self.refused:
            found = {"rows": len(self.imported), "batches": self.batches, "refused": self.refused}
        if self.dated >= FEWEST:
            name = "without_cdate" if self.how.strategy == "bulk" else "single_for_cdate"
            found[name] = self.dated
        return found

    def _go(self, *, created: bool) -> None:
        how = self.how
        if how.strategy == "single" or self._off:
            return
        spellings = Spellings(self.tag_names.values())
        batches = cut(self._fitting(spellings, created=created))
        first = next(batches, None)
        if first is None or not pays(how.strategy, first, first=True):
            return
        newest = how.imports.newest_id() if created else 0
        self._sent.clear()
        how.queue.begin()
        self._send_all(chain([first], batches))
        done = how.queue.finish()
        if not self._sent:
            return
        if spellings.made:
            self.tag_names.update(how.read_tags())
        if created:
            self._read_created(newest, done)
        else:
            self._read_updated(done)
        logger.info("%s: %d rows imported in bulk", self.name, len(self._sent))

    def _fitting(self, spellings: Spellings, *, created: bool) -> Iterator[ImportRow]:
        """The rows that can be imported, decided on what is known now."""
        shared = {row.address_key for row in self.intended.sharing_address()}
        for batch in self.intended.batches(BATCH):
            contacts = [decode_contact(row.body) for row in batch]
            self.memory.recall(batch)
            if self.by_point():
                self.look.look_up([c for c in contacts if not c.deleted])
            for row, contact in zip(batch, contacts, strict=True):
                self.stop.check()
                if row.address_key is None or row.address_key in shared or self.skips(row):
                    continue
                if found := self._fit(row.seq, contact, spellings, created=created):
                    yield found

    def _fit(
        self, seq: int, contact: Contact, spellings: Spellings, *, created: bool
    ) -> ImportRow | None:
        """The row of the import; None for one whose own turn has to say more."""
        if contact.email is None or contact.deleted or contact.origin:
            return None
        try:
            match = self.deciding.resolve(contact)
            if (match.contact_id is None) is not created:
                return None
            there = [entry.id for entry in self.index.by_address(contact.email.key)]
            if there != ([match.contact_id] if match.contact_id else []):
                return None  # another address there, or one that several have: no case for imports
            change = self.deciding.plan(contact, match)
        except _NOT_NOW:
            return None
        existing = self.look.existing(match.contact_id) if match.contact_id else None
        if change is None or (existing is None) is not created:
            return None
        dated, must = CDATE in change.attributes, self.how.strategy == "bulk"
        row = import_row(
            seq, contact, existing, change, spellings,
            exclude_automations=self.how.exclude_automations, without_cdate=dated,
        )  # fmt: skip
        if row and dated:
            self.dated += 1
            return row if must else None
        return row

    def _send_all(self, batches: Iterator[list[ImportRow]]) -> None:
        try:
            for number, batch in enumerate(batches):
                if number == 0 or pays(self.how.strategy, batch, first=False):
                    self._send([row for row in self._unmoved(batch) if self._may(row)])
        except (CredentialsError, CallRefused) as error:
            if self._sent or self.how.strategy == "bulk":
                self.how.queue.finish()
                raise self._not_allowed(error) from None
            self._off = True
            logger.warning(
                "%s: this key may not import in bulk (%s): contacts are written one by one",
                self.name,
                error,
            )

    def _not_allowed(self, error: CredentialsError | CallRefused) -> Exception:
        if isinstance(error, CredentialsError):
            return error
        return ConfigurationError(f"{error}: no bulk import on this account; set strategy to auto")

    def _unmoved(self, batch: Sequence[ImportRow]) -> list[ImportRow]:
        """Known contacts are read once more right before, 1 call per 100: an import finds them by
        their address, and would make another contact where that has changed since.
        """
        before = {row.seq: self._known(row) for row in batch if row.contact_id}
        self._read_by_ids([row.contact_id for row in batch if row.contact_id])
        return [row for row in batch if before.get(row.seq) == self._known(row)]

    def _known(self, row: ImportRow) -> Existing | None:
        return self.look.existing(row.contact_id) if row.contact_id else None

    def _may(self, row: ImportRow) -> bool:
        """Whether the plan holds this row, if there is one; its own turn says that it does not."""
        change = row.change
        try:
            self.permit.change(row.contact, self._known(row), replace(change, account_id=None))
        except RowError:
            return False
        return True

    def _send(self, batch: Sequence[ImportRow]) -> None:
        """Send a batch; one that is refused is searched for the rows that it was refused for."""
        answer = self._submit(batch) if batch else None
        if not isinstance(answer, Invalid):
            return
        search = Bisection(batch, answer.named)
        while rows := search.next():
            if isinstance(self._submit(rows), Invalid):
                search.refused()
            else:
                search.taken()
        self.refused += len(search.left)

    def _submit(self, rows: Sequence[ImportRow]) -> object:
        answer = self.how.queue.submit(rows)
        if answer is not None and not isinstance(answer, Invalid):
            self.batches += 1
            for row in rows:
                step = Step.UPDATE if row.contact_id else Step.INSERT
                self.imported[row.contact.identity] = step
                self._sent[row.seq] = row.contact_id
        return answer

    def _read_updated(self, done: Done) -> None:
        """Read those that were imported, and whoever was created instead: a contact that lost its
        address in between is no contact of an import's.
        """
        ids = [contact_id for contact_id in self._sent.values() if contact_id]
        self._read_by_ids([*ids, *done.created])

    def _read_created(self, newest: int, done: Done) -> None:
        """Read all contacts newer than `newest`. Where the lists do not show all yet, wait a while;
        in the end the rest is read by the ids that the vendor told.
        """
        seen: set[str] = set()
        for seconds in (*_LAG_SECONDS, None):
            try:
                seen |= (self.how.reading or self.look).read_new(newest)
            except VendorUnavailable:  # the list has no order: ids are what is left
                break
            if seconds is None or not done.whole or self._missing() <= done.failures:
                break
            self.how.pause(seconds)
        self._read_by_ids([contact_id for contact_id in done.created if contact_id not in seen])
        for address in self._addresses():
            for entry in self.index.by_address(address):
                self.permit.made(entry.id)

    def _read_by_ids(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), BATCH):
            self.stop.check()
            (self.how.reading or self.look).read_known(ids[start : start + BATCH])

    def _missing(self) -> int:
        """How many of the rows that were sent are at no contact that has been read."""
        return sum(not self.index.by_address(address) for address in self._addresses())

    def _addresses(self) -> Iterator[str]:
        """The addresses that were sent."""
        for batch in self.intended.batches(BATCH):
            yield from (r.address_key for r in batch if r.address_key and r.seq in self._sent)
