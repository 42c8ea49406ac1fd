"""One run: lock, credentials, fields, then stream by stream: accounts first, then contacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from target_kit.clock import Clock
from target_kit.errors import (
    CallFailed,
    CallRefused,
    OutcomeUnknown,
    VendorUnavailable,
)
from target_kit.gate import StateGate
from target_kit.http import JsonApi
from target_kit.index import DestinationIndex
from target_kit.intake import Intake
from target_kit.intended import IntendedSet
from target_kit.limits import Deadline
from target_kit.outcome import Tally
from target_kit.rejects import RejectStore
from target_kit.report import RunReport, StreamReport, counted
from target_kit.shared_rate import shared_rate
from target_kit.signals import StopSignal
from target_kit.tombstones import Tombstones
from target_kit.workfile import work_file

from target_activecampaign.account_run import AccountRun
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.exclusion import exclusive
from target_activecampaign.fields import prepare_fields
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.lists import ListIds, resolve_lists
from target_activecampaign.mapping import resolve_key_type
from target_activecampaign.memory import Memory
from target_activecampaign.model import Field
from target_activecampaign.settings import ContactStream, Settings
from target_activecampaign.sinks import ContactSink

if TYPE_CHECKING:
    from target_kit.ledger import Ledger


@contextmanager
def vendor(settings: Settings, clock: Clock, stop: StopSignal) -> Iterator[ActiveCampaign]:
    """The account's client; a call that fails outside of any record ends the run in words."""
    rate = settings.requests_per_second
    with shared_rate(settings.rate_limit_url, settings.account, rate, clock, stop) as limiter:
        api = JsonApi(
            settings.api_url,
            secret_header=("Api-Token", settings.api_key),
            user_agent=f"target-activecampaign/{version('target-activecampaign')}",
            requests_per_second=rate,
            timeout_seconds=settings.timeout_seconds,
            clock=clock,
            stop=stop,
            deadline=Deadline(settings.deadline_seconds, clock),
            ca_bundle=settings.ca_bundle,
            limiter=limiter,
        )
        with api:
            try:
                yield ActiveCampaign(api, _beside(settings))
            except (CallFailed, CallRefused, OutcomeUnknown) as error:
                raise VendorUnavailable(str(error)) from None


def _beside(settings: Settings) -> list[str]:
    """What reads of contacts bring along, so that nothing of it is asked for contact by contact."""
    streams = settings.streams.values()
    wanted = {
        "contactLists": any(stream.lists for stream in streams),
        "contactTags": any(stream.uses_tags for stream in streams),
    }
    return [name for name, is_wanted in wanted.items() if is_wanted]


@dataclass
class Run:
    """Works off an intake; fills `report` as it goes, whatever the end."""

    settings: Settings
    intake: Intake
    report: RunReport
    clock: Clock
    stop: StopSignal

    def go(self) -> None:
        """All streams that have records now or open rejects from before."""
        spool, last = self.intake.spool, self.intake.spool.last_seq()
        due = [n for n in self.intake.streams if spool.count(n) or self._has_rejects(n)]
        names = [n for n in due if n in self.settings.streams]
        names.sort(key=lambda name: not self.settings.streams[name].goes_first)
        if due:
            firsts = {n: spool.records(n, limit=1)[0].seq for n in due if spool.count(n)}
            gate = StateGate(firsts, last, self.intake.close_through)
            with (
                exclusive(self.settings, self.clock, self.stop) as alone,
                vendor(self.settings, self.clock, self.stop) as client,
                self._counted_calls(client),
            ):
                client.whoami()
                streams = [self.settings.streams[n].with_upper_perstags() for n in names]
                accounts = self._accounts(due, streams, client)
                endpoints = ListEndpoints(client.api)
                schemas = [self.intake.streams[n].schema for n in names]
                pairs = list(zip(streams, schemas, strict=True))
                with alone():
                    accounts.check()
                    lists = resolve_lists(streams, endpoints)
                    tag_names = endpoints.tags() if any(s.uses_tags for s in streams) else {}
                    fields = prepare_fields(pairs, client) if pairs else {}
                    accounts.complete_fields()
                accounts.work_off(gate)
                for stream in streams:
                    ids = lists.get(stream.name, {})
                    self._work_off(stream, fields, ids, tag_names, accounts, client, gate)
        self.intake.close_through(last)

    def _work_off(
        self,
        stream: ContactStream,
        fields: dict[str, Field],
        list_ids: ListIds,
        tag_names: dict[str, str],
        accounts: AccountRun,
        client: ActiveCampaign,
        gate: StateGate,
    ) -> None:
        info, spool = self.intake.streams[stream.name], self.intake.spool
        tally = Tally(self.settings.max_errors, received=spool.count(stream.name))
        rejects = RejectStore(self.settings.state_dir, stream.name)
        with (
            work_file(self.settings.state_dir, stream.name) as database,
            self._tombstones(stream) as tombstones,
            self._ledger(stream) as ledger,
        ):
            sink = ContactSink(
                stream=stream,
                key_type=resolve_key_type(stream, info.schema),
                fields=fields,
                client=client,
                list_ids=list_ids,
                tag_names=tag_names,
                accounts=accounts.of_contacts(stream, database),
                tombstones=tombstones,
                memory=Memory(ledger, stream.on_email_change, self.clock),
                spool=spool,
                intended=IntendedSet(database),
                index=DestinationIndex(database),
                rejects=rejects,
                tally=tally,
                clock=self.clock,
                stop=self.stop,
                advance=lambda first_open: gate.advance(stream.name, first_open),
                reads_setting=self.settings.reads,
                full_read_days=self.settings.full_read_days,
            )
            try:
                sink.run()
            finally:
                tally.close()
                reads = sink.looking.reads.as_dict() if sink.looking.reads else None
                done = StreamReport.of(stream.name, tally, reads, rejects.path, sink.details)
                self.report.streams.append(done)
                rejects.finish()

    def _accounts(
        self, due: Sequence[str], contacts: Sequence[ContactStream], client: ActiveCampaign
    ) -> AccountRun:
        wanted = self.settings.account_streams
        streams = [wanted[name] for name in due if name in wanted]
        parts = (self.settings, self.intake, self.report, self.clock, self.stop)
        return AccountRun(*parts, client.api, streams, contacts)

    def _ledger(self, stream: ContactStream) -> AbstractContextManager[Ledger]:
        """Who is who, since when at which address: of this account and stream."""
        from target_kit.ledger import open_ledger

        scope = self.settings.ledger_scope(stream.name)
        settings = self.settings
        return open_ledger(settings.state_dir, settings.ledger_url, scope, shard=settings.shard)

    @contextmanager
    def _tombstones(self, stream: ContactStream) -> Iterator[Tombstones | None]:
        """Who was deleted, where deletions are acted on."""
        if not stream.deletes.acts:
            yield None
            return
        with closing(Tombstones(self.settings.shared_dir, stream.name)) as tombstones:
            yield tombstones

    @contextmanager
    def _counted_calls(self, client: ActiveCampaign) -> Iterator[None]:
        try:
            yield
        finally:
            api, report = client.api, self.report
            report.calls = counted(api.calls)
            report.writes = api.writes
            seconds = sum(api.calls.values()) / self.settings.requests_per_second
            report.estimated_seconds = round(seconds, 1)

    def _has_rejects(self, name: str) -> bool:
        path = RejectStore.path_of(self.settings.state_dir, name)
        return path.exists() and path.stat().st_size > 0
