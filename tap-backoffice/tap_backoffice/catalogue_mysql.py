"""MariaDB's and MySQL's catalogue: information_schema for tables, result metadata for queries."""

from __future__ import annotations

import re
import typing as t

from tap_backoffice.types import Column, Kind

KINDS: dict[str, Kind] = {
    "tinyint": "integer",
    "smallint": "integer",
    "mediumint": "integer",
    "int": "integer",
    "bigint": "integer",
    "year": "integer",
    "bit": "bits",
    "float": "float",
    "double": "float",
    "decimal": "decimal",
    "date": "date",
    "datetime": "timestamp",
    "timestamp": "timestamptz",  # stored in UTC, and the session speaks UTC
    "time": "time",
    "json": "json",
    "binary": "binary",
    "varbinary": "binary",
    "tinyblob": "binary",
    "blob": "binary",
    "mediumblob": "binary",
    "longblob": "binary",
    "geometry": "binary",
    "point": "binary",
    "linestring": "binary",
    "polygon": "binary",
    "multipoint": "binary",
    "multilinestring": "binary",
    "multipolygon": "binary",
    "geometrycollection": "binary",
}

_COLUMNS = """
SELECT column_name, data_type, column_type, is_nullable FROM information_schema.columns
WHERE table_name = %(table)s AND table_schema = COALESCE(%(schema)s, DATABASE())
ORDER BY ordinal_position
"""
_PRIMARY_KEY = """
SELECT column_name FROM information_schema.key_column_usage
WHERE table_name = %(table)s AND table_schema = COALESCE(%(schema)s, DATABASE())
  AND constraint_name = 'PRIMARY' ORDER BY ordinal_position
"""
# MariaDB's JSON is LONGTEXT with a check (https://mariadb.com/kb/en/json/).
_JSON_CHECKS = """
SELECT check_clause FROM information_schema.check_constraints
WHERE table_name = %(table)s AND constraint_schema = COALESCE(%(schema)s, DATABASE())
"""
_LABEL = re.compile(r"'((?:[^']|'')*)'")
_BINARY_CHARSET = 63


def table_columns(
    connection: t.Any, schema: str | None, table: str
) -> tuple[list[Column], tuple[str, ...]]:
    """Columns in order and the primary key; both empty when there is no such table."""
    where = {"schema": schema, "table": table}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, where)
        rows = [tuple(_text(value) for value in row) for row in cursor.fetchall()]
        cursor.execute(_PRIMARY_KEY, where)
        key = tuple(_text(name) for (name,) in cursor.fetchall())
        json_columns: set[str] = set()
        if rows and "MariaDB" in connection.get_server_info():
            cursor.execute(_JSON_CHECKS, where)
            clauses = [_text(clause) for (clause,) in cursor.fetchall()]
            json_columns = {
                name
                for name, *_ in rows
                if any(clause.lower() == f"json_valid(`{name.lower()}`)" for clause in clauses)
            }
    return [_table_column(row, json_columns) for row in rows], key


def _text(value: object) -> str:
    # MySQL 8 gives information_schema texts as bytes in some collations.
    return value.decode() if isinstance(value, bytes) else str(value)


def _table_column(row: tuple[str, ...], json_columns: set[str]) -> Column:
    name, data_type, column_type, is_nullable = row
    nullable = is_nullable == "YES"
    if data_type == "tinyint" and column_type.startswith("tinyint(1)"):
        return Column(name, "boolean", nullable, sql_type=column_type)
    if column_type == "bit(1)":
        return Column(name, "boolean", nullable, sql_type=column_type)
    if name in json_columns:
        return Column(name, "json", nullable, sql_type=data_type)
    labels: tuple[str, ...] = ()
    if data_type == "enum":
        # '' is what the server stores for a value outside the list.
        labels = (*(x.replace("''", "'") for x in _LABEL.findall(column_type)), "")
    kind = KINDS.get(data_type, "string")
    return Column(name, kind, nullable, values=labels, sql_type=data_type)


def query_columns(connection: t.Any, query: str) -> list[Column]:
    """Columns of a SELECT: LIMIT 0 lets the server describe the result without reading a row."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM (\n{query}\n) t LIMIT 0")
        fields = cursor._result.fields  # lengths and charsets are only there
    return [_query_column(field) for field in fields]


def _query_column(field: t.Any) -> Column:
    from pymysql.constants import FIELD_TYPE, FLAG

    code, binary = field.type_code, field.charsetnr == _BINARY_CHARSET
    nullable = not field.flags & FLAG.NOT_NULL
    if field.length == 1 and code in (FIELD_TYPE.TINY, FIELD_TYPE.BIT):
        return Column(field.name, "boolean", nullable)
    kinds: dict[int, Kind] = {
        FIELD_TYPE.TINY: "integer",
        FIELD_TYPE.SHORT: "integer",
        FIELD_TYPE.INT24: "integer",
        FIELD_TYPE.LONG: "integer",
        FIELD_TYPE.LONGLONG: "integer",
        FIELD_TYPE.YEAR: "integer",
        FIELD_TYPE.BIT: "bits",
        FIELD_TYPE.FLOAT: "float",
        FIELD_TYPE.DOUBLE: "float",
        FIELD_TYPE.DECIMAL: "decimal",
        FIELD_TYPE.NEWDECIMAL: "decimal",
        FIELD_TYPE.DATE: "date",
        FIELD_TYPE.NEWDATE: "date",
        FIELD_TYPE.DATETIME: "timestamp",
        FIELD_TYPE.TIMESTAMP: "timestamptz",
        FIELD_TYPE.TIME: "time",
        FIELD_TYPE.JSON: "json",
        FIELD_TYPE.GEOMETRY: "binary",
    }
    kind = kinds.get(code, "binary" if binary and code != FIELD_TYPE.NULL else "string")
    return Column(field.name, kind, nullable)
