"""One list, one advertising consent: rows of another one never get in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lists_support import REGULAR, ListTarget, ids, recipients, row
from simulators_support import Simulator
from warm_lists import closes, content, said, written

MakeTarget = Callable[..., ListTarget]
WRONG = 4999


def five_thousand() -> list[dict[str, Any]]:
    return [row(n, **({"consent": "partner-offers"} if n == WRONG else {})) for n in range(1, 5001)]


def test_a_wrong_consent_in_row_4999_stops_the_run(sim: Simulator, target: ListTarget) -> None:
    """S1-10: by default the run stops, names the line, and leaves the list untouched."""
    sim.seed({"recipients": [{"list": REGULAR, "id": "old@example.com"}]})
    before = content(sim)
    run = target.transfer(five_thousand())
    assert run.code == 4
    # Line 1 is the SCHEMA.
    assert f"the first at line {WRONG + 1} of the input" in said(run)
    assert run.states == []
    assert content(sim) == before
    assert not written(sim)
    assert "partner-offers" not in run.stderr


def test_a_wrong_consent_in_row_4999_is_rejected_by_name(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-10 S1-16 X4: with `reject` all others go in and the row is named."""
    target = make_target(batch_size_records=1000, list={"on_wrong_consent": "reject"})
    run = target.transfer(five_thousand())
    assert run.code == 0, run.stderr
    assert run.outcomes == {"applied": 4999, "rejected": 1}
    assert closes(run)
    assert set(recipients(sim)) == ids(range(1, 5001)) - ids([WRONG])
    (left,) = target.left_out
    assert (left["line"], left["entity_id"], left["cause"]) == (5000, "4999", "wrong_consent")


@pytest.mark.parametrize("consent", [None, "", "  ", "Newsletter", "newsletter2", 7])
def test_no_consent_and_a_similar_one_are_wrong(
    sim: Simulator, make_target: MakeTarget, consent: Any
) -> None:
    """S1-10: null, blank, another case, another text: none of them is the list's consent."""
    target = make_target(list={"on_wrong_consent": "reject"})
    run = target.transfer([row(1), row(2, consent=consent)])
    assert set(recipients(sim)) == ids([1]), run.stderr
    assert run.causes == {"wrong_consent": 1}


@pytest.mark.parametrize("consent", [None, "", [], ["newsletter"], ["newsletter", "partners"]])
def test_zero_or_two_consents_are_refused_before_any_call(
    sim: Simulator, make_target: MakeTarget, consent: Any
) -> None:
    """S1-9: exactly one advertising consent belongs to a list."""
    run = make_target(list={"consent": consent}).transfer([row(1)])
    assert run.code == 2
    assert "exactly one advertising consent" in run.stderr or ".consent" in run.stderr, run.stderr
    assert sim.requests() == []


def test_a_numeric_consent_is_the_consent_of_that_number(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-9: consents are often ids of the CRM."""
    run = make_target(list={"consent": 12}).transfer([row(1, consent=12), row(2, consent="12")])
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 2])
