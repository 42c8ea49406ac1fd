"""What work on a list needs, made from the settings: vendor, lock, journal, tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import version

from optimizely_soap.faults import SoapFault
from optimizely_soap.session import SoapSession
from target_kit.clock import Clock
from target_kit.control import Mode
from target_kit.errors import CallFailed, CallRefused, OutcomeUnknown, VendorUnavailable
from target_kit.limits import Deadline
from target_kit.lock import run_lock
from target_kit.report import RunReport, counted
from target_kit.signals import StopSignal
from target_kit.suppression import Suppressions

from target_optimizely.client import READING, Campaign
from target_optimizely.journal import Journal
from target_optimizely.mapping import stored_names
from target_optimizely.rehearsal import RehearsedCampaign
from target_optimizely.sender import Sender
from target_optimizely.settings import ListSettings, Settings
from target_optimizely.snapshot import ListReader
from target_optimizely.soap_api import SoapApi
from target_optimizely.suppression import Suppression
from target_optimizely.work import IsForgotten, ListWork


@dataclass(frozen=True)
class Workbench:
    """The means of one run; calls are counted in `report`."""

    settings: Settings
    report: RunReport
    clock: Clock
    stop: StopSignal

    @contextmanager
    def vendor(self) -> Iterator[Campaign]:
        """The client's services; a call that fails outside of any row ends the run in words.

        While a plan is made, nothing that writes is ever sent.
        """
        rehearses = self.settings.control.mode is Mode.PLAN
        api = SoapApi(
            self.settings.api_url,
            reading=READING,
            user_agent=f"target-optimizely/{version('target-optimizely')}",
            timeout_seconds=self.settings.timeout_seconds,
            clock=self.clock,
            stop=self.stop,
            deadline=Deadline(self.settings.deadline_seconds, self.clock),
            ca_bundle=self.settings.ca_bundle,
        )
        session = SoapSession(
            api,
            self.clock.monotonic,
            mandator_id=self.settings.mandator_id,
            username=self.settings.username,
            password=self.settings.password,
            session_seconds=self.settings.session_seconds,
        )
        with api:
            try:
                yield (RehearsedCampaign if rehearses else Campaign)(session)
                session.close()
            except (CallFailed, CallRefused, OutcomeUnknown, SoapFault) as error:
                called = getattr(error, "__notes__", [])[:1]
                raise VendorUnavailable(": ".join([*called, str(error)])) from None
            finally:
                self.report.calls = counted(Counter(self.report.calls) + api.calls)
                self.report.writes += api.writes

    def work(self, one: ListSettings, journal: Journal, campaign: Campaign) -> ListWork:
        """The tools for one list, whose lock the caller holds."""
        suppression = Suppression(campaign, one, self.settings.batch_size_records)
        return ListWork(
            settings=one,
            batch=self.settings.batch_size_records,
            max_errors=self.settings.max_errors,
            check_mailings=self.settings.check_mailings,
            campaign=campaign,
            journal=journal,
            sender=Sender(campaign, one.list_id, suppression),
            reader=ListReader(campaign, one.list_id, one.id_attribute, one.email_attribute),
            clock=self.clock,
            stop=self.stop,
            is_forgotten=self.is_forgotten(one),
        )

    def is_forgotten(self, one: ListSettings) -> IsForgotten:
        """Who was erased by the command `forget`, as this list may have them."""
        suppressions = Suppressions(self.settings.state_dir, one.name)

        def asked(address: str, names: Sequence[str], values: Sequence[str | None]) -> bool:
            names_there = stored_names(one, address, names, values) if suppressions else ()
            return suppressions.covers(*names_there)

        return asked

    def lock(self, one: ListSettings) -> AbstractContextManager[None]:
        """Hold the list; LockedError when another run has it (S1-27)."""
        account = f"{self.settings.account} {one.list_id}"
        return run_lock(self.settings.state_dir, account, "recipient list")

    @contextmanager
    def journal(self, one: ListSettings) -> Iterator[Journal]:
        """The journal of a list, closed at the end. Who was forgotten is not kept in it: a transfer
        finds them on the list before it takes them off.
        """
        account = self.settings.account
        with closing(Journal.open(self.settings.state_dir, account, one.list_id)) as journal:
            try:
                yield journal
            finally:
                self._keep_nobody_forgotten(one, journal)

    def _keep_nobody_forgotten(self, one: ListSettings, journal: Journal) -> None:
        if Suppressions(self.settings.state_dir, one.name) and journal.open_intent() is None:
            is_forgotten = self.is_forgotten(one)
            journal.forget_stored(lambda row, names: is_forgotten(row.address, names, row.values))
