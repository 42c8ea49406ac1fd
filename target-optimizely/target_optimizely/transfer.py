"""The corridor: the wanted rows of one list into the list, one line a step.

guard → suppression → guard → at rest → snapshot → plan and guards of changes → intent → clear and
fill, or reconcile → count → done. Up to the intent nothing is changed, from then on the journal
tells how to go on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from target_kit.errors import CredentialsError
from target_kit.guards import Guards, check, tripped_error
from target_kit.outcome import Outcome
from target_kit.plan import Approved, Digests

from target_optimizely import guards
from target_optimizely.decisions import Decisions, Noted
from target_optimizely.holding import PlanHolder
from target_optimizely.itemising import Itemiser
from target_optimizely.model import Phase
from target_optimizely.outcomes import Outcomes
from target_optimizely.recovery import fill_or_restore, reconcile_or_give_up
from target_optimizely.work import ListWork

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Transferred:
    """Sizes of the list before and after, and the proof of the rows that were meant."""

    before: int
    after: int
    last_good: int
    digest: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may do: everything but what `guards` forbid, or what a plan holds."""

    guards: Guards
    digests: Digests
    approved: Approved | None = None

    def __bool__(self) -> bool:
        return bool(self.guards) or self.approved is not None


@dataclass
class Transfer:
    """One list; `attributes` are all that a snapshot has to hold."""

    work: ListWork
    outcomes: Outcomes
    attributes: Sequence[str]
    grace_seconds: float
    limits: Limits
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.names = self.work.settings.names

    def run(self) -> Transferred:
        """Bring the list to the wanted rows.

        Raises GuardTripped, LockedError and IncompleteSnapshot with the list untouched, or with its
        old content put back; anything else may leave the intent open for the next run.
        """
        work, journal = self.work, self.work.journal
        good, before = self.look()
        if self.limits:
            self.limit(before)
            self.guard(good, "what may be changed of the list")
        journal.stored.adopt(journal.present)
        with work.stop.hold(self.grace_seconds, work.clock):
            after, digest = self.change()
        return Transferred(before, after, good, digest)

    def look(self) -> tuple[int, int]:
        """Everything that is read; returns the last good size, and the size now."""
        work, journal = self.work, self.work.journal
        good = self.last_good()
        self.guard(good, "the selection")
        work.suppress(journal.wanted, self.outcomes.settled)
        self.guard(good, "the selection without those who are unsubscribed, blocked or bounced out")
        self.check_at_rest()
        return good, work.reader.save(journal.present, self.attributes)

    def last_good(self) -> int:
        """The size the list had when it was last in order; now, where that is not known."""
        before, last_good = self.work.count(), self.work.journal.last_good()
        return before if last_good is None else last_good

    def guard(self, last_good: int, what: str) -> None:
        """Refuse too few rows (S1-20)."""
        wanted = self.work.journal.wanted
        rows = wanted.count_open() + wanted.count(Outcome.UNCHANGED)
        guards.check_floor(self.work.settings, rows, last_good, what)

    def check_at_rest(self) -> None:
        """Refuse a list to which a mailing is on its way (S1-27)."""
        self.work.check_at_rest()

    def limit(self, size: int) -> None:
        """Keep to the plan and the guards; `size` is what the list has.

        Raises GuardTripped before anything is changed but that who has withdrawn is taken off.
        """
        work, settings = self.work, self.work.settings
        itemiser = Itemiser(settings, self.limits.digests)
        noted = Noted(settings, itemiser)
        decisions = self.decisions()
        if self.limits.approved is None:
            for one in decisions.all():
                noted.count(one)
        else:
            holder = PlanHolder(
                work, self.outcomes, decisions, noted, itemiser, self.limits.approved,
                self.attributes,
            )  # fmt: skip
            holder.hold()
            self.names = holder.names
            self.outcomes.details |= {"plan_moved": holder.refused, "stay": holder.stay}
        self.outcomes.details["withdrawn"] = noted.withdrawals
        if tripped := check(self.limits.guards, noted.measures(size)):
            work.remove([one.identity for one in decisions.leaving() if one.is_withdrawal])
            raise tripped_error(settings.name, tripped)

    def decisions(self) -> Decisions:
        """What would be done, recipient by recipient."""
        work = self.work
        return Decisions(work.journal.comparison, work.settings, self.attributes, work.is_forgotten)

    def change(self) -> tuple[int, str]:
        """Write the intent, do it, close it; returns the size of the list and the digest."""
        work, settings = self.work, self.work.settings
        refill = settings.strategy == "clear_and_refill"
        if not refill:
            logger.warning(
                "list %s: strategy reconcile; the vendor's guide found differences less robust "
                "than clearing and filling (S1-19)",
                settings.name,
            )
        intent = work.journal.write_intent(
            Phase.CLEARING if refill else Phase.RECONCILING,
            work.now(),
            settings.consent,
            self.names,
            self.attributes,
        )
        try:
            if refill:
                size = fill_or_restore(work, intent, self.outcomes)
            else:
                held = work.journal.stored
                size = reconcile_or_give_up(work, intent, held, self.outcomes)
        except CredentialsError:
            # The very first call is the clear: refused, it changed nothing.
            if refill and work.count() == intent.snapshot_rows > 0:
                work.journal.finish(intent, Phase.ABANDONED, work.now(), intent.snapshot_rows)
            raise
        work.journal.finish(intent, Phase.DONE, work.now(), size)
        expected = work.journal.wanted.count(Outcome.APPLIED)
        expected += work.journal.wanted.count(Outcome.UNCHANGED)
        if size != expected:
            logger.warning(
                "list %s: holds %d recipients, %d were put into it", settings.name, size, expected
            )
        return size, intent.digest
