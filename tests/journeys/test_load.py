"""A share of `make load`: contacts through both processes, memory counted by the kernel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.xdist_group("journeys")
def test_five_times_the_contacts_take_no_more_memory_and_a_second_run_writes_nothing() -> None:
    """X3, X4: sums close, nobody is missing or doubled, memory stays flat."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", "400", "2000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NOT HELD" not in done.stdout
    assert done.stdout.count("target") == 4
