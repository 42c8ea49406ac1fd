"""One row's turn: decide on what is known now, carry it out, say what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from target_kit.errors import CallFailed, OutcomeUnknown, RowError
from target_kit.outcome import Outcome, Result, Step

from target_activecampaign.deciding import Deciding
from target_activecampaign.execute import Executor, LookAgain, applied, held, rejected
from target_activecampaign.model import Change, Contact
from target_activecampaign.swaps import Swaps
from target_activecampaign.withdrawn import Withdrawn

DELETED_BEFORE = Result(Outcome.SUPPRESSED, Step.CHECK, "deleted_before")
_MAX_LOOKS = 4  # how often one row may find the world changed under it before it is given up
_IN_RING = RowError(
    "email_swap",
    "several contacts want each other's addresses, and none of them could step aside",
    field="email",
)


@dataclass
class Turns:
    """`imported` has the step of rows that were imported in bulk; `blocked` counts rows of a pass
    that another row may yet make way for; `contact_id` is whom the last row was found as, None
    where it was new.
    """

    deciding: Deciding
    executor: Executor
    swaps: Swaps
    withdrawn: Withdrawn | None
    imported: Mapping[str, Step] = field(default_factory=dict)
    blocked: int = 0
    contact_id: str | None = None

    def begin(self) -> None:
        """A new pass over the rows."""
        self.blocked = 0
        self.swaps.begin()

    def take(self, contact: Contact, *, final: bool) -> Result | None:
        """The outcome of one row, or None while this pass leaves it to a later one."""
        step, source, written, called = Step.INSERT, "", False, False
        self.contact_id = None
        for _ in range(_MAX_LOOKS):
            try:
                match = self.deciding.resolve(contact)
                self.contact_id, source = match.contact_id, match.source
                step = Step.UPDATE if self.contact_id else Step.INSERT
                if self.contact_id and self.imported.get(contact.identity) is Step.INSERT:
                    step, source = Step.INSERT, "new"
                if not self.contact_id and not final:
                    return None
                change = self.deciding.plan(contact, match)
                if change is None:
                    return _skipped(contact, step, source)
                if change.empty and not change.problems:
                    return self._nothing_to_do(contact, change, step, source, written=written)
                called = True
                return self.executor.apply(contact, change, source)
            except LookAgain as again:
                written = written or again.written
            except RowError as error:
                if not final and not called:
                    self._wait(contact, error)
                    return None
                in_ring = error.cause == "address_taken" and self.swaps.in_ring(contact)
                return rejected(_IN_RING if in_ring else error, step, source)
            except CallFailed as error:
                return Result(Outcome.FAILED, step, "vendor_failed", str(error), source=source)
            except OutcomeUnknown as error:
                return Result(Outcome.UNKNOWN, step, "fate_unknown", str(error), source=source)
        return Result(Outcome.UNKNOWN, step, "keeps_changing", "gave up", source=source)

    def _wait(self, contact: Contact, error: RowError) -> None:
        """Another row of this pass may yet free the address."""
        self.blocked += 1
        if error.cause == "address_taken" and self.contact_id:
            holder = self.deciding.holder(contact, self.contact_id)
            if holder:
                self.swaps.wait(contact, self.contact_id, holder.id)

    def _nothing_to_do(
        self, contact: Contact, change: Change, step: Step, source: str, *, written: bool
    ) -> Result:
        left = self.withdrawn is not None and contact.identity in self.withdrawn.done
        cause = "unsubscribed" if left else change.kept
        if change.suppressed and not left:
            return Result(Outcome.SUPPRESSED, step, cause, source=source)
        if change.held:
            return held(source)
        if contact.identity in self.imported and not left:
            return applied(step, cause, source)
        if written or left:  # before its turn, or a write of unknown fate turned out to have been
            return applied(step, cause or "confirmed_by_reading_back", source)
        return Result(Outcome.UNCHANGED, step, cause, source=source)


def agrees(source: str) -> Result:
    """Nothing changed since the last run, neither in the source nor at the destination."""
    return Result(Outcome.UNCHANGED, Step.UPDATE, "unchanged_since", source=source)


def _skipped(contact: Contact, step: Step, source: str) -> Result:
    cause = "deleted_in_source" if contact.deleted else "no_email"
    return Result(Outcome.SUPPRESSED, step, cause, source=source)
