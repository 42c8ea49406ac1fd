"""Where the report of a run goes when its places are closed or full."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from destinations.conftest import MakeTarget
from destinations.test_lists_and_tags import COLUMNS, YES, person, seed, with_lists
from simulators_support import Simulator
from target_support import lines, record, schema, state

DATA = lines([schema(**COLUMNS), record(1, given_name="New", **YES), state(1)])


def test_a_full_stderr_keeps_neither_report_nor_end_back(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """A log on a full disk: the run is done, its file is written and its end is in the history."""
    seed(sim, person(1))
    target = make_target(streams=with_lists())
    with Path("/dev/full").open("w") as full:
        subprocess.run(
            target.command(), input=DATA, stdout=subprocess.PIPE, stderr=full, cwd=target.home
        )
    assert json.loads((target.home / "report.json").read_text())["status"] == "done"
    (run,) = (target.home / "state" / "runs.jsonl").read_text().splitlines()
    assert json.loads(run)["status"] == "done"


def test_a_closed_stderr_sends_no_table_to_stdout(make_target: MakeTarget, sim: Simulator) -> None:
    """Only STATE is for the process behind the pipe."""
    seed(sim, person(1))
    command = ["bash", "-c", 'exec "$@" 2>&-', "-", *make_target(streams=with_lists()).command()]
    done = subprocess.run(command, input=DATA, stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert [json.loads(line) for line in done.stdout.splitlines()] == [state(1)["value"]]
