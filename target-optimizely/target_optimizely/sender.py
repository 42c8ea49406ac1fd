"""One chunk of recipients into a list: suppression, addAll3, a verdict for every row.

addAll3 is never repeated blindly: before each repetition suppression is asked anew, and code 5 for
a row that was sent before means that it was taken then (S1-26). A fault refuses a whole chunk, so
it is halved until the row is alone that causes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimizely_soap.faults import FaultKind, SoapFault
from target_kit.errors import CallRefused, OutcomeUnknown, VendorUnavailable
from target_kit.outcome import Outcome, Result, Step

from target_optimizely.client import Campaign
from target_optimizely.codes import result_of
from target_optimizely.model import Row
from target_optimizely.suppression import Suppression

NO_OPTIN_PROCESS = 0
MAX_SENDS = 4
#: Rows refused alone, in a row and with nothing taken in between: then it is not the rows.
REFUSED_IN_A_ROW = 25

Verdict = tuple[int, Result]


class AllRefused(Exception):
    """The list takes no row at all any more: its old content should come back."""


class Sender:
    """Sends rows into one list; `names` are the attributes that all of them carry."""

    def __init__(self, campaign: Campaign, list_id: int, suppression: Suppression) -> None:
        self._campaign = campaign
        self._list_id = list_id
        self.suppression = suppression
        self._refused_in_a_row = 0

    def send(
        self, rows: Sequence[Row], names: Sequence[str], *, sent_before: bool = False
    ) -> list[Verdict]:
        """A verdict for every row.

        `sent_before` says that the rows may be in the list by this run's own doing. Raises
        `AllRefused`, and `VendorUnavailable` when nothing certain can be learnt.
        """
        for _ in range(MAX_SENDS):
            suppressed = self.suppression.of(rows)
            verdicts: list[Verdict] = list(suppressed.items())
            live = [row for row in rows if row.pos not in suppressed]
            if not live:
                return verdicts
            try:
                return verdicts + self._add(live, names, sent_before=sent_before)
            except OutcomeUnknown:
                sent_before = True
        raise VendorUnavailable(
            f"RpcRecipient.addAll3: no certain answer in {MAX_SENDS} tries; the list is incomplete "
            "until the next run"
        )

    def _add(
        self, rows: Sequence[Row], names: Sequence[str], *, sent_before: bool
    ) -> list[Verdict]:
        sent = _columns(rows[0], names)
        try:
            codes = self._campaign.add_all3(
                self._list_id,
                NO_OPTIN_PROCESS,
                [row.recipient_id for row in rows],
                [row.address for row in rows],
                [names[i] for i in sent],
                [[row.values[i] for i in sent] for row in rows],
            )
        except (SoapFault, CallRefused) as fault:
            if (
                isinstance(fault, SoapFault) and fault.kind is FaultKind.SESSION
            ):  # the vendor ends every session at once
                raise VendorUnavailable(f"RpcRecipient.addAll3: {fault}") from None
            return self._halved(rows, names, fault)
        if len(codes) != len(rows):
            # Nobody knows which code is whose: what was taken shows when it is sent again.
            raise OutcomeUnknown("RpcRecipient.addAll3: more or fewer codes than rows")
        self._refused_in_a_row = 0
        return [
            (row.pos, result_of(code, sent_before=sent_before))
            for row, code in zip(rows, codes, strict=True)
        ]

    def _halved(self, rows: Sequence[Row], names: Sequence[str], fault: Exception) -> list[Verdict]:
        """The vendor may have stored the rows before the one it stumbled over (contract 4.1)."""
        if len(rows) == 1:
            self._refused_in_a_row += 1
            if self._refused_in_a_row >= REFUSED_IN_A_ROW:
                raise AllRefused(f"RpcRecipient.addAll3: {fault}, for every row") from None
            message = f"the vendor does not take a value of it: {fault}"
            return [(rows[0].pos, Result(Outcome.REJECTED, Step.INSERT, "value_refused", message))]
        middle = len(rows) // 2
        verdicts = self.send(rows[:middle], names, sent_before=True)
        return verdicts + self.send(rows[middle:], names, sent_before=True)


def _columns(row: Row, names: Sequence[str]) -> list[int]:
    """Places of the attributes that rows of this pattern carry; all without a pattern."""
    if not row.pattern:
        return list(range(len(names)))
    return [i for i, mark in enumerate(row.pattern) if mark == "1"]
