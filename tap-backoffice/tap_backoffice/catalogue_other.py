"""Any other SQLAlchemy dialect: its own reflection, and a SELECT that returns no row."""

from __future__ import annotations

import typing as t

import sqlalchemy as sa

from tap_backoffice.connector import BackofficeConnector
from tap_backoffice.types import Column, Kind

# Order matters: in SQLAlchemy Float is a Numeric, Enum a String, DateTime no Date.
_KINDS: tuple[tuple[type[sa.types.TypeEngine[t.Any]], Kind], ...] = (
    (sa.types.Boolean, "boolean"),
    (sa.types.Integer, "integer"),
    (sa.types.Float, "float"),
    (sa.types.Numeric, "decimal"),
    (sa.types.Date, "date"),
    (sa.types.Time, "time"),
    (sa.types.JSON, "json"),
    (sa.types.LargeBinary, "binary"),
    (sa.types.ARRAY, "array"),
)


def kind_of(sql_type: sa.types.TypeEngine[t.Any]) -> Kind:
    """Give the kind of a SQLAlchemy type."""
    if isinstance(sql_type, sa.types.DateTime):
        return "timestamptz" if sql_type.timezone else "timestamp"
    if isinstance(sql_type, sa.types.NullType):
        return "any"
    return next((kind for of, kind in _KINDS if isinstance(sql_type, of)), "string")


class Reflection:
    """Describes tables and queries through SQLAlchemy."""

    def __init__(self, connector: BackofficeConnector) -> None:
        """Take the connector whose engine is inspected."""
        self._engine = connector._engine  # the SDK's only engine

    def table_columns(
        self,
        connection: t.Any,  # noqa: ARG002  # reflection opens its own
        schema: str | None,
        table: str,
    ) -> tuple[list[Column], tuple[str, ...]]:
        """Columns in order and the primary key; both empty when there is no such table."""
        inspector = sa.inspect(self._engine)
        try:
            reflected = inspector.get_columns(table, schema)
        except sa.exc.NoSuchTableError:
            return [], ()
        key = inspector.get_pk_constraint(table, schema).get("constrained_columns") or []
        columns = [
            Column(c["name"], kind_of(c["type"]), bool(c.get("nullable", True))) for c in reflected
        ]
        return columns, tuple(key)

    def query_columns(self, connection: t.Any, query: str) -> list[Column]:
        """Columns of a SELECT; PEP 249 tells dates and numbers apart, no more."""
        cursor = connection.cursor()
        cursor.execute(f"SELECT * FROM (\n{query}\n) t WHERE 1 = 0")
        found = [(str(entry[0]), entry[1]) for entry in cursor.description]
        cursor.close()
        dbapi: t.Any = self._engine.dialect.loaded_dbapi
        return [Column(name, _described(code, dbapi)) for name, code in found]


def _described(code: object, dbapi: t.Any) -> Kind:
    # PEP 249 "Type Objects": the only type names all drivers share.
    if code == getattr(dbapi, "DATETIME", None):
        return "timestamp"
    return "decimal" if code == getattr(dbapi, "NUMBER", None) else "any"
