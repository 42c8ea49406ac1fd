"""What stops a transfer before the list is touched: too few, not whole, feedback too old."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lists_support import REGULAR, STREAM, ListTarget, ids, marker, recipients, row, schema
from simulators_support import Simulator
from target_kit.feedback import Feedback, write_feedback
from target_support import Run
from warm_lists import closes, content, said, written

MakeTarget = Callable[..., ListTarget]


def people(number: int, first: int = 1) -> list[dict[str, Any]]:
    return [row(n) for n in range(first, first + number)]


def fill(sim: Simulator, number: int) -> list[dict[str, Any]]:
    """Put recipients into the list as somebody else would; returns the list as it stands."""
    seeded = [{"list": REGULAR, "id": f"old{n}@example.com"} for n in range(number)]
    sim.seed({"recipients": seeded})
    return content(sim)


def assert_refused(sim: Simulator, run: Run, before: list[dict[str, Any]], code: int) -> None:
    """The run ended with this code, said one line, gave no STATE, wrote nothing."""
    assert run.code == code, run.stderr
    assert said(run).startswith("target-optimizely: "), run.stderr
    assert "Traceback" not in run.stderr
    assert run.states == []
    assert content(sim) == before
    assert not written(sim)
    assert run.report["exit_code"] == code
    assert closes(run)


# ---- size


@pytest.mark.parametrize("min_rows", [0, 1])
def test_an_empty_set_never_empties_a_list(
    sim: Simulator, make_target: MakeTarget, min_rows: int
) -> None:
    """S1-20 X6: complete marker, no row: refused by min_rows, and without it by min_ratio."""
    before = fill(sim, 10)
    run = make_target(list={"min_rows": min_rows}).transfer([])
    assert_refused(sim, run, before, 4)
    assert "0 recipients" in said(run)


@pytest.mark.parametrize(
    ("number", "goes"), [(49, False), (50, True), (51, True)], ids=["49%", "50%", "51%"]
)
@pytest.mark.parametrize("strategy", ["clear_and_refill", "reconcile"])
def test_the_share_of_the_last_good_size_decides(
    sim: Simulator, make_target: MakeTarget, number: int, goes: bool, strategy: str
) -> None:
    """S1-20: of 100 before, 49 are refused with numbers; 50 and 51 go in."""
    target = make_target(list={"strategy": strategy})
    assert target.transfer(people(100)).code == 0
    before = content(sim)
    sim.forget_requests()
    run = target.transfer(people(number))
    if goes:
        assert run.code == 0, run.stderr
        assert set(recipients(sim)) == ids(range(1, number + 1))
        return
    assert_refused(sim, run, before, 4)
    assert "49 recipients, 49.0 % of the last good 100, min_ratio is 0.5" in said(run)


def test_the_last_good_size_counts_not_what_somebody_left(
    sim: Simulator, target: ListTarget
) -> None:
    """S1-20: after somebody emptied the list by hand, 10 of the last good 100 are still too few."""
    assert target.transfer(people(100)).code == 0
    for key in ids(range(21, 101)):
        sim.event("remove_recipient", list=REGULAR, id=key)
    before = content(sim)
    sim.forget_requests()
    assert_refused(sim, target.transfer(people(10)), before, 4)


def test_a_first_run_measures_against_what_the_list_holds(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-20: without a last size getCount stands for it; min_ratio lets a real shrink through."""
    before = fill(sim, 10)
    run = make_target().transfer(people(4))
    assert_refused(sim, run, before, 4)
    assert "40.0 % of the last good 10" in said(run)
    assert make_target("lowered", list={"min_ratio": 0.3}).transfer(people(4)).code == 0
    assert set(recipients(sim)) == ids(range(1, 5))


def test_fewer_than_min_rows_are_refused(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-20: the absolute floor holds for an empty list, too."""
    target = make_target(list={"min_rows": 5})
    assert_refused(sim, target.transfer(people(4)), [], 4)
    assert target.transfer(people(5)).code == 0


def test_the_floor_counts_only_those_who_may_be_written(sim: Simulator, target: ListTarget) -> None:
    """S1-20 S1-31: 100 rows of whom 60 have unsubscribed meanwhile are 40 % of the last size."""
    assert target.transfer(people(100)).code == 0
    sim.seed({"unsubscribes": [{"id": f"person{n}@example.com"} for n in range(1, 61)]})
    before = content(sim)
    sim.forget_requests()
    run = target.transfer(people(100))
    assert_refused(sim, run, before, 4)
    assert "without those who are unsubscribed" in said(run)
    assert run.causes["unsubscribed"] == 60


# ---- completeness


def unfinished() -> dict[str, Any]:
    return {"type": "STATE", "value": {"bookmarks": {}}}


def activate(version: int = 7) -> dict[str, Any]:
    return {"type": "ACTIVATE_VERSION", "stream": STREAM, "version": version}


def versioned(number: int, version: int = 7) -> list[dict[str, Any]]:
    return [{**one, "version": version} for one in people(number)]


INPUTS: dict[str, tuple[str, list[dict[str, Any]], int]] = {
    "marker, missing": ("marker", [*people(4)], 6),
    "marker, STATE without it": ("marker", [*people(4), unfinished()], 6),
    "marker, one row lost": ("marker", [*people(4), marker({STREAM: 5})], 6),
    "marker, one row too many": ("marker", [*people(4), marker({STREAM: 3})], 6),
    "marker, of another stream": ("marker", [*people(4), marker({"others": 4})], 6),
    "marker, overtaken by a STATE": ("marker", [*people(4), marker({STREAM: 4}), unfinished()], 6),
    "marker, rows after it": ("marker", [*people(3), marker({STREAM: 3}), row(4)], 6),
    "marker, right": ("marker", [*people(4), marker({STREAM: 4})], 0),
    "activate_version, missing": ("activate_version", [*versioned(4), unfinished()], 6),
    "activate_version, a row after it": (
        "activate_version", [*versioned(3), activate(), *versioned(4)[3:]], 6,
    ),
    "activate_version, another version": (
        "activate_version", [*versioned(4), activate(8)], 6,
    ),
    "activate_version, right": ("activate_version", [*versioned(4), activate()], 0),
    "eof": ("eof", [*people(4)], 0),
    "eof, still guarded": ("eof", [*people(1)], 4),
}  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_input_proves_that_it_is_whole(sim: Simulator, make_target: MakeTarget, name: str) -> None:
    """S1-20: each way of telling a whole input, right and wrong; wrong leaves the list alone."""
    completeness, messages, code = INPUTS[name]
    before = fill(sim, 3)
    run = make_target(list={"completeness": completeness}).run([schema(), *messages])
    if code:
        assert_refused(sim, run, before, code)
    else:
        assert run.code == 0, run.stderr
        assert set(recipients(sim)) == ids(range(1, 5))


@pytest.mark.parametrize("cut", ["inside a line", "at the end of a line"])
def test_a_cut_input_changes_nothing(sim: Simulator, target: ListTarget, cut: str) -> None:
    """S1-20: the tap died; its last line may be half."""
    before = fill(sim, 3)
    data = b"".join(json.dumps(m).encode() + b"\n" for m in [schema(), *people(4)])
    run = target.run_bytes(data[:-9] if cut == "inside a line" else data)
    assert_refused(sim, run, before, 6)


# ---- feedback


def damage(path: Path) -> None:
    path.write_text('{"version": 1, "imported_at": "2026-')


def imported(hours_ago: float, *streams: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        counts = dict.fromkeys(streams or ("unsubscribes", "bounces"), 3)
        when = datetime.now(UTC) - timedelta(hours=hours_ago)
        write_feedback(path, Feedback(when, "tap-optimizely", counts))

    return write


FEEDBACKS: dict[str, tuple[Callable[[Path], object], int, str]] = {
    "missing": (lambda path: None, 4, "no import of unsubscribes and bounces"),
    "damaged": (damage, 4, "is damaged"),
    "of another version": (lambda path: path.write_text('{"version": 9}'), 2, "version"),
    "old": (imported(25), 4, "25.0 hours old"),
    "in the future": (imported(-2), 4, "future"),
    "only unsubscribes": (imported(1, "unsubscribes"), 4, "no bounces"),
    "only bounces": (imported(1, "bounces"), 4, "no unsubscribes"),
    "fresh": (imported(1), 0, ""),
}


@pytest.mark.parametrize("name", FEEDBACKS)
def test_without_fresh_feedback_nobody_is_copied(
    sim: Simulator, make_target: MakeTarget, tmp_path: Path, name: str
) -> None:
    """S1-29 S1-32: the import of what came back is missing, broken, old or half: fail closed."""
    prepare, code, words = FEEDBACKS[name]
    path = tmp_path / "feedback.json"
    prepare(path)
    before = fill(sim, 3)
    run = make_target(feedback_file=str(path)).transfer(people(4))
    if code:
        assert_refused(sim, run, before, code)
        assert words in said(run)
    else:
        assert run.code == 0, run.stderr
        assert set(recipients(sim)) == ids(range(1, 5))


def test_the_age_of_feedback_is_a_setting_of_the_list(
    sim: Simulator, make_target: MakeTarget, tmp_path: Path
) -> None:
    """S1-32: 25 hours are fine where max_feedback_age_hours says 48."""
    path = tmp_path / "feedback.json"
    imported(25)(path)
    target = make_target(feedback_file=str(path), list={"max_feedback_age_hours": 48})
    assert target.transfer(people(4)).code == 0
