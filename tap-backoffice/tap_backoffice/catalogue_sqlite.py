"""SQLite's catalogue: declared types, by the names people declare."""

from __future__ import annotations

import typing as t

from tap_backoffice.types import Column, Kind

_VIEW = "_tap_backoffice_query"

# The first word found in the declared type decides; SQLite itself only knows affinities
# (https://www.sqlite.org/datatype3.html section 3.1), people also declare what they mean.
_WORDS: tuple[tuple[str, Kind], ...] = (
    ("BOOL", "boolean"),
    ("TIMESTAMP", "timestamp"),
    ("DATETIME", "timestamp"),
    ("DATE", "date"),
    ("TIME", "time"),
    ("JSON", "json"),
    ("INT", "integer"),
    ("CHAR", "string"),
    ("CLOB", "string"),
    ("TEXT", "string"),
    ("UUID", "string"),
    ("ENUM", "string"),
    ("BLOB", "binary"),
    ("BINARY", "binary"),
    ("REAL", "float"),
    ("FLOA", "float"),
    ("DOUB", "float"),
    ("DEC", "decimal"),
    ("NUM", "decimal"),
)


def kind_of(declared: str) -> Kind:
    """Give the kind of a declared type; an undeclared one may hold anything."""
    upper = declared.upper()
    return next((kind for word, kind in _WORDS if word in upper), "any")


def table_columns(
    connection: t.Any, schema: str | None, table: str
) -> tuple[list[Column], tuple[str, ...]]:
    """Columns in order and the primary key; both empty when there is no such table."""
    schemas = [name for _, name, _ in connection.execute("PRAGMA database_list")]
    if schema is not None and schema not in schemas:
        return [], ()
    rows = connection.execute(
        'SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?, ?) WHERE hidden <> 1',
        (table, schema or "main"),
    ).fetchall()
    columns = [
        Column(name, kind_of(declared), nullable=not (notnull or pk), sql_type=declared)
        for name, declared, notnull, pk in rows
    ]
    key = sorted((pk, name) for name, _, _, pk in rows if pk)
    return columns, tuple(name for _, name in key)


def query_columns(connection: t.Any, query: str) -> list[Column]:
    """Columns of a SELECT: a view in the session's own temp schema names them, nothing is run."""
    connection.execute(f"CREATE TEMP VIEW {_VIEW} AS SELECT * FROM (\n{query}\n)")
    try:
        rows = connection.execute(
            f"SELECT name, type FROM pragma_table_xinfo('{_VIEW}', 'temp')"
        ).fetchall()
    finally:
        connection.execute(f"DROP VIEW temp.{_VIEW}")
    return [
        Column(name, kind_of(declared or ""), sql_type=declared or "") for name, declared in rows
    ]
