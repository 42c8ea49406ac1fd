"""Contacts through `tap-backoffice | target-activecampaign` into the simulator, rate limit off.

    python -m benchmarks.load [SIZE …]        default: 10000 100000

Per size: a first load, then a second run of the same data. Printed: wall seconds, outcomes, calls
per contact and the peak resident memory of each process. Exits 1 when a process needs noticeably
more memory for the largest size than for the smallest, when a contact is missing or doubled, or
when the second run writes anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[1]
#: Growth that still counts as flat: page caches and allocator slack, not data.
FLAT_MB = 25.0


@dataclass(frozen=True)
class Measured:
    """One run: memory in MB (peak resident), time in wall seconds."""

    size: int
    name: str
    seconds: float
    tap_mb: float
    target_mb: float
    simulator_mb: float
    report: dict[str, Any]

    @property
    def outcomes(self) -> dict[str, int]:
        """Outcomes that happened."""
        (stream,) = self.report["streams"]
        return {name: n for name, n in stream["outcomes"].items() if n}

    def line(self) -> str:
        """One row of the table."""
        calls = sum(self.report["calls"].values())
        return (
            f"{self.size:>8} {self.name:<7} {self.seconds:>7.1f} s  tap {self.tap_mb:>5.0f} MB  "
            f"target {self.target_mb:>5.0f} MB  simulator {self.simulator_mb:>5.0f} MB  "
            f"{calls / self.size:>6.3f} calls/contact  {self.report['writes']:>7} writes  "
            f"{self.outcomes}"
        )


def main(sizes: list[int]) -> int:
    """Run all sizes; returns the exit code."""
    measured = [m for size in sizes for m in load(size)]
    faults = [fault for m in measured for fault in faults_of(m)]
    for name in ("first", "second"):
        runs = [m for m in measured if m.name == name]
        for part in ("tap_mb", "target_mb"):
            growth = getattr(runs[-1], part) - getattr(runs[0], part)
            if growth > FLAT_MB:
                faults.append(f"{name} run: {part} grew by {growth:.0f} MB")
    for fault in faults:
        print(f"NOT HELD: {fault}")
    return 1 if faults else 0


def faults_of(m: Measured) -> list[str]:
    """Promises that one run broke."""
    (stream,) = m.report["streams"]
    total = sum(stream["outcomes"].values())
    faults = []
    if total != stream["received"] + stream["reoffered"] or stream["received"] != m.size:
        faults.append(f"{m.size} {m.name}: sums do not close")
    if m.name == "second" and m.report["writes"]:
        faults.append(f"{m.size}: the second run wrote {m.report['writes']} times")
    return faults


def load(size: int) -> list[Measured]:
    """Build `size` contacts, start a simulator, run twice."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        url = f"sqlite:///{home / 'backoffice.db'}"
        build = ["-m", "examples.backoffice", "build", "--count", str(size), "--database-url", url]
        subprocess.run([sys.executable, *build], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        simulator = subprocess.Popen(
            [
                str(BIN / "api-simulators"), "--port", "0",
                "--switch", "activecampaign.rate_limit=false",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            assert simulator.stdout is not None
            root = simulator.stdout.readline().strip().rsplit(" ", 1)[-1]
            runs = []
            for name in ("first", "second"):
                runs.append(run_once(size, name, home, url, root, simulator.pid))
                print(runs[-1].line(), flush=True)
            check_contacts(root, size, runs)
            return runs
        finally:
            simulator.terminate()
            simulator.wait()
            if simulator.stdout:
                simulator.stdout.close()


def run_once(size: int, name: str, home: Path, url: str, root: str, simulator: int) -> Measured:
    """One `tap | target`; peak memory as the kernel counted it."""
    tap_config = home / "tap.json"
    columns = {"table": "contacts", "primary_key": ["ctt_id"]}
    streams = [{"name": "contacts", **columns}]
    tap_config.write_text(json.dumps({"database_url": url, "streams": streams}))
    target_config = home / "target.json"
    report = home / "report.json"
    target_config.write_text(
        json.dumps(
            {
                "api_url": f"{root}/activecampaign",
                "api_key": "sim-key",
                "requests_per_second": 100_000,
                "state_dir": str(home / "state"),
                "report_file": str(report),
                "max_errors": size,
                "create_fields": True,
            }
        )
    )
    started = time.monotonic()
    with (home / "log").open("wb") as log:
        tap = subprocess.Popen(
            [str(BIN / "tap-backoffice"), "--config", str(tap_config)],
            stdout=subprocess.PIPE,
            stderr=log,
        )
        target = subprocess.Popen(
            [str(BIN / "target-activecampaign"), "--config", str(target_config)],
            stdin=tap.stdout,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        assert tap.stdout is not None
        tap.stdout.close()
        tap_mb, tap_code = wait(tap)
        target_mb, target_code = wait(target)
    if tap_code or target_code:
        print((home / "log").read_text()[-2000:], file=sys.stderr)
        raise SystemExit(f"tap ended with {tap_code}, target with {target_code}")
    seconds = time.monotonic() - started
    simulator_mb = psutil.Process(simulator).memory_info().rss / 1e6
    data = json.loads(report.read_text())
    return Measured(size, name, seconds, tap_mb, target_mb, simulator_mb, data)


def wait(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Peak resident memory in MB and exit code of a child."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss / 1024, process.returncode


def check_contacts(root: str, size: int, runs: list[Measured]) -> None:
    """Exactly the applied contacts are there, each backoffice key once."""
    request = Request(f"{root}/_sim/activecampaign/state")
    with urlopen(request) as answer:
        contacts = json.load(answer)["contacts"]
    keys = [contact["fieldValues"]["BUBSCTTID"] for contact in contacts]
    applied = runs[0].outcomes["applied"]
    if len(keys) != applied or len(set(keys)) != applied:
        raise SystemExit(f"{size}: {applied} applied, {len(keys)} contacts, {len(set(keys))} keys")


if __name__ == "__main__":
    sys.exit(main([int(argument) for argument in sys.argv[1:]] or [10_000, 100_000]))
