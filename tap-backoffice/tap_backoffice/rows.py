"""Reads rows in chunks from a plain DBAPI cursor: SQLite, MariaDB/MySQL, any other dialect.

SQLAlchemy's own result would hold back and lose the first row of a borrowed cursor, and makes
an object per row; so the statement runs on a cursor opened here.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass

from tap_backoffice import queries, shards
from tap_backoffice.conform import ColumnConformer, Values
from tap_backoffice.connector import BackofficeConnector
from tap_backoffice.messages import encode_lines
from tap_backoffice.settings import DELETED_AT, ENTITY_TYPE
from tap_backoffice.types import Column

# A text flag says "not deleted" with one of these; any other text says "deleted".
NOT_DELETED = ("", "0", "n", "no", "nein", "f", "false")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a reader needs to know about a stream.

    `output` are the names of the selected columns, in order; the replication key and the deleted
    column are read even when they are not selected. `run_started` stands in for the time of
    deletion where the source has only a flag.
    """

    source: queries.Source
    output: tuple[str, ...]
    run_started: dt.datetime
    deleted: Column | None = None
    emit_deleted_at: bool = False
    entity_type: str | None = None
    limit: int | None = None

    @property
    def constants(self) -> dict[str, str]:
        """Columns with one value for all rows."""
        return {} if self.entity_type is None else {ENTITY_TYPE: self.entity_type}


class Chunk(t.Protocol):
    """Some rows, in order."""

    count: int

    def keys(self) -> list[t.Any]:
        """Replication keys as records carry them (decimals as Decimal); empty without one."""

    def records(self) -> list[dict[str, t.Any]]:
        """The rows as dicts, for the SDK's own path."""

    def lines(self, before: bytes, after: bytes) -> bytes:
        """The rows as JSON lines, each between `before` and `after` + line feed."""


class Reader(t.Protocol):
    """Reads a stream; `lost` counts values per column that JSON could not hold."""

    nullable_order: bool

    @property
    def lost(self) -> dict[str, int]:
        """Count the values that became null, per column."""

    def chunks(self, part: queries.Part) -> Iterator[Chunk]:
        """Run one part of the stream's reads and give its rows."""


@dataclass(slots=True)
class RecordChunk:
    """Rows as dicts."""

    rows: list[dict[str, t.Any]]
    replication_keys: list[t.Any]
    count: int

    def keys(self) -> list[t.Any]:
        """Give the replication keys; empty without one."""
        return self.replication_keys

    def records(self) -> list[dict[str, t.Any]]:
        """Give the rows."""
        return self.rows

    def lines(self, before: bytes, after: bytes) -> bytes:
        """Encode all rows at once; JSON has no raw line feed, so each one ends a row."""
        return encode_lines(self.rows, before, after)


class CursorReader:
    """Reads through `connection.cursor()`, unbuffered where the driver has such a cursor."""

    def __init__(self, connector: BackofficeConnector, connection: t.Any, plan: Plan) -> None:
        """Prepare the statement's expressions and the columns' conversions."""
        settings = connector.settings
        self._connector, self._connection, self._plan = connector, connection, plan
        self._dialect = connector._engine.dialect  # the SDK's only engine
        self._quoting = queries.Quoting(self._dialect)
        self._size = settings.fetch_size_rows
        self._conformers = [
            ColumnConformer(
                column, settings.source_timezone, singer_decimal=settings.use_singer_decimal
            )
            for column in plan.source.columns
        ]
        self._names = [column.name for column in plan.source.columns]
        key = plan.source.replication_key
        self.nullable_order = key is not None and (key.nullable or self._is_sqlite)

    @property
    def _is_sqlite(self) -> bool:
        return self._connector.backend == "sqlite"

    @property
    def lost(self) -> dict[str, int]:
        """Count the values that became null, per column."""
        return {c.column.name: c.lost for c in self._conformers if c.lost}

    def chunks(self, part: queries.Part) -> Iterator[Chunk]:
        """Run one part of the stream's reads and give its rows."""
        limited = self._is_sqlite or self._connector.backend in ("mysql", "mariadb")
        text = queries.select_text(
            self._plan.source,
            part,
            self._quoting,
            values=[self._quoting.column(name) for name in self._names],
            order=self._order(),
            limit=self._plan.limit if limited else None,
            within=shards.within(self._plan.source, self._quoting, self._connector.backend),
        )
        statement, parameters = queries.bound(text, self._bindable(part), self._dialect)
        with contextlib.closing(self._cursor()) as cursor:
            cursor.execute(statement, parameters)
            while rows := cursor.fetchmany(self._size):
                yield self._chunk(rows)

    def _cursor(self) -> t.Any:  # any DBAPI driver's cursor
        if self._dialect.driver == "pymysql":
            from pymysql.cursors import SSCursor

            return self._connection.cursor(SSCursor)
        return self._connection.cursor()

    def _order(self) -> str | None:
        key = self._plan.source.replication_key
        if key is None:
            return None
        column = self._quoting.column(key)
        if self._is_sqlite and key.kind == "timestamp":
            # SQLite keeps timestamps as text in any format; this one sorts and has one zone.
            return f"strftime('%Y-%m-%dT%H:%M:%f', {column})"
        return f"date({column})" if self._is_sqlite and key.kind == "date" else column

    def _bindable(self, part: queries.Part) -> t.Any:  # typed for the driver
        value: t.Any = part.lower_bound
        if isinstance(value, dt.datetime) and self._is_sqlite:
            return value.isoformat(timespec="milliseconds")
        if isinstance(value, dt.date) and self._is_sqlite:
            return value.isoformat()
        if isinstance(value, dt.datetime) and self._dialect.driver == "pymysql":
            return value.replace(tzinfo=None)  # the session speaks UTC
        if self._is_sqlite and value is not None and not isinstance(value, (str, int)):
            return float(value)  # SQLite has no decimals, it compares numbers
        return value

    def _chunk(self, rows: list[tuple[t.Any, ...]]) -> RecordChunk:
        raw = dict(zip(self._names, zip(*rows, strict=True), strict=True))
        columns = {
            name: conform(raw[name])
            for name, conform in zip(self._names, self._conformers, strict=True)
        }
        key = self._plan.source.replication_key
        keys = [] if key is None else list(columns[key.name])
        output = {name: columns[name] for name in self._plan.output}
        for name, value in self._plan.constants.items():
            output[name] = [value] * len(rows)
        if self._plan.emit_deleted_at and self._plan.deleted is not None:
            output[DELETED_AT] = self._deleted_at(columns, keys)
        names = tuple(output)
        records = [dict(zip(names, row, strict=True)) for row in zip(*output.values(), strict=True)]
        return RecordChunk(records, keys, len(rows))

    def _deleted_at(self, columns: dict[str, Values], keys: list[t.Any]) -> list[str | None]:
        deleted, key = self._plan.deleted, self._plan.source.replication_key
        assert deleted is not None  # noqa: S101  # the caller asked only for streams that have it
        values = columns[deleted.name]
        if deleted.kind in ("timestamp", "timestamptz"):
            return list(values)
        if deleted.kind == "date":
            return [None if v is None else f"{v}T00:00:00+00:00" for v in values]
        has_time = key is not None and key.kind in ("timestamp", "timestamptz")
        started = self._plan.run_started.isoformat()
        moments = keys if has_time else [started] * len(values)
        return [
            (moment or started) if _is_set(value) else None
            for value, moment in zip(values, moments, strict=True)
        ]


def _is_set(flag: t.Any) -> bool:  # a flag of any type
    if isinstance(flag, str):
        return flag.strip().lower() not in NOT_DELETED
    return bool(flag)
