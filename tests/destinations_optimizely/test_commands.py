"""The commands for operators: what they say, what they leave alone, how they end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lists_support import OPTIN, REGULAR, STREAM, ids, recipients, row, selection
from readme_support import printed, shape
from simulators_support import Simulator
from target_kit.feedback import Feedback, write_feedback
from target_support import lines
from warm_lists import WarmListTarget, content, written

MakeTarget = Callable[..., WarmListTarget]
README = Path(__file__).parents[2] / "target-optimizely" / "README.md"
SHOWN = printed(README)


def rows() -> list[dict[str, Any]]:
    """1 agrees, 2 changes, 3 is unsubscribed, 4 is gone, 5 is new, 6 can't be read."""
    return [row(1), row(2, given_name="Other"), row(3), row(5), row(6, email="nobody at all")]


@pytest.fixture
def target(sim: Simulator, make_target: MakeTarget) -> WarmListTarget:
    """The scene of the README: a list of four, and a new selection in a file."""
    made = make_target(list={"strategy": "reconcile"})
    assert made.transfer([row(n) for n in range(1, 5)]).code == 0
    sim.event("unsubscribe", id="person3@example.com")
    (made.home / "people.jsonl").write_bytes(lines(selection(rows())))
    sim.forget_requests()
    return made


def refreshed(target: WarmListTarget, hours: float) -> Path:
    """A feedback file of an import so long ago."""
    path = target.home / "feedback.json"
    moment = datetime.now(UTC) - timedelta(hours=hours)
    write_feedback(path, Feedback(moment, "test", {"unsubscribes": 1, "bounces": 0}))
    return path


# ---- plan


def test_plan_prints_what_a_run_would_do_and_writes_nothing_there(
    sim: Simulator, target: WarmListTarget
) -> None:
    """From a file or from the standard input; the plan it leaves can be applied."""
    held = content(sim)
    by_file = target.operate("plan", "--input", "people.jsonl")
    by_stdin = target.operate("plan", data=lines(selection(rows())))
    assert (by_file.returncode, by_stdin.returncode) == (0, 0), by_file.stderr
    assert shape(by_file.stdout).splitlines()[5:12] == shape(by_stdin.stdout).splitlines()[5:12]
    assert "would be put on the list" in by_file.stdout
    assert "@example" not in by_file.stdout
    assert content(sim) == held
    assert not written(sim)
    assert (target.home / "state" / "plan.json").exists()
    plan_file = str(target.home / "state" / "plan.json")
    done = target.transfer(rows(), mode="apply", plan_file=plan_file)
    assert done.code == 0, done.stderr
    assert set(recipients(sim)) == ids([1, 2, 5])


def test_plan_of_half_an_input_is_no_plan(sim: Simulator, target: WarmListTarget) -> None:
    """S1-20: 6, as a run; the file that is there stays as it was."""
    cut = lines(selection(rows())[:-1])
    stopped = target.operate("plan", "--plan-file", "cut.json", data=cut)
    assert stopped.returncode == 6
    assert not (target.home / "cut.json").exists()
    assert not written(sim)
    assert target.operate("plan", "--input", "nowhere.jsonl").returncode == 2


# ---- doctor


def test_doctor_finds_all_in_place_and_writes_nothing(
    sim: Simulator, target: WarmListTarget
) -> None:
    """A line a check; 0 where a run could begin."""
    held = content(sim)
    well = target.operate("doctor", feedback_file=str(refreshed(target, 1)))
    assert well.returncode == 0, well.stdout
    assert {line[:8].strip() for line in well.stdout.splitlines()} == {"ok"}, well.stdout
    assert content(sim) == held
    assert not written(sim)


DOCTORED: dict[str, tuple[dict[str, Any], int, str]] = {
    "a password that is none": ({"password": "wrong"}, 3, "next: correct mandator_id, username"),
    "a list that is not there": ({"list_id": 999}, 2, f"FAIL     list {STREAM}:"),
    "an opt-in list": ({"list_id": OPTIN}, 2, f"FAIL     list {STREAM}:"),
    "an attribute that is missing": (
        {"attributes": {"Nowhere": "given_name"}}, 2, "has no attribute Nowhere",
    ),
    "a vendor that does not answer": (
        {"api_url": "http://127.0.0.1:9/optimizely/soap11"}, 7, "next: look at api_url,",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", DOCTORED)
def test_doctor_names_the_cause_and_the_next_step(target: WarmListTarget, what: str) -> None:
    """The exit code is that a run would end with."""
    change, code, says = DOCTORED[what]
    one = {**target.config["lists"][STREAM], **change}
    more = {"lists": {STREAM: one}} if {"list_id", "attributes"} & change.keys() else change
    ill = target.operate("doctor", deadline_seconds=3, **more)
    assert ill.returncode == code, ill.stdout
    assert says in ill.stdout
    assert "next: " in ill.stdout


def test_doctor_tells_old_feedback_a_mailing_and_an_open_change(
    sim: Simulator, target: WarmListTarget
) -> None:
    """S1-23 S1-27 S1-32: what would refuse the next run, and what it would heal."""
    sim.event("mailing", id=7, status="SENDING", lists=[REGULAR])
    ill = target.operate("doctor", feedback_file=str(refreshed(target, 48)))
    assert ill.returncode == 4
    assert "48.0 hours old" in ill.stdout
    assert f"warning  mailings to {STREAM}" in ill.stdout
    sim.event("mailing", id=7, status="DONE")
    sim.faults([{"match": {"body": "removeAll"}, "times": 99,
                 "action": {"type": "status", "status": 503}}])  # fmt: skip
    assert target.transfer(rows(), timeout_seconds=2, deadline_seconds=3).code == 7
    sim.faults([])
    ill = target.operate("doctor")
    assert ill.returncode == 0
    assert "warning  open changes: an earlier run left a change of list" in ill.stdout
    assert "target-optimizely recover" in ill.stdout


# ---- explain


def test_explain_says_why_somebody_is_not_on_the_list(
    sim: Simulator, target: WarmListTarget
) -> None:
    """Left out by the last run with its cause; on the list before; the vendor's word; no address
    unless it is asked for.
    """
    assert target.transfer(rows()).code == 0
    told = target.operate("explain", "--key", "3")
    assert told.returncode == 0, told.stderr
    assert "on the list now: no" in told.stdout
    assert "was on the list" in told.stdout
    assert "last run, line 4: suppressed, unsubscribed" in told.stdout
    assert "@" not in told.stdout
    shown = target.operate("explain", "--key", "contact 3", "--show-addresses")
    assert "person3@example.com" in shown.stdout
    there = target.operate("explain", "--key", "1")
    assert "on the list now: may get mail" in there.stdout
    assert "last run: not left out" in there.stdout
    assert target.operate("explain", "--key", "1", "--list", "nowhere").returncode == 2


def test_explain_says_what_a_plan_and_the_next_run_do(
    sim: Simulator, target: WarmListTarget
) -> None:
    """By the same decisions as the run: action, item and rule; nothing is written."""
    held = content(sim)
    assert target.operate("plan", "--input", "people.jsonl").returncode == 0
    told = target.operate("explain", "--key", "2", "--input", "people.jsonl")
    assert told.returncode == 0, told.stderr
    rule = f"set Vorname (lists.{STREAM}.attributes.Vorname)"
    assert told.stdout.count(rule) == 2
    assert "plan plan.json: update" in told.stdout
    assert "next run: update" in told.stdout
    assert content(sim) == held


def test_explain_is_no_run_that_reports_tell_of(target: WarmListTarget) -> None:
    """Whoever watches the report file and the history sees the transfers and nothing else."""
    watched = [target.home / "report.json", target.home / "state" / "runs.jsonl"]
    before = [path.read_bytes() for path in watched]
    told = target.operate("explain", "--key", "2", "--input", "people.jsonl")
    assert told.returncode == 0, told.stderr
    assert "next run: update" in told.stdout
    assert [path.read_bytes() for path in watched] == before
    assert not (target.home / "state" / "plan.json").exists()


def test_explain_says_who_was_forgotten_and_that_there_was_no_run(
    target: WarmListTarget, make_target: MakeTarget
) -> None:
    """Before the next transfer has left them out; where none was made nobody was let in either."""
    assert target.operate("forget", "--key", "contact 2").returncode == 0
    assert "forgotten here (forget)" in target.operate("explain", "--key", "2").stdout
    assert "forgotten" not in target.operate("explain", "--key", "1").stdout
    fresh = make_target("fresh").operate("explain", "--key", "1")
    assert "last run: there was none yet" in fresh.stdout


# ---- rejects


def test_rejects_lists_who_is_left_out_and_why(sim: Simulator, target: WarmListTarget) -> None:
    """By entity and cause, with what to do; as text and as JSON; never an address."""
    assert target.operate("rejects", "list").stdout == ""
    assert target.transfer(rows()).code == 0
    told = target.operate("rejects", "list")
    assert told.returncode == 0, told.stderr
    assert [line.split("  ")[:4] for line in told.stdout.splitlines()[::2]] == [
        [STREAM, "contact 3", "suppressed", "unsubscribed"],
        [STREAM, "contact 6", "rejected", "email_syntax"],
    ]
    assert "@" not in told.stdout
    as_json = target.operate("rejects", "list", "--cause", "email_syntax", "--format", "json")
    found = [json.loads(line) for line in as_json.stdout.splitlines()]
    assert [(one["list"], one["entity_id"]) for one in found] == [(STREAM, "6")]
    assert target.operate("rejects", "list", "--key", "contact 3").stdout.count("contact") == 1
    assert target.operate("rejects", "list", "--list", "nowhere").returncode == 2


# ---- forget


@pytest.mark.parametrize("by", [("--key", "2"), ("--address", "Person2@example.com")])
def test_whoever_is_forgotten_leaves_no_trace_and_does_not_come_back(
    sim: Simulator, target: WarmListTarget, by: tuple[str, str]
) -> None:
    """Erased from snapshot and files; the next run takes them off, whatever its guards; the
    snapshot can still be put back, without them.
    """
    everybody = [row(n) for n in range(1, 5)]
    assert target.transfer(everybody).code == 0  # 2 is in the snapshot, and in the list
    done = target.operate("forget", *by)
    assert done.returncode == 0, done.stderr
    assert f"{STREAM}: erased 1 row(s) of the snapshot" in done.stdout
    for path in (target.home / "state").rglob("*"):
        assert not path.is_file() or b"person2@" not in path.read_bytes().lower(), path
    run = target.transfer(everybody, guards={"max_list_removals": 0})
    assert run.code == 0, run.stderr
    assert run.causes == {"forgotten": 1, "unsubscribed": 1}
    assert set(recipients(sim)) == ids([1, 4])
    assert target.recover("--restore", STREAM).code == 0
    lifted = target.operate("forget", *by, "--lift")
    assert "1 person(s) are taken again" in lifted.stdout
    assert target.transfer(everybody).code == 0
    assert set(recipients(sim)) == ids([1, 2, 4])
    log = (target.home / "state" / "operations.jsonl").read_text().splitlines()
    assert [json.loads(line)["did"] for line in log] == ["forget", "forget --lift"]
    assert "person2" not in "".join(log)


def test_a_snapshot_without_the_forgotten_can_be_put_back(
    sim: Simulator, target: WarmListTarget
) -> None:
    """S1-23: its digest is made anew; whoever was forgotten is not in it."""
    assert target.transfer([row(n) for n in range(1, 5)]).code == 0
    assert target.operate("forget", "--key", "4").returncode == 0
    run = target.recover("--restore", STREAM)
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 2])


def test_nobody_is_forgotten_out_of_an_open_change(sim: Simulator, target: WarmListTarget) -> None:
    """S1-23: its rows are needed to heal the list: 4, and recover comes first."""
    sim.faults([{"match": {"body": "removeAll"}, "times": 99,
                 "action": {"type": "status", "status": 503}}])  # fmt: skip
    assert target.transfer(rows(), timeout_seconds=2, deadline_seconds=3).code == 7
    sim.faults([])
    stopped = target.operate("forget", "--key", "2")
    assert stopped.returncode == 4
    assert "recover" in stopped.stderr
    assert target.recover().code == 0
    assert target.operate("forget", "--key", "2").returncode == 0
    assert target.operate("forget").returncode == 2


@pytest.mark.parametrize("strategy", ["reconcile", "clear_and_refill"])
def test_the_next_transfer_leaves_no_trace_of_the_forgotten_either(
    sim: Simulator, make_target: MakeTarget, strategy: str
) -> None:
    """S1-23: it finds them on the list, and its snapshot brings them back on no request."""
    target = make_target(list={"strategy": strategy})
    everybody = [row(n) for n in range(1, 5)]
    assert target.transfer(everybody).code == 0
    assert target.operate("forget", "--key", "2").returncode == 0
    assert target.transfer(everybody).code == 0
    assert set(recipients(sim)) == ids([1, 3, 4])
    for path in (target.home / "state").rglob("*"):
        assert not path.is_file() or b"person2@" not in path.read_bytes().lower(), path
    assert target.recover("--restore", STREAM).code == 0
    assert set(recipients(sim)) == ids([1, 3, 4])


def test_no_plan_and_no_guard_keeps_the_forgotten_whom_the_source_has_not_any_more(
    sim: Simulator, target: WarmListTarget
) -> None:
    """They were erased by an operator: taken off by a plan made before, and above every limit."""
    everybody = [row(1), row(2), row(4)]
    (target.home / "people.jsonl").write_bytes(lines(selection(everybody)))
    assert target.operate("plan", "--input", "people.jsonl").returncode == 0
    plan_file = str(target.home / "state" / "plan.json")
    assert target.operate("forget", "--key", "2").returncode == 0
    assert target.transfer([row(1), row(4)], mode="apply", plan_file=plan_file).code == 0
    assert set(recipients(sim)) == ids([1, 4])
    assert target.operate("forget", "--key", "4").returncode == 0
    run = target.transfer([row(1)], guards={"max_list_removals": 0})
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1])


@pytest.mark.parametrize("option", ["--key", "--address"])
def test_nobody_is_forgotten_by_a_blank_name(target: WarmListTarget, option: str) -> None:
    """A variable that is not set names nobody."""
    assert target.operate("forget", option, " ").returncode == 2
    assert not (target.home / "state" / "forgotten.jsonl").exists()


# ---- the README


@pytest.mark.parametrize("name", ["plan", "doctor", "explain", "rejects", "forget"])
def test_the_readme_shows_what_is_printed(target: WarmListTarget, name: str) -> None:
    """Word for word, but for moments, hashes and paces."""
    if name in {"rejects", "explain"}:
        assert target.transfer(rows()).code == 0
    (program, command, *rest), output = SHOWN[name]
    assert (program, command) == ("target-optimizely", name)
    options = [one for i, one in enumerate(rest)
               if one != "--config" and (i == 0 or rest[i - 1] != "--config")]  # fmt: skip
    said_ = target.operate(command, *options)
    assert said_.returncode == 0, said_.stderr
    assert shape(paceless(said_.stdout)) == shape(paceless(output))


def paceless(text: str) -> str:
    """Without the pace of this machine."""
    return re.sub(r"[\d.]+ requests/s", "12 requests/s", text)
