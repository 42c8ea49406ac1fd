"""One stream: SCHEMA, then chunks of rows → RECORD lines, a STATE after each chunk.

Two paths give the same records. The fast path writes a chunk's lines as bytes; it is taken
when nothing has to look at a single record. Else the SDK's own loop takes the same rows as
dicts, one at a time, through post_process and stream maps.
"""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Generator, Iterator
from decimal import Decimal

from singer_sdk.exceptions import MaxRecordsLimitException
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE, REPLICATION_INCREMENTAL
from singer_sdk.sql import SQLConnector, SQLStream

from tap_backoffice import shards
from tap_backoffice.bookmarks import Bookmark
from tap_backoffice.connector import BackofficeConnector
from tap_backoffice.messages import CountingWriter, record_envelope
from tap_backoffice.queries import Part, Source, parts
from tap_backoffice.rows import Chunk, CursorReader, Plan, Reader
from tap_backoffice.rows_postgres import CopyReader
from tap_backoffice.selection import Definition
from tap_backoffice.settings import DELETED_AT, ENTITY_TYPE

if t.TYPE_CHECKING:
    from singer_sdk.helpers.types import Context, Record
    from singer_sdk.singerlib import Catalog

    from tap_backoffice.tap import TapBackoffice


class BackofficeStream(SQLStream):
    """A table, view or query of the backoffice."""

    connector_class: type[SQLConnector] = BackofficeConnector

    def __init__(
        self,
        tap: TapBackoffice,
        definition: Definition,
        connector: BackofficeConnector,
    ) -> None:
        """Take what the catalogue and the settings say about the stream."""
        self.definition = definition
        self._backoffice = connector
        super().__init__(tap, definition.catalog_entry(), connector)
        self.STATE_MSG_FREQUENCY = connector.settings.fetch_size_rows
        if definition.replication_key is not None:
            self.replication_key = definition.replication_key.name
        self._bookmark: Bookmark | None = None

    @property
    def primary_keys(self) -> t.Sequence[str]:
        """Key columns: configured, or the table's own."""
        return self.definition.key

    @primary_keys.setter
    def primary_keys(self, new_value: t.Sequence[str]) -> None:
        """Ignore a catalogue's copy: the definition was read from the database just now."""

    def apply_catalog(self, catalog: Catalog) -> None:
        """Take nothing more: the definition has the catalogue's selection already.

        Columns and types are always the database's present ones, so a catalogue cached before
        a DDL change neither hides a column nor rejects a new enum label.
        """
        self._tap_input_catalog = catalog

    def get_replication_key_signpost(
        self,
        context: Context | None = None,  # noqa: ARG002  # SDK hook
    ) -> None:
        """Leave no signpost in the state: the bookmark itself never passes the run's start."""
        return

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Start this run's bookmark (the SDK's hook at the start of a stream)."""
        self._bookmark = self._start_bookmark(context)

    def _start_bookmark(self, context: Context | None) -> Bookmark | None:
        key = self.definition.replication_key
        if key is None or self.replication_method == REPLICATION_FULL_TABLE:
            return None
        settings, is_sqlite = self._backoffice.settings, self._backoffice.backend == "sqlite"
        return Bookmark(
            key,
            self.get_context_state(context),
            run_started=self.run_started,
            zone=settings.source_timezone,
            lookback_seconds=settings.lookback_seconds,
            # SQLite's strftime rounds to milliseconds.
            clock_tolerance=dt.timedelta(milliseconds=2 if is_sqlite else 0),
            mixed_offsets=is_sqlite,
        )

    @property
    def run_started(self) -> dt.datetime:
        """When the tap started, aware, UTC."""
        return dt.datetime.fromtimestamp(self._tap.initialized_at / 1000, dt.UTC)

    def _plan(self) -> Plan:
        t.cast("TapBackoffice", self._tap).check_shards()
        key = self.definition.replication_key if self._bookmark is not None else None
        limit = self.ABORT_AT_RECORD_COUNT
        selected = self.get_selected_schema()["properties"].keys()
        wanted = {*selected, *(c.name for c in (key, self.definition.deleted) if c is not None)}
        return Plan(
            source=Source(
                columns=tuple(c for c in self.definition.columns if c.name in wanted),
                key=self.definition.key,
                table=self.definition.table,
                schema=self.definition.schema,
                query=self.definition.query,
                replication_key=key,
                shard=self._backoffice.settings.shard,
            ),
            output=tuple(c.name for c in self.definition.columns if c.name in selected),
            run_started=self.run_started,
            deleted=self.definition.deleted,
            emit_deleted_at=DELETED_AT in selected,
            entity_type=self.definition.entity_type if ENTITY_TYPE in selected else None,
            limit=None if limit is None else limit + 1,
        )

    def _reader(self, connection: t.Any, plan: Plan) -> Reader:  # any driver's
        if self._backoffice.engine_driver == "psycopg":
            return CopyReader(self._backoffice, connection, plan)
        return CursorReader(self._backoffice, connection, plan)

    def _chunks(self) -> Iterator[Chunk]:
        plan = self._plan()
        bound = None if self._bookmark is None else self._bookmark.lower_bound()
        with self._backoffice.open() as connection:
            reader = self._reader(connection, plan)
            for part in parts(plan.source, bound, nullable_order=reader.nullable_order):
                yield from self._read_part(reader, part)
        for column, count in reader.lost.items():
            self.logger.warning(
                "%s.%s: %d values that JSON or the declared type cannot hold were sent as null",
                self.name,
                column,
                count,
            )

    @staticmethod
    def _read_part(reader: Reader, part: Part) -> Iterator[Chunk]:
        yield from reader.chunks(part)

    # The plain path: the SDK's loop.

    def get_records(self, context: Context | None) -> Iterator[Record]:  # noqa: ARG002  # SDK hook
        """Give the rows one at a time, as dicts of JSON values."""
        for chunk in self._chunks():
            yield from chunk.records()

    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        if self._bookmark is None or self.definition.replication_key is None:
            return
        key = self.definition.replication_key
        value = latest_record.get(key.name)
        if key.kind == "decimal" and value is not None:
            value = Decimal(str(value))
        self._advance([value], context)

    # The fast path: whole chunks.

    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, t.Any], t.Any, t.Any]:
        if write_messages and self._records_pass_untouched():
            self._sync_chunks(context)
            return
        yield from super()._sync_records(context, write_messages=write_messages)

    def _records_pass_untouched(self) -> bool:
        maps = self.stream_maps
        return (
            self.selected
            and isinstance(self._tap.message_writer, CountingWriter)
            and len(maps) == 1
            and type(maps[0]) is SameRecordTransform
            and not self.config.get("flattening_enabled")
            and type(self).post_process is BackofficeStream.post_process
            and not self._deselects_inside()
        )

    def _deselects_inside(self) -> bool:
        return any(
            len(crumb) > len(("properties", "x")) and not on for crumb, on in self.mask.items()
        )

    def _sync_chunks(self, context: Context | None) -> None:
        alias = self.stream_maps[0].stream_alias
        written = 0
        with self.get_record_counter() as counter, self.get_sync_timer():
            self._write_starting_replication_value(context)
            for chunk in self._chunks():
                written += self._write_chunk(chunk, alias, written, context)
                counter.increment(chunk.count)
        self._finalize_state(self.stream_state)
        self._write_state_message()

    def _write_chunk(self, chunk: Chunk, alias: str, written: int, context: Context | None) -> int:
        limit, keys = self.ABORT_AT_RECORD_COUNT, chunk.keys()
        before, after = record_envelope(alias, self._stream_version, dt.datetime.now(dt.UTC))
        lines, count = chunk.lines(before, after), chunk.count
        too_many = limit is not None and written + count > limit
        if too_many and limit is not None:
            count = limit - written
            lines, keys = b"".join(lines.splitlines(keepends=True)[:count]), keys[:count]
        writer = t.cast("CountingWriter", self._tap.message_writer)
        writer.write_records(alias, lines, count)
        self.state_manager.is_flushed = False
        self._advance(keys, context)
        self._write_state_message()
        if too_many:
            self._abort_sync(
                MaxRecordsLimitException(f"the limit of {limit} records per stream is reached")
            )
        return count

    def _advance(self, keys: list[t.Any], context: Context | None) -> None:
        if self._bookmark is not None:
            self._bookmark.advance(keys)
            state = self.get_context_state(context)
            self._bookmark.write(state)
            if state and (mark := shards.mark(self._backoffice.settings.shard)) is not None:
                state[shards.STATE_KEY] = mark

    @property
    def is_sorted(self) -> bool:
        """Incremental streams come in the order of their replication key."""
        return self.replication_method == REPLICATION_INCREMENTAL

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """Note that the stream is complete; after the last one the marker goes with the STATE."""
        t.cast("TapBackoffice", self._tap).stream_completed(self)
        super().finalize_state_progress_markers(state)
