"""`plan` and `explain`: what a run would do, before it does, and why, for one person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from destinations.conftest import MakeTarget
from destinations.test_lists_and_tags import COLUMNS, YES, deliver, person, seed, with_lists
from destinations_support import WarmTarget
from simulators_support import Simulator
from target_support import lines, record, schema, state


@pytest.fixture
def target(make_target: MakeTarget, sim: Simulator) -> WarmTarget:
    """A list with one who is on it and one who has left by himself."""
    seed(sim, person(1, lists={"News": 1}, firstName="Ann"), person(2, lists={"News": 1}))
    sim.event("unsubscribe", email="person2@example.com")
    return make_target(streams=with_lists())


def source(target: WarmTarget, *rows: dict[str, Any]) -> str:
    """A file of Singer messages."""
    path = target.home / "input.jsonl"
    path.write_bytes(lines([schema(**COLUMNS), *rows, state(1)]))
    return str(path)


ROWS = (
    record(1, given_name="Anna", **YES),
    record(2, given_name="Ben", **YES),
    record(3, given_name="New", **YES),
    record(4, email="nobody at all", **YES),
)


def test_plan_prints_what_a_run_would_do(target: WarmTarget, sim: Simulator) -> None:
    """The text for people, or the file itself; nothing is written."""
    path = source(target, *ROWS)
    shown = target.operate("plan", "--input", path)
    assert shown.returncode == 0, shown.stderr
    assert "rules.firstName: always" in shown.stdout
    assert "example.com" not in shown.stdout
    told = target.operate(
        "plan", "--input", path, "--format", "json", "--plan-file", str(target.home / "p.json")
    )
    entries = {one["key"]: one for one in json.loads(told.stdout)["entries"]}
    assert sorted(entries) == ["1", "2", "3", "4"]
    assert (target.home / "p.json.html").exists()
    assert sim.requests(writes=True) == []


def test_a_planned_file_can_be_applied(target: WarmTarget) -> None:
    """What the command wrote is what `mode: apply` takes."""
    plan = str(target.home / "plan.json")
    target.operate("plan", "--input", source(target, *ROWS), "--plan-file", plan)
    run = deliver(target, *ROWS, mode="apply", plan_file=plan)
    assert run.outcomes == {"applied": 3, "rejected": 1}
    assert "plan_moved" not in run.causes


def test_explain_says_how_somebody_is_matched_and_what_is_next(
    target: WarmTarget, sim: Simulator
) -> None:
    """The contact, its lists, each change with its rule, the calls it takes; no address unasked."""
    path = source(target, *ROWS)
    shown = target.operate("explain", "--key", "1", "--input", path)
    assert shown.returncode == 0, shown.stderr
    assert "list News: active" in shown.stdout
    assert "matched by its backoffice key" in shown.stdout
    assert "rules.firstName: always" in shown.stdout
    assert "1 x PUT contacts/{id}" in shown.stdout
    assert "example.com" not in shown.stdout
    open_ = target.operate("explain", "--key", "1", "--show-addresses")
    assert "person1@example.com" in open_.stdout
    assert "no record to go by" in open_.stdout
    assert sim.requests(writes=True) == []


def test_explain_says_why_somebody_does_not_get_a_list(target: WarmTarget) -> None:
    """Who has left by himself stays off, and the reason is named."""
    shown = target.operate("explain", "--key", "2", "--input", source(target, *ROWS))
    assert "list News: unsubscribed since" in shown.stdout
    assert "unsubscribed_there" in shown.stdout


def test_explain_knows_what_is_open_and_remembered(target: WarmTarget) -> None:
    """After a run: the ledger's view, the address history, an open reject and its next try."""
    deliver(target, *ROWS)
    known = target.operate("explain", "--key", "3", "--show-addresses").stdout
    assert "last matched" in known
    assert "person3@example.com: " in known
    rejected = target.operate("explain", "--key", "4")
    assert "open reject: email_syntax" in rejected.stdout
    assert "next run: rejected, check: email_syntax" in rejected.stdout


def test_explain_leaves_no_trace(target: WarmTarget) -> None:
    """Neither reports nor rejects nor the ledger change by a question."""
    deliver(target, *ROWS)
    report = (target.home / "report.json").read_bytes()
    rejects = Path(target.home / "state" / "rejects" / "contacts.jsonl").read_bytes()
    target.operate("explain", "--key", "4", "--input", source(target, *ROWS))
    assert (target.home / "report.json").read_bytes() == report
    assert Path(target.home / "state" / "rejects" / "contacts.jsonl").read_bytes() == rejects


@pytest.mark.parametrize("options", [(), ("--key", "1", "--input", "nowhere.jsonl")])
def test_a_question_that_cannot_be_asked_ends_in_words(
    target: WarmTarget, options: tuple[str, ...]
) -> None:
    """Exit 2, one line."""
    shown = target.operate("explain", *options)
    assert shown.returncode == 2
    assert len(shown.stderr.splitlines()) == 1
