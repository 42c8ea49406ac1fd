"""Fixtures of the intake's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from intake.intake_support import Example


@pytest.fixture
def example(tmp_path: Path) -> Example:
    return Example(tmp_path)
