"""What a rehearsal would have written, row by row: for plans and guards, whatever the object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from target_kit.errors import RowError
from target_kit.outcome import Outcome, Result
from target_kit.plan import Approved, Digests, Entry, Item

#: What guards count, by the kinds of items.
_COUNTED: Mapping[str, tuple[str, ...]] = {
    "address_changes": ("rename", "retire"),
    "unsubscribes": ("unsubscribe", "sign_off"),
    "list_removals": ("unsubscribe", "sign_off"),  # here nobody leaves a list in another way
    "blank_outs": ("clear",),
    "deletes": ("delete",),
    "tag_removals": ("tag_remove",),
}
_NEW = frozenset({"create", "delete", "sign_off"})
_WITHOUT_ITEMS = {
    Outcome.UNCHANGED: "nothing",
    Outcome.HELD: "hold",
    Outcome.SUPPRESSED: "suppress",
}


class Notes:
    """The items of one stream until their row has its outcome. `told` gets an entry for each row in
    which there is something to see; `actions` counts rows by what would become of them, `changes`
    what guards count, and `withdrawals` what none of them does.
    """

    def __init__(self, stream: str, digests: Digests, told: Callable[[Entry], None]) -> None:
        self.stream = stream
        self.actions: Counter[str] = Counter()
        # Zeros from the start: a run without a change is one whose guards can be evaluated.
        self.changes = Counter(dict.fromkeys(("creates", "updates", *_COUNTED), 0))
        self.withdrawals = 0
        self._digests = digests
        self._told = told
        self._items: dict[str, list[Item]] = {}

    def add(self, identity: str, items: Sequence[Item]) -> None:
        """These would be written for this row."""
        if items:
            self._items.setdefault(identity, []).extend(items)

    def settled(self, identity: str, result: Result) -> None:
        """A row has its outcome; one that would be unchanged writes nothing after all."""
        noted = self._items.pop(identity, [])
        items = tuple(noted) if result.outcome is not Outcome.UNCHANGED else ()
        action = _action(items, result)
        self.actions[action] += 1
        if items or result.outcome is not Outcome.UNCHANGED:
            self._count(items)
            self._tell(identity, action, items, result.cause)

    def rest(self) -> None:
        """At the end: withdrawals of rows that took no further part, and had their entry before."""
        for identity, items in self._items.items():
            self._count(items)
            self._tell(identity, "unsubscribe", tuple(items), "")
        self._items.clear()

    def _tell(self, identity: str, action: str, items: tuple[Item, ...], cause: str) -> None:
        key = identity.removeprefix("key:") if identity.startswith("key:") else None
        if key and "@" in key:  # an address is no key to be shown
            key = None
        who = self._digests.who(of_stream(self.stream, identity))
        self._told(Entry(self.stream, who, key, action, items, cause))

    def _count(self, items: Sequence[Item]) -> None:
        kinds = [item.kind for item in items if not item.withdrawal]
        self.changes["creates"] += "create" in kinds
        self.changes["updates"] += bool(kinds) and not _NEW.intersection(kinds)
        for name, counted in _COUNTED.items():
            self.changes[name] += sum(item.kind in counted for item in items if not item.withdrawal)
        self.withdrawals += sum(item.withdrawal for item in items)


def of_stream(stream: str, identity: str) -> str:
    """A row among those of all streams: an account may have the key of a contact."""
    return f"{stream} {identity}"


def check_approved(approved: Approved, who: str, items: Sequence[Item]) -> None:
    """Raises RowError `plan_moved` unless the plan holds every item that needs it."""
    if not approved.allows(who, [item.digest for item in items if not item.withdrawal]):
        raise RowError(
            "plan_moved",
            "the plan does not hold this change: the source or ActiveCampaign has changed since; "
            "make a new plan",
        )


def _action(items: Sequence[Item], result: Result) -> str:
    kinds = {item.kind for item in items}
    if not kinds:
        return _WITHOUT_ITEMS.get(result.outcome, "reject")
    if named := kinds & {"create", "delete"}:
        return min(named)
    return "update" if kinds - {"unsubscribe", "sign_off"} else "unsubscribe"
