"""Contacts into ActiveCampaign: calls of a load, of a night with few changes, of one with none.

    python -m benchmarks.contacts [SIZE …]        default: 10000; above, the first load by auto
                                                  and the nights without a change only

Per size, into the simulator with its rate limit off: a first load by `strategy: auto`, nights
without and with 1 % of changes, with and without the ledger's reads, then a first load by single
calls. Each is planned before. Beside them a client that makes 1 + k + 2 calls per contact, run on
a sample. Calls are those that the simulator counted, all of them; memory and CPU are the target's
as the kernel counted them; the last column is the time that the calls take at an account's limits.
Exits 1 when a budget is not held (see `faults_of`), or a contact is missing or not complete.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contacts_account import Account, account, run, write_input
from benchmarks.contacts_budgets import (
    CHANGED,
    CHANGED_LEDGER,
    CHANGED_SINGLY,
    IDLE,
    IDLE_LEDGER,
    LOADED,
    LOADED_SINGLY,
    REQUESTS_PER_SECOND,
    Measured,
    faults_of,
    minutes,
)

SAMPLE = 500  # contacts of the plain client
LARGEST = 10_000  # of all runs; above, the first ones
DAYS_AGO = 3 * 86_400


@dataclass(frozen=True)
class Bench:
    """One size in one account."""

    size: int
    home: Path
    there: Account

    def measure(self) -> list[Measured]:
        """All runs of this size, in the order in which they make sense."""
        source = write_input(self.home / "in.singer", self.size)
        self.there.control("clock", {"behind": DAYS_AGO})
        found = [self.planned(LOADED, source)]
        self.check(LOADED)
        self.there.control("clock", {"real": True})
        found.append(self.planned(IDLE, source, reads="crawl"))
        run(self.home, self.there.root, source, reads="incremental")  # everything, the first time
        found.append(self.planned(IDLE_LEDGER, source, reads="incremental"))
        if self.size <= LARGEST:
            found += self.changes()
            self.there.prepare()
            found.append(self.planned(LOADED_SINGLY, source, "single", strategy="single"))
            self.check(LOADED_SINGLY)
        self.peer()
        return found

    def changes(self) -> list[Measured]:
        """Nights in which one row in a hundred differs from the night before."""
        changed = max(self.size // 100, 1)
        first, second, third = (
            write_input(self.home / f"changed{n}.singer", self.size, range(1, n * changed + 1))
            for n in (1, 2, 3)
        )
        found = [
            self.planned(CHANGED_LEDGER, first, reads="incremental"),
            self.planned(CHANGED, second, reads="crawl"),
            self.planned(CHANGED_SINGLY, third, reads="crawl", strategy="single"),
        ]
        self.check(CHANGED_SINGLY)
        return found

    def planned(self, name: str, source: Path, folder: str = "", **settings: Any) -> Measured:
        """Plan a run, carry it out, count its calls; `folder` is where it remembers things."""
        home, root = self.home / folder, self.there.root
        home.mkdir(exist_ok=True)
        plan = home / "plan.json"
        self.there.forget_requests()
        run(home, root, source, mode="plan", plan_file=str(plan), **settings)
        forecast = forecast_of(plan)
        if writes := [c for c in self.there.calls() if not c.startswith("GET ")]:
            raise SystemExit(f"{name}: the plan wrote by {', '.join(writes)}")
        self.there.forget_requests()
        ran = run(home, root, source, **settings)
        calls, took = self.there.calls(), (ran.seconds, ran.cpu_seconds, ran.peak_mb)
        measured = Measured(self.size, name, calls, forecast, *took)
        print(measured.line(), flush=True)
        return measured

    def check(self, name: str) -> None:
        """Everybody is there, once, with all values, on the list and with the tag."""
        if (number := self.there.complete()) != self.size:
            raise SystemExit(f"{name}: {number} contacts complete, {self.size} wanted")

    def peer(self) -> None:
        """The plain client, on a sample."""
        sample = min(SAMPLE, self.size)
        self.there.prepare()
        self.there.forget_requests()
        command = [sys.executable, "-m", "benchmarks.contacts_naive", self.there.root, str(sample)]
        seconds = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        calls = self.there.calls()
        number, times = sum(calls.values()), self.size / sample
        print(
            f"{self.size:>8} {'1 + k + 2 calls, plain':<24} {number * times:>7.0f} calls "
            f"{number / sample:>8.4f} a contact, from {sample}: {number} calls, {seconds:.1f} s; "
            f"{minutes(number * times / REQUESTS_PER_SECOND)} at the limits",
            flush=True,
        )


def forecast_of(plan: Path) -> int:
    """Calls that the plan tells; its first line has the header, the others have the rows."""
    with plan.open() as file:
        head = json.loads(file.readline() + "]}")
    return sum(head["header"]["forecast"]["calls"].values())


def main(sizes: list[int]) -> int:
    """Run all sizes; returns the exit code."""
    faults = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder, account() as there:
            measured = Bench(size, Path(folder), there).measure()
        faults += faults_of({one.name: one for one in measured})
    for fault in faults:
        print(f"NOT HELD: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or [10_000]))
