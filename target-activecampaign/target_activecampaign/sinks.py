"""The corridor: one stream's records from the spool to their outcome, one line a step.

Two passes over the same set (S0-6, S0-27): first what is known is updated, which frees addresses;
then, on the refreshed mapping, what is new is inserted. STATE follows the second pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from target_kit.clock import Clock
from target_kit.errors import CallFailed, OutcomeUnknown, RowError
from target_kit.index import DestinationIndex
from target_kit.intended import IntendedSet, Row
from target_kit.outcome import Outcome, Result, Step, Tally
from target_kit.progress import Progress
from target_kit.rejects import RejectStore
from target_kit.signals import StopSignal
from target_kit.spool import Spool
from target_kit.tombstones import Tombstones

from target_activecampaign import planning
from target_activecampaign.accounts import Accounts
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.collecting import BATCH
from target_activecampaign.deciding import Deciding
from target_activecampaign.deletes import Deletes
from target_activecampaign.execute import Executor, LookAgain, rejected
from target_activecampaign.gathering import Gathering, decode_contact
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.list_settings import TagRule
from target_activecampaign.lists import ListIds, Lists
from target_activecampaign.look import Look
from target_activecampaign.model import Contact, Field, KeyType
from target_activecampaign.settings import ContactStream
from target_activecampaign.tags import Marking, Tags
from target_activecampaign.withdrawal_client import WithdrawalEndpoints
from target_activecampaign.withdrawn import Withdrawn

_MAX_LOOKS = 4  # how often one row may find the world changed under it before it is given up
_MAX_PASSES = 10  # longest chain of addresses handed on that one run resolves against its order

logger = logging.getLogger(__name__)


@dataclass
class ContactSink:
    """One stream of contacts; `advance(first_open_seq)` is told after every durable step."""

    stream: ContactStream
    key_type: KeyType
    fields: dict[str, Field]
    client: ActiveCampaign
    spool: Spool
    intended: IntendedSet
    index: DestinationIndex
    rejects: RejectStore
    tally: Tally
    clock: Clock
    stop: StopSignal
    advance: Callable[[int | None], None]
    accounts: Accounts | None = None
    tombstones: Tombstones | None = None
    list_ids: ListIds = field(default_factory=dict)
    tag_names: dict[str, str] = field(default_factory=dict)
    reads_setting: str = "auto"
    reads: planning.Reads | None = None
    look: Look = field(init=False)
    withdrawn: Withdrawn | None = field(init=False, default=None)
    deletes: Deletes | None = field(init=False, default=None)
    executor: Executor = field(init=False)
    deciding: Deciding = field(init=False)
    progress: Progress = field(init=False)
    gathering: Gathering = field(init=False)
    _blocked: int = 0

    def __post_init__(self) -> None:
        self.progress = Progress(self.stream.name, self.clock)
        stream = self.stream
        owned = [self.fields[p] for p in (*stream.custom_fields, *stream.hidden_fields)]
        key_field = self.fields[stream.key_field]
        self.look = Look(self.client, self.index, key_field, owned, self.key_type, self.stop)
        endpoints, lists, tags = ListEndpoints(self.client.api), None, None
        if self.list_ids:
            lists = Lists(endpoints, self.look, self.list_ids, self.clock)
        if stream.uses_tags:
            rule, names = stream.tags or TagRule(), self.tag_names
            tags = Tags(endpoints, self.look, rule, names, self._marking())
        self.executor = Executor(
            self.client,
            self.look,
            self.accounts,
            on_contact_gone=self.stream.on_contact_gone,
            lists=lists,
            tags=tags,
        )
        self.deciding = Deciding(
            self.stream,
            self.fields,
            self.look,
            self.index,
            self.executor,
            lists,
            tags,
            self.accounts,
        )
        if lists:
            resolve = self.deciding.resolve
            self.withdrawn = Withdrawn(lists, self.look, self.index, self.stop, resolve)
            self.tally.patient = True
        self.gathering = Gathering(
            self.stream,
            self.key_type,
            self.spool,
            self.intended,
            self.rejects,
            self.tally,
            self.clock,
            self.stop,
            lists,
            self.withdrawn,
        )
        if self.tombstones:
            self.deletes = Deletes(
                self.stream.name,
                self.stream.deletes,
                WithdrawalEndpoints(self.client.api),
                self.look,
                self.tombstones,
                self.stop,
                match=self.deciding.match,
                is_wanted=self.gathering.wants_address,
            )

    def _marking(self) -> Marking | None:
        """How contacts of this stream are marked with where they came from."""
        if self.stream.provenance is None:
            return None
        pending = self.fields[self.stream.provenance.pending]
        return Marking(self.stream.provenance, pending.id, self.client.put_field_value)

    @property
    def details(self) -> dict[str, int]:
        """What the report says besides outcomes: legacy tags removed, or that would be (S4-27)."""
        tags, rule = self.deciding.tags, self.stream.provenance
        number = sum(tags.legacy.values()) if tags else 0
        if rule is None or not number:
            return {}
        return {"legacy_tags_removed" if rule.clean_up else "legacy_tags_to_clean_up": number}

    def run(self) -> None:
        """Check, look, withdraw, update, insert: every record of the stream gets its outcome."""
        self.gathering.materialise()
        self.gathering.settle_duplicates()
        self.look_at_destination()
        if self.deletes:
            self.deletes.go(self.deleted_rows, self.gathering.settle, by_point=self.by_point)
        if self.withdrawn:
            batches = self.intended.batches(BATCH)
            self.withdrawn.go(
                ([decode_contact(row.body) for row in batch] for batch in batches),
                by_point=self.by_point,
            )
            self.tally.enforce()
        self.progress.begin(self.tally.total)
        for _ in range(_MAX_PASSES):
            self._blocked, before = 0, self.intended.count()
            self.process(final=False)
            if not self._blocked or self.intended.count() == before:
                break
        self.process(final=True)

    @property
    def by_point(self) -> bool:
        """Whether each batch is looked up by itself."""
        return self.reads is not None and self.reads.strategy == "point"

    def deleted_rows(self) -> Iterator[list[tuple[Row, Contact]]]:
        """Rows of persons deleted in the source, in batches."""
        for batch in self.intended.batches(BATCH) if self.gathering.any_deleted else ():
            rows = [(row, decode_contact(row.body)) for row in batch]
            yield [(row, contact) for row, contact in rows if contact.deleted]

    def process(self, *, final: bool) -> None:
        """One pass over the rows still open; in the final one nothing stays open."""
        for batch in self.intended.batches(BATCH):
            self.process_batch(batch, final=final)
            self.progress.tell(self.tally.total, self.tally.received + self.tally.reoffered)
            if final:
                self.rejects.sync()
                self.advance(self.intended.first_open())

    def process_batch(self, batch: Sequence[Row], *, final: bool) -> None:
        """look → resolve → diff → plan → execute → record, row by row on live data."""
        contacts = [decode_contact(row.body) for row in batch]
        if self.by_point:
            self.look.look_up([c for c in contacts if not c.deleted])
        for row, contact in zip(batch, contacts, strict=True):
            self.stop.check()
            if self.deletes and self.deletes.covers(row):
                self.gathering.settle(row, _deleted_before)
            elif result := self.process_row(contact, final=final):
                self.gathering.settle(row, result)

    def process_row(self, contact: Contact, *, final: bool) -> Result | None:
        """The outcome of one row, or None while the first pass leaves it to the second."""
        step, source, written, called = Step.INSERT, "", False, False
        for _ in range(_MAX_LOOKS):
            try:
                match = self.deciding.resolve(contact)
                step = Step.UPDATE if match.contact_id else Step.INSERT
                source = match.source
                if not match.contact_id and not final:
                    return None
                change = self.deciding.plan(contact, match)
                if change is None:
                    return _skipped(contact, step, source)
                if change.empty and not change.problems:
                    left = self.withdrawn and contact.identity in self.withdrawn.done
                    cause = "unsubscribed" if left else change.kept
                    if change.suppressed and not left:
                        return Result(Outcome.SUPPRESSED, step, cause, source=source)
                    return _nothing_to_do(step, source, cause, written=written or bool(left))
                called = True
                return self.executor.apply(contact, change, source)
            except LookAgain as again:
                written = written or again.written
            except RowError as error:
                if final or called:
                    return rejected(error, step, source)
                self._blocked += 1  # another row of this pass may yet free the address
                return None
            except CallFailed as error:
                return Result(Outcome.FAILED, step, "vendor_failed", str(error), source=source)
            except OutcomeUnknown as error:
                return Result(Outcome.UNKNOWN, step, "fate_unknown", str(error), source=source)
        return Result(Outcome.UNKNOWN, step, "keeps_changing", "gave up", source=source)

    def look_at_destination(self) -> None:
        """Choose how to read by cost, and crawl now if that is cheaper."""
        records = self.intended.count()
        if records == 0:
            return
        self.reads = planning.choose_reads(self.reads_setting, records, self.client.total())
        logger.info(
            "%s: reads by %s (%s)", self.stream.name, self.reads.strategy, self.reads.because
        )
        if self.reads.strategy == "crawl":
            self.look.crawl()
        if self.accounts:
            self.accounts.read(everything=self.reads.strategy == "crawl")


_deleted_before = Result(Outcome.SUPPRESSED, Step.CHECK, "deleted_before")


def _skipped(contact: Contact, step: Step, source: str) -> Result:
    cause = "deleted_in_source" if contact.deleted else "no_email"
    return Result(Outcome.SUPPRESSED, step, cause, source=source)


def _nothing_to_do(step: Step, source: str, cause: str, *, written: bool) -> Result:
    if written:  # before its turn, or a write of unknown fate turns out to have happened
        return Result(Outcome.APPLIED, step, cause or "confirmed_by_reading_back", source=source)
    return Result(Outcome.UNCHANGED, step, cause, source=source)
