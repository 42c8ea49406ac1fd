"""Servers that workers share: Redis from the system's packages, PostgreSQL from its wheel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators_support import Simulator
from tap.conftest import missing, postgresql, server_directory  # noqa: F401 - fixtures
from tap_support import PostgresServer
from workers_support import RedisServer, redis_server


@pytest.fixture(scope="session")
def redis(server_directory: Path) -> Iterator[RedisServer]:  # noqa: F811 - the fixture
    """A Redis for all tests that leave it running."""
    if redis_server() is None:
        missing("Redis", "redis-server is not installed (Debian: apt-get install redis-server)")
    server = RedisServer(server_directory)
    yield server
    server.stop()


@pytest.fixture
def own_redis(redis: RedisServer, tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that the test may stop."""
    server = RedisServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def database_url(postgresql: PostgresServer) -> str:  # noqa: F811 - the fixture
    """An empty database on PostgreSQL."""
    return str(postgresql.database().url)


@pytest.fixture(params=["redis", "postgresql"])
def rate_url(request: pytest.FixtureRequest) -> str:
    """Where a rate is shared: nothing is known there of any account."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("database_url"))
    server: RedisServer = request.getfixturevalue("redis")
    server.forget()
    return server.url


@pytest.fixture(scope="session")
def account() -> Iterator[Simulator]:
    """A simulated account with its real rate limit: 5 requests a second."""
    with Simulator(rate_limit=True) as started:
        yield started


@pytest.fixture
def sim(account: Simulator) -> Simulator:
    """The account, empty."""
    account.reset()
    return account
