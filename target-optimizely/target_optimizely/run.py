"""One run: what was left open first, then all lists are prepared, then each is brought in order.

Whatever is wrong with input, settings, consent or feedback stops the run before the first list is
touched. A guard of one list leaves that list as it was and lets the others go on (S1-2).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version

from optimizely_soap.faults import SoapFault
from optimizely_soap.session import SoapSession
from target_kit.clock import Clock
from target_kit.errors import (
    CallFailed,
    CallRefused,
    ConfigurationError,
    GuardTripped,
    InputError,
    LockedError,
    OutcomeUnknown,
    StopRun,
    VendorUnavailable,
)
from target_kit.feedback import read_feedback
from target_kit.intake import Intake
from target_kit.limits import Deadline
from target_kit.lock import run_lock
from target_kit.outcome import Outcome, Result, Step, Tally
from target_kit.report import RunReport, StreamReport, counted
from target_kit.signals import StopSignal

from target_optimizely import guards
from target_optimizely.checks import check_list
from target_optimizely.client import READING, Campaign
from target_optimizely.evidence import append_evidence, left_out_path, write_left_out
from target_optimizely.journal import Journal
from target_optimizely.mapping import Mapper, moment_columns
from target_optimizely.model import Phase
from target_optimizely.outcomes import Outcomes
from target_optimizely.recovery import finish_or_restore
from target_optimizely.sender import Sender
from target_optimizely.settings import ListSettings, Settings
from target_optimizely.snapshot import IncompleteSnapshot, ListReader
from target_optimizely.soap_api import SoapApi
from target_optimizely.suppression import Suppression
from target_optimizely.transfer import Transfer
from target_optimizely.wanted import Collector, collect
from target_optimizely.work import ListWork

logger = logging.getLogger(__name__)


@contextmanager
def vendor(
    settings: Settings, clock: Clock, stop: StopSignal, report: RunReport | None = None
) -> Iterator[Campaign]:
    """The client's services; a call that fails outside of any row ends the run in words."""
    api = SoapApi(
        settings.api_url,
        reading=READING,
        user_agent=f"target-optimizely/{version('target-optimizely')}",
        timeout_seconds=settings.timeout_seconds,
        clock=clock,
        stop=stop,
        deadline=Deadline(settings.deadline_seconds, clock),
        ca_bundle=settings.ca_bundle,
    )
    session = SoapSession(
        api,
        clock.monotonic,
        mandator_id=settings.mandator_id,
        username=settings.username,
        password=settings.password,
        session_seconds=settings.session_seconds,
    )
    with api:
        try:
            yield Campaign(session)
            session.close()
        except (CallFailed, CallRefused, OutcomeUnknown, SoapFault) as error:
            called = getattr(error, "__notes__", [])[:1]
            raise VendorUnavailable(": ".join([*called, str(error)])) from None
        finally:
            if report is not None:
                report.calls = counted(api.calls)
                report.writes = api.writes


@dataclass
class ListJob:
    """One list in this run."""

    settings: ListSettings
    journal: Journal
    collector: Collector
    outcomes: Outcomes
    attributes: list[str] = field(default_factory=list)


@dataclass
class Run:
    """Works off an intake; fills `report` as it goes, whatever the end."""

    settings: Settings
    report: RunReport
    clock: Clock
    stop: StopSignal

    def recover(self) -> None:
        """Finish or restore whatever an earlier run left open (S1-23)."""
        known = set()
        for one in self.settings.lists.values():
            path = Journal.path_of(self.settings.state_dir, self.settings.account, one.list_id)
            known.add(path)
            if path.exists():
                self._recover(one)
        for path in sorted(Journal.all_in(self.settings.state_dir) - known):
            if Journal.is_left_open(path):
                logger.warning(
                    "%s holds an open change of a list that these settings don't have (or of "
                    "another client); run once with the settings it was begun with",
                    path,
                )

    def restore(self, name: str) -> int:
        """Put the last snapshot of a list back; returns its size. Raises ConfigurationError."""
        one = self.settings.lists.get(name)
        if one is None:
            raise ConfigurationError(f"--restore: there is no list {name} under 'lists'")
        with self._lock(one), self._journal(one) as journal:
            intent = journal.last_intent()
            if intent is None:
                raise ConfigurationError(f"list {name}: no snapshot is kept in {journal.path}")
            with (
                vendor(self.settings, self.clock, self.stop, self.report) as campaign,
                self.stop.hold(self.settings.grace_seconds, self.clock),
            ):
                return self._work(one, journal, campaign).restore(intent)

    def go(self, intake: Intake) -> None:
        """All streams that came; STATE follows when every list is in order."""
        if intake.input_error is not None:
            raise intake.input_error
        if not intake.streams and intake.marker is None:
            raise InputError(
                "the input is empty: not even a SCHEMA came (did the tap start?); no list was "
                "changed. To finish an open change without input: target-optimizely recover"
            )
        streams = [name for name in intake.streams if self.settings.lists_of(name)]
        with ExitStack() as stack:
            jobs = {name: self._open_jobs(name, intake, stack) for name in streams}
            everything = [job for some in jobs.values() for job in some]
            try:
                self._prepare(jobs, intake)
                if everything:
                    self._transfer(everything)
            except BaseException:
                for job in everything:
                    with suppress(StopRun):  # what ended the run is said, not this
                        self._tell(job)
                raise
            for job in everything:
                self._tell(job)
        self.stop.check()
        intake.close_through(intake.spool.last_seq())

    def _open_jobs(self, stream: str, intake: Intake, stack: ExitStack) -> list[ListJob]:
        """Lock and journal of each list; refuses incomplete input and stale feedback first."""
        jobs = []
        for one in sorted(self.settings.lists_of(stream), key=lambda one: one.list_id):
            source = intake.sources[stream]
            guards.check_complete(
                one,
                source=source,
                received=intake.received,
                marker=intake.marker,
                activated=source in intake.activated,
            )
            if self.settings.feedback_file and one.max_feedback_age_hours is not None:
                now = self.clock.now()
                feedback = read_feedback(self.settings.feedback_file, now)
                guards.check_feedback(one, feedback, now)
            stack.enter_context(self._lock(one))
            journal = stack.enter_context(self._journal(one))
            tally = Tally(self.settings.max_errors)
            mapper = Mapper(one, moment_columns(intake.streams[stream].schema))
            collector = Collector(mapper, journal, tally)
            jobs.append(ListJob(one, journal, collector, Outcomes(tally)))
        return jobs

    def _prepare(self, jobs: dict[str, list[ListJob]], intake: Intake) -> None:
        """Every record of every stream finds its list or the reason why not."""
        for stream, some in jobs.items():
            for job in some:
                job.journal.wanted.forget()
            collectors = [job.collector for job in some]
            unclaimed = collect(stream, intake.spool, collectors, self.stop)
            if unclaimed:
                tally = Tally(self.settings.max_errors, received=unclaimed)
                for _ in range(unclaimed):
                    tally.add(Result(Outcome.SUPPRESSED, Step.CHECK, "no_list_for_selection"))
                self.report.streams.append(StreamReport.of(stream, tally, None, None))

    def _transfer(self, jobs: list[ListJob]) -> None:
        """Check every list, then write them one after the other."""
        refused: list[StopRun] = []
        with vendor(self.settings, self.clock, self.stop, self.report) as campaign:
            for job in jobs:
                job.attributes = check_list(campaign, job.settings)
            for job in jobs:
                self.stop.check()
                try:
                    self._write(job, campaign)
                except (GuardTripped, LockedError, IncompleteSnapshot) as error:
                    refused.append(error)
                    logger.error("%s", error)  # noqa: TRY400 - the way there says nothing
        if refused:
            raise refused[0]

    def _write(self, job: ListJob, campaign: Campaign) -> None:
        one = job.settings
        transfer = Transfer(
            self._work(one, job.journal, campaign),
            job.outcomes,
            job.attributes,
            self.settings.grace_seconds,
            self.settings.check_mailings,
        )
        done = transfer.run()
        outcomes = {o.value: n for o, n in self._counts(job).items()}
        append_evidence(
            self.settings.state_dir,
            one.list_id,
            {
                "at": self.clock.now().isoformat(timespec="seconds"),
                "list": one.name,
                "list_id": one.list_id,
                "consent": one.consent,
                "strategy": one.strategy,
                "outcomes": outcomes,
                **asdict(done),
            },
        )
        job.outcomes.details |= {k: v for k, v in asdict(done).items() if k != "digest"}

    def _counts(self, job: ListJob) -> dict[Outcome, int]:
        tally = job.outcomes.tally
        return {o: tally.outcomes[o] for o in Outcome if tally.outcomes[o]}

    def _tell(self, job: ListJob) -> None:
        """The list's part of the report, and everybody who was left out of it by name."""
        one, tally = job.settings, job.outcomes.tally
        tally.close()
        path = left_out_path(self.settings.state_dir, one.name)
        details = {
            "list_id": one.list_id,
            "consent": one.consent,
            "strategy": one.strategy,
            **job.outcomes.details,
        }
        self.report.streams.append(StreamReport.of(one.name, tally, None, path, details))
        write_left_out(path, job.journal.wanted)

    def _recover(self, one: ListSettings) -> None:
        with self._lock(one), self._journal(one) as journal:
            intent = journal.open_intent()
            if intent is None:
                return
            outcomes = Outcomes(Tally(self.settings.max_errors))
            try:
                with (
                    vendor(self.settings, self.clock, self.stop, self.report) as campaign,
                    self.stop.hold(self.settings.grace_seconds, self.clock),
                ):
                    phase = finish_or_restore(self._work(one, journal, campaign), intent, outcomes)
            except GuardTripped as error:
                if journal.open_intent() is not None:
                    raise
                logger.error("%s", error)  # noqa: TRY400 - the list is in order again: go on
                phase = Phase.RESTORED
            self.report.recovered.append(
                {"list": one.name, "list_id": one.list_id, "opened_at": intent.opened_at,
                 "ended": phase.value}
            )  # fmt: skip

    def _work(self, one: ListSettings, journal: Journal, campaign: Campaign) -> ListWork:
        suppression = Suppression(campaign, one, self.settings.batch_size_records)
        return ListWork(
            settings=one,
            batch=self.settings.batch_size_records,
            max_errors=self.settings.max_errors,
            campaign=campaign,
            journal=journal,
            sender=Sender(campaign, one.list_id, suppression),
            reader=ListReader(campaign, one.list_id, one.id_attribute, one.email_attribute),
            clock=self.clock,
            stop=self.stop,
        )

    def _lock(self, one: ListSettings) -> AbstractContextManager[None]:
        account = f"{self.settings.account} {one.list_id}"
        return run_lock(self.settings.state_dir, account, "recipient list")

    def _journal(self, one: ListSettings) -> closing[Journal]:
        account = self.settings.account
        return closing(Journal.open(self.settings.state_dir, account, one.list_id))
