"""Databases as the tap's tests have them, and an importer on each."""

from __future__ import annotations

from pathlib import Path

import pytest
from tap.conftest import (  # noqa: F401 - fixtures
    database,
    mariadb,
    postgresql,
    server,
    server_directory,
    sqlite,
)
from tap_support import Database, Server
from target_backoffice_support import Importer


@pytest.fixture
def importer(database: Database, tmp_path: Path) -> Importer:  # noqa: F811 - the fixture
    """On SQLite, PostgreSQL and MariaDB, one after the other."""
    return Importer(tmp_path, database)


@pytest.fixture
def on_sqlite(sqlite: Server, tmp_path: Path) -> Importer:  # noqa: F811 - the fixture
    """Where the database makes no difference."""
    return Importer(tmp_path, sqlite.database())
