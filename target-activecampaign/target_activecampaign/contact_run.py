"""One stream of contacts in a run: rehearsed where a plan or a guard wants it, then carried out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Connection
from typing import TYPE_CHECKING

from target_kit.clock import Clock
from target_kit.errors import BudgetExceeded, GuardTripped
from target_kit.gate import StateGate
from target_kit.guards import Tripped, tripped_error
from target_kit.hands import Hands
from target_kit.index import DestinationIndex
from target_kit.intake import Intake
from target_kit.intended import IntendedSet
from target_kit.outcome import Tally
from target_kit.plan import Approved, Digests, Entry
from target_kit.rejects import RejectStore
from target_kit.rejects_rehearsal import UnkeptRejects
from target_kit.report import RunReport, StreamReport
from target_kit.signals import StopSignal
from target_kit.suppression import Suppressions
from target_kit.tombstones import Tombstones, UnwrittenTombstones
from target_kit.workfile import work_file

from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_rehearsal import RehearsedAccounts
from target_activecampaign.account_run import AccountRun
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.control_settings import Mode
from target_activecampaign.guarding import can_trip, tripped
from target_activecampaign.importing import Importing, importing
from target_activecampaign.itemising import Naming
from target_activecampaign.lists import ListIds
from target_activecampaign.mapping import resolve_key_type
from target_activecampaign.memory import Memory
from target_activecampaign.model import Field
from target_activecampaign.noting import Notes
from target_activecampaign.permits import (
    Everything,
    Noting,
    OnlyWithdrawals,
    Permit,
    Planned,
    StatusOf,
)
from target_activecampaign.rehearsal import Picture, RehearsedContacts, RehearsedMemberships
from target_activecampaign.rehearsed_imports import RehearsedImports
from target_activecampaign.settings import Settings
from target_activecampaign.sinks import ContactSink
from target_activecampaign.withdrawal_client import WithdrawalEndpoints

if TYPE_CHECKING:
    from target_kit.ledger import Ledger

Permits = Callable[[Naming, StatusOf], Permit]


def _untold(entry: Entry) -> None:
    """Nobody asked for a plan."""
    del entry


@dataclass(frozen=True)
class Account:
    """What was read of the account before any stream."""

    client: ActiveCampaign
    fields: dict[str, Field]
    lists: dict[str, ListIds]
    tag_names: dict[str, str]
    hands: Hands = field(default_factory=Hands)


@dataclass(frozen=True)
class Rehearsed:
    """What the rehearsal of one stream found out."""

    notes: Notes
    picture: Picture
    tripped: list[Tripped]


@dataclass
class ContactRun:
    """Streams of contacts, one after the other. `approved` is the plan that is carried out, if one
    is; a plan that is being made gets its entries by `told`, and `found` keeps the rest.
    """

    settings: Settings
    intake: Intake
    report: RunReport
    clock: Clock
    stop: StopSignal
    gate: StateGate
    account: Account
    accounts: AccountRun
    approved: Approved | None = None
    told: Callable[[Entry], None] = field(default=_untold)
    found: list[Rehearsed] = field(default_factory=list)

    def work_off(self, stream: ContactStream) -> None:
        """One stream, as far as the mode goes. Raises GuardTripped, and what ends a run."""
        if self.settings.control.mode is Mode.PLAN:
            self._plan(stream)
        else:
            self._run(stream)

    def only_withdraw(self, stream: ContactStream) -> None:
        """Unsubscribe who has withdrawn consent, and nothing else."""
        if stream.lists:
            self._run(stream, stopped=True)

    def _run(self, stream: ContactStream, *, stopped: bool = False) -> None:
        tally = Tally(self.settings.max_errors, received=self._received(stream))
        rejects = RejectStore(self.settings.state_dir, stream.name, self.intake.only)
        client = self.account.client
        with self._opened(stream) as (database, ledger), self._tombstones(stream) as tombstones:
            endpoints = WithdrawalEndpoints(client.api)
            imports = importing(self.settings, stream.name, endpoints, self.clock)
            sink = self._sink(
                stream, database, client, endpoints, self._permit, imports,
                self.account.tag_names, tally, rejects, ledger, tombstones,
            )  # fmt: skip
            try:
                sink.look_around()
                if stopped:
                    sink.withdraw(OnlyWithdrawals(*sink.wording, self._digests()))
                else:
                    self._carry_out(stream, sink, ledger)
            finally:
                tally.close()
                self._say(stream, sink, tally, rejects.path)
                rejects.finish()

    def _permit(self, naming: Naming, status_of: StatusOf) -> Permit:
        """What may be carried out: everything, or what the plan holds."""
        if self.approved is None:
            return Everything()
        return Planned(naming, status_of, self._digests(), self.approved)

    def _carry_out(self, stream: ContactStream, sink: ContactSink, ledger: Ledger) -> None:
        """All but what guards forbid: where one says no, only withdrawals of consent."""
        guards, records = self.settings.control.guards, sink.intended.count()
        try:
            if can_trip(guards, stream, records, sink.looking.most_known(records)):
                sink.look_everybody_up()
                with work_file(self.settings.state_dir, f"{stream.name}-rehearsal") as database:
                    rehearsed = self._rehearse(stream, database, ledger, beside=sink)
                if rehearsed.tripped:
                    raise tripped_error(stream.name, rehearsed.tripped)
            sink.carry_out()
        except BudgetExceeded:
            raise
        except GuardTripped:
            sink.withdraw(OnlyWithdrawals(*sink.wording, self._digests()))
            raise

    def _plan(self, stream: ContactStream) -> None:
        with self._opened(stream) as (database, ledger):
            self.found.append(self._rehearse(stream, database, ledger))

    def _rehearse(
        self,
        stream: ContactStream,
        database: Connection,
        ledger: Ledger,
        beside: ContactSink | None = None,
    ) -> Rehearsed:
        """Walk the corridor without writing; `beside` is one that has looked around already."""
        from target_kit.ledger_rehearsal import UnwrittenLedger

        client, picture, made = self.account.client, Picture(self.clock), list[Noting]()
        # Without budgets: what a rehearsal is for is to see everything.
        tally = Tally(sys.maxsize, received=self._received(stream))

        def noting(naming: Naming, status_of: StatusOf) -> Permit:
            told = self.told if beside is None else _untold
            made.append(Noting(naming, status_of, self._digests(), told, self.approved))
            return made[0]

        rejects = UnkeptRejects(self.settings.state_dir, stream.name, self.intake.only)
        tag_names = dict(self.account.tag_names)
        imports = RehearsedImports(picture, tag_names)
        with self._tombstones(stream, UnwrittenTombstones) as tombstones:
            sink = self._sink(
                stream, database, RehearsedContacts(client, picture),
                RehearsedMemberships(WithdrawalEndpoints(client.api), picture), noting,
                imports.importing(self.settings.control, self.clock), tag_names, tally, rejects,
                UnwrittenLedger(ledger), tombstones,
            )  # fmt: skip
            picture.show(sink.look)
            try:
                sink.look_around() if beside is None else sink.adopt(beside)
                sink.carry_out()
            finally:
                tally.close()
                if beside is None:
                    self._say(stream, sink, tally, None)
        notes = made[0].notes
        notes.rest()
        said = tripped(self.settings.control.guards, stream, notes, tally, client.total)
        return Rehearsed(notes, picture, said)

    def _received(self, stream: ContactStream) -> int:
        return self.intake.spool.count(stream.name)

    def _digests(self) -> Digests:
        return Digests.from_state_dir(self.settings.state_dir, self.clock)

    def _sink(
        self,
        stream: ContactStream,
        database: Connection,
        client: ActiveCampaign,
        endpoints: WithdrawalEndpoints,
        permits: Permits,
        imports: Importing,
        tag_names: dict[str, str],
        tally: Tally,
        rejects: RejectStore,
        ledger: Ledger,
        tombstones: Tombstones | None,
    ) -> ContactSink:
        rehearses, accounts = isinstance(client, RehearsedContacts), None
        if isinstance(client, RehearsedContacts):
            accounts = RehearsedAccounts(AccountEndpoints(client.api), client.picture)
        return ContactSink(
            stream=stream,
            key_type=resolve_key_type(stream, self.intake.streams[stream.name].schema),
            fields=self.account.fields,
            client=client,
            endpoints=endpoints,
            permits=permits,
            importing=imports,
            list_ids=self.account.lists.get(stream.name, {}),
            tag_names=tag_names,
            accounts=self.accounts.of_contacts(stream, database, accounts),
            tombstones=tombstones,
            suppressions=Suppressions(self.settings.shared_dir, stream.name),
            memory=Memory(ledger, stream.on_email_change, self.clock),
            spool=self.intake.spool,
            intended=IntendedSet(database),
            index=DestinationIndex(database),
            rejects=rejects,
            tally=tally,
            clock=self.clock,
            stop=self.stop,
            advance=_nowhere if rehearses else lambda seq: self.gate.advance(stream.name, seq),
            reads_setting=self.settings.reads,
            full_read_days=self.settings.full_read_days,
            verify_sample=self.settings.control.verify_sample,
            quarantine_after=self.settings.control.quarantine_after,
            requests_per_second=self.settings.requests_per_second,
            hands=Hands() if rehearses else self.account.hands,
        )

    @contextmanager
    def _opened(self, stream: ContactStream) -> Iterator[tuple[Connection, Ledger]]:
        """The run's work file, and who is who since when at which address: of this account and
        stream.
        """
        from target_kit.ledger import open_ledger

        settings, scope = self.settings, self.settings.ledger_scope(stream.name)
        state_dir, shard = settings.state_dir, settings.shard
        with (
            work_file(state_dir, stream.name) as database,
            open_ledger(state_dir, settings.ledger_url, scope, shard=shard) as ledger,
        ):
            yield database, ledger

    @contextmanager
    def _tombstones(
        self, stream: ContactStream, kind: type[Tombstones] = Tombstones
    ) -> Iterator[Tombstones | None]:
        """Who was deleted, where deletions are acted on."""
        if not stream.deletes.acts:
            yield None
            return
        with closing(kind(self.settings.shared_dir, stream.name)) as tombstones:
            yield tombstones

    def _say(
        self, stream: ContactStream, sink: ContactSink, tally: Tally, rejects_file: Path | None
    ) -> None:
        reads = sink.looking.reads.as_dict() if sink.looking.reads else None
        done = StreamReport.of(stream.name, tally, reads, rejects_file, sink.details)
        self.report.streams.append(done)


def _nowhere(seq: int | None) -> None:
    """A rehearsal moves no STATE."""
    del seq
