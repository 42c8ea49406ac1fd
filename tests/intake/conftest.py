"""Fixtures of the intake's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from intake.intake_support import Example, Nursery


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def example(tmp_path: Path, nursery: Nursery) -> Example:
    return Example(tmp_path, nursery)
