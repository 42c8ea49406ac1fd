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
from target_activecampaign.bulk_reading import BulkReading
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
    _reading: BulkReading = field(init=False)

    def __post_init__(self) -> None:
        reader = self.how.reading or self.look
        parts = (self.permit, self.index, self.intended, self.stop, self.by_point)
        self._reading = BulkReading(self.how, reader, *parts)

    def update(self) -> None:
        """Import what changes of known contacts, and read them back."""
        strategy, rows = self.how.strategy, self.intended.count()
        if rows and (strategy == "bulk" or (strategy == "auto" and rows >= FEWEST)):
            self._reading.begin()
            spellings = Spellings(self.tag_names.values())
            if batches := self._batches(spellings, created=False):
                self._go(batches, spellings, created=False)

    def create(self) -> None:
        """Import new contacts, and read all that are newer than the newest one before.

        An import writes over whoever has the address by then: who came since the account was read
        is seen before, and shards take turns.
        """
        spellings = Spellings(self.tag_names.values())
        if batches := self._batches(spellings, created=True):
            with self.how.turn():
                self._create(batches, spellings)
        if self.dated >= FEWEST and self.how.strategy == "auto":
            logger.warning(
                "%s: %d contacts are made one by one, because imports take no date of creation "
                "(cdate); leave cdate out of fields, or set strategy to bulk to go without it",
                self.name,
                self.dated,
            )

    def _create(self, batches: Iterator[list[ImportRow]] | None, spellings: Spellings) -> None:
        try:
            if self._reading.who_came():
                spellings = Spellings(self.tag_names.values())
                batches = self._batches(spellings, created=True)
        except VendorUnavailable as error:
            logger.warning("%s: new contacts are not imported: %s", self.name, error)
            return
        if batches:
            self._go(batches, spellings, created=True)

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

    def _go(
        self, batches: Iterator[list[ImportRow]], spellings: Spellings, *, created: bool
    ) -> None:
        how = self.how
        self._sent.clear()
        how.queue.begin()
        self._send_all(batches)
        done = how.queue.finish()
        if not self._sent:
            return
        if spellings.made:
            self.tag_names.update(how.read_tags())
        if created:
            self._reading.created(self._sent, done)
        else:
            self._reading.updated(self._sent.values(), done)
        logger.info("%s: %d rows imported in bulk", self.name, len(self._sent))

    def _batches(self, spellings: Spellings, *, created: bool) -> Iterator[list[ImportRow]] | None:
        """What can be imported; None where nothing is worth it."""
        if self.how.strategy == "single" or self._off:
            return None
        self.dated = 0
        batches = cut(self._fitting(spellings, created=created))
        first = next(batches, None)
        if first is None or not pays(self.how.strategy, first, first=True):
            return None
        return chain([first], batches)

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
            revoked = self._sent and isinstance(error, CredentialsError)
            if revoked or self.how.strategy == "bulk":
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
        self._reading.by_ids([row.contact_id for row in batch if row.contact_id])
        return [row for row in batch if row.existing == self._known(row) and self._is_free(row)]

    def _is_free(self, row: ImportRow) -> bool:
        """Whether nobody has the address of a new contact, by what was read since its decision."""
        email = row.contact.email
        return row.contact_id is not None or email is None or not self.index.by_address(email.key)

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
