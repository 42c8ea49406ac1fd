"""The corridor: the wanted rows of one list into the list, one line a step.

guard → suppression → guard → at rest → snapshot → intent → clear and fill, or reconcile → count →
done. Up to the intent nothing is changed, from then on the journal tells how to go on.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from target_kit.errors import CredentialsError
from target_kit.outcome import Outcome

from target_optimizely import guards
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


@dataclass
class Transfer:
    """One list; `attributes` are all that a snapshot has to hold."""

    work: ListWork
    outcomes: Outcomes
    attributes: Sequence[str]
    grace_seconds: float

    def run(self) -> Transferred:
        """Bring the list to the wanted rows.

        Raises GuardTripped, LockedError and IncompleteSnapshot with the list untouched, or with its
        old content put back; anything else may leave the intent open for the next run.
        """
        work = self.work
        before = work.count()
        last_good = work.journal.last_good()
        good = before if last_good is None else last_good
        self.guard(good, "the selection")
        self.work.suppress(self.work.journal.wanted, self.outcomes.settled)
        self.guard(good, "the selection without those who are unsubscribed, blocked or bounced out")
        work.check_at_rest()
        before = work.reader.save(work.journal.stored, self.attributes)
        with work.stop.hold(self.grace_seconds, work.clock):
            after, digest = self.change()
        return Transferred(before, after, good, digest)

    def guard(self, last_good: int, what: str) -> None:
        """Refuse too few rows (S1-20)."""
        open_rows = self.work.journal.wanted.count_open()
        guards.check_floor(self.work.settings, open_rows, last_good, what)

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
            settings.names,
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
