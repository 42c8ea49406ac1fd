"""What must hold when nothing may have changed: the whole list, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from faults.lists_kills import OPEN, phases
from lists_support import REGULAR, ListTarget, row, the_list
from simulators_support import Simulator
from target_support import Run

PEOPLE = 300


def rows(number: int = PEOPLE) -> list[dict[str, Any]]:
    """A selection."""
    return [row(key) for key in range(1, number + 1)]


def fill(sim: Simulator, number: int = PEOPLE, first: int = 101) -> bytes:
    """Put other people into the list; returns the whole list as text."""
    entries = []
    for key in range(first, first + number):
        mail = f"person{key}@example.com"
        entries.append({"list": REGULAR, "id": mail, "attributes": {"Vorname": f"Before{key}"}})
    sim.seed({"recipients": entries})
    return shown(sim)


def shown(sim: Simulator) -> bytes:
    """The whole list: kind, attributes, recipients in stored order with all their times."""
    return json.dumps(the_list(sim)).encode()


def last_line(run: Run) -> str:
    """The one line that says what was wrong; no trace stands before it."""
    assert "Traceback" not in run.stderr, run.stderr
    line = run.stderr.splitlines()[-1]
    assert line.startswith("target-optimizely: "), run.stderr
    return line.removeprefix("target-optimizely: ")


def assert_untouched(
    sim: Simulator, target: ListTarget, run: Run, whole: bytes, code: int, words: str = ""
) -> None:
    """The list is what it was, no STATE, this exit code, one line with these words."""
    assert run.code == code, run.stderr
    assert run.states == []
    assert words in last_line(run)
    assert shown(sim) == whole
    assert open_phases(target) == []


def open_phases(target: ListTarget) -> list[str]:
    """Phases of open intents."""
    return [phase for phase in phases(target.home / "state") if phase in OPEN]


def config_file(target: ListTarget) -> Path:
    """Write the settings down for a shell's command line."""
    target.command()
    return target.home / "config.json"
