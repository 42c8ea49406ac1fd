"""The budgets of `make bench` for contacts: what is just held, and what is one call too many."""

from __future__ import annotations

from dataclasses import replace

import pytest
from contacts_budgets import (
    CHANGED,
    CHANGED_LEDGER,
    CHANGED_SINGLY,
    IDLE,
    IDLE_LEDGER,
    IMPORT,
    LOADED,
    LOADED_SINGLY,
    Measured,
    at_limits,
    faults_of,
)

SIZE = 10_000
#: Reads and writes of runs that keep to their budgets, and not one call below them.
HELD = {
    LOADED: (160, 40),
    LOADED_SINGLY: (25, 30_000),
    IDLE: (125, 0),
    IDLE_LEDGER: (10, 0),
    CHANGED: (134, 101),
    CHANGED_SINGLY: (125, 110),
    CHANGED_LEDGER: (19, 101),
}


def run(name: str, reads: int, writes: int) -> Measured:
    calls = {"GET contacts": reads, "PUT contacts/{id}": writes}
    return Measured(SIZE, name, calls, forecast=reads + writes)


@pytest.fixture
def runs() -> dict[str, Measured]:
    return {name: run(name, *calls) for name, calls in HELD.items()}


def test_what_is_within_its_budget_is_no_fault(runs: dict[str, Measured]) -> None:
    """Each run at its limit."""
    assert faults_of(runs) == []


@pytest.mark.parametrize("name", HELD)
def test_one_call_more_is_a_fault(runs: dict[str, Measured], name: str) -> None:
    """Of every run, and of no other; runs with changes are measured by the one without."""
    reads, writes = HELD[name]
    found = faults_of({**runs, name: run(name, reads + 1, writes)})
    assert [fault.split(":")[0] for fault in found] == [f"{SIZE} {name}"]


@pytest.mark.parametrize("name", [IDLE, IDLE_LEDGER])
def test_a_write_without_a_change_is_a_fault(runs: dict[str, Measured], name: str) -> None:
    """S0-34: even where the calls are within their budget."""
    reads, _ = HELD[name]
    assert any("1 writes" in one for one in faults_of({**runs, name: run(name, reads - 1, 1)}))


@pytest.mark.parametrize("off", [-1, 1])
def test_a_plan_may_be_wrong_by_a_twentieth(runs: dict[str, Measured], off: int) -> None:
    """10 of 200 calls in either direction, not 11."""
    held = replace(runs[LOADED], forecast=200 + off * 10)
    missed = replace(runs[LOADED], forecast=200 + off * 11)
    assert faults_of({**runs, LOADED: held}) == []
    assert len(faults_of({**runs, LOADED: missed})) == 1


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [
        ({"GET contacts": 50}, 10),
        ({"GET contacts": 50, IMPORT: 100}, 30),
        ({IMPORT: 101}, 60.2),
        ({IMPORT: 400}, 200),
    ],
)
def test_calls_have_their_time_at_an_accounts_limits(calls: dict[str, int], seconds: float) -> None:
    """5 requests a second; of imports, 100 a minute."""
    assert at_limits(calls) == pytest.approx(seconds)
