"""Which fields had to be written again and again: the ledger's view of a batch of persons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from target_kit.ledger_entries import Rewritten

if TYPE_CHECKING:
    from target_kit.ledger import Ledger

_NOTHING: Mapping[str, Rewritten] = {}


class Streaks:
    """`recall` a batch, ask and note, `save`. Losing the ledger only begins the counting anew."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, dict[str, Rewritten]] = {}
        self._again: list[Rewritten] = []
        self._agreeing: list[tuple[str, str]] = []

    def recall(self, whos: Collection[str]) -> None:
        """Have at hand what is known of these persons."""
        self._known = {}
        for one in self._ledger.rewritten(whos):
            self._known.setdefault(one.who, {})[one.name] = one

    def of(self, who: str) -> Mapping[str, Rewritten]:
        """What had to be written of a person by the runs before this one, by name of the field."""
        return self._known.get(who, _NOTHING)

    def is_any(self, name: str) -> bool:
        """See `Ledger.is_rewritten`."""
        self.save()
        return self._ledger.is_rewritten(name)

    def note(self, again: Collection[Rewritten], agreeing: Collection[tuple[str, str]]) -> None:
        """Note what was written of a person, and what agrees by now."""
        self._again += again
        self._agreeing += agreeing

    def save(self) -> None:
        """Make what was noted durable."""
        if self._again or self._agreeing:
            self._ledger.note_rewritten(self._again, self._agreeing)
        self._again, self._agreeing = [], []
