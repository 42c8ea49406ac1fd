"""Plans, guards, pages and commands of the lists, a canary in every column: nothing is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from faults.test_lists_quiet import ENV, PASSWORD, WORDS, Build, person
from lists_support import REGULAR, STREAM, ListTarget, row, selection
from simulators_support import Simulator
from target_support import Run, lines

#: What may hold a person: the settings, the input, and the journal with its snapshot.
PRIVATE = ("config.json", "people.jsonl")


@pytest.fixture
def target(campaign: Simulator, lists_at: Build) -> ListTarget:
    """A list of canaries, each of which is also its backoffice's entity id."""
    campaign.seed({
        "recipients": [{"list": REGULAR, "id": f"canarymail{key}@example.com",
                        "attributes": {"entity-id": f"canarymail{key}@example.com"}}
                       for key in range(50, 60)],
        "unsubscribes": [{"id": "canarymail51@example.com"}],
        "clients": [{"id": 1234, "users": [{"name": "canary-user-77", "password": PASSWORD}]}],
    })  # fmt: skip
    made = lists_at(campaign.url, username="canary-user-77", password=PASSWORD, timeout_seconds=5)
    made.config |= {
        "plan_file": str(made.home / "plan.json"),
        "report_html": str(made.home / "page.html"),
    }
    made.config["lists"][STREAM] |= {"strategy": "reconcile", "min_ratio": 0}
    return made


def operate(target: ListTarget, name: str, *options: str) -> str:
    """What a command prints."""
    program, *config = target.command()
    done = subprocess.run(
        [program, name, *config, *options], capture_output=True, timeout=240, cwd=target.home,
        env={**os.environ, **ENV}, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 4), done.stderr.decode()
    return done.stdout.decode() + done.stderr.decode()


def test_plans_guards_and_commands_say_nothing_personal_at_debug(
    campaign: Simulator, target: ListTarget
) -> None:
    """X7: three plans, a guard that trips, a plan half of which has moved, and every command."""
    people = [person(key) for key in range(55, 70)] + [person(70, email="canarymail no address")]
    (target.home / "people.jsonl").write_bytes(lines(selection(people)))
    campaign.faults([
        {"match": {"body": ":containsAll[ >]"}, "nth": 1, "action": "truncate"},
        {"match": {"body": ":addAll3[ >]"}, "nth": 1, "action": "apply_then_status"},
    ])  # fmt: skip
    runs: list[Run] = [
        target.run(selection(people), env=ENV, mode="plan"),
        target.run(selection(people), env=ENV, guards={"max_list_removals": 1}),
    ]
    assert [run.code for run in runs] == [0, 4], [run.stderr for run in runs]
    moved = [*people[:5], person(60, family_name="CanaryfamilyToo"), row(1)]
    runs.append(target.run(selection(moved), env=ENV, mode="apply"))
    assert runs[-1].code == 0, runs[-1].stderr
    assert runs[-1].causes["plan_moved"] == 2
    texts = {f"run {number}": run.stderr + str(run.report) for number, run in enumerate(runs)}
    asked = {
        "plan": ("--input", "people.jsonl"),
        "doctor": (),
        "explain": ("--key", "58", "--input", "people.jsonl"),
        "rejects": ("list",),
        "forget": ("--address", "canarymail58@example.com"),
    }
    texts |= {name: operate(target, name, *options) for name, options in asked.items()}
    for path in target.home.rglob("*"):
        if path.is_file() and path.name not in PRIVATE and path.parent.name != "lists":
            texts[str(path.relative_to(target.home))] = path.read_bytes().decode("latin-1")
    assert {"plan.json", "plan.json.txt", "plan.json.html", "page.html"} <= {
        Path(name).name for name in texts
    }
    assert f"{STREAM}" in texts["page.html"]
    for name, text in texts.items():
        for word in WORDS:
            assert word not in text, f"{word} in {name}"
