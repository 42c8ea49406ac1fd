"""The database under the ledger: one session for a whole run, and errors in words without values.

There is only one session because PostgreSQL's advisory lock belongs to it: when the session is
gone, so is the lock, and nothing more may be written. SQLite's file is private and every commit is
on disk before it returns; what is forgotten is zeroed, since these are people's data.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool

from target_kit.errors import ConfigurationError, StopRun
from target_kit.files import open_private, private_directory
from target_kit.ledger_entries import Scope
from target_kit.ledger_locks import KEEPALIVE, Transaction, take
from target_kit.ledger_rows import Rows
from target_kit.ledger_schema import METADATA, SCHEMA, SCOPES, VERSION, number_of
from target_kit.shards import Shard

FILE = "ledger.sqlite"
_PRAGMAS = ("journal_mode = TRUNCATE", "synchronous = FULL", "secure_delete = ON")
_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
#: A session that only holds a lock asks nothing for hours. PostgreSQL 14 and newer may end such:
#: https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-SESSION-TIMEOUT
_NEVER_IDLE = (
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"
)

#: https://sqlite.org/rescode.html
_SQLITE = {
    5: "locked by another process for too long",
    6: "locked by another process for too long",
    8: "it is read-only",
    10: "disk error",
    11: "it is damaged",
    13: "disk full",
    14: "it can't be opened",
    26: "it is damaged",
}
#: PostgreSQL's appendix A, by code or class; True where the setting is wrong.
_POSTGRESQL = {
    "28": ("authentication failed", True),
    "3D": ("no such database", True),
    "42501": ("permission denied", True),
    "25006": ("the server is read-only", False),
    "53": ("disk full or out of resources", False),
    "55P03": ("locked by another session for too long", False),
    "57": ("the server ended the session", False),
}
#: What never reached a session has no code.
_NO_CODE = (
    ("authentication failed", "authentication failed", True),
    ("no password supplied", "authentication failed", True),
    ("does not exist", "no such database or role", True),
    ("resolve host", "host unknown", False),
    ("translate host", "host unknown", False),
    ("timeout", "timed out", False),
)


class LedgerError(StopRun):
    """The ledger can't be read or written: the run ends where it is."""


class LedgerDatabase:
    """One session. `sqlalchemy` errors never leave it."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end, undone by any exception.

        A session that broke off stays so: SQLAlchemy would open another, without the lock.
        """
        if self._connection.invalidated or self._connection.closed:
            raise _failure(self._connection.dialect.name, "connection lost")
        try:
            with self._connection.begin():
                yield self._connection
        except sa.exc.SQLAlchemyError as error:
            raise _said(self._connection.dialect.name, error) from None

    @contextmanager
    def rows(self, scope: int, *, write: bool = False) -> Iterator[Rows]:
        """One transaction on the rows of a scope; of those that `write` one at a time, since shards
        write at the same time: what one reads first stays so until it has written.
        """
        with self.transaction() as connection:
            if write and connection.dialect.name == "postgresql":
                turn = sa.func.pg_advisory_xact_lock(number_of(f"writing {scope}"))
                connection.execute(sa.select(turn))
            yield Rows(connection, scope)


@contextmanager
def database(
    state_dir: Path, url: str | None, scope: str, shard: Shard | None, lock_timeout_seconds: float
) -> Iterator[LedgerDatabase]:
    """The ledger of a scope with its tables; see `target_kit.ledger.open_ledger`."""
    timeout = lock_timeout_seconds
    with _session(_postgresql(url, timeout) if url else _sqlite(state_dir, timeout)) as opened:
        _prepare(opened, scope, shard)
        yield opened


@contextmanager
def lock_between_machines(
    url: str, name: str, shard: Shard | None, lock_timeout_seconds: float = 30
) -> Iterator[Transaction]:
    """Hold the lock `name` (an account and an object) while inside; LockedError if it can't be had.

    Yields what opens a transaction in the session that holds it, for `ledger_locks.alone`.
    """
    with _session(_postgresql(url, lock_timeout_seconds)) as opened:
        with opened.transaction() as connection:
            take(connection, name, shard)
        yield opened.transaction


@contextmanager
def _session(engine: sa.Engine) -> Iterator[LedgerDatabase]:
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg"):
        # At DEBUG they tell rows and hosts; what matters of it is in the errors raised here.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        connection = engine.connect()
    except (sa.exc.SQLAlchemyError, OSError) as error:
        raise _said(engine.dialect.name, error) from None
    try:
        yield LedgerDatabase(connection)
    finally:
        connection.close()


def _prepare(opened: LedgerDatabase, scope: str, shard: Shard | None) -> None:
    """Take the lock, make what is missing, refuse what another version made."""
    with opened.transaction() as connection:
        if connection.dialect.name == "postgresql":
            take(connection, scope, shard)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number_of("schema"))))
        is_new = not sa.inspect(connection).has_table(SCHEMA.name)
        METADATA.create_all(connection)  # tables that came later are made beside the others
        if is_new:
            connection.execute(SCHEMA.insert().values(version=VERSION))
        if connection.scalar(sa.select(SCHEMA.c.version)) != VERSION:
            raise _failure(connection.dialect.name, "another version made it")
        Rows(connection, number_of(scope)).put(SCOPES, [Scope(scope)])


def _sqlite(state_dir: Path, lock_timeout_seconds: float) -> sa.Engine:
    path = private_directory(state_dir).absolute() / FILE
    try:
        os.close(open_private(path, os.O_CREAT | os.O_RDWR))
    except OSError as error:
        raise _failure("sqlite", error.strerror or type(error).__name__) from None
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        connect_args={"timeout": lock_timeout_seconds, "check_same_thread": False},
        poolclass=NullPool,
        hide_parameters=True,
    )

    def prepare(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # pysqlite would commit and begin behind our back
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    sa.event.listen(engine, "connect", prepare)
    sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _postgresql(given: str, lock_timeout_seconds: float) -> sa.Engine:
    """The engine for a URL; messages never repeat any of it."""
    try:
        url = sa.make_url(given.strip())
    except (sa.exc.ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in _SCHEMES or not url.database:
        raise ConfigurationError(
            "ledger_url: must be postgresql://user:password@host/database for PostgreSQL; "
            "without it the ledger is a SQLite file in state_dir"
        )
    options: dict[str, Any] = {"keepalives_idle": 60} | (
        {} if "connect_timeout" in url.query else {"connect_timeout": 10}
    )
    try:
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args=options,
            poolclass=NullPool,
            pool_reset_on_return=None,
            hide_parameters=True,
        )
    except (sa.exc.ArgumentError, ImportError, TypeError, ValueError):
        raise ConfigurationError(
            "ledger_url: no driver for PostgreSQL is installed; install the extra `postgres`"
        ) from None

    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        # Who waited for a lock has to see what its holder wrote, whatever the database's default.
        cursor.execute("SET default_transaction_isolation = 'read committed'")
        cursor.execute(f"SET lock_timeout = {int(lock_timeout_seconds * 1000)}")
        for name, value in KEEPALIVE.items():
            cursor.execute(f"SET {name} = {value}")
        cursor.execute(_NEVER_IDLE)
        cursor.close()
        connection.commit()  # psycopg opened a transaction; the rules must outlive it

    sa.event.listen(engine, "connect", prepare)
    return engine


def _said(dialect: str, error: Exception) -> StopRun:
    """The error in fixed words: drivers put values, hosts and users into theirs (X7)."""
    cause: Any = getattr(error, "orig", None) or error
    if dialect == "sqlite":
        code = getattr(cause, "sqlite_errorcode", None)
        known = _SQLITE.get(code & 0xFF) if isinstance(code, int) else None
        return _failure(dialect, known or f"unexpected {type(cause).__name__}")
    state = getattr(cause, "sqlstate", None)
    if state:
        words, ours = _POSTGRESQL.get(state) or _POSTGRESQL.get(
            state[:2], (f"the server refuses ({state})", False)
        )
        return _failure(dialect, words, ours=ours)
    if not isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
        return _failure(dialect, f"unexpected {type(cause).__name__}")
    text = str(cause).lower()
    found = ((words, ours) for sought, words, ours in _NO_CODE if sought in text)
    words, ours = next(found, ("connection refused or lost", False))
    return _failure(dialect, words, ours=ours)


def _failure(dialect: str, reason: str, *, ours: bool = False) -> StopRun:
    if ours:
        return ConfigurationError(f"ledger_url: the ledger on PostgreSQL: {reason}")
    if dialect == "sqlite":
        return LedgerError(
            f"state_dir: the ledger {FILE} can't be used: {reason}; put that right, or remove the "
            "file: the next run rebuilds it from the destination"
        )
    return LedgerError(
        f"ledger_url: the ledger on PostgreSQL can't be used: {reason}; put that right, or drop "
        "its tables ledger_*: the next run rebuilds them from the destination"
    )
