"""One run: lock, credentials, fields, then stream by stream: accounts first, then contacts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from target_kit.clock import Clock
from target_kit.errors import (
    CallFailed,
    CallRefused,
    GuardTripped,
    OutcomeUnknown,
    VendorUnavailable,
)
from target_kit.gate import StateGate
from target_kit.hands import Hands
from target_kit.http import JsonApi
from target_kit.intake import Intake
from target_kit.limits import Deadline
from target_kit.rejects import RejectStore
from target_kit.report import RunReport, counted
from target_kit.shards import check_same
from target_kit.shared_rate import shared_rate
from target_kit.signals import StopSignal

from target_activecampaign.account_run import AccountRun
from target_activecampaign.bulk_client import ImportEndpoints
from target_activecampaign.bulk_queue import finish_left_open
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.contact_run import Account, ContactRun
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.control_settings import Mode
from target_activecampaign.exclusion import Exclusion, exclusive
from target_activecampaign.fields import prepare_fields
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.lists import resolve_lists
from target_activecampaign.plan_run import PlanOfRun, plan_of_run
from target_activecampaign.settings import Settings


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
            connections=settings.control.connections,
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
        check_same(self.settings.shard, self.intake.marker)
        spool, last = self.intake.spool, self.intake.spool.last_seq()
        due = [n for n in self.intake.streams if spool.count(n) or self._has_rejects(n)]
        names = [n for n in due if n in self.settings.streams]
        names.sort(key=lambda name: not self.settings.streams[name].goes_first)
        # A plan is made, and checked before it is carried out, where nothing came as well.
        if due or self.settings.control.mode is not Mode.RUN:
            firsts = {n: spool.records(n, limit=1)[0].seq for n in due if spool.count(n)}
            gate = StateGate(firsts, last, self.intake.close_through)
            with (
                exclusive(self.settings, self.clock, self.stop) as lock,
                vendor(self.settings, self.clock, self.stop) as client,
                self._counted_calls(client),
            ):
                client.api.waiting = lock.watching()
                client.whoami()
                self._finish_imports(client)
                streams = [self.settings.streams[n].with_upper_perstags() for n in names]
                with self._plan(client) as plan:
                    self._work_off(due, streams, plan, gate, lock)
                if self.settings.control.mode is Mode.PLAN:
                    return
        self.intake.close_through(last)

    def _work_off(
        self,
        due: Sequence[str],
        streams: Sequence[ContactStream],
        plan: PlanOfRun,
        gate: StateGate,
        lock: Exclusion,
    ) -> None:
        """Fields and all that is missing for them, accounts, contacts; then the plan, if one is
        made.
        """
        client = plan.real
        accounts = self._accounts(due, streams, plan)
        endpoints = ListEndpoints(client.api)
        pairs = [(stream, self.intake.streams[stream.name].schema) for stream in streams]
        with lock.alone():
            accounts.check()
            lists = resolve_lists(streams, endpoints)
            tag_names = endpoints.tags() if any(s.uses_tags for s in streams) else {}
            fields = prepare_fields(pairs, plan.client) if pairs else {}
            accounts.complete_fields()
        accounts.work_off(gate)
        hands = Hands(self.settings.control.connections)
        client.api.waiting = lock.watching(hands.waiting)
        account = Account(client, fields, lists, tag_names, hands)
        parts = (self.settings, self.intake, self.report, self.clock, self.stop, gate)
        contacts = ContactRun(*parts, account, accounts, plan.approved, plan.add)
        _work_off_each(streams, contacts)
        plan.write(accounts.found, contacts.found, client.api.calls)

    def _finish_imports(self, client: ActiveCampaign) -> None:
        """What a run before this one left under way would write over what is written now."""
        imports, pause = ImportEndpoints(client.api), client.api.pause
        state_dir, account = self.settings.state_dir, self.settings.account
        finish_left_open(state_dir, account, imports, self.clock, pause)

    def _plan(self, client: ActiveCampaign) -> AbstractContextManager[PlanOfRun]:
        return plan_of_run(self.settings, self.report, self.clock, client)

    def _accounts(
        self, due: Sequence[str], contacts: Sequence[ContactStream], plan: PlanOfRun
    ) -> AccountRun:
        wanted = self.settings.account_streams
        streams = [wanted[name] for name in due if name in wanted]
        parts = (self.settings, self.intake, self.report, self.clock, self.stop)
        made = plan.add if self.settings.control.mode is Mode.PLAN else None
        return AccountRun(*parts, plan.accounts, streams, contacts, plan.approved, made)

    @contextmanager
    def _counted_calls(self, client: ActiveCampaign) -> Iterator[None]:
        try:
            yield
        finally:
            api, report = client.api, self.report
            report.calls = counted(api.calls)
            report.writes = api.writes
            report.answers_broken = counted(api.broken)
            seconds = sum(api.calls.values()) / self.settings.requests_per_second
            report.estimated_seconds = round(seconds, 1)

    def _has_rejects(self, name: str) -> bool:
        path = RejectStore.path_of(self.settings.state_dir, name)
        return path.exists() and path.stat().st_size > 0


def _work_off_each(streams: Sequence[ContactStream], contacts: ContactRun) -> None:
    """One after the other. Where one is stopped, those after it have their turn with the next run;
    who has withdrawn consent in them is unsubscribed even so.
    """
    for number, stream in enumerate(streams, start=1):
        try:
            contacts.work_off(stream)
        except GuardTripped:
            for other in streams[number:]:
                contacts.only_withdraw(other)
            raise
