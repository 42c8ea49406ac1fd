"""One row's turn: decide on what is known now, carry it out, say what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from target_kit.errors import CallFailed, OutcomeUnknown, RowError
from target_kit.hands import Hands
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
class Turn:
    """How far one row has come: `result` is None while a pass leaves it to a later one, and
    `contact_id` is whom it was found as, None where it is new.
    """

    contact: Contact
    result: Result | None = None
    contact_id: str | None = None
    step: Step = Step.INSERT
    source: str = ""
    written: bool = False
    called: bool = False
    looks: int = 0


@dataclass
class Turns:
    """`imported` has the step of rows that were imported in bulk; `blocked` counts rows of a pass
    that another row may yet make way for.
    """

    deciding: Deciding
    executor: Executor
    swaps: Swaps
    withdrawn: Withdrawn | None
    imported: Mapping[str, Step] = field(default_factory=dict)
    hands: Hands = field(default_factory=Hands)
    blocked: int = 0

    def begin(self) -> None:
        """A new pass over the rows."""
        self.blocked = 0
        self.swaps.begin()

    def take(self, contact: Contact, *, final: bool) -> Turn:
        """One row's turn, alone with the contacts and addresses that it touches."""
        turn, names = Turn(contact), frozenset[str]()
        while True:
            names |= self.deciding.touched(contact)
            with self.hands.alone(names):
                if self._go(turn, names, final=final):
                    return turn

    def _go(self, turn: Turn, names: frozenset[str], *, final: bool) -> bool:
        """Decide and carry out; False where it turns out to touch more than `names`."""
        while turn.looks < _MAX_LOOKS:
            turn.looks, turn.result = turn.looks + 1, None
            try:
                change = self._decide(turn, final=final)
                if not turn.called and not self.deciding.touched(turn.contact) <= names:
                    turn.looks -= 1
                    return False
                if turn.result or change is None:
                    return True
                turn.called = True
                turn.result = self.executor.apply(turn.contact, change, turn.source)
            except LookAgain as again:
                turn.written = turn.written or again.written
                continue
            except RowError as error:
                if not final and not turn.called:
                    self._wait(turn, error)
                else:
                    in_ring = error.cause == "address_taken" and self.swaps.in_ring(turn.contact)
                    turn.result = rejected(_IN_RING if in_ring else error, turn.step, turn.source)
            except CallFailed as error:
                turn.result = _failed(Outcome.FAILED, "vendor_failed", str(error), turn)
            except OutcomeUnknown as error:
                turn.result = _failed(Outcome.UNKNOWN, "fate_unknown", str(error), turn)
            return True
        turn.result = _failed(Outcome.UNKNOWN, "keeps_changing", "gave up", turn)
        return True

    def _decide(self, turn: Turn, *, final: bool) -> Change | None:
        """What to carry out; None where this pass leaves the row, or where its result is clear."""
        contact = turn.contact
        match = self.deciding.resolve(contact)
        turn.contact_id, turn.source = match.contact_id, match.source
        turn.step = Step.UPDATE if turn.contact_id else Step.INSERT
        if turn.contact_id and self.imported.get(contact.identity) is Step.INSERT:
            turn.step, turn.source = Step.INSERT, "new"
        if not turn.contact_id and not final:
            return None
        change = self.deciding.plan(contact, match)
        if change is None:
            turn.result = _skipped(contact, turn.step, turn.source)
        elif change.empty and not change.problems:
            turn.result = self._nothing_to_do(turn, change)
        return change

    def _wait(self, turn: Turn, error: RowError) -> None:
        """Another row of this pass may yet free the address."""
        self.blocked += 1
        if error.cause == "address_taken" and turn.contact_id:
            holder = self.deciding.holder(turn.contact, turn.contact_id)
            if holder:
                self.swaps.wait(turn.contact, turn.contact_id, holder.id)

    def _nothing_to_do(self, turn: Turn, change: Change) -> Result:
        contact, step, source = turn.contact, turn.step, turn.source
        left = self.withdrawn is not None and contact.identity in self.withdrawn.done
        cause = "unsubscribed" if left else change.kept
        if change.suppressed and not left:
            return Result(Outcome.SUPPRESSED, step, cause, source=source)
        if change.held:
            return held(source)
        if contact.identity in self.imported and not left:
            return applied(step, cause, source)
        if (
            turn.written or left
        ):  # before its turn, or a write of unknown fate turned out to have been
            return applied(step, cause or "confirmed_by_reading_back", source)
        return Result(Outcome.UNCHANGED, step, cause, source=source)


def agrees(source: str) -> Result:
    """Nothing changed since the last run, neither in the source nor at the destination."""
    return Result(Outcome.UNCHANGED, Step.UPDATE, "unchanged_since", source=source)


def _failed(outcome: Outcome, cause: str, message: str, turn: Turn) -> Result:
    return Result(outcome, turn.step, cause, message, source=turn.source)


def _skipped(contact: Contact, step: Step, source: str) -> Result:
    cause = "deleted_in_source" if contact.deleted else "no_email"
    return Result(Outcome.SUPPRESSED, step, cause, source=source)
