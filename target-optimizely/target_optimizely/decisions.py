"""What a run would do to one list, recipient by recipient: decided here once, for plans, for guards
and for the run that carries a plan out. No I/O but the journal's tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from target_kit.guards import Measure
from target_kit.plan_model import Entry, Item

from target_optimizely.comparing import Compared, Comparison, Held, LeftOut
from target_optimizely.drafting import Draft, Drafter
from target_optimizely.itemising import Itemiser
from target_optimizely.settings import ListSettings


@dataclass(frozen=True, slots=True)
class Decided:
    """One recipient, or one record of whom the list has nothing.

    `action` is a word of `target_kit.plan_model.ACTIONS`; `wanted` the row it comes from, `held`
    what the list has.
    """

    identity: str
    key: str | None
    action: str
    cause: str = ""
    drafts: tuple[Draft, ...] = ()
    wanted: Compared | None = None
    held: Held | None = None

    @property
    def is_withdrawal(self) -> bool:
        """Whether they leave because somebody said so: no plan and no guard stops it."""
        return any(draft.withdrawal for draft in self.drafts)


class Decisions:
    """Of one list; `held_names` are the attributes of what it has, `is_forgotten` is asked with an
    address, these and their values.
    """

    def __init__(
        self,
        comparison: Comparison,
        settings: ListSettings,
        held_names: Sequence[str],
        is_forgotten: Callable[[str, Sequence[str], Sequence[str | None]], bool],
    ) -> None:
        self._comparison = comparison
        self._settings = settings
        self._held_names, self._is_forgotten = held_names, is_forgotten
        self._drafter = Drafter(settings, held_names)
        place = {name: i for i, name in enumerate(held_names)}
        technical = settings.technical_attributes
        self._entity = [place[technical[role]] for role in ("entity-type", "entity-id")]

    def all(self) -> Iterator[Decided]:
        """First the records, then who leaves."""
        yield from (_left_out(one) for one in self._comparison.left_out())
        yield from self.wanted()
        yield from self.leaving()

    def wanted(self, through: int | None = None) -> Iterator[Decided]:
        """The wanted rows up to a place, in order; they may be settled meanwhile."""
        for one in self._comparison.wanted(through):
            yield self._wanted(one)

    def leaving(self) -> Iterator[Decided]:
        """Recipients whom no row wants in the list."""
        for held, causes in self._comparison.leaving():
            kind, number = (held.values[place] or "" for place in self._entity)
            more = self._comparison.causes_of(kind, number) if number else frozenset()
            if self._is_forgotten(held.address, self._held_names, held.values):
                more |= {"forgotten"}  # also where the source does not have them any more
            draft = self._drafter.leave(causes | more)
            key = key_of(kind, number)
            yield Decided(held.recipient_id, key, "remove", drafts=(draft,), held=held)

    def _wanted(self, one: Compared) -> Decided:
        key = key_of(one.entity_type, one.entity_id)
        if one.outcome:
            return Decided(one.recipient_id, key, _kept_out(one.outcome), one.cause, wanted=one)
        if one.held is None:
            drafts = self._drafter.add(one.address, one.values)
        else:
            drafts = self._drafter.change(one.values, one.held.values)
        action = ("update" if one.held else "add") if drafts else "nothing"
        return Decided(one.recipient_id, key, action, "", tuple(drafts), one, one.held)


class Noted:
    """Counts decisions; makes entries of them."""

    def __init__(self, settings: ListSettings, itemiser: Itemiser) -> None:
        self._settings = settings
        self._itemiser = itemiser
        self.actions: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        self.withdrawals = 0

    def count(self, one: Decided) -> None:
        """Count what would be done."""
        self.actions[one.action] += 1
        if one.is_withdrawal:
            self.withdrawals += 1
            return
        kinds = Counter(draft.kind for draft in one.drafts)
        self.changes["creates"] += one.action == "add"
        self.changes["updates"] += one.action == "update"
        self.changes["list_removals"] += kinds["remove"]
        self.changes["blank_outs"] += kinds["clear"]
        self.changes["address_changes"] += kinds["rename"]

    def entry(self, one: Decided) -> Entry | None:
        """How it stands in a plan; None for what needs nothing."""
        if one.action == "nothing":
            return None
        who, items = self._itemiser.who(one.identity), self.items(one)
        return Entry(self._settings.name, who, one.key, one.action, items, one.cause)

    def items(self, one: Decided) -> tuple[Item, ...]:
        """The drafts without their values."""
        return tuple(self._itemiser.item(one.identity, draft) for draft in one.drafts)

    def measures(self, size: int) -> Mapping[str, Measure]:
        """For the guards; `size` is the number of recipients that the list has now.

        Who is taken off a list is deleted from it for good, and nothing else ends a membership: the
        three guards of it count the same people.
        """
        lost = self.changes["list_removals"]
        counts = {"tag_removals": 0, "unsubscribes": lost, "deletes": lost, **self.changes}
        names = ("creates", "updates", "list_removals", "blank_outs", "address_changes")
        return {name: Measure(counts.get(name, 0), size) for name in (*counts, *names)}


def key_of(entity_type: str, entity_id: str) -> str | None:
    """The backoffice's key as the technical fields hold it (S1-13); an address is none."""
    key = f"{entity_type} {entity_id}".strip()
    return key if entity_id and "@" not in key else None


def _left_out(one: LeftOut) -> Decided:
    key = key_of(one.entity_type, one.entity_id)
    identity = f"left out {one.entity_type} {one.entity_id}"
    return Decided(identity, key, _kept_out(one.outcome), one.cause)


def _kept_out(outcome: str) -> str:
    return "suppress" if outcome == "suppressed" else "reject"
