"""Stopped anywhere, run again from the last STATE: no row is lost, and no marker tells a lie."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tap_support import Server, command, cut, sync

ROWS = 3000
POINTS = 20


def contacts(server: Server) -> dict[str, Any]:
    database = server.database()
    database.execute(
        "CREATE TABLE people (ctt_id integer PRIMARY KEY, changed integer, note varchar(400))"
    )
    # Ties across chunks, and rows without a key.
    rows = [(i, None if i % 500 == 0 else i // 7, "x" * 300) for i in range(ROWS)]
    database.insert("people", rows)
    stream = {"name": "contacts", "table": "people", "replication_key": "changed"}
    return {"database_url": database.url, "streams": [stream], "fetch_size_rows": 50}


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_tap_stopped_at_twenty_points_loses_no_row(
    server: Server, signum: int, tmp_path: Path
) -> None:
    """Each cut run's last STATE lets the next run send everything that was missing."""
    config = contacts(server)
    arguments = command(config, tmp_path)
    points = random.Random(20).sample(range(1, ROWS - 700), POINTS)
    # The pipe holds about 200 of these lines, so at every point the tap is still sending.
    share = {"sqlite": points[:8], "postgresql": points[8:14], "mariadb": points[14:]}
    for lines in share[server.backend]:
        first = cut(arguments, lines, signum)
        assert first.code == (128 + signum if signum == signal.SIGTERM else -signum)
        assert first.markers == []
        sent = {r["ctt_id"] for r in first.records()}
        assert len(sent) < ROWS
        rest = sync(config, state=first.state)
        assert sent | {r["ctt_id"] for r in rest.records()} == set(range(ROWS))
        assert len(rest.markers) == 1


def test_an_interrupted_tap_exits_with_the_signal(sqlite: Server, tmp_path: Path) -> None:
    """SIGINT (Ctrl-C) is no success either: the SDK's own taps would exit with 0."""
    run = cut(command(contacts(sqlite), tmp_path), 100, signal.SIGINT)
    assert run.code == 128 + signal.SIGINT
    assert run.markers == []


def test_a_tap_whose_reader_has_gone_stops_with_one_line(sqlite: Server, tmp_path: Path) -> None:
    """A dead target is a broken pipe: exit 1, no traceback."""
    with subprocess.Popen(
        command(contacts(sqlite), tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tap:
        assert tap.stdout is not None
        assert tap.stderr is not None
        tap.stdout.readline()
        tap.stdout.close()
        errors = tap.stderr.read().decode()
    assert tap.returncode == 1
    assert errors.splitlines()[-1] == "tap-backoffice: the reader of the output has gone away"
    assert "Traceback" not in errors
