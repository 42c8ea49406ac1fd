"""The ledger's databases; all other rooms here are pure."""

from __future__ import annotations

from pathlib import Path

import pytest
from ledger_support import Place
from tap.conftest import postgresql, server_directory  # noqa: F401 - fixtures


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place for a ledger, on one and on the other."""
    if request.param == "sqlite":
        return Place(tmp_path / "state", None)
    return Place(tmp_path / "state", request.getfixturevalue("postgresql").database().url)
