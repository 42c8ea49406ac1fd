"""One stream: SCHEMA, then records one at a time; its bookmark moves after the last of them.

The SDK's own loop writes the records. A STATE in between holds the bookmark of the run before, so
a run cut anywhere begins again where that one had (S1-35, S1-36).
"""

from __future__ import annotations

import secrets
import typing as t
from collections.abc import Iterator

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_optimizely.bookmarks import Bookmark, digest_key, read_bookmark, write_bookmark
from tap_optimizely.closed_loop import ExportReader
from tap_optimizely.csv_source import read_csv
from tap_optimizely.errors import VendorError
from tap_optimizely.exports import CLOSED_LOOP, CSV, EXPORTS, REST, UNSUBSCRIBES, Export
from tap_optimizely.paging import Restless, all_rows
from tap_optimizely.records import KEY, Record, complete, named, schema
from tap_optimizely.timestamps import parser

if t.TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

    from tap_optimizely.tap import TapOptimizely


class OptimizelyStream(Stream):
    """A stream read from exports of the closed loop, from a CSV file, or from a REST listing."""

    # Records are made of text, booleans and null only: nothing to conform.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: TapOptimizely, name: str) -> None:
        """Describe the stream by what the settings tell of its columns."""
        self.settings = tap.settings
        self._optimizely = tap
        self._readers: list[ExportReader] = []
        super().__init__(tap, schema(name, self._agreed_columns(name)), name)
        self.is_complete = False

    @property
    def primary_keys(self) -> t.Sequence[str]:
        """The one key column that all streams have."""
        return [KEY]

    @primary_keys.setter
    def primary_keys(self, new_value: t.Sequence[str]) -> None:
        """Ignore a catalogue's copy."""

    @property
    def effective_schema(self) -> dict[str, t.Any]:
        """Always the present columns: a cached catalogue must not hide a new one."""
        return self.schema

    def exports_read(self) -> tuple[Export, ...]:
        """The exports of the closed loop that this run reads for the stream."""
        only_listed = self.name == UNSUBSCRIBES and self.settings.unsubscribes_source == REST
        if only_listed or self.name in self.settings.csv_files:
            return ()
        return EXPORTS[self.name]

    def is_listed(self) -> bool:
        """Whether a full listing is read besides exports."""
        return self.name == UNSUBSCRIBES and self.settings.unsubscribes_source != CLOSED_LOOP

    def bookmarks(self) -> list[Bookmark]:
        """How far the exports were read by the run before."""
        return [read_bookmark(self.stream_state, one.name) for one in self.exports_read()]

    def _agreed_columns(self, name: str) -> Iterator[str]:
        file = self.settings.csv_files.get(name)
        if file is not None:
            yield from file.columns
        for export in EXPORTS[name]:
            yield from self.settings.exports[export.name].columns or ()

    # Before the SCHEMA.

    def _write_schema_message(self) -> None:
        self._prepare()
        super()._write_schema_message()

    def _prepare(self) -> None:
        """Take the vendor's time, before anything is read, and learn the columns."""
        if not self.exports_read():
            return
        self._optimizely.check_lifetimes()
        vendor = self._optimizely.vendor
        until_ms = vendor.current_time_ms()
        state = self.stream_state
        salt = state.get("salt")
        if not isinstance(salt, str):
            salt = state["salt"] = secrets.token_hex(16)
        key = digest_key(self.settings.password, salt.encode())
        self._readers = [
            ExportReader(
                vendor,
                export,
                self.settings,
                read_bookmark(state, export.name),
                until_ms=until_ms,
                key=key,
            )
            for export in self.exports_read()
        ]
        found = [name for reader in self._readers for name in reader.names()]
        self._schema = schema(self.name, [*self._agreed_columns(self.name), *found])
        self._tap.mapper.register_raw_stream_schema(self.name, self._schema, self.primary_keys)
        self._stream_maps = None

    # The records.

    def get_records(self, context: Context | None) -> Iterator[Record]:  # noqa: ARG002  SDK hook
        """Give the records; after the last one the bookmark moves.

        Raises:
            TapError: the vendor, the layout or the settings do not allow it.
        """
        file = self._optimizely.csv_writer(self.name)
        try:
            for record in self._records():
                if file is not None:
                    file.write(record)
                yield record
            for reader in self._readers:
                self._note_if_no_news(reader)
                write_bookmark(self.stream_state, reader.export.name, reader.bookmark_after())
            self.is_complete = True
            if file is not None:
                file.commit()
        finally:
            if file is not None:
                file.close()

    def _records(self) -> Iterator[Record]:
        if self.name in self.settings.csv_files:
            yield from self._csv_records()
            return
        for reader in self._readers:
            yield from self._export_records(reader)

    def _export_records(self, reader: ExportReader) -> Iterator[Record]:
        names, export = reader.names(), reader.export.name
        read_time = parser(reader.layout.timestamp_format, self.settings.timezone)
        columns = frozenset(names)
        for row in reader.rows():
            record = named(names, row, read_time, f"{export}, row {reader.met_rows}")
            yield self._completed(record, CLOSED_LOOP, export, columns)

    def _csv_records(self) -> Iterator[Record]:
        file = self.settings.csv_files[self.name]
        layout = self.settings.exports[EXPORTS[self.name][0].name]
        read_time = parser(layout.timestamp_format, self.settings.timezone)
        columns = frozenset(file.columns)
        met: set[tuple[str | None, ...]] = set()
        for number, row in read_csv(file, self.name, self.logger):
            if row in met:
                continue
            met.add(row)
            where = f"csv_files.{self.name}, line {number}"
            record = named(file.columns, row, read_time, where)
            yield self._completed(record, CSV, None, columns)

    def _completed(
        self, record: Record, source: str, export: str | None, columns: frozenset[str]
    ) -> Record:
        return complete(
            record,
            stream=self.name,
            source=source,
            export=export,
            client_id=self.settings.mandator_id,
            columns=columns,
        )

    def _listing(self, path: str, sort: str) -> Iterator[dict[str, t.Any]]:
        vendor = self._optimizely.vendor

        def fetch(start: int, count: int) -> list[dict[str, t.Any]]:
            return vendor.listing(path, start, count, sort)

        try:
            yield from all_rows(fetch, self.settings.page_size_rows)
        except Restless:
            pass
        else:
            return
        raise VendorError(f"GET {path}: the listing changes while it is read; run again")

    def _note_if_no_news(self, reader: ExportReader) -> None:
        if reader.new_rows == 0:
            found = "nothing new in the export files" if reader.met_rows else "no export file yet"
            self.logger.info("%s: %s; the bookmark stays", reader.export.name, found)

    def finalize_state_progress_markers(self, state: dict[str, t.Any] | None = None) -> None:
        """Note that the stream is complete; after the last one the marker goes with the STATE."""
        if self.is_complete:
            self._optimizely.stream_completed(self)
        super().finalize_state_progress_markers(state)
        if self._optimizely.all_completed:
            self._optimizely.close()
