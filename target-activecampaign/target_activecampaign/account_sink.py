"""The corridor of accounts: one stream's records from the spool to their outcome.

As for contacts, in two passes over the same set: what is known is updated first, which frees names;
then what is new is inserted. Accounts are never deleted. STATE follows the second pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from target_kit.errors import CallFailed, OutcomeUnknown, RowError
from target_kit.index import DestinationIndex, Entry
from target_kit.outcome import Outcome, Result, Step
from target_kit.progress import Progress

from target_activecampaign import account_planning
from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_execute import AccountExecutor
from target_activecampaign.account_gathering import AccountGathering, decode_account
from target_activecampaign.account_look import AccountLook
from target_activecampaign.account_model import Account, AccountChange, name_key
from target_activecampaign.account_permits import AccountPermit
from target_activecampaign.collecting import BATCH
from target_activecampaign.execute import LookAgain, rejected
from target_activecampaign.model import Field

_MAX_LOOKS = 4  # how often one row may find the world changed under it before it is given up
_MAX_PASSES = 10  # longest chain of names handed on that one run resolves against its order

logger = logging.getLogger(__name__)


@dataclass
class AccountSink:
    """One stream of accounts; `fields` are its custom fields as the settings name them,
    `advance(first_open_seq)` is told after every durable step.
    """

    gathering: AccountGathering
    fields: Mapping[str, Field]
    client: AccountEndpoints
    index: DestinationIndex
    advance: Callable[[int | None], None]
    permit: AccountPermit
    reads: dict[str, str] | None = None
    look: AccountLook = field(init=False)
    executor: AccountExecutor = field(init=False)
    progress: Progress = field(init=False)
    _blocked: int = 0

    def __post_init__(self) -> None:
        gathering, stream = self.gathering, self.gathering.stream
        key_id = self.fields[stream.key_field].id if stream.key else ""
        self.look = AccountLook(
            self.client,
            self.index,
            self.fields.values(),
            key_id,
            gathering.key_type,
            gathering.stop,
        )
        self.executor = AccountExecutor(
            self.client,
            self.look,
            self.fields,
            key_id,
            self.permit,
            on_account_gone=stream.on_account_gone,
        )
        self.progress = Progress(stream.name, gathering.clock)

    def run(self) -> None:
        """Check, look, update, insert: every record of the stream gets its outcome."""
        self.gathering.materialise()
        self.gathering.settle_duplicates()
        intended, tally = self.gathering.intended, self.gathering.tally
        if intended.count():
            self.reads = {"strategy": "crawl", "because": "no search finds an account by its key"}
            logger.info("%s: reads all accounts and their values", self.gathering.stream.name)
            self.look.crawl()
        self.progress.begin(tally.total, self.client.api.calls.total())
        for _ in range(_MAX_PASSES):
            self._blocked, before = 0, intended.count()
            self.process(final=False)
            if not self._blocked or intended.count() == before:
                break
        self.process(final=True)

    def process(self, *, final: bool) -> None:
        """One pass over the rows still open; in the final one nothing stays open."""
        gathering = self.gathering
        for batch in gathering.intended.batches(BATCH):
            for row in batch:
                gathering.stop.check()
                if result := self.process_row(decode_account(row.body), final=final):
                    gathering.settle(row, result)
            self.progress.tell(
                gathering.tally.total,
                gathering.tally.received + gathering.tally.reoffered,
                self.client.api.calls.total(),
            )
            if final:
                gathering.rejects.sync()
                self.advance(gathering.intended.first_open())

    def process_row(self, account: Account, *, final: bool) -> Result | None:
        """The outcome of one row, or None while an earlier pass leaves it to a later one."""
        if account.deleted:
            return Result(Outcome.SUPPRESSED, Step.CHECK, "deleted_in_source")
        step, source, written, called = Step.INSERT, "", False, False
        for _ in range(_MAX_LOOKS):
            try:
                account_id, source = self.resolve(account)
                step = Step.UPDATE if account_id else Step.INSERT
                if not account_id and not account.name:
                    return Result(Outcome.SUPPRESSED, step, "no_name", source=source)
                if not account_id and not final:
                    return None
                change = self.plan(account, account_id)
                if change.empty and not change.problems:
                    if not written:
                        return Result(Outcome.UNCHANGED, step, source=source)
                    cause = "confirmed_by_reading_back"
                    return Result(Outcome.APPLIED, step, cause, source=source)
                called = True
                return self.executor.apply(account, change, source)
            except LookAgain as again:
                written = written or again.written
            except RowError as error:
                if final or called:
                    return rejected(error, step, source)
                self._blocked += 1  # another row of this pass may yet free the name
                return None
            except CallFailed as error:
                return Result(Outcome.FAILED, step, "vendor_failed", str(error), source=source)
            except OutcomeUnknown as error:
                return Result(Outcome.UNKNOWN, step, "fate_unknown", str(error), source=source)
        return Result(Outcome.UNKNOWN, step, "keeps_changing", "gave up", source=source)

    def resolve(self, account: Account) -> tuple[str | None, str]:
        """Which account this is at the destination, by what the index knows now."""
        return account_planning.resolve(
            account,
            self.index.by_key(account.key) if account.key else [],
            self._named(account),
            has_key_column=self.gathering.stream.key is not None,
        )

    def plan(self, account: Account, account_id: str | None) -> AccountChange:
        """What must change."""
        return account_planning.plan(
            account,
            self.look.existing(account_id) if account_id else None,
            self.gathering.stream,
            self.fields,
            name_is_free=all(entry.id == account_id for entry in self._named(account)),
        )

    def _named(self, account: Account) -> list[Entry]:
        return self.index.by_address(name_key(account.name)) if account.name else []
