"""Killed and stopped anywhere: what was not confirmed comes again, and nothing is half done."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tap_support import Server
from target_backoffice_support import Importer, Message, fetch, lines, schema, state, unsubscribe

ROWS = 800
COUNT = (
    "UPDATE counted SET times = times + 1 WHERE recipient_id = :recipient_id AND :scope = 'list'"
)


#: STATEs so long that a pipe holds only a few: a target that nobody reads from has to wait.
PADDING = "x" * 8000


def messages() -> list[Message]:
    rows = [m for n in range(ROWS) for m in (unsubscribe(n), state([n, PADDING]))]
    return [schema("unsubscribes"), *rows]


@pytest.fixture
def counting(server: Server, tmp_path: Path) -> Importer:
    """Every row's statement counts itself: once is right, twice and never are wrong."""
    database = server.database()
    database.execute("CREATE TABLE counted (recipient_id varchar(50) PRIMARY KEY, times integer)")
    database.insert("counted", [(f"person{n}@example.com", 0) for n in range(ROWS)])
    streams = {"unsubscribes": {"apply_sql": [COUNT]}}
    return Importer(tmp_path, database, streams=streams, batch_size_rows=20, feedback_file=None)


def rows_in(importer: Importer) -> int:
    ((count,),) = fetch(importer.database, "SELECT count(*) FROM marketing_unsubscribes")
    return int(count)


def carried_on(importer: Importer) -> dict[int, int]:
    """How many rows were applied how often."""
    query = "SELECT times, count(*) FROM counted GROUP BY times"
    return dict(fetch(importer.database, query))  # type: ignore[arg-type]


def stop_after(importer: Importer, states: int, signum: int) -> tuple[int, list[Any], str]:
    """Start, read some STATEs, send the signal; exit code, all STATEs and stderr."""
    process = importer.start(feedback_file=str(importer.feedback_file))
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(lines(messages()))
    process.stdin.close()
    found = [json.loads(process.stdout.readline()) for _ in range(states)]
    process.send_signal(signum)
    found += [json.loads(line) for line in process.stdout if line.endswith(b"\n")]
    said = process.stderr.read().decode()
    code = process.wait(60)
    process.stdout.close()
    process.stderr.close()
    return code, found, said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signum", "states"), [(signal.SIGKILL, 1), (signal.SIGKILL, 12), (signal.SIGTERM, 5)]
)
def test_stopped_between_chunks_nothing_is_lost_and_nothing_done_twice(
    counting: Importer, signum: int, states: int
) -> None:
    """S1-35: each chunk is whole or not there; STATE is never ahead of it; no feedback file; the
    next run does the rest, and every row reached its entity exactly once.
    """
    code, found, said = stop_after(counting, states, signum)
    assert code == (-9 if signum == signal.SIGKILL else 143), said
    there = rows_in(counting)
    assert carried_on(counting) == {0: ROWS - there, 1: there}
    assert there % 20 == 0
    position = found[-1]["bookmarks"]["unsubscribes"]["position"][0]
    assert position < there < ROWS
    assert counting.feedback is None
    after = counting.take(messages())
    assert after.code == 0, after.said
    assert carried_on(counting) == {1: ROWS}
    assert rows_in(counting) == ROWS
    assert after.outcomes() == {"applied": ROWS - there, "unchanged": there}


def test_sigterm_while_reading_writes_nothing(on_sqlite: Importer) -> None:
    """S1-32: a run stopped before the end of its input leaves the database as it was."""
    process = on_sqlite.start()
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(lines([schema("unsubscribes"), unsubscribe(1), state(1)]))
    process.stdin.flush()
    line = b""
    while b"target-backoffice v" not in line:
        line = process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    run = on_sqlite.finish(process)
    assert (run.code, run.states) == (143, [])
    tables = fetch(on_sqlite.database, "SELECT name FROM sqlite_master")
    assert (tables, on_sqlite.feedback) == ([], None)


def test_two_runs_at_once_are_one_too_many(on_sqlite: Importer) -> None:
    """The second run of one database and state directory ends with exit code 5."""
    from target_kit.lock import run_lock

    url = on_sqlite.database.url.removeprefix("sqlite:///")
    with run_lock(on_sqlite.home / "state", f"None:None/{url}/None", "feedback-record"):
        run = on_sqlite.take([schema("unsubscribes"), unsubscribe(1)])
    assert run.code == 5
    assert "another run" in run.said
