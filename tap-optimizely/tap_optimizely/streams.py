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

from tap_optimizely import bounces, unsubscribes
from tap_optimizely.bookmarks import digest_key, read_bookmark, write_bookmark
from tap_optimizely.closed_loop import ExportReader
from tap_optimizely.csv_source import read_csv
from tap_optimizely.errors import VendorError
from tap_optimizely.exports import (
    BLOCKLIST,
    BOUNCES,
    CAMPAIGN_STREAMS,
    CLOSED_LOOP,
    CSV,
    EXPORTS,
    REST,
    UNSUBSCRIBES,
)
from tap_optimizely.paging import Restless, all_rows
from tap_optimizely.records import KEY, Record, complete, event_key, named, schema
from tap_optimizely.timestamps import parser

if t.TYPE_CHECKING:
    from singer_sdk.helpers.types import Context

    from tap_optimizely.tap import TapOptimizely

BLOCKLIST_NAMES = {
    "pattern": "pattern",
    "reason": "reason",
    "created": "event_time",
    "modified": "modified",
}


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
        self.primary_keys = [KEY]
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

    def exports_read(self) -> bool:
        """Whether this run reads exports of the closed loop for the stream."""
        if self.name in self.settings.csv_files or not EXPORTS[self.name]:
            return False
        return self.name != UNSUBSCRIBES or self.settings.unsubscribes_source != REST

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
            for export in EXPORTS[self.name]
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


class UnsubscribesStream(OptimizelyStream):
    """Unsubscribes of the exports and of the REST listing, each event once (S1-41, S1-43)."""

    def _records(self) -> Iterator[Record]:
        is_file = self.name in self.settings.csv_files
        told = unsubscribes.Told()
        exported = super()._records()
        if is_file or self.settings.unsubscribes_source == CLOSED_LOOP:
            listed: Iterator[dict[str, t.Any]] = iter(())
        else:
            listed = self._listing("unsubscribes", "created")
        for record in exported:
            told.add(record)
        met: set[str] = set()
        for element in listed:
            names = unsubscribes.from_listing(element, unsubscribes.REST_NAMES)
            record = self._completed(names, REST, None, unsubscribes.REST_COLUMNS)
            told.drop_told_by(record)
            yield from self._once(record, met, is_listing=True)
        for record in told.rest():
            yield from self._once(record, met, is_listing=False)

    def _once(self, record: Record, met: set[str], *, is_listing: bool) -> Iterator[Record]:
        record[KEY] = event_key(self.name, record)
        if record[KEY] not in met:
            met.add(record[KEY])
            rule = self.settings.unsubscribe_scope
            record["scope"] = unsubscribes.scope(record, rule, is_listing=is_listing)
            yield record


class BouncesStream(OptimizelyStream):
    """Bounced-out recipients and returned mails with their kind (S1-41, S1-43, S1-46)."""

    def _completed(
        self, record: Record, source: str, export: str | None, columns: frozenset[str]
    ) -> Record:
        settings = self.settings
        hard, soft = settings.hard_bounce, settings.soft_bounce
        kind = bounces.kind_of(export, record.get("category"), hard, soft)
        verdict = bounces.judge(record, kind, hard, soft, self._optimizely.count_bounces)
        return super()._completed(record | verdict, source, export, columns)


class CampaignStream(OptimizelyStream):
    """Opens and clicks: without a campaign of the CRM they are dropped and counted (S1-39)."""

    def _records(self) -> Iterator[Record]:
        dropped = 0
        for record in super()._records():
            if self.settings.deliver_without_campaign or record.get("campaign_id") is not None:
                yield record
            else:
                dropped += 1
        if dropped:
            self.logger.info(
                "%s: %d without a CRM campaign left out (deliver_without_campaign keeps them)",
                self.name,
                dropped,
            )


class BlocklistStream(OptimizelyStream):
    """Entries of the blocklist, from REST; always all of them."""

    def _records(self) -> Iterator[Record]:
        met: set[str] = set()
        for element in self._listing("blacklistentries", "created"):
            names = unsubscribes.from_listing(element, BLOCKLIST_NAMES)
            record = self._completed(names, REST, None, frozenset())
            if record[KEY] not in met:
                met.add(record[KEY])
                yield record


def stream_class(name: str) -> type[OptimizelyStream]:
    """The class of a stream, by its name."""
    if name in CAMPAIGN_STREAMS:
        return CampaignStream
    own = {UNSUBSCRIBES: UnsubscribesStream, BOUNCES: BouncesStream, BLOCKLIST: BlocklistStream}
    return own.get(name, OptimizelyStream)
