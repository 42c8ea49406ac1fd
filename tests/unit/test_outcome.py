"""Outcomes, sums and budgets."""

from __future__ import annotations

import pytest
from target_kit.errors import BudgetExceeded
from target_kit.outcome import Outcome, Result, Step, Tally


@pytest.mark.parametrize("errors", [0, 499, 500])
def test_five_hundred_errors_go_on(errors: int) -> None:
    """S0-56, S0-57: within its budget a step goes on and the run stays usable."""
    tally = Tally(500)
    for _ in range(errors):
        tally.add(Result(Outcome.REJECTED, Step.INSERT, "x"))
    assert tally.errors[Step.INSERT] == errors


def test_the_501st_error_of_a_step_stops_the_run() -> None:
    """S0-28, S0-56: beyond the budget everything stops, and the message says what to do."""
    tally = Tally(500)
    for _ in range(500):
        tally.add(Result(Outcome.FAILED, Step.UPDATE, "x"))
    with pytest.raises(BudgetExceeded) as caught:
        tally.add(Result(Outcome.REJECTED, Step.UPDATE, "x"))
    assert "501 row errors" in str(caught.value)
    assert "max_errors" in str(caught.value)


def test_each_step_has_its_own_budget() -> None:
    """S0-28, S0-56: errors of one step use nothing of another's."""
    tally = Tally(1)
    for step in Step:
        tally.add(Result(Outcome.REJECTED, step, "x"))
    with pytest.raises(BudgetExceeded):
        tally.add(Result(Outcome.UNKNOWN, Step.CHECK, "x"))


def test_what_is_no_error_uses_no_budget() -> None:
    """S0-30: rows without a match or that need nothing are not errors."""
    tally = Tally(0)
    for outcome in (Outcome.APPLIED, Outcome.UNCHANGED, Outcome.SUPPRESSED, Outcome.HELD):
        tally.add(Result(outcome, Step.UPDATE))
    assert tally.open == 0


def test_the_sums_close_even_when_a_run_ends_early() -> None:
    """X4: received = sum of the outcomes, always."""
    tally = Tally(0, received=8, reoffered=2)
    tally.add(Result(Outcome.APPLIED, Step.UPDATE))
    tally.close()
    assert tally.received + tally.reoffered == tally.total == 10
    assert tally.outcomes[Outcome.HELD] == 9
