"""PostgreSQL's catalogue: two small look-ups per stream instead of a reflection of everything."""

from __future__ import annotations

import typing as t

from tap_backoffice.types import Column, Kind

# pg_type.typname → kind; what is not named here travels as the database's own text.
KINDS: dict[str, Kind] = {
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "oid": "integer",
    "float4": "float",
    "float8": "float",
    "numeric": "decimal",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamptz",
    "time": "time",
    "timetz": "time",
    "bytea": "binary",
    "json": "json",
    "jsonb": "json",
}

_TABLE = """
SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %(table)s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND CASE WHEN %(schema)s::text IS NULL THEN pg_catalog.pg_table_is_visible(c.oid)
           ELSE n.nspname = %(schema)s END
"""
_COLUMNS = """
SELECT attname, atttypid, attnotnull FROM pg_catalog.pg_attribute
WHERE attrelid = %(table)s AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_PRIMARY_KEY = """
SELECT a.attname FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
WHERE i.indrelid = %(table)s AND i.indisprimary ORDER BY array_position(i.indkey, a.attnum)
"""
_TYPES = """
SELECT t.oid, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype,
       ARRAY(SELECT enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid
             ORDER BY enumsortorder)
FROM pg_catalog.pg_type t WHERE t.oid = ANY(%(oids)s::oid[])
"""


class _Type(t.NamedTuple):
    oid: int
    name: str
    typtype: str
    category: str
    element: int
    base: int
    labels: list[str]


def table_columns(
    connection: t.Any, schema: str | None, table: str
) -> tuple[list[Column], tuple[str, ...]]:
    """Columns in order and the primary key; both empty when there is no such table."""
    with connection.cursor() as cursor:
        found = cursor.execute(_TABLE, {"schema": schema, "table": table}).fetchone()
        if found is None:
            return [], ()
        rows = cursor.execute(_COLUMNS, {"table": found[0]}).fetchall()
        key = cursor.execute(_PRIMARY_KEY, {"table": found[0]}).fetchall()
    types = _types(connection, {oid for _, oid, _ in rows})
    columns = [_column(name, types, oid, nullable=not not_null) for name, oid, not_null in rows]
    return columns, tuple(name for (name,) in key)


def query_columns(connection: t.Any, query: str) -> list[Column]:
    """Columns of a SELECT: the server parses it and describes the result, nothing is run."""
    from psycopg.errors import error_from_result
    from psycopg.pq import ExecStatus

    # A prepared statement takes one command only, so a second one hidden in the text is refused.
    wire = connection.pgconn
    wrapped = f"SELECT * FROM (\n{query}\n) t".encode()
    for answer in (wire.prepare(b"", wrapped), wire.describe_prepared(b"")):
        if answer.status != ExecStatus.COMMAND_OK:
            raise error_from_result(answer)
    fields = [(answer.fname(i).decode(), answer.ftype(i)) for i in range(answer.nfields)]
    types = _types(connection, {oid for _, oid in fields})
    return [_column(name, types, oid, nullable=True) for name, oid in fields]


def _types(connection: t.Any, oids: set[int]) -> dict[int, _Type]:
    known: dict[int, _Type] = {}
    wanted = oids
    while wanted:
        with connection.cursor() as cursor:
            rows = cursor.execute(_TYPES, {"oids": sorted(wanted)}).fetchall()
        known.update((row[0], _Type(*row)) for row in rows)
        wanted = {oid for row in rows for oid in (row[4], row[5]) if oid} - known.keys()
    return known


def _column(name: str, types: dict[int, _Type], oid: int, *, nullable: bool) -> Column:
    described = _base(types, oid)
    if described is None:
        return Column(name, "string", nullable)
    if described.category == "A" and described.element:
        item = _base(types, described.element)
        kind = KINDS.get(item.name, "string") if item else "string"
        return Column(name, "array", nullable, item=kind, sql_type=described.name)
    if described.typtype == "c":
        return Column(name, "json", nullable, sql_type="composite")
    kind = KINDS.get(described.name, "string")
    return Column(name, kind, nullable, values=tuple(described.labels), sql_type=described.name)


def _base(types: dict[int, _Type], oid: int) -> _Type | None:
    described = types.get(oid)
    while described is not None and described.typtype == "d":  # a domain stands on another type
        described = types.get(described.base)
    return described
