"""Reads rows from PostgreSQL with COPY: the server writes each value as JSON, nothing is parsed.

Each column arrives as a JSON text; a template puts them into one line. Both the fast path (the
lines as they are) and the plain path (the lines, decoded) start here, so their values cannot
differ. https://www.postgresql.org/docs/current/sql-copy.html: in COPY's text format a backslash
is doubled and a line feed or tab escaped; JSON text has no raw line feed or tab, so undoubling
backslashes restores it exactly.
"""

from __future__ import annotations

import select
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from tap_backoffice import queries, shards
from tap_backoffice.connector import BackofficeConnector
from tap_backoffice.messages import encoder
from tap_backoffice.rows import NOT_DELETED, Chunk, Plan
from tap_backoffice.settings import DELETED_AT
from tap_backoffice.types import Column

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_decode_record = msgspec.json.Decoder(dict[str, t.Any], float_hook=Decimal).decode


def literal(text: str) -> str:
    """Quote a constant; the strings are checked zone names and settings, never row values."""
    return "'" + text.replace("'", "''") + "'"


class JsonExpressions:
    """Spells each column as an expression whose text is JSON, or null."""

    def __init__(self, quoting: queries.Quoting, zone: str, *, singer_decimal: bool) -> None:
        """Take the quoting, the zone of naive timestamps, and how decimals travel."""
        self._quoting, self._zone, self._singer_decimal = quoting, zone, singer_decimal

    def value(self, column: Column) -> str:
        """Give the expression of one column."""
        c = self._quoting.column(column)
        match column.kind:
            case "integer":
                return c
            case "boolean":
                return f"{c}::text"
            case "float":
                return f"CASE WHEN {c} NOT IN ('NaN', 'Infinity', '-Infinity') THEN {c} END"
            case "decimal":
                finite = f"CASE WHEN {c}::text NOT IN ('NaN', 'Infinity', '-Infinity') THEN "
                return finite + (f"to_json({c}::text) END" if self._singer_decimal else f"{c} END")
            case "date":
                return f"CASE WHEN {c} BETWEEN '0001-01-01' AND '9999-12-31' THEN to_json({c}) END"
            case "timestamp" | "timestamptz":
                return f"to_json({self.moment(column)})"
            case "binary":
                return f"to_json(translate(encode({c}, 'base64'), E'\\n', ''))"
            case "json" if column.sql_type == "jsonb":
                return c
            case "json" if column.sql_type == "json":
                # Only between its tokens can valid JSON have a raw tab or line feed.
                return f"translate({c}::text, E'\\t\\n\\r', '   ')"
            case "json" | "array":
                return f"to_json({c})"
            case "string" if column.sql_type == "inet":
                return f"to_json({c})"  # its cast to text would add a netmask nobody wrote
            case _:
                return f"to_json({c}::text)"

    def moment(self, column: Column) -> str:
        """Give a timestamp column as timestamptz, null outside the years 1 to 9999."""
        c = self._quoting.column(column)
        inside = f"CASE WHEN {c} >= '0001-01-02' AND {c} < '9999-12-31' THEN {c}"
        if column.kind == "timestamptz":
            return f"{inside} END"
        return f"{inside} AT TIME ZONE {literal(self._zone)} END"

    def deleted_at(self, plan: Plan) -> str:
        """Give the expression of `_sdc_deleted_at`."""
        column, key = plan.deleted, plan.source.replication_key
        assert column is not None  # noqa: S101  # asked only for streams that have it
        c = self._quoting.column(column)
        if column.kind in ("timestamp", "timestamptz"):
            return self.value(column)
        if column.kind == "date":
            return f"to_json({self.value(column)}#>>'{{}}' || 'T00:00:00+00:00')"
        started = literal(plan.run_started.isoformat())
        moment = f"to_json({started}::text)"
        if key is not None and key.kind in ("timestamp", "timestamptz"):
            moment = f"COALESCE({self.value(key)}, {moment})"
        if column.kind == "boolean":
            is_set = c
        elif column.kind in ("integer", "float", "decimal"):
            is_set = f"{c} <> 0"
        else:
            is_set = f"lower(trim({c}::text)) NOT IN ({', '.join(map(literal, NOT_DELETED))})"
        return f"CASE WHEN {is_set} THEN {moment} END"


@dataclass(slots=True)
class CopyChunk:
    """Rows as COPY sent them, their columns still apart."""

    rows: list[bytes]
    template: bytes
    key_index: int | None
    key_is_decimal: bool
    count: int

    def keys(self) -> list[t.Any]:
        """Give the replication keys; empty without one."""
        if self.key_index is None:
            return []
        index = self.key_index
        texts = [row.split(b"\t", index + 1)[index] for row in self.rows]
        values = _decode(b"[" + b",".join(texts).replace(b"\\\\", b"\\") + b"]")
        if not self.key_is_decimal:
            return t.cast("list[t.Any]", values)
        return [None if value is None else Decimal(str(value)) for value in values]

    def records(self) -> list[dict[str, t.Any]]:
        """Decode the rows, numbers exactly."""
        return [_decode_record(line) for line in self.lines(b"", b"").splitlines()]

    def lines(self, before: bytes, after: bytes) -> bytes:
        """Put the columns' JSON into the template, row by row."""
        whole = _escaped(before) + self.template + _escaped(after)
        lines = [whole % tuple(row.split(b"\t")) for row in self.rows]
        lines.append(b"")
        joined = b"\n".join(lines)
        return joined.replace(b"\\\\", b"\\") if b"\\" in joined else joined


def _escaped(constant: bytes) -> bytes:
    # Constants pass the same template and the same undoubling as the row's own values.
    return constant.replace(b"%", b"%%").replace(b"\\", b"\\\\")


class CopyReader:
    """Reads through COPY … TO STDOUT in the connection's one read-only snapshot."""

    def __init__(self, connector: BackofficeConnector, connection: t.Any, plan: Plan) -> None:
        """Prepare the SELECT list and the line's template."""
        settings = connector.settings
        self._connection, self._plan, self._size = connection, plan, settings.fetch_size_rows
        self._dialect = connector._engine.dialect  # the SDK's only engine
        self._quoting = queries.Quoting(self._dialect)
        spell = JsonExpressions(
            self._quoting,
            str(settings.source_timezone),
            singer_decimal=settings.use_singer_decimal,
        )
        by_name = {column.name: column for column in plan.source.columns}
        output = {name: spell.value(by_name[name]) for name in plan.output}
        if plan.emit_deleted_at:
            output[DELETED_AT] = spell.deleted_at(plan)
        self._values = list(output.values())
        self._template = _template(list(output), plan.constants)
        key = plan.source.replication_key
        # A replication key cannot be deselected, so it is among the output.
        self._key_index = None if key is None else list(output).index(key.name)
        self._key = key
        self.nullable_order = key is not None and key.nullable

    @property
    def lost(self) -> dict[str, int]:
        """Give nothing: the server has made those values null already."""
        return {}

    def chunks(self, part: queries.Part) -> Iterator[Chunk]:
        """Run one part of the stream's reads and give its rows."""
        text = queries.select_text(
            self._plan.source,
            part,
            self._quoting,
            values=self._values,
            order=None if self._key is None else self._quoting.column(self._key),
            limit=self._plan.limit,
            within=shards.within(self._plan.source, self._quoting, "postgresql"),
        )
        statement, parameters = queries.bound(text, part.lower_bound, self._dialect)
        rows: list[bytes] = []
        for row in self._copy(f"COPY ({statement}) TO STDOUT (NULL 'null')", parameters):
            rows.append(row)
            if len(rows) >= self._size:
                yield self._chunk(rows)
                rows = []
        if rows:
            yield self._chunk(rows)

    def _chunk(self, rows: list[bytes]) -> CopyChunk:
        is_decimal = self._key is not None and self._key.kind == "decimal"
        return CopyChunk(rows, self._template, self._key_index, is_decimal, len(rows))

    def _copy(self, statement: str, parameters: t.Any) -> Iterator[bytes]:
        from psycopg import ClientCursor
        from psycopg.errors import error_from_result
        from psycopg.pq import ExecStatus

        # COPY takes no parameters: the driver quotes the values into the text.
        command = ClientCursor(self._connection).mogrify(statement, parameters)
        self._connection.execute("SELECT 1")  # opens the transaction both parts read in
        wire = self._connection.pgconn
        wire.send_query(command.encode())
        while wire.flush():
            select.select([], [wire.socket], [])
        started = self._next_result(wire)
        if started is None or started.status != ExecStatus.COPY_OUT:
            raise error_from_result(started)
        get = wire.get_copy_data
        while True:
            length, data = get(1)
            if length > 0:
                yield bytes(data)[:-1]
            elif length == 0:
                _wait(wire)
            else:
                break
        while (result := self._next_result(wire)) is not None:
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result)

    @staticmethod
    def _next_result(wire: t.Any) -> t.Any:  # psycopg's PGconn and PGresult
        wire.consume_input()
        while wire.is_busy():
            _wait(wire)
        return wire.get_result()


def _wait(wire: t.Any) -> None:  # psycopg's PGconn
    # A signal interrupts this wait; libpq's own blocking read would sleep through it.
    select.select([wire.socket], [], [])
    wire.consume_input()


def _template(names: list[str], constants: dict[str, str]) -> bytes:
    parts = [_escaped(encoder.encode(name)) + b":%b" for name in names]
    parts += [
        _escaped(encoder.encode(name)) + b":" + _escaped(encoder.encode(value))
        for name, value in constants.items()
    ]
    return b"{" + b",".join(parts) + b"}"
