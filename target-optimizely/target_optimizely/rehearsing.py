"""A plan of one list: the corridor is walked to its end, and nothing is written.

What would refuse the change is noted, not raised: a plan is made to be looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from target_kit.errors import GuardTripped, LockedError, StopRun
from target_kit.guards import check
from target_kit.plan_model import Entry

from target_optimizely.decisions import Noted
from target_optimizely.itemising import Itemiser
from target_optimizely.model import Intent, Phase
from target_optimizely.reconcile import Reconciler
from target_optimizely.rehearsal import RehearsedCampaign
from target_optimizely.sender import AllRefused
from target_optimizely.transfer import Transfer


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the rehearsal of one list found out; `calls` are those that a run would add."""

    name: str
    actions: Counter[str]
    objections: list[dict[str, Any]]
    notes: list[str]
    calls: Counter[str]
    writes: int


@dataclass
class Rehearsal(Transfer):
    """Of one list, whose campaign sends no write; `told` gets the entries of the plan."""

    campaign: RehearsedCampaign
    told: Callable[[Entry], None]
    objections: list[dict[str, Any]] = field(default_factory=list)

    def rehearse(self) -> Rehearsed:
        """Walk through. Raises IncompleteSnapshot, and what ends a run."""
        _, size = self.look()
        settings, calls, writes = self.work.settings, self.campaign.calls, self.campaign.writes
        noted = Noted(settings, Itemiser(settings, self.limits.digests))
        for one in self.decisions().all():
            noted.count(one)
            if entry := noted.entry(one):
                self.told(entry)
        tripped = check(self.limits.guards, noted.measures(size))
        self.objections += [one.as_dict() for one in tripped]
        before = Counter(calls)
        self._carry_out(size)
        taken, wrote = self.campaign.calls - before, self.campaign.writes - writes
        notes = self._notes(noted, size)
        return Rehearsed(settings.name, noted.actions, self.objections, notes, taken, wrote)

    def guard(self, last_good: int, what: str) -> None:
        """See Transfer; noted."""
        try:
            super().guard(last_good, what)
        except GuardTripped as refused:
            self._object("floor", refused)

    def check_at_rest(self) -> None:
        """See Transfer; noted."""
        try:
            super().check_at_rest()
        except (GuardTripped, LockedError) as refused:
            self._object("at_rest", refused)

    def _object(self, name: str, refused: StopRun) -> None:
        self.objections.append({"name": name, "message": str(refused)})

    def _carry_out(self, size: int) -> None:
        """What a run would call: the journal's tables are settled and forgotten, no intent is."""
        work, settings, journal = self.work, self.work.settings, self.work.journal
        self.campaign.begin(size)
        try:
            if settings.strategy == "clear_and_refill":
                work.clear()
                work.fill(journal.wanted, self.names, self.outcomes.settled)
                work.check(journal.wanted, self.names, self.outcomes.settled)
            else:
                Reconciler(work, self._intent(size), journal.present, self.outcomes.settled).run()
        except AllRefused as refused:
            self.objections.append({"name": "floor", "message": f"{settings.name}: {refused}"})
        finally:
            self.campaign.end()

    def _intent(self, size: int) -> Intent:
        """As a run would write it; here it is on no disk."""
        settings, rows = self.work.settings, self.work.journal.wanted.total()
        kept = tuple(self.attributes)
        return Intent(
            0, Phase.RECONCILING, self.work.now(), settings.consent, self.names, "", rows, kept, "",
            size,
        )  # fmt: skip

    def _notes(self, noted: Noted, size: int) -> list[str]:
        """What people have to know besides the entries."""
        name, actions = self.work.settings.name, noted.actions
        stay = size - actions["remove"]
        moves = f"{stay} stay, {actions['add']} join, {actions['remove']} leave"
        how = "only the differences are written"
        if self.work.settings.strategy == "clear_and_refill":
            how = "the list is emptied and filled again"
        notes = [f"{name}: {how}: {moves}"]
        if noted.withdrawals:
            notes.append(
                f"{name}: {noted.withdrawals} leave because they withdrew, were blocked or bounced "
                "out; no guard stops these"
            )
        errors, most = self.outcomes.tally.errors, self.work.max_errors
        notes += [
            f"{name}: {number} row errors at step {step}, max_errors is {most}: the run would stop"
            for step, number in errors.items()
            if number > most
        ]
        return notes
