"""The ledger for a rehearsal: read as in a run, and left as it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from target_kit.ledger import Ledger
from target_kit.ledger_entries import Ended, Finding, Interval, Person, Rewritten


class UnwrittenLedger(Ledger):
    """A view of `ledger`. What a rehearsal notes of ended memberships it remembers for itself:
    later rows are decided by them. Everything else is dropped.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._database, self._scope, self._own = ledger._database, ledger._scope, ledger._own
        self._ended: dict[str, list[Ended]] = {}

    def ended(self, who: str) -> list[Ended]:
        """See Ledger."""
        return [*super().ended(who), *self._ended.get(who, ())]

    def note_ended(self, memberships: Iterable[Ended]) -> None:
        """See Ledger."""
        for one in memberships:
            self._ended.setdefault(one.who, []).append(one)

    def note_rewritten(
        self, again: Iterable[Rewritten], agreeing: Iterable[tuple[str, str]]
    ) -> None:
        """See Ledger: dropped."""

    def approve(self, who: str, address_key: str, now: datetime) -> None:
        """See Ledger: dropped."""

    def record(
        self,
        *,
        people: Iterable[Person] = (),
        intervals: Iterable[Interval] = (),
        findings: Iterable[Finding] = (),
        settled: Iterable[tuple[str, str]] = (),
        now: datetime,
    ) -> None:
        """See Ledger: dropped."""

    def forget(self, whos: Iterable[str]) -> None:
        """See Ledger: dropped."""

    def clear(self) -> None:
        """See Ledger: dropped."""

    def doubt(self, contact_ids: Iterable[str] | None) -> None:
        """See Ledger: dropped."""

    def set_fact(self, name: str, value: str) -> None:
        """See Ledger: dropped."""
