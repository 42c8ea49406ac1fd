"""Opens the database: read-only where it can be, in UTC, patient with slow readers."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from singer_sdk.sql import SQLConnector
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool

from tap_backoffice import shards
from tap_backoffice.errors import SettingsError, SourceError
from tap_backoffice.settings import Settings, parse_settings

# A target limited to a few requests a second leaves the server waiting on a full pipe for hours.
PATIENCE_SECONDS = 7 * 24 * 3600

_POSTGRES_SESSION = (
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    "SET default_transaction_read_only = on",
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'iso_8601'",
    "SET extra_float_digits = 1",
    "SET client_encoding = 'UTF8'",
    "SET statement_timeout = 0",
    "SET idle_in_transaction_session_timeout = 0",
)
_MYSQL_SESSION = (
    "SET SESSION TRANSACTION READ ONLY",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET time_zone = '+00:00'",
    f"SET SESSION net_write_timeout = {PATIENCE_SECONDS}",
    f"SET SESSION net_read_timeout = {PATIENCE_SECONDS}",
)
_MYSQL_SNAPSHOT = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"


class BackofficeConnector(SQLConnector):
    """A SQLConnector that never writes and whose sessions know no local time."""

    def __init__(
        self, config: dict[str, t.Any] | None = None, *, settings: Settings | None = None
    ) -> None:
        """Take the checked settings, or check the configuration here."""
        super().__init__(config)
        self.settings = settings or parse_settings(config or {})

    @property
    def backend(self) -> str:
        """Name of the dialect family: `sqlite`, `postgresql`, `mysql`, `mariadb`, or another."""
        return self.settings.database_url.get_backend_name()

    @property
    def engine_driver(self) -> str:
        """Name of the driver: `psycopg`, `pymysql`, `pysqlite`, or another."""
        return self._engine.dialect.driver

    def get_sqlalchemy_url(self, config: dict[str, t.Any]) -> str:  # noqa: ARG002  # SDK hook
        """Give the URL with its driver."""
        return self.settings.database_url.render_as_string(hide_password=False)

    def create_engine(self) -> sa.Engine:
        """Create the engine; every new session gets the rules of its dialect.

        Raises:
            SettingsError: the dialect or its driver is not installed.
        """
        url = self.settings.database_url
        options: dict[str, t.Any] = {"poolclass": NullPool, "echo": False}
        if self.backend == "sqlite":
            options["creator"] = _sqlite_creator(url)
        if self.backend in ("mysql", "mariadb"):
            options["connect_args"] = _pymysql_arguments(url)
        try:
            engine = sa.create_engine(url, **options)
        except (sa.exc.NoSuchModuleError, ImportError, TypeError) as exc:
            msg = f"database_url: no driver for {url.drivername!r} is installed (see the extras)"
            raise SettingsError(msg) from exc
        sa.event.listen(engine, "connect", self._prepare_session)
        return engine

    def _prepare_session(self, connection: DBAPIConnection, _record: object) -> None:
        statements: tuple[str, ...] = ()
        if self.backend == "postgresql":
            statements = _POSTGRES_SESSION
        elif self.backend in ("mysql", "mariadb"):
            statements = _MYSQL_SESSION
        if not statements:
            return
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()  # psycopg opened a transaction; the rules must outlive it

    @contextlib.contextmanager
    def open(self) -> Iterator[t.Any]:
        """Lend one DBAPI connection inside one read-only transaction with one snapshot.

        Raises:
            SourceError: the database cannot be reached or breaks off; without values or
                credentials, only the kind of error and the vendor's code.
        """
        with self.reported("cannot be reached"):
            pooled = self._engine.raw_connection()
        connection = pooled.driver_connection
        try:
            with self.reported("failed"):
                if self.backend in ("mysql", "mariadb"):
                    with contextlib.closing(pooled.cursor()) as cursor:
                        cursor.execute(_MYSQL_SNAPSHOT)
                yield connection
        finally:
            # An unread stream must not be drained to be closed: drop the connection instead.
            pooled.detach()
            _abandon(connection)

    @contextlib.contextmanager
    def reported(self, what: str) -> Iterator[None]:
        """Turn a driver's error into one line that holds neither values nor credentials."""
        driver_error = self._driver_error()
        try:
            yield
        except (driver_error, sa.exc.DBAPIError) as exc:
            raise SourceError(self._describe(what, exc)) from exc

    def _driver_error(self) -> type[BaseException]:
        dbapi: t.Any = self._engine.dialect.loaded_dbapi
        return t.cast("type[BaseException]", dbapi.Error)

    def _describe(self, what: str, exc: BaseException) -> str:
        url = self.settings.database_url
        place = f"{url.host or 'localhost'}:{url.port or 'default port'}" if url.host else ""
        cause = exc.orig if isinstance(exc, sa.exc.DBAPIError) and exc.orig else exc
        reason = _reason(cause)
        return f"the database ({self.backend}{' at ' if place else ''}{place}) {what}: {reason}"


def _sqlite_creator(url: URL) -> Callable[[], t.Any]:
    import sqlite3

    path = str(url.database)
    target = path if path.startswith("file:") else f"file:{quote(str(Path(path).absolute()))}"
    if "mode=" not in target:
        target += "&mode=ro" if "?" in target else "?mode=ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(target, uri=True, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 30000")
        shards.register(connection)
        return connection

    return connect


def _pymysql_arguments(url: URL) -> dict[str, t.Any]:
    if not url.drivername.endswith("pymysql"):
        return {}
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions

    # Dates stay the text the server sent: zero dates have no Python value, and text is faster.
    as_text = {
        FIELD_TYPE.DATE,
        FIELD_TYPE.NEWDATE,
        FIELD_TYPE.DATETIME,
        FIELD_TYPE.TIMESTAMP,
        FIELD_TYPE.TIME,
    }
    conv = {kind: how for kind, how in conversions.items() if kind not in as_text}
    return {"charset": "utf8mb4", "conv": conv}


def _abandon(connection: t.Any) -> None:  # any DBAPI driver's connection
    with contextlib.suppress(Exception):
        # pymysql's close() would say goodbye politely; an SSCursor left open would read on.
        force = getattr(connection, "_force_close", None)
        (force or connection.close)()


_REASONS = {
    "28P01": "authentication failed",
    "28000": "authentication failed",
    "3D000": "no such database",
    "42501": "permission denied",
    "25006": "the statement tried to write, and the session is read-only",
    1045: "authentication failed",
    1044: "permission denied",
    1049: "no such database",
    1142: "permission denied",
    1792: "the statement tried to write, and the session is read-only",
    2003: "connection refused or host unknown",
    2013: "connection lost",
}
_WORDS = (
    ("connection refused", "connection refused"),
    ("authentication failed", "authentication failed"),
    ("could not translate host name", "host unknown"),
    ("failed to resolve host", "host unknown"),
    ("timeout", "timed out"),
    ("does not exist", "does not exist"),
    ("unable to open database file", "the file cannot be opened"),
    ("file is not a database", "the file is not a SQLite database"),
    ("could not decode to utf-8", "a text is not valid UTF-8"),
    ("readonly database", "the statement tried to write, and the session is read-only"),
    ("terminating connection", "connection lost"),
    ("server closed the connection", "connection lost"),
    ("consuming input failed", "connection lost"),
    ("no such table", "no such table"),
    ("no such column", "no such column"),
    ("syntax error", "syntax error in the query"),
)


def _reason(exc: BaseException) -> str:
    # Drivers put user names and cell values into their messages, so only known words pass.
    code = getattr(exc, "sqlstate", None) or (exc.args[0] if exc.args else None)
    known = _REASONS.get(code) if isinstance(code, (int, str)) else None
    text = str(exc).lower()
    words = known or next((said for sought, said in _WORDS if sought in text), None)
    number = f"{code}" if isinstance(code, int) or getattr(exc, "sqlstate", None) else ""
    label = f"{type(exc).__name__}{' ' if number else ''}{number}"
    return f"{words} ({label})" if words else label
