"""Asks the database's own catalogue: which tables there are, and what their columns are."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import sqlalchemy as sa

from tap_backoffice import catalogue_mysql, catalogue_other, catalogue_postgres, catalogue_sqlite
from tap_backoffice.connector import BackofficeConnector
from tap_backoffice.types import Column

SYSTEM_SCHEMAS = frozenset(
    {
        "information_schema",
        "pg_catalog",
        "pg_toast",
        "performance_schema",
        "mysql",
        "sys",
        "INFORMATION_SCHEMA",
    }
)


class Describer(t.Protocol):
    """What each dialect's module offers."""

    def table_columns(
        self, connection: t.Any, schema: str | None, table: str
    ) -> tuple[list[Column], tuple[str, ...]]:
        """Columns in order and the primary key; both empty when there is no such table."""

    def query_columns(self, connection: t.Any, query: str) -> list[Column]:
        """Columns of a SELECT, found without running it."""


@dataclass(frozen=True, slots=True)
class TableName:
    """A table or view; `schema` is None in the connection's default schema."""

    schema: str | None
    name: str
    is_view: bool

    @property
    def stream_name(self) -> str:
        """`contacts` in the default schema, `schema-contacts` elsewhere."""
        return f"{self.schema}-{self.name}" if self.schema else self.name


def describer(connector: BackofficeConnector) -> Describer:
    """Choose the dialect's module."""
    if connector.backend == "postgresql":
        return catalogue_postgres
    if connector.backend in ("mysql", "mariadb"):
        return catalogue_mysql
    if connector.backend == "sqlite":
        return catalogue_sqlite
    return catalogue_other.Reflection(connector)


def list_tables(connector: BackofficeConnector) -> list[TableName]:
    """List every table and view outside the system schemas.

    Raises:
        SourceError: the database cannot be reached.
    """
    with connector.reported("cannot be reached"):
        inspector = sa.inspect(connector._engine)  # the SDK's only engine
        default = inspector.default_schema_name
        if connector.backend == "sqlite":
            schemas: list[str] = [default or "main"]
        elif connector.backend in ("mysql", "mariadb") and connector.settings.database_url.database:
            schemas = [str(default)]
        else:
            schemas = [s for s in inspector.get_schema_names() if not _is_system(s)]
        return [
            TableName(None if schema == default else schema, name, is_view)
            for schema in schemas
            for name, is_view in _objects(inspector, schema)
        ]


def _is_system(schema: str) -> bool:
    return schema in SYSTEM_SCHEMAS or schema.startswith(("pg_temp_", "pg_toast"))


def _objects(inspector: sa.Inspector, schema: str) -> list[tuple[str, bool]]:
    tables = [(name, False) for name in sorted(inspector.get_table_names(schema=schema))]
    views: set[str] = set()
    for kind in ("get_view_names", "get_materialized_view_names"):
        try:
            views.update(getattr(inspector, kind)(schema=schema))
        except NotImplementedError:
            continue  # the dialect has no such thing
    return [*tables, *((name, True) for name in sorted(views))]
