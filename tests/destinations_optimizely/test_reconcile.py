"""Strategy `reconcile`: only the changes are sent, and the list is never empty."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from lists_support import REGULAR, ListTarget, ids, recipients, row, the_list
from simulators_support import Simulator
from warm_lists import attributes, closes, rows_of, said, written

MakeTarget = Callable[..., ListTarget]
SIZE = 2000
TWIN = 120000000012
#: 1 %: who changes, who goes, who comes.
CHANGED, GONE, COME = range(100, 110), range(500, 505), range(SIZE, SIZE + 5)


def before() -> list[dict[str, Any]]:
    return [row(n) for n in range(SIZE)]


def after() -> list[dict[str, Any]]:
    rows = [row(n) for n in [*range(SIZE), *COME] if n not in GONE]
    for one in rows:
        if one["record"]["ctt_id"] in CHANGED:
            one["record"]["org_country"] = "AT"
    return rows


def owned(sim: Simulator, list_id: int) -> dict[str, dict[str, str | None]]:
    return {key: one["attributes"] for key, one in recipients(sim, list_id).items()}


def test_one_percent_changed_sends_one_percent(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-19 X3 X4: 2,000 rows, 20 changes: those rows alone are written; the end is the same as
    that of clear_and_refill of the same selection, and an idle run after it writes nothing.
    """
    sim.seed({"lists": [{"id": TWIN, "name": "Twin"}]})
    target = make_target(batch_size_records=1000, list={"strategy": "reconcile"})
    twin = make_target("twin", batch_size_records=1000, list={"list_id": TWIN})
    assert target.transfer(before()).code == 0
    assert twin.transfer(before()).code == 0
    sim.forget_requests()
    sim.keep_bodies()
    run = target.transfer(after())
    assert run.code == 0, run.stderr
    assert rows_of(sim) == {"addAll3": 5, "setAttributesInBatchFlat": 10, "removeAll": 5}
    assert written(sim) == {"addAll3": 1, "setAttributesInBatchFlat": 1, "removeAll": 1}
    assert run.outcomes == {"applied": 15, "unchanged": SIZE - 15}
    assert closes(run)
    assert twin.transfer(after()).code == 0
    assert owned(sim, REGULAR) == owned(sim, TWIN)
    sim.forget_requests()
    again = target.transfer(after())
    assert again.outcomes == {"unchanged": SIZE}
    assert not written(sim)


def test_the_list_never_falls_below_what_old_and_new_have_in_common(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-19 S1-23: at every writing call the list holds at least min(old, new) of those who may
    get mail: adds come before removals.
    """
    target = make_target(batch_size_records=5, list={"strategy": "reconcile", "min_ratio": 0})
    assert target.transfer([row(n) for n in range(40)]).code == 0
    sim.seed({"unsubscribes": [{"id": "person3@example.com"}, {"id": "person30@example.com"}]})
    # Each writing call leaves somebody behind whose attributes tell the size of the list then:
    # the simulator is asked from outside, between the calls, by slowing each of them down.
    sim.faults([{"match": {"body": "addAll3|removeAll|setAttributes"},
                 "action": {"type": "latency", "seconds": 0.15}}])  # fmt: skip
    rows = [row(n) for n in range(20, 60)]
    sizes = sizes_during(sim, lambda: target.transfer(rows))
    assert set(recipients(sim)) == ids(range(20, 60)) - ids([30])
    # 40 before and 40 after; two of the old and one of the new must not get mail.
    assert min(sizes) >= 38, sizes
    assert max(sizes) > 45, "the adds were seen before the removals"


def sizes_during(sim: Simulator, work: Callable[[], Any]) -> list[int]:
    """The list's sizes as seen from outside while `work` goes on."""
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(work()))
    thread.start()
    sizes = []
    while thread.is_alive():
        sizes.append(len(the_list(sim)["recipients"]))
    thread.join()
    assert result[0].code == 0, result[0].stderr
    return sizes


def test_attributes_of_others_are_left_alone(sim: Simulator, make_target: MakeTarget) -> None:
    """X5 S1-8: a field that nobody maps keeps its value through updates, and costs no update."""
    sim.event("add_attribute", list=REGULAR, attribute="Segment")
    target = make_target(list={"strategy": "reconcile"})
    assert target.transfer([row(n) for n in range(4)]).code == 0
    for n in range(4):
        key = f"person{n}@example.com"
        sim.event("edit_recipient", list=REGULAR, id=key, attributes={"Segment": f"S{n}"})
    run = target.transfer([row(0), row(1, given_name="Other"), row(2), row(3, org_country=None)])
    assert run.outcomes == {"applied": 2, "unchanged": 2}
    held = [attributes(sim, f"person{n}@example.com") for n in range(4)]
    assert [one["Segment"] for one in held] == ["S0", "S1", "S2", "S3"]
    assert (held[1]["Vorname"], held[3]["Land"]) == ("Other", None)


def test_what_somebody_edited_is_put_right(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-4 X3: the backoffice is the source of the attributes it maps."""
    target = make_target(list={"strategy": "reconcile"})
    assert target.transfer([row(n) for n in range(4)]).code == 0
    sim.event("edit_recipient", list=REGULAR, id="person2@example.com",
              attributes={"Vorname": "Edited"})  # fmt: skip
    assert target.transfer([row(n) for n in range(4)]).outcomes == {"applied": 1, "unchanged": 3}
    assert attributes(sim, "person2@example.com")["Vorname"] == "Given2"


def test_omitted_values_are_not_compared(sim: Simulator, make_target: MakeTarget) -> None:
    """X5 X3: with `null_values: omit` a column without value leaves what is there."""
    target = make_target(list={"strategy": "reconcile", "null_values": "omit"})
    assert target.transfer([row(1, given_name="Ada"), row(2)]).code == 0
    sim.forget_requests()
    run = target.transfer([row(1, given_name=None), row(2, given_name=None, org_country="AT")])
    assert run.outcomes == {"applied": 1, "unchanged": 1}
    assert attributes(sim, "person1@example.com")["Vorname"] == "Ada"
    assert attributes(sim, "person2@example.com")["Vorname"] == "Given2"
    assert attributes(sim, "person2@example.com")["Land"] == "AT"


def test_a_recipient_that_goes_meanwhile_is_added_again(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-24 S1-26: one unknown id faults the whole update: found by halving, added, told."""
    target = make_target(list={"strategy": "reconcile"})
    assert target.transfer([row(n) for n in range(8)]).code == 0
    gone = {"type": "remove_recipient", "list": REGULAR, "id": "person3@example.com"}
    sim.faults([{"match": {"body": "setAttributesInBatchFlat"}, "nth": 1,
                 "action": {"type": "event", "event": gone}}])  # fmt: skip
    rows = [row(n, org_country="AT") for n in range(8)]
    run = target.transfer(rows)
    assert run.code == 0, run.stderr
    assert {one["attributes"]["Land"] for one in recipients(sim).values()} == {"AT"}
    assert set(recipients(sim)) == ids(range(8))
    assert run.outcomes == {"applied": 8}


def test_a_recipient_somebody_adds_meanwhile_is_told(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-24 X4: code 5 for an id this run never sent is no success: its values are not ours."""
    target = make_target(list={"strategy": "reconcile"})
    assert target.transfer([row(1)]).code == 0
    come = {"type": "add_recipient", "list": REGULAR, "id": "person2@example.com"}
    sim.faults([{"match": {"body": "addAll3"}, "nth": 1,
                 "action": {"type": "event", "event": come}}])  # fmt: skip
    run = target.transfer([row(1), row(2), row(3)])
    assert run.code == 0, run.stderr
    assert [(one["entity_id"], one["cause"]) for one in target.left_out] == [("2", "id_taken")]
    assert closes(run)
    # The next run knows it and sets its values.
    assert target.transfer([row(1), row(2), row(3)]).outcomes == {"applied": 1, "unchanged": 2}


@pytest.mark.parametrize(
    ("base", "cap"), [(0, 0), (1, 0), (0, 7), (1, 7), (0, 1000), (1, 999), (0, 1)]
)
def test_the_list_is_read_whole_however_pages_are_counted(
    sim: Simulator, make_target: MakeTarget, base: int, cap: int
) -> None:
    """S1-21 X3: pages from 0 or 1, cut at any size: every recipient is known again."""
    sim.switches(paging_base=base, page_cap=cap)
    number = 2100 if cap in (0, 999, 1000) else 60
    rows = [row(n) for n in range(number)]
    target = make_target(batch_size_records=1000, list={"strategy": "reconcile"})
    assert target.transfer(rows).code == 0
    sim.forget_requests()
    run = target.transfer(rows)
    assert run.code == 0, run.stderr
    assert run.outcomes == {"unchanged": number}
    assert not written(sim)


def test_a_list_that_cannot_be_read_whole_is_not_touched(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-21 X6: the vendor's rows and its own count differ: no snapshot, no clear; exit 7."""
    target = make_target()
    assert target.transfer([row(n) for n in range(10)]).code == 0
    sim.forget_requests()
    # Between reading and counting somebody comes, each time.
    sim.faults([
        {"match": {"body": "getAllAdvanced|:getAll "},
         "action": {"type": "event", "when": "after",
                    "event": {"type": "add_recipient", "list": REGULAR, "id": "late@example.com"}},
         "nth": 1},
        {"match": {"body": ":getAll[ >]"}, "nth": 1,
         "action": {"type": "event", "when": "after",
                    "event": {"type": "add_recipient", "list": REGULAR,
                              "id": "later@example.com"}}},
    ])  # fmt: skip
    run = target.transfer([row(n) for n in range(10)])
    assert run.code == 7, run.stderr
    assert "without a snapshot the list is not touched" in said(run)
    assert not written(sim)
    assert run.states == []
