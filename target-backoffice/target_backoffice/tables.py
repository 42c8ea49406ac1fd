"""A feedback table and the worklist, as statements that run on all three databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from target_kit.errors import ConfigurationError

from target_backoffice.connector import BackofficeConnector
from target_backoffice.model import (
    FIRST_SEEN,
    LAST_SEEN,
    ROW_HASH,
    ROW_KEY,
    Column,
    Kind,
    Row,
    Statement,
)

_DIGEST = {"type": "string", "maxLength": 64}
_MOMENT = {"type": ["string", "null"], "format": "date-time"}
CONTROL_SCHEMA: dict[str, Any] = {
    ROW_KEY: _DIGEST,
    ROW_HASH: _DIGEST,
    FIRST_SEEN: _MOMENT,
    LAST_SEEN: _MOMENT,
}
WORKLIST_SCHEMA: dict[str, Any] = {
    "stream": {"type": "string", "maxLength": 100},
    ROW_KEY: _DIGEST,
    "natural_key": {"type": "string"},
    "reason": {"type": "string", "maxLength": 100},
    FIRST_SEEN: _MOMENT,
    "resolved_at": _MOMENT,
}
_KINDS: tuple[tuple[type[Any], Kind], ...] = (
    (sa.Boolean, Kind.BOOLEAN),
    (sa.Integer, Kind.INTEGER),
    (sa.Float, Kind.FLOAT),
    (sa.Numeric, Kind.DECIMAL),
    (sa.DateTime, Kind.TIMESTAMP),
    (sa.Date, Kind.DATE),
    (sa.Time, Kind.TIME),
    (sa.Uuid, Kind.UUID),
    (sa.JSON, Kind.JSON),
    (sa.Enum, Kind.OTHER),
    (sa.String, Kind.TEXT),
)


def kind_of(sql_type: Any) -> Kind:
    """The kind of a reflected column."""
    if isinstance(sql_type, sa.DateTime) and sql_type.timezone:
        return Kind.TIMESTAMP_WITH_ZONE
    return next((kind for base, kind in _KINDS if isinstance(sql_type, base)), Kind.OTHER)


def upsert(backend: str, table: sa.Table, unique: Sequence[str], kept: Sequence[str]) -> Any:
    """INSERT that updates the row with the same `unique` columns, all but the `kept` ones."""
    names = [c.key for c in table.columns if c.key not in (*unique, *kept)]
    if backend in ("mysql", "mariadb"):
        insert = mysql.insert(table)
        return insert.on_duplicate_key_update({name: insert.inserted[name] for name in names})
    made = (sqlite if backend == "sqlite" else postgresql).insert(table)
    return made.on_conflict_do_update(
        index_elements=list(unique), set_={name: made.excluded[name] for name in names}
    )


def prepare(
    connector: BackofficeConnector, table: str, properties: Mapping[str, Any], key: Sequence[str]
) -> sa.Table:
    """Make the table or add what it lacks (the SDK's work); give it with those columns.

    Raises ConfigurationError when a table of that name is of another shape.
    """
    named = connector.named(table)
    schema = {"type": "object", "properties": dict(properties)}
    connector.prepare_table(named, schema, list(key))
    inspector = sa.inspect(connector.engine)
    found = {column["name"]: column for column in inspector.get_columns(named.table, named.schema)}
    primary = inspector.get_pk_constraint(named.table, named.schema)["constrained_columns"]
    unique: list[Sequence[str | None]] = [primary]
    unique += [c["column_names"] for c in inspector.get_unique_constraints(table, named.schema)]
    unique += [i["column_names"] for i in inspector.get_indexes(table, named.schema) if i["unique"]]
    if not any(sorted(str(c) for c in names) == sorted(key) for names in unique):
        raise ConfigurationError(
            f"table {table}: is there but has no unique key ({', '.join(key)}); "
            "let this target make it, or see its README for the columns"
        )
    columns: list[sa.Column[Any]] = []
    for name in properties:
        own = connector.find(found, name) or name  # SQLite and MariaDB may spell it differently
        columns.append(sa.Column(own, found[own]["type"], key=name))
    return sa.Table(named.table, sa.MetaData(), *columns, schema=named.schema)


@dataclass(frozen=True)
class FeedbackTable:
    """One stream's table; `columns` are the stream's own."""

    connector: BackofficeConnector
    table: sa.Table
    columns: tuple[Column, ...]

    @classmethod
    def of(
        cls, connector: BackofficeConnector, table: str, properties: Mapping[str, Any]
    ) -> FeedbackTable:
        """Prepare the table for a stream with these `properties`."""
        made = prepare(connector, table, {**CONTROL_SCHEMA, **properties}, [ROW_KEY])
        types = {name: made.c[name].type for name in properties}
        columns = tuple(
            Column(name, kind_of(one), getattr(one, "length", None)) for name, one in types.items()
        )
        return cls(connector, made, columns)

    def hashes(self, connection: sa.Connection, keys: Sequence[str]) -> dict[str, str]:
        """Content hash by row key, of those that are there."""
        key, content = self.table.c[ROW_KEY], self.table.c[ROW_HASH]
        found: dict[str, str] = {}
        for start in range(0, len(keys), 500):  # SQLite binds at most 32,766 values
            chosen = sa.select(key, content).where(key.in_(keys[start : start + 500]))
            found |= {row[0]: row[1] for row in connection.execute(chosen)}
        return found

    def upsert(self, connection: sa.Connection, rows: Sequence[Row], now: datetime) -> None:
        """Insert or update; `first_seen_at` stays."""
        if rows:
            statement = upsert(self.connector.backend, self.table, [ROW_KEY], [FIRST_SEEN])
            connection.execute(statement, [self.bound(row, now) for row in rows])

    def bound(self, row: Row, now: datetime) -> dict[str, Any]:
        """The row's values by column, ours included."""
        control = {ROW_KEY: row.key, ROW_HASH: row.hash, FIRST_SEEN: now, LAST_SEEN: now}
        return {**control, **row.values}

    def bind(self, statement: Statement) -> sa.TextClause:
        """The statement with the types of its parameters: PostgreSQL guesses none."""
        names = sorted(statement.parameters)
        parameters = (sa.bindparam(name, type_=self.table.c[name].type) for name in names)
        return sa.text(statement.text).bindparams(*parameters)


@dataclass(frozen=True)
class Worklist:
    """Rows that no statement found an entity for, for a person to look at (S1-45)."""

    connector: BackofficeConnector
    table: sa.Table

    @classmethod
    def of(cls, connector: BackofficeConnector, table: str) -> Worklist:
        """Prepare the table."""
        return cls(connector, prepare(connector, table, WORKLIST_SCHEMA, ["stream", ROW_KEY]))

    def put(self, connection: sa.Connection, stream: str, row: Row, now: datetime) -> None:
        """Add the row, or open its entry again."""
        values = {
            "stream": stream,
            ROW_KEY: row.key,
            "natural_key": row.natural_key,
            "reason": "no apply_sql statement found its entity",
            FIRST_SEEN: now,
            "resolved_at": None,
        }
        statement = upsert(self.connector.backend, self.table, ["stream", ROW_KEY], [FIRST_SEEN])
        connection.execute(statement, values)

    def resolve(
        self, connection: sa.Connection, stream: str, keys: Sequence[str], now: datetime
    ) -> None:
        """Close the entries of rows that found their entity after all."""
        table = self.table
        for start in range(0, len(keys), 500):
            connection.execute(
                sa.update(table)
                .where(table.c["stream"] == stream, table.c["resolved_at"].is_(None))
                .where(table.c[ROW_KEY].in_(keys[start : start + 500]))
                .values(resolved_at=now)
            )
