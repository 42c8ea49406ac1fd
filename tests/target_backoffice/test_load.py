"""A hundred thousand records in flat memory."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from target_backoffice_support import Importer, fetch, lines, marker, schema, unsubscribe

STATEMENT = "UPDATE counted SET times = times + 1 WHERE list_id = :list_id"


def peak(importer: Importer, rows: int) -> int:
    """Import `rows` records as a process; its largest resident set in KiB.

    Read from the kernel while it runs: what `wait4` reports would count this process as well, from
    which it was forked.
    """
    highest = 0
    with tempfile.TemporaryFile() as source:
        source.write(lines([schema("unsubscribes"), schema("bounces")]))
        for number in range(rows):
            source.write(lines([unsubscribe(number, reason="r" * 100)]))
        source.write(lines([marker(unsubscribes=rows)]))
        source.seek(0)
        process = subprocess.Popen(
            importer.command(), stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            highest = max(highest, int(found.group(1)) if found else 0)
            time.sleep(0.02)
    assert process.returncode == 0
    return highest


@pytest.mark.slow
def test_memory_does_not_grow_with_the_input(on_sqlite: Importer) -> None:
    """100,000 records take hardly more memory than 5,000, and all of them arrive."""
    on_sqlite.database.execute("CREATE TABLE counted (list_id varchar(20) PRIMARY KEY, times int)")
    on_sqlite.database.insert("counted", [("120000000001", 0)])
    streams = {"unsubscribes": {"apply_sql": [STATEMENT]}, "bounces": {}}
    on_sqlite.config["streams"] = streams
    small = peak(on_sqlite, 5_000)
    large = peak(on_sqlite, 100_000)
    assert large - small < 40_000, f"{small} KiB for 5,000 rows, {large} KiB for 100,000"
    count = fetch(on_sqlite.database, "SELECT count(*) FROM marketing_unsubscribes")
    assert count == [(100_000,)]
    assert fetch(on_sqlite.database, "SELECT times FROM counted") == [(100_000,)]
