"""A ledger that machines share: one run at a time, and clear words when it can't be reached."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from destinations_support import WarmTarget, seeded_fields
from ledger_support import wait_for
from scene_support import there
from simulators_support import Simulator
from tap_support import PostgresServer
from target_support import lines, record, schema, state

CANARY = "canary-word"
ROWS = [schema(), record(1), state(1)]


@contextmanager
def in_the_middle(sim: Simulator, target: WarmTarget) -> Iterator[subprocess.Popen[bytes]]:
    """A run that waits for the answer to its first write; killed at the end."""
    hang = {"match": {"method": "POST", "path": "/contacts$"}, "times": 1, "action": "hang"}
    sim.faults([hang])
    process = subprocess.Popen(target.command(), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdin is not None
        process.stdin.write(lines(ROWS))
        process.stdin.close()
        wait_for(lambda: sim.faults()[0]["fired"])
        yield process
    finally:
        process.kill()
        process.wait(30)


def test_a_second_run_on_the_same_ledger_is_locked_out(
    sim: Simulator, make_target: Any, postgresql: PostgresServer
) -> None:
    """X6, X8: two machines, one account and stream: the second run ends with 5 and writes nothing;
    a killed run's lock goes with its session.
    """
    sim.seed({"fields": seeded_fields()})
    url = postgresql.database().url
    first, second = (make_target(name, ledger_url=url) for name in ("first", "second"))
    with in_the_middle(sim, first):
        before = len(sim.requests(writes=True))
        run = second.run(ROWS)
        assert (run.code, run.states) == (5, [])
        assert "another run works with this ledger" in run.stderr.splitlines()[-1]
        assert len(sim.requests(writes=True)) == before
        assert second.operate("worklist").returncode == 5
    wait_for(lambda: second.run(ROWS).code == 0)
    assert list(sim.contacts()) == ["person1@example.com"]


def test_a_ledger_that_cannot_be_reached_ends_the_run_in_one_line(
    sim: Simulator, make_target: Any, postgresql: PostgresServer
) -> None:
    """X7: before the first write; no part of the URL is told, by the run or by a command."""
    sim.seed({"fields": seeded_fields(), "contacts": [there("person1@example.com", 1)]})
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        away = f"postgresql://somebody:{CANARY}@127.0.0.1:{port}/backoffice"
        missing = postgresql.database().url.replace("/backoffice", "/nothing-of-")
        cases = [
            ("away", away, 1, "connection refused or lost"),
            ("missing", missing.replace("postgres:", f"postgres:{CANARY}"), 2, "no such database"),
            ("other", f"mysql://somebody:{CANARY}@127.0.0.1/backoffice", 2, "ledger_url: must be"),
        ]
        for name, url, code, words in cases:
            target = make_target(name, ledger_url=url)
            run, typed = target.run(ROWS), target.operate("worklist")
            assert (run.code, typed.returncode) == (code, code), run.stderr
            assert words in run.stderr.splitlines()[-1]
            assert words in typed.stderr.splitlines()[-1]
            assert run.states == []
            told = run.stderr + typed.stderr + typed.stdout + json.dumps(run.report)
            assert CANARY not in told
            assert "somebody" not in told
    assert sim.requests(writes=True) == []
