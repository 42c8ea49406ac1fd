"""The peer of `benchmarks.lists`: a script on zeep that clears a list and fills it again.

    python -m benchmarks.lists_zeep ADDRESS SINGER_FILE

Reads the same Singer lines (one pass, everything in memory), 500 rows a call with addAll3Flat, the
variant zeep can send. No validation, suppression, snapshot, journal or count. Prints JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from zeep_support import Zeep

from benchmarks.lists import BATCH, LIST, LIST_ID


def main(address: str, source: str) -> None:
    """Clear and fill."""
    started = time.monotonic()
    with Path(source).open() as file:
        messages = [json.loads(line) for line in file]
    rows = [m["record"] for m in messages if m["type"] == "RECORD"]
    columns = {**LIST["attributes"], **LIST["technical"]}
    url = f"{address}/optimizely"
    session = Zeep(url, "RpcSession").call("login", 1234, "sim-user", "sim-password")
    service = Zeep(url, "RpcRecipient")
    service.call("clear", session, LIST_ID)
    calls = 2
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        ids = [row["email"] for row in part]
        flat = [str(row[column]) for row in part for column in columns.values()]
        codes = service.call("addAll3Flat", session, LIST_ID, 0, ids, ids, list(columns), flat)
        calls += 1
        if set(codes) != {0}:
            raise SystemExit(f"codes {set(codes)}")
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "seconds": time.monotonic() - started,
                "cpu_seconds": used.ru_utime + used.ru_stime,
                "peak_mb": used.ru_maxrss / 1024,
                "calls": calls,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
