"""A plan is carried out, and nothing else: whoever's change it does not hold keeps the state the
list has them in.

A row that is refused is told as `plan_moved`. Whoever of them is in the list, and whoever leaves it
without the plan's word, gets a row of what the list has: a refill puts them back by it, `reconcile`
leaves them alone. A withdrawal newer than the plan is heard in any case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from target_kit.outcome import Outcome, Result, Step
from target_kit.plan import Approved

from target_optimizely.comparing import Held
from target_optimizely.decisions import Decided, Decisions, Noted
from target_optimizely.itemising import Itemiser
from target_optimizely.model import Row
from target_optimizely.outcomes import Outcomes
from target_optimizely.rows import KeptRow
from target_optimizely.work import ListWork

_BATCH = 1000
_MOVED = Result(
    Outcome.REJECTED,
    Step.CHECK,
    "plan_moved",
    "the plan does not hold this change: the source or the list has changed since; make a new plan",
)
_STAYS = Result(Outcome.UNCHANGED, Step.CHECK)


@dataclass
class PlanHolder:
    """Of one list; `names` are the attributes that rows carry from here on."""

    work: ListWork
    outcomes: Outcomes
    decisions: Decisions
    noted: Noted
    itemiser: Itemiser
    approved: Approved
    held_names: Sequence[str]
    names: tuple[str, ...] = field(init=False)
    stay: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.names = self.work.settings.names
        self._refills = self.work.settings.strategy == "clear_and_refill"

    def hold(self) -> None:
        """Settle what the plan does not hold; `noted` counts what it does.

        Raises BudgetExceeded where more rows than `max_errors` have moved.
        """
        rows = self.work.journal.wanted
        self.outcomes.own_through = own = self.work.journal.comparison.last()
        kept = False
        # Who leaves comes first: a refused row's own recipient is no longer wanted afterwards.
        for part in _parts(self.decisions.leaving(), self._stays):
            kept = self._keep([one.held for one in part if one.held], ask=True) > 0 or kept
            self.stay += len(part)
        for part in _parts(self.decisions.wanted(own), self._is_refused):
            kept = self._keep([one.held for one in part if one.held], ask=False) > 0 or kept
            verdicts = [(one.wanted.pos, _MOVED) for one in part if one.wanted]
            self.refused += len(verdicts)
            rows.settle(verdicts)
            self.outcomes.settled(verdicts)
        if kept and self._refills:
            self._widen()

    def _stays(self, one: Decided) -> bool:
        """Whether somebody stays whom the run would take off the list."""
        if one.is_withdrawal or self._allows(one):
            self.noted.count(one)
            return False
        return True

    def _is_refused(self, one: Decided) -> bool:
        """Whether a row wants something that the plan does not hold."""
        if one.wanted is None or one.wanted.outcome or self._allows(one):
            self.noted.count(one)
            return False
        self.noted.actions["reject"] += 1
        return True

    def _allows(self, one: Decided) -> bool:
        digests = [item.digest for item in self.noted.items(one)]
        return self.approved.allows(self.itemiser.who(one.identity), digests)

    def _keep(self, held: Sequence[Held], *, ask: bool) -> int:
        """Rows of what the list has, after all others. Before a refill sends them it asks the
        vendor about them, as about all; what `reconcile` leaves alone is asked about here.
        """
        suppressed: dict[int, Result] = {}
        if ask and not self._refills:
            asked = [Row(i, h.recipient_id, h.address, "", h.values) for i, h in enumerate(held)]
            suppressed = self.work.sender.suppression.of(asked)
        place = {name: i for i, name in enumerate(self.held_names)}
        technical = self.work.settings.technical_attributes
        rows = []
        for i, one in enumerate(held):
            kind, number = (
                one.values[place[technical[role]]] or "" for role in ("entity-type", "entity-id")
            )
            result = None if self._refills else suppressed.get(i, _STAYS)
            # In a refill all that the list has goes back; `_widen` puts it in its order.
            values = one.values if self._refills else self._own(one, place)
            rows.append(KeptRow(one.recipient_id, one.address, values, kind, number, result))
        self.work.journal.wanted.add_kept(rows)
        return len(rows)

    def _own(self, one: Held, place: dict[str, int]) -> tuple[str | None, ...]:
        return tuple(one.values[place[name]] for name in self.names)

    def _widen(self) -> None:
        """Rows of two widths can't be in one list: all carry all attributes from here on, and the
        pattern says which of them are sent.
        """
        own = len(self.names)
        others = [name for name in self.held_names if name not in self.names]
        order = [self.held_names.index(name) for name in (*self.names, *others)]
        omits = self.work.settings.null_values == "omit"

        def wider(row: Row) -> tuple[str, tuple[str | None, ...]]:
            if row.pos > self.outcomes.own_through:
                values = tuple(row.values[i] for i in order)
                marks = ("0" if omits and value is None else "1" for value in values)
                return "".join(marks), values
            pattern = row.pattern or "1" * own
            return pattern + "0" * len(others), (*row.values, *(None for _ in others))

        self.work.journal.wanted.rewrite(wider)
        self.names = (*self.names, *others)


def _parts(found: Iterator[Decided], chosen: Callable[[Decided], bool]) -> Iterator[list[Decided]]:
    """Those chosen, a batch at a time."""
    part: list[Decided] = []
    for one in found:
        if chosen(one):
            part.append(one)
        if len(part) == _BATCH:
            yield part
            part = []
    if part:
        yield part
