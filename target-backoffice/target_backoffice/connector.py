"""The SDK's SQLConnector for the backoffice: its engine, its types, its tables.

Taken from the SDK: the mapping of JSON schema to SQL types, table preparation and the addition of
columns. Set right here: names are quoted, texts and times fit MariaDB and PostgreSQL, an existing
column keeps the type that the backoffice gave it, and no error text holds a value.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import sqlalchemy as sa
from singer_sdk.sql import SQLConnector
from singer_sdk.sql.connector import FullyQualifiedName, JSONSchemaToSQL
from sqlalchemy.dialects import mysql
from sqlalchemy.engine.interfaces import DBAPIConnection
from target_kit.errors import ConfigurationError, CredentialsError, VendorUnavailable

from target_backoffice.refusals import Refusal, Verdict, judge
from target_backoffice.settings import Settings

_KEYED_TEXT = 255  # longest text that gets a VARCHAR: MariaDB counts a row's columns together


def _timestamp(_schema: object = None) -> sa.types.TypeEngine[Any]:
    return sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


class TypeMapping(JSONSchemaToSQL):
    """JSON schema → types that all three databases have; the SDK's own are for none of them."""

    def __init__(self, *, max_varchar_length: int | None = None) -> None:
        super().__init__(max_varchar_length=max_varchar_length)
        self.fallback_type = sa.Text
        for name in ("object", "array"):
            self.register_type_handler(name, sa.Text)
        self.register_type_handler("integer", sa.BigInteger)
        self.register_type_handler("number", lambda _schema: sa.Double())
        self.register_format_handler("date-time", _timestamp)
        for name in ("uuid", "email", "uri", "hostname", "ipv4", "ipv6"):
            self.register_format_handler(name, self.handle_raw_string)
        self.register_format_handler("x-singer.decimal", lambda _schema: sa.Numeric(38, 10))

    def handle_raw_string(self, schema: dict[str, Any]) -> sa.types.TypeEngine[Any]:
        """Text of any length, unless the schema promises a short one."""
        length = schema.get("maxLength")
        return sa.String(length) if length and length <= _KEYED_TEXT else sa.Text()

    def handle_multiple_types(self, types: object) -> sa.types.TypeEngine[Any]:  # noqa: ARG002 - the SDK's signature
        """A column of several types is kept as text."""
        return sa.Text()


class BackofficeConnector(SQLConnector):
    """One database, written in transactions with UTC sessions."""

    jsonschema_to_sql_converter = TypeMapping

    def __init__(self, settings: Settings) -> None:
        super().__init__({"load_method": "upsert"})
        self.settings = settings
        # At INFO and DEBUG these would print statements and rows.
        for name in ("sqlalchemy", "psycopg", "pymysql"):
            logging.getLogger(name).setLevel(logging.WARNING)

    @property
    def backend(self) -> str:
        """`sqlite`, `postgresql`, `mysql` or `mariadb`."""
        return self.settings.backend

    # --- the SDK's hooks ---

    def get_sqlalchemy_url(self, config: dict[str, Any]) -> str:  # noqa: ARG002 - the SDK's hook
        """The URL with its driver."""
        return self.settings.database_url.render_as_string(hide_password=False)

    def create_engine(self) -> sa.Engine:
        """The engine; each new session gets the rules of its dialect.

        Raises ConfigurationError when the driver is not installed or the file is missing.
        """
        url = self.settings.database_url
        options: dict[str, Any] = {"hide_parameters": True, "echo": False, "pool_pre_ping": True}
        timeout = self.settings.connect_timeout_seconds
        if self.backend == "sqlite":
            options["creator"] = _sqlite_creator(url, self.settings.lock_timeout_seconds)
        elif self.backend == "postgresql":
            options["connect_args"] = {"connect_timeout": timeout}
        else:
            options["connect_args"] = {"connect_timeout": timeout, "charset": "utf8mb4"}
        try:
            engine = sa.create_engine(url, **options)
        except (sa.exc.ArgumentError, ImportError, TypeError, ValueError):
            raise ConfigurationError(
                f"database_url: no driver for {url.get_backend_name()} is installed; install "
                "target-backoffice[postgres,mysql]"
            ) from None
        sa.event.listen(engine, "connect", self._prepare_session)
        if self.backend == "sqlite":
            # pysqlite would commit behind our back before DDL and hold no lock while reading.
            sa.event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def _prepare_session(self, connection: DBAPIConnection, _record: object) -> None:
        seconds = self.settings.lock_timeout_seconds
        if self.backend == "sqlite":
            connection.isolation_level = None
            return
        statements = (
            (f"SET lock_timeout = '{seconds}s'", "SET TimeZone = 'UTC'")
            if self.backend == "postgresql"
            else (
                f"SET SESSION innodb_lock_wait_timeout = {seconds}",
                f"SET SESSION lock_wait_timeout = {seconds}",
                "SET SESSION time_zone = '+00:00'",
                "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')",
            )
        )
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()  # psycopg opened a transaction; the rules must outlive it

    @contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        """As the SDK's without its server-side cursor, in which PostgreSQL runs no DDL."""
        with self._engine.connect() as connection:
            yield connection

    def create_empty_table(
        self,
        full_table_name: str | FullyQualifiedName,
        schema: dict[str, Any],
        primary_keys: Any = None,
        partition_keys: list[str] | None = None,  # noqa: ARG002 - the SDK's signature
        as_temp_table: bool = False,  # noqa: ARG002 - the SDK's signature
    ) -> None:
        """As the SDK's; in MariaDB its texts hold every character, whatever the default."""
        _, schema_name, table = self.parse_full_table_name(full_table_name)
        columns: list[sa.Column[Any]] = [
            sa.Column(name, self.to_sql_type(part), primary_key=name in (primary_keys or ()))
            for name, part in schema["properties"].items()
        ]
        charset = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4"}
        made = sa.Table(table, sa.MetaData(), *columns, schema=schema_name, **charset)  # type: ignore[arg-type]
        made.create(self._engine)

    def column_exists(self, full_table_name: str | FullyQualifiedName, column_name: str) -> bool:
        """As the SDK's; SQLite and MariaDB know no case in column names."""
        return self.find(self.get_table_columns(full_table_name), column_name) is not None

    def _adapt_column_type(
        self,
        full_table_name: str | FullyQualifiedName,
        column_name: str,
        sql_type: sa.types.TypeEngine[Any],
    ) -> None:
        """Leave the column as the backoffice has it: values are converted to its type."""

    # --- for this target's own rooms ---

    def find(self, columns: dict[str, Any], name: str) -> str | None:
        """The table's spelling of a column."""
        if name in columns or self.backend == "postgresql":
            return name if name in columns else None
        return next((c for c in columns if c.casefold() == name.casefold()), None)

    def named(self, table: str) -> FullyQualifiedName:
        """The quoted name of a feedback table."""
        return FullyQualifiedName(table=table, schema=self.settings.schema, dialect=self._dialect)

    @property
    def engine(self) -> sa.Engine:
        """The engine, made on first use."""
        return self._engine

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """One transaction: committed at the end, undone by any exception."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reported(self, what: str) -> Iterator[None]:
        """Turn a driver's error into a StopRun in words without values or credentials."""
        try:
            yield
        except sa.exc.StatementError as error:
            self.stop_run(self.judge(error), what)
        except sa.exc.SQLAlchemyError as error:
            raise VendorUnavailable(self._said(what, type(error).__name__)) from None

    def judge(self, error: sa.exc.StatementError) -> Refusal:
        """What the error means; one of SQLAlchemy's own concerns a value of the row."""
        if not isinstance(error, sa.exc.DBAPIError) or error.orig is None:
            return Refusal(Verdict.ROW, f"a value doesn't fit ({type(error.orig).__name__})")
        return judge(self.backend, error.orig)

    def stop_run(self, refusal: Refusal, what: str) -> NoReturn:
        """Raise the StopRun that fits `refusal`."""
        if refusal.verdict is Verdict.CREDENTIALS:
            raise CredentialsError(self._said(what, refusal.reason)) from None
        raise VendorUnavailable(self._said(what, refusal.reason)) from None

    def _said(self, what: str, reason: str) -> str:
        url = self.settings.database_url
        place = f" at {url.host}" if url.host else ""
        return f"the database ({self.backend}{place}) {what}: {reason}"


def _sqlite_creator(url: sa.URL, timeout_seconds: int) -> Callable[[], sqlite3.Connection]:
    path = Path(str(url.database)).absolute()
    if not path.is_file():
        raise ConfigurationError("database_url: there is no such SQLite file")
    target = f"file:{quote(str(path))}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(target, uri=True, timeout=timeout_seconds, check_same_thread=False)

    return connect
