"""Clear and refill: what is there afterwards is what was meant, whatever happens beside it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from lists_support import REGULAR, STREAM, ListTarget, ids, recipients, row
from simulators_support import Simulator
from warm_lists import closes, content, operations, said, written

MakeTarget = Callable[..., ListTarget]


def people(*numbers: int) -> list[dict[str, Any]]:
    return [row(n) for n in numbers]


def test_every_row_is_in_the_list_and_counted(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-1 S1-19 S1-22 S1-24: old content goes, new comes in chunks; count equals what was sent."""
    sim.seed({"recipients": [{"list": REGULAR, "id": "old@example.com"}]})
    run = make_target(batch_size_records=10).transfer(people(*range(35)))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(range(35))
    assert written(sim) == {"clear": 1, "addAll3": 4}
    assert run.stream["details"]["before"] == 1
    assert run.stream["details"]["after"] == 35
    assert run.states[-1]["sync_complete"]["counts"] == {STREAM: 35}
    assert closes(run)


def test_nothing_is_cleared_before_the_snapshot_is_taken(
    sim: Simulator, target: ListTarget
) -> None:
    """S1-12 S1-20 S1-21 S1-27 X6: the order of the questions before the first change."""
    assert target.transfer(people(1, 2)).code == 0
    sim.forget_requests()
    assert target.transfer(people(1, 2)).code == 0
    called = [entry["operation"].rpartition(".")[2] for entry in sim.requests()]
    before = called[: called.index("clear")]
    order = ["getAttributeNames", "getDataSet", "getCount", "containsAll", "areBlacklisted",
             "getIdsInStatus", "getAllAdvanced"]  # fmt: skip
    assert sorted(order, key=before.index) == order
    after = called[called.index("clear") :]
    assert after.index("getCount") < after.index("addAll3")
    assert "getCount" in after[after.index("addAll3") :]


@pytest.mark.parametrize("when", ["before", "after"])
def test_rows_of_others_that_appear_during_the_refill_are_seen(
    sim: Simulator, target: ListTarget, when: str
) -> None:
    """S1-24: somebody adds a recipient while the list is filled: told, ours are all there."""
    come = {"type": "add_recipient", "list": REGULAR, "id": "foreign@example.com"}
    sim.faults([{"match": {"body": "addAll3"}, "nth": 1,
                 "action": {"type": "event", "event": come, "when": when}}])  # fmt: skip
    run = target.transfer(people(*range(5)))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(range(5)) | {"foreign@example.com"}
    assert "holds 6 recipients, 5 were put into it" in run.stderr
    assert run.stream["details"]["after"] == 6


def test_rows_that_vanish_after_they_were_taken_are_sent_again(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-24: the count is short: who is missing is found by reading and added once more."""
    gone = {"type": "remove_recipient", "list": REGULAR, "id": "person1@example.com"}
    sim.faults([{"match": {"body": "addAll3"}, "nth": 2,
                 "action": {"type": "event", "event": gone, "when": "before"}}])  # fmt: skip
    run = make_target(batch_size_records=3).transfer(people(*range(6)))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(range(6))


@pytest.mark.parametrize(
    "action",
    [{"type": "apply_then_reset"}, {"type": "apply_then_status", "status": 502}, {"type": "reset"},
     {"type": "truncate", "bytes": 200}, {"type": "html_200"}],
    ids=lambda action: action["type"],
)  # fmt: skip
def test_an_addall3_without_a_certain_answer_makes_nobody_twice_and_loses_none(
    sim: Simulator, make_target: MakeTarget, action: dict[str, Any]
) -> None:
    """S1-26 X1: sent again with the same ids; code 5 then means that it was taken."""
    sim.faults([{"match": {"body": "addAll3"}, "nth": 2, "action": action}])
    run = make_target(batch_size_records=5).transfer(people(*range(15)))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(range(15))
    assert run.outcomes == {"applied": 15}


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_sessions_that_end_in_the_middle_are_renewed(
    sim: Simulator, make_target: MakeTarget, nth: int
) -> None:
    """S1-25: before any chunk; the refill goes on where it was."""
    sim.faults([{"match": {"body": "addAll3"}, "nth": nth,
                 "action": {"type": "event", "event": {"type": "expire_sessions"}}}])  # fmt: skip
    run = make_target(batch_size_records=5).transfer(people(*range(15)))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(range(15))
    assert operations(sim)["login"] == 2
    assert operations(sim)["clear"] == 1


def test_codes_that_nobody_documented_are_no_success(sim: Simulator, target: ListTarget) -> None:
    """S1-22 S1-24 X4: validation, filtered, general error and an unknown code: named, none lost."""
    sim.switches(filtered_ids="person2@", unknown_result_code_for="person3@",
                 code_override="person4@=7,person5@=1")  # fmt: skip
    run = target.transfer(people(*range(1, 8)))
    assert run.code == 0, run.stderr
    assert run.outcomes == {"applied": 3, "rejected": 3, "failed": 1}
    assert {one["entity_id"]: one["cause"] for one in target.left_out} == {
        "2": "filtered", "3": "unknown_code", "4": "general_error", "5": "validation",
    }  # fmt: skip
    assert closes(run)
    assert run.report["status"] == "completed with 4 errors"


def test_fail_on_rejects_ends_with_4(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-22: the list is filled, the operator wants to know."""
    sim.switches(filtered_ids="person2@")
    run = make_target(fail_on_rejects=True).transfer(people(1, 2, 3))
    assert run.code == 4
    assert set(recipients(sim)) == ids([1, 3])
    assert run.report["status"] == "completed with 1 errors"


def test_losing_the_state_directory_costs_nothing_but_the_snapshot(
    sim: Simulator, target: ListTarget
) -> None:
    """X8: the next complete run is right without journal, sizes and locks."""
    assert target.transfer(people(*range(20))).code == 0
    shutil.rmtree(target.home / "state")
    run = target.transfer(people(*range(5, 25)))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(range(5, 25))
    # The floor is measured against what the list holds.
    shutil.rmtree(target.home / "state")
    assert target.transfer(people(1, 2)).code == 4


def test_a_damaged_journal_is_said_and_changes_nothing(sim: Simulator, target: ListTarget) -> None:
    """S1-23 X6 X8: the way out is in the message, and it works."""
    assert target.transfer(people(1, 2, 3)).code == 0
    (journal,) = (target.home / "state" / "lists").glob("*.sqlite")
    journal.write_bytes(b"no database" * 500)
    before = content(sim)
    sim.forget_requests()
    run = target.transfer(people(1, 2, 3))
    assert run.code == 2
    assert "move it away" in said(run)
    assert content(sim) == before
    journal.unlink()
    assert target.transfer(people(1, 2, 3)).code == 0


@pytest.mark.parametrize(
    "switches",
    [{"clear_mode": "after_polls", "clear_polls": 3},
     {"clear_mode": "after_seconds", "clear_seconds": 1.5}],
    ids=["after polls", "after seconds"],
)  # fmt: skip
def test_a_clear_that_takes_its_time_is_waited_for(
    sim: Simulator, target: ListTarget, switches: dict[str, Any]
) -> None:
    """S1-19 S1-23: nothing is added before the list is seen empty."""
    assert target.transfer(people(*range(5))).code == 0
    sim.switches(**switches)
    run = target.transfer(people(*range(3, 9)))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(range(3, 9))


# ---- recover


def test_recover_with_nothing_to_do_calls_nobody(sim: Simulator, make_target: Any) -> None:
    """S1-23: exit 0, no call, before and after a good run."""
    target = make_target()
    for _ in range(2):
        sim.forget_requests()
        run = target.recover()
        assert run.code == 0, run.stderr
        assert "0 open change(s)" in run.stderr
        assert sim.requests() == []
        assert target.transfer(people(1)).code == 0


def test_recover_restore_puts_the_last_snapshot_back(sim: Simulator, make_target: Any) -> None:
    """S1-21 S1-23 X6 X2: all attributes, also of others; suppression is asked anew."""
    sim.event("add_attribute", list=REGULAR, attribute="Segment")
    target = make_target()
    assert target.transfer(people(1, 2, 3)).code == 0
    sim.event("edit_recipient", list=REGULAR, id="person1@example.com",
              attributes={"Segment": "A", "Vorname": "Edited"})  # fmt: skip
    old = {key: one["attributes"] for key, one in recipients(sim).items()}
    assert target.transfer(people(2, 3, 4, 5)).code == 0
    sim.event("unsubscribe", id="person3@example.com", list=REGULAR)
    run = target.recover("--restore", STREAM)
    assert run.code == 0, run.stderr
    assert "the last snapshot is back, 2 recipients" in run.stderr
    held = {key: one["attributes"] for key, one in recipients(sim).items()}
    del old["person3@example.com"]
    assert held == {key: {"Segment": None, **values} for key, values in old.items()}


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [("nobody", 2, "there is no list nobody"), (STREAM, 2, "no snapshot is kept")],
)
def test_recover_restore_says_what_it_cannot_do(
    sim: Simulator, make_target: Any, name: str, code: int, words: str
) -> None:
    """S1-23: an unknown list, or none that was ever cleared."""
    run = make_target().recover("--restore", name)
    assert (run.code, written(sim)) == (code, {})
    assert words in run.stderr


def test_a_snapshot_that_was_tampered_with_is_not_restored(
    sim: Simulator, make_target: Any
) -> None:
    """S1-21 S1-23 X6: its digest is in the intent."""
    target = make_target()
    assert target.transfer(people(1, 2)).code == 0
    assert target.transfer(people(1, 2)).code == 0
    (journal,) = (target.home / "state" / "lists").glob("*.sqlite")
    with sqlite3.connect(journal) as connection:
        connection.execute("UPDATE stored SET address = 'else@example.com'")
    connection.close()
    before = content(sim)
    run = target.recover("--restore", STREAM)
    assert run.code == 4
    assert "is damaged" in said(run)
    assert content(sim) == before


@pytest.mark.parametrize("strategy", ["clear_and_refill", "reconcile"])
def test_refusals_row_by_row_never_empty_a_list(
    sim: Simulator, make_target: MakeTarget, strategy: str
) -> None:
    """S1-20 S1-23 S1-24 X6: the error budget would bear it, the floor does not: 15 of 20 rows are
    refused with a code, the old content is there afterwards.
    """
    target = make_target(list={"strategy": strategy})
    assert target.transfer(people(*range(20))).code == 0
    before = {key: one["attributes"] for key, one in recipients(sim).items()}
    sim.switches(code_override="person2.@=1,person3.@=7")
    run = target.transfer(people(*range(15, 35)))
    assert run.code == 4, run.stderr
    assert "only 5 of 20 rows" in said(run)
    assert run.states == []
    assert closes(run)
    assert {key: one["attributes"] for key, one in recipients(sim).items()} == before
    sim.switches(code_override="")
    assert target.transfer(people(*range(15, 35))).code == 0
    assert set(recipients(sim)) == ids(range(15, 35))
