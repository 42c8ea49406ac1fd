"""Plans, pages, histories, guards and commands with a canary in every column: not one sings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults import canary, scene
from simulators_support import Simulator
from target_support import Run, Target, lines, schema, state

Build = Callable[..., Target]
DEBUG = {"LOGLEVEL": "DEBUG", "TARGET_ACTIVECAMPAIGN_LOGLEVEL": "DEBUG",
         "TARGET_ACTIVECAMPAIGN_DEBUG_TRACEBACK": "1"}  # fmt: skip
FAULTS: list[dict[str, Any]] = [
    {"match": {"method": "POST", "path": "bulk_import"}, "nth": 1,
     "action": {"type": "status", "status": 400, "body":
                '{"success": 0, "message": "canarymail8@example.com is wrong", "failureReasons": '
                '[{"contact": 3, "failureReason": "Canaryfamily is no name"}]}'}},
    {"match": {"method": "POST", "path": "bulk_import"}, "nth": 2, "action": "apply_then_reset"},
    {"match": {"method": "POST", "path": "contacts$"}, "nth": 1,
     "action": {"type": "status", "status": 422, "body": '{"errors": [{"title": "Canarygiven"}]}'}},
    {"match": {"method": "PUT"}, "nth": 1, "action": "apply_then_status"},
    {"match": {"method": "GET", "path": "email="}, "nth": 1, "action": "truncate"},
]  # fmt: skip
#: What may hold a person: settings, records that were not delivered, and who is who.
PRIVATE = ("rejects", "config.json", "contacts.jsonl")


def assert_nothing_sings(target: Target, *said: str) -> None:
    """No word of the canary in anything that was printed, or lies anywhere but in private files."""
    texts = {f"output {number}": text for number, text in enumerate(said)}
    for path in target.home.rglob("*"):
        private = path.name in PRIVATE or path.parent.name in PRIVATE or path.stem == "ledger"
        if path.is_file() and not private:
            texts[str(path.relative_to(target.home))] = path.read_bytes().decode("latin-1")
    assert {"plan.json", "plan.json.txt", "plan.json.html", "page.html"} <= {
        Path(name).name for name in texts
    }
    for name, text in texts.items():
        for word in (canary.SECRET, *canary.WORDS):
            assert word not in text, f"{word} in {name}"


def operate(target: Target, name: str, *options: str) -> str:
    """What a command prints."""
    program, *config = target.command()
    done = subprocess.run(
        [program, name, *config, *options], capture_output=True, timeout=240, cwd=target.home,
        env={**os.environ, **DEBUG}, check=False,
    )  # fmt: skip
    return done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize("strategy", ["bulk", "single"])
def test_plans_pages_and_commands_say_nothing_personal_at_debug(
    sim: Simulator, target_at: Build, strategy: str
) -> None:
    """E2 E3 E5 X7: plan, apply with faults, a guard that trips, explain and plan by command; no
    key of the API, no address and no value in any log, report, page, plan or history.
    """
    sim.seed({
        "fields": scene.FIELDS,
        "api_keys": [canary.SECRET],
        "contacts": [{"email": f"canarymail{n}@example.com", "firstName": "Canarygiven",
                      "fieldValues": {"BUBSCTTID": str(n)}} for n in range(50, 60)],
    })  # fmt: skip
    rows = [canary.person(n) for n in (*range(1, 20), *range(50, 60))]
    rows[0]["record"]["email"] = "canarymail no address"
    target = target_at(sim.url, create_fields=False, api_key=canary.SECRET, timeout_seconds=1,
                       strategy=strategy, connections=4)  # fmt: skip
    target.config["plan_file"] = str(target.home / "plan.json")
    target.config["report_html"] = str(target.home / "page.html")
    messages = [schema(), *rows, state(len(rows))]
    planned: Run = target.run(messages, mode="plan", env=DEBUG)
    assert planned.code == 0, planned.stderr
    guarded = target.run(messages, guards={"max_creates": 1}, env=DEBUG)
    assert guarded.code == 4
    sim.faults(FAULTS)
    run = target.run(messages, mode="apply", env=DEBUG)
    assert run.code == 0, run.stderr
    assert sum(fault["fired"] for fault in sim.faults()) >= 2
    source = target.home / "contacts.jsonl"
    source.write_bytes(lines(messages))
    said = [operate(target, "plan", "--input", str(source))]
    said.append(operate(target, "explain", "--key", "7", "--input", str(source)))
    assert "contacts, key 7" in said[-1]
    runs = [one.stderr + str(one.report) + str(one.states) for one in (planned, guarded, run)]
    assert_nothing_sings(target, *runs, *said)
