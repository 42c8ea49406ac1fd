"""A share of `make bench`: contacts into ActiveCampaign, within their budgets of calls."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.xdist_group("journeys")
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_loads_and_nights_keep_to_their_budgets_of_calls() -> None:
    """S0-34, X3: nobody missing, no write without a change, as many calls as planned."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.contacts", "300"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=880,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" at the limits") == 8
    assert "NOT HELD" not in done.stdout
