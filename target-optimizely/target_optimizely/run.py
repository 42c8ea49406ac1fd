"""One run: all lists are prepared, then each is brought in order.

Whatever is wrong with input, settings, consent or feedback stops the run before the first list is
touched. A guard of one list leaves that list as it was and lets the others go on (S1-2).
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field

from target_kit.errors import (
    GuardTripped,
    InputError,
    LockedError,
    StopRun,
)
from target_kit.feedback import read_feedback
from target_kit.intake import Intake
from target_kit.outcome import Outcome, Result, Step, Tally
from target_kit.report import StreamReport
from target_kit.suppression import Suppressions

from target_optimizely import guards
from target_optimizely.checks import check_list
from target_optimizely.client import Campaign
from target_optimizely.evidence import append_evidence, left_out_path, write_left_out
from target_optimizely.journal import Journal
from target_optimizely.mapping import Mapper, moment_columns
from target_optimizely.outcomes import Outcomes
from target_optimizely.plan_run import PlanOfRun
from target_optimizely.rehearsal import RehearsedCampaign
from target_optimizely.rehearsing import Rehearsal, Rehearsed
from target_optimizely.settings import ListSettings
from target_optimizely.snapshot import IncompleteSnapshot
from target_optimizely.transfer import Limits, Transfer
from target_optimizely.wanted import Collector, collect
from target_optimizely.workbench import Workbench

logger = logging.getLogger(__name__)


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
    """Works off an intake; fills the report as it goes, whatever the end."""

    bench: Workbench
    unclaimed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.plan = PlanOfRun(self.bench.settings, self.bench.report, self.bench.clock)

    def go(self, intake: Intake) -> None:
        """All streams that came; STATE follows when every list is in order."""
        if intake.input_error is not None:
            raise intake.input_error
        if not intake.streams and intake.marker is None:
            raise InputError(
                "the input is empty: not even a SCHEMA came (did the tap start?); no list was "
                "changed. To finish an open change without input: target-optimizely recover"
            )
        streams = [name for name in intake.streams if self.bench.settings.lists_of(name)]
        with ExitStack() as stack:
            limits = stack.enter_context(self.plan.opened())
            jobs = {name: self._open_jobs(name, intake, stack) for name in streams}
            everything = [job for some in jobs.values() for job in some]
            try:
                self._prepare(jobs, intake)
                if everything:
                    self._transfer(everything, limits)
                else:  # of nothing a plan is made, too: one of before would be taken for it
                    self.plan.write([], self.unclaimed)
            except BaseException:
                for job in everything:
                    with suppress(StopRun):  # what ended the run is said, not this
                        self._tell(job)
                raise
            for job in everything:
                self._tell(job)
        self.bench.stop.check()
        if not self.plan.planning:
            intake.close_through(intake.spool.last_seq())

    def _open_jobs(self, stream: str, intake: Intake, stack: ExitStack) -> list[ListJob]:
        """Lock and journal of each list; refuses incomplete input and stale feedback first."""
        jobs = []
        for one in sorted(self.bench.settings.lists_of(stream), key=lambda one: one.list_id):
            source = intake.sources[stream]
            guards.check_complete(
                one,
                source=source,
                received=intake.received,
                marker=intake.marker,
                activated=source in intake.activated,
            )
            if self.bench.settings.feedback_file and one.max_feedback_age_hours is not None:
                now = self.bench.clock.now()
                feedback = read_feedback(self.bench.settings.feedback_file, now)
                guards.check_feedback(one, feedback, now)
            stack.enter_context(self.bench.lock(one))
            journal = stack.enter_context(self.bench.journal(one))
            if self.plan.planning:
                guards.check_nothing_open(one, journal.open_intent())
            # Without budgets: what a plan is for is to see everything.
            most = sys.maxsize if self.plan.planning else self.bench.settings.max_errors
            tally = Tally(most)
            mapper = Mapper(one, moment_columns(intake.streams[stream].schema))
            collector = Collector(
                mapper, journal, tally, Suppressions(self.bench.settings.state_dir, one.name)
            )
            jobs.append(ListJob(one, journal, collector, Outcomes(tally)))
        return jobs

    def _prepare(self, jobs: dict[str, list[ListJob]], intake: Intake) -> None:
        """Every record of every stream finds its list or the reason why not."""
        for stream, some in jobs.items():
            for job in some:
                job.journal.wanted.forget()
            collectors = [job.collector for job in some]
            unclaimed = collect(stream, intake.spool, collectors, self.bench.stop)
            if unclaimed:
                self.unclaimed[stream] = unclaimed
                tally = Tally(self.bench.settings.max_errors, received=unclaimed)
                for _ in range(unclaimed):
                    tally.add(Result(Outcome.SUPPRESSED, Step.CHECK, "no_list_for_selection"))
                self.bench.report.streams.append(StreamReport.of(stream, tally, None, None))

    def _transfer(self, jobs: list[ListJob], limits: Limits) -> None:
        """Check every list, then write them one after the other, or their plan."""
        refused: list[StopRun] = []
        rehearsed: list[Rehearsed] = []
        with self.bench.vendor() as campaign:
            for job in jobs:
                job.attributes = check_list(campaign, job.settings)
            for job in jobs:
                self.bench.stop.check()
                try:
                    if isinstance(campaign, RehearsedCampaign):
                        rehearsed.append(self._rehearse(job, campaign, limits))
                    else:
                        self._write(job, campaign, limits)
                except (GuardTripped, LockedError, IncompleteSnapshot) as error:
                    refused.append(error)
                    logger.error("%s", error)  # noqa: TRY400 - the way there says nothing
        if refused:
            raise refused[0]
        self.plan.write(rehearsed, self.unclaimed)

    def _rehearse(self, job: ListJob, campaign: RehearsedCampaign, limits: Limits) -> Rehearsed:
        return Rehearsal(
            self.bench.work(job.settings, job.journal, campaign),
            job.outcomes,
            job.attributes,
            self.bench.settings.grace_seconds,
            limits,
            campaign,
            self.plan.add,
        ).rehearse()

    def _write(self, job: ListJob, campaign: Campaign, limits: Limits) -> None:
        one = job.settings
        transfer = Transfer(
            self.bench.work(one, job.journal, campaign),
            job.outcomes,
            job.attributes,
            self.bench.settings.grace_seconds,
            limits,
        )
        done = transfer.run()
        outcomes = {o.value: n for o, n in self._counts(job).items()}
        append_evidence(
            self.bench.settings.state_dir,
            one.list_id,
            {
                "at": self.bench.clock.now().isoformat(timespec="seconds"),
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
        path = left_out_path(self.bench.settings.state_dir, one.name)
        details = {
            "list_id": one.list_id,
            "consent": one.consent,
            "strategy": one.strategy,
            **job.outcomes.details,
        }
        written = None if self.plan.planning else path
        self.bench.report.streams.append(StreamReport.of(one.name, tally, None, written, details))
        if not self.plan.planning:
            write_left_out(path, job.journal.wanted)
