"""A selection through target-optimizely into the simulator: refill and reconcile.

    python -m benchmarks.lists [SIZE …]        default: 10000 100000

Per size: a first refill, a refill over the old content, the same without suppression, then two
runs of `reconcile`: with 1 % of the rows changed, and with nothing changed. Printed: wall seconds,
peak memory as the kernel counted it, and calls per operation. Beside it, in the same run, a client
of 800 rows a call on zeep that clears and fills and looks at nothing (what scripts in the field
do). Exits 1 when memory grows with the size, a recipient is missing, addAll3 is not called
ceil(rows / batch) times, or reconcile writes more than the changes.
"""

from __future__ import annotations

import base64
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

BIN = Path(sys.executable).parent
LIST_ID = 120000000001
STREAM = "newsletter_recipients"
BATCH = 500
#: Growth that still counts as flat: page caches and allocator slack, not data.
FLAT_MB = 40.0
LIST: dict[str, Any] = {
    "list_id": LIST_ID,
    "consent": "newsletter",
    "recipient_id": "email",
    "email": "email",
    "attributes": {"Vorname": "given_name", "Nachname": "family_name", "Land": "org_country"},
    "technical": {
        "opt-in-id": "optin_id",
        "description": "description",
        "media-type": "media_type",
        "entity-type": "entity_type",
        "entity-id": "ctt_id",
    },
}


@dataclass(frozen=True)
class Measured:
    """One run; memory in MB (peak resident), time in wall and CPU seconds."""

    size: int
    name: str
    seconds: float
    cpu_seconds: float
    peak_mb: float
    report: dict[str, Any]

    def line(self) -> str:
        """One row of the table."""
        calls = self.report["calls"]
        return (
            f"{self.size:>8} {self.name:<22} {self.seconds:>7.1f} s wall {self.cpu_seconds:>6.1f} s"
            f" CPU {self.peak_mb:>5.0f} MB {sum(calls.values()):>6} calls, addAll3 "
            f"{calls.get('RpcRecipient.addAll3', 0)}, {self.report['writes']} writes"
        )


@contextmanager
def simulator() -> Iterator[str]:
    """The address of a running simulator."""
    process = subprocess.Popen(
        [str(BIN / "api-simulators"), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip().rsplit(" ", 1)[-1]
    finally:
        process.terminate()
        process.wait()


def rows(size: int, changed: int = 0) -> Iterator[dict[str, Any]]:
    """The selection; the first `changed` rows say something else."""
    for key in range(1, size + 1):
        yield {
            "email": f"person{key}@example.com",
            "given_name": f"Given{key}" if key > changed else "Changed",
            "family_name": f"Family{key}",
            "org_country": "CH",
            "consent": "newsletter",
            "optin_id": f"optin-{key}",
            "description": "newsletter",
            "media_type": "email",
            "entity_type": "contact",
            "ctt_id": key,
        }


def write_input(path: Path, size: int, changed: int = 0) -> None:
    """SCHEMA, records, marker."""
    properties = {name: {"type": ["string", "integer", "null"]} for name in next(rows(1))}
    schema = {"type": "object", "properties": properties}
    head = {"type": "SCHEMA", "stream": STREAM, "schema": schema, "key_properties": []}
    marker = {"sync_complete": {"version": 1, "counts": {STREAM: size}}}
    with path.open("w") as file:
        file.write(json.dumps(head) + "\n")
        for row in rows(size, changed):
            file.write(json.dumps({"type": "RECORD", "stream": STREAM, "record": row}) + "\n")
        file.write(json.dumps({"type": "STATE", "value": marker}) + "\n")


def run(home: Path, root: str, size: int, name: str, source: Path, **more: Any) -> Measured:
    """One run of the target."""
    one = {**LIST, **more}
    config = {
        "api_url": f"{root}/optimizely/soap11",
        "mandator_id": 1234,
        "username": "sim-user",
        "password": "sim-password",
        "state_dir": str(home / "state"),
        "report_file": str(home / "report.json"),
        "batch_size_records": BATCH,
        "lists": {STREAM: one},
    }
    (home / "config.json").write_text(json.dumps(config))
    start = time.monotonic()
    with source.open("rb") as given, (home / "stderr").open("wb") as said:
        process = subprocess.Popen(
            [str(BIN / "target-optimizely"), "--config", str(home / "config.json")],
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit((home / "stderr").read_text()[-2000:])
    report = json.loads((home / "report.json").read_text())
    cpu = usage.ru_utime + usage.ru_stime
    peak = usage.ru_maxrss / 1024
    return Measured(size, name, time.monotonic() - start, cpu, peak, report)


def count(root: str) -> int:
    """Recipients in the list, by the vendor's REST API.

    Not by the simulator's state: what this process holds in memory when it starts a child would be
    counted as the child's.
    """
    user = base64.b64encode(b"sim-user:sim-password").decode()
    address = f"{root}/optimizely/rest/1234/recipients/{LIST_ID}/count"
    request = Request(address, headers={"Authorization": f"Basic {user}"})
    with urlopen(request, timeout=300) as answer:
        found = json.load(answer)
    return int(found["count"] if isinstance(found, dict) else found)


def measure(size: int) -> list[Measured]:
    """All runs of one size."""
    with tempfile.TemporaryDirectory() as folder, simulator() as root:
        home = Path(folder)
        source, changed = home / "in.singer", home / "changed.singer"
        write_input(source, size)
        write_input(changed, size, changed=size // 100)
        found = []
        for name, given, more in (
            ("first refill", source, {}),
            ("refill", source, {}),
            ("refill, suppression off", source, {"suppression": "off"}),
            ("reconcile, 1 % changed", changed, {"strategy": "reconcile"}),
            ("reconcile, no change", changed, {"strategy": "reconcile"}),
        ):
            found.append(run(home, root, size, name, given, **more))
            print(found[-1].line(), flush=True)
            if (there := count(root)) != size:
                raise SystemExit(f"{name}: {there} recipients in the list, {size} wanted")
        peer = subprocess.run(
            [sys.executable, "-m", "benchmarks.lists_zeep", root, str(source)],
            check=True,
            capture_output=True,
            text=True,
        )
        theirs = json.loads(peer.stdout)
        ours = next(one for one in found if one.name == "refill, suppression off")
        print(
            f"{size:>8} {'zeep, clear and fill':<22} {theirs['seconds']:>7.1f} s wall "
            f"{theirs['cpu_seconds']:>6.1f} s CPU {theirs['peak_mb']:>5.0f} MB "
            f"{theirs['calls']:>6} calls; ours takes {ours.seconds / theirs['seconds']:.2f} of its "
            f"time, {ours.cpu_seconds / theirs['cpu_seconds']:.2f} of its CPU",
            flush=True,
        )
        return found


def faults_of(m: Measured) -> list[str]:
    """Promises that one run broke."""
    calls, found = Counter(m.report["calls"]), []
    chunks = math.ceil(m.size / BATCH)
    if "refill" in m.name and calls["RpcRecipient.addAll3"] != chunks:
        found.append(f"addAll3 {calls['RpcRecipient.addAll3']} times instead of {chunks}")
    if m.name.endswith("off") and sum(calls.values()) > 2 * chunks + 60:
        found.append(f"{sum(calls.values())} calls for {chunks} chunks")
    if m.name == "reconcile, no change" and m.report["writes"]:
        found.append(f"{m.report['writes']} writes without a change")
    if m.name == "reconcile, 1 % changed":
        wanted = math.ceil(m.size // 100 / BATCH)
        if m.report["writes"] != wanted:
            found.append(f"{m.report['writes']} writes instead of {wanted}")
    return [f"{m.size} {m.name}: {fault}" for fault in found]


def main(sizes: list[int]) -> int:
    """Run all sizes; returns the exit code."""
    measured = [m for size in sizes for m in measure(size)]
    faults = [fault for m in measured for fault in faults_of(m)]
    for name in dict.fromkeys(m.name for m in measured):
        runs = [m for m in measured if m.name == name]
        growth = runs[-1].peak_mb - runs[0].peak_mb
        if growth > FLAT_MB:
            faults.append(f"{name}: memory grew by {growth:.0f} MB")
    for fault in faults:
        print(f"NOT HELD: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or [10_000, 100_000]))
