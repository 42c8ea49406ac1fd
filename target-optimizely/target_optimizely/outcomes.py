"""Counting verdicts against the error budgets of one list."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from target_kit.errors import BudgetExceeded
from target_kit.outcome import Tally

from target_optimizely.sender import Verdict


class Outcomes:
    """Feeds a `Tally`; remembers whether a budget ran out. `details` go into the report.

    Rows behind `own_through` stand for no record of the input, and are not counted.
    """

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.over_budget = False
        self.own_through = sys.maxsize
        self.details: dict[str, Any] = {}

    def settled(self, verdicts: Sequence[Verdict]) -> None:
        """Count verdicts that are durable. Raises BudgetExceeded after counting all of them."""
        exceeded: BudgetExceeded | None = None
        for pos, result in verdicts:
            if pos > self.own_through:
                continue
            try:
                self.tally.add(result)
            except BudgetExceeded as error:
                exceeded = exceeded or error
        if exceeded is not None:
            self.over_budget = True
            raise exceeded
