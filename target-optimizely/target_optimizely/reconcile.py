"""Strategy `reconcile`: only the differences are written, so the list is never empty.

Order of effects: who is suppressed goes first, then adds, then updates, and last the removal of
those the selection no longer has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from optimizely_soap.faults import FaultKind, SoapFault
from target_kit.errors import CallFailed, CallRefused, OutcomeUnknown, VendorUnavailable
from target_kit.outcome import Outcome, Result, Step

from target_optimizely.codes import ID_TAKEN
from target_optimizely.model import Intent, Row
from target_optimizely.sender import Verdict
from target_optimizely.stored_rows import StoredRows
from target_optimizely.values import same_value
from target_optimizely.work import ListWork, Settled, parts

_SAME = Result(Outcome.UNCHANGED, Step.UPDATE)
_UPDATED = Result(Outcome.APPLIED, Step.UPDATE)


class Reconciler:
    """Brings one list to the wanted rows; `held` are the rows the list has now."""

    def __init__(self, work: ListWork, intent: Intent, held: StoredRows, settled: Settled) -> None:
        self._work = work
        self._intent = intent
        self._names = intent.names
        self._held = held
        self._held_names = intent.snapshot_names
        self._settled = settled

    def run(self, *, sent_before: bool = False) -> int:
        """Write the differences; returns the size of the list.

        `sent_before`: an earlier try of the same intent may have added rows meanwhile. Raises
        `AllRefused` before anybody is removed in exchange for too few.
        """
        wanted = self._work.journal.wanted
        self._work.remove(self._held.surplus(suppressed=True))
        changed = self.settle_unchanged()
        for part in parts(changed, self._work.batch):
            self.update(wanted.at(part))
        gone = self.respell(self._held.surplus(suppressed=False))
        self._work.fill(wanted, self._names, self._settled, sent_before=sent_before)
        self._work.check_enough(self._intent)
        self._work.remove([key for key in self._held.surplus(suppressed=False) if key not in gone])
        return self._work.check(wanted, self._names, self._settled)

    def settle_unchanged(self) -> list[int]:
        """Settle what the list has already; returns the places of rows with other values."""
        changed: list[int] = []
        same: list[Verdict] = []
        for pos, wanted, held in self._work.journal.wanted.compared_with(self._held):
            if held is None:
                continue
            if self._same(wanted, held):
                same.append((pos, _SAME))
            else:
                changed.append(pos)
        self._work.journal.wanted.settle(same)
        self._settled(same)
        return changed

    def update(self, rows: Sequence[Row]) -> None:
        """Set the attributes of rows that are in the list; each gets its verdict."""
        verdicts = self._updated(rows)
        self._work.journal.wanted.settle(verdicts)
        self._settled(verdicts)

    def respell(self, surplus: Sequence[str]) -> set[str]:
        """Add rows that the list may hold in another case, `surplus` spellings; which had to go.

        Whether the vendor tells ids by case is not documented (5.7). Where it does not, it says
        that the row is there already: then the old spelling goes and the row is added again,
        chunk by chunk. Who went may not be removed once more, for that would hit the new spelling.
        """
        wanted, after = self._work.journal.wanted, 0
        held = {key.lower(): key for key in surplus}
        gone: set[str] = set()
        while held and (page := wanted.open(after, self._work.batch)):
            after = page[-1].pos
            rows = [row for row in page if row.recipient_id.lower() in held]
            for pattern in sorted({row.pattern for row in rows}):
                alike = [row for row in rows if row.pattern == pattern]
                gone.update(self._respell(alike, held))
        return gone

    def _respell(self, rows: Sequence[Row], held: Mapping[str, str]) -> list[str]:
        self._work.stop.check()
        verdicts = self._work.sender.send(rows, self._names)
        taken = {pos for pos, result in verdicts if result.cause == ID_TAKEN}
        again = [row for row in rows if row.pos in taken]
        old = [held[row.recipient_id.lower()] for row in again]
        self._work.remove(old)
        verdicts = [one for one in verdicts if one[0] not in taken]
        verdicts += self._work.sender.send(again, self._names)
        self._work.journal.wanted.settle(verdicts)
        self._settled(verdicts)
        return old

    def _same(self, wanted: Sequence[str | None], held: Sequence[str | None]) -> bool:
        place = {name: i for i, name in enumerate(self._held_names)}
        return all(
            same_value(value, held[place[name]])
            for name, value in zip(self._names, wanted, strict=True)
            if not (value is None and self._work.settings.null_values == "omit")
        )

    def _updated(self, rows: Sequence[Row]) -> list[Verdict]:
        self._work.stop.check()
        columns = [i for i, mark in enumerate(rows[0].pattern) if mark == "1"]
        columns = columns or list(range(len(self._names)))
        alike = [row for row in rows if row.pattern == rows[0].pattern]
        others = [row for row in rows if row.pattern != rows[0].pattern]
        rest = self._updated(others) if others else []
        try:
            self._work.campaign.set_attributes_in_batch_flat(
                self._work.settings.list_id,
                [row.recipient_id for row in alike],
                [self._names[i] for i in columns],
                [[row.values[i] for i in columns] for row in alike],
            )
        except (SoapFault, CallRefused) as fault:
            return rest + self._halved(alike, fault)
        except (OutcomeUnknown, CallFailed) as error:
            raise VendorUnavailable(
                f"list {self._work.settings.name}: updating: {error}; the next run goes on"
            ) from None
        return rest + [(row.pos, _UPDATED) for row in alike]

    def _halved(self, rows: Sequence[Row], fault: Exception) -> list[Verdict]:
        if len(rows) > 1:
            middle = len(rows) // 2
            return self._updated(rows[:middle]) + self._updated(rows[middle:])
        if (
            isinstance(fault, SoapFault) and fault.kind is FaultKind.NOT_FOUND
        ):  # somebody removed it meanwhile
            return self._work.sender.send(rows, self._names)
        message = f"the vendor does not take a value of it: {fault}"
        return [(rows[0].pos, Result(Outcome.REJECTED, Step.UPDATE, "value_refused", message))]
