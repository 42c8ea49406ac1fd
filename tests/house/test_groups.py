"""Tests of one group run in one process: they share what it installed, or build on each other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

GROUPED = """
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_number(number):
    pass
"""


def test_a_group_of_tests_stays_with_one_worker(tmp_path: Path) -> None:
    """`make test` relies on it; pytest 9.2 with pytest-xdist 3.8 ignores groups silently."""
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    options = ["-n", "2", "--dist", "loadgroup", "-v", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir", str(tmp_path), *options, str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    workers = re.findall(r"\[(gw\d)\].*PASSED", ran.stdout)
    assert len(workers) == 8, ran.stdout + ran.stderr
    assert len(set(workers)) == 1
