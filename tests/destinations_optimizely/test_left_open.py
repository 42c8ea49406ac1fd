"""A change that was left open is nobody's secret, even when its list is configured no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lists_support import OPTIN, REGULAR, ListTarget, ids, recipients, row
from simulators_support import Simulator

MakeTarget = Callable[..., ListTarget]


def test_an_open_change_of_a_list_no_longer_configured_is_named(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-23: the run of another list goes on and says which journal waits for its settings."""
    target = make_target()
    sim.faults([{"match": {"body": "addAll3"}, "action": {"type": "status", "status": 503}}])
    rows = [row(key) for key in range(1, 21)]
    begun = target.transfer(rows, timeout_seconds=2, deadline_seconds=3)
    assert begun.code == 7
    sim.faults([])
    sim.event("change_kind", list=OPTIN, kind="regular")
    other = {**target.config["lists"]["newsletter_recipients"], "list_id": OPTIN}
    done = target.transfer(rows, lists={"newsletter_recipients": other})
    assert done.code == 0
    assert f"{REGULAR}-" in done.stderr
    assert "open change" in done.stderr
    healed = target.transfer(rows)
    assert healed.code == 0
    assert "open change" not in healed.stderr
    assert [one["ended"] for one in healed.report["recovered"]] == ["done"]


def test_empty_input_is_not_taken_for_a_whole_one(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-20: a tap that dies before its first line ends the run with 6, the list as it was."""
    target = make_target()
    assert target.transfer([row(1)]).code == 0
    before = sim.state()
    run = target.run_bytes(b"")
    assert (run.code, run.states) == (6, [])
    assert "the input is empty" in run.stderr
    assert sim.state()["clients"] == before["clients"]


@pytest.mark.parametrize("status", ["SENDING", "PAUSED"])
def test_an_open_change_waits_while_a_mailing_to_the_list_is_on_its_way(
    sim: Simulator, make_target: MakeTarget, status: str
) -> None:
    """S1-23 S1-27: nothing is cleared under a mailing, not even to heal; afterwards it heals."""
    target = make_target(batch_size_records=10)
    assert target.transfer([row(key) for key in range(1, 21)]).code == 0
    sim.faults(
        [{"match": {"body": "addAll3"}, "nth": 2, "times": 99, "action": {"type": "status"}}]
    )
    rows = [row(key) for key in range(1, 31)]
    assert target.transfer(rows, deadline_seconds=3).code == 7
    sim.faults([])
    sim.event("mailing", id=7, status=status, lists=[REGULAR])
    before = sim.state()["clients"]
    waiting = target.transfer(rows)
    assert (waiting.code, waiting.states) == (5, [])
    assert sim.state()["clients"] == before
    sim.event("mailing", id=7, status="DONE")
    healed = target.transfer(rows)
    assert healed.code == 0
    assert [one["ended"] for one in healed.report["recovered"]] == ["done"]
    assert recipients(sim).keys() == ids(range(1, 31))
    assert healed.report["calls"]["RpcRecipient.addAll3"] == 2 + 3  # healing, then the transfer
