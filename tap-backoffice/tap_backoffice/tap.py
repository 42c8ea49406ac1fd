"""The tap: settings at the door, streams from the database's catalogue, one line on failure."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import sys
import traceback
import typing as t

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from singer_sdk.sql import SQLTap

from tap_backoffice import catalogue, shards
from tap_backoffice.connector import BackofficeConnector
from tap_backoffice.errors import (
    EXIT_SETTINGS,
    EXIT_UNEXPECTED,
    ReaderGoneError,
    SettingsError,
    SourceError,
    TapError,
)
from tap_backoffice.messages import CountingWriter
from tap_backoffice.selection import Definition, define, given_selection
from tap_backoffice.settings import CONFIG_JSONSCHEMA, Settings, StreamSettings, parse_settings
from tap_backoffice.streams import BackofficeStream
from tap_backoffice.types import Column

if t.TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.singerlib import CatalogEntry

MARKER = "sync_complete"


class TapBackoffice(SQLTap):
    """Singer tap for the contacts of an arbitrary backoffice database."""

    name = "tap-backoffice"
    config_jsonschema = CONFIG_JSONSCHEMA
    default_stream_class: type[BackofficeStream] = BackofficeStream
    message_writer_class = CountingWriter
    # No BATCH: its files would pass the counts of the end-of-snapshot marker by.
    capabilities: t.ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        TapCapabilities.ACTIVATE_VERSION,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Start with no stream completed."""
        self._completed: set[str] = set()
        self._settings: Settings | None = None
        self._connector: BackofficeConnector | None = None
        super().__init__(*args, **kwargs)

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Check the settings with messages that never repeat a value, then let the SDK default.

        Raises:
            SettingsError: names each wrong setting.
        """
        try:
            self._settings = parse_settings(self._config)
        except SettingsError as exc:
            if raise_errors:
                raise
            return exc.problems
        try:
            return super()._validate_config(raise_errors=raise_errors)
        except ConfigValidationError as exc:
            # What is left are the SDK's own settings; its messages may hold values.
            msg = "stream_maps, stream_map_config or flattening settings: do not fit their schema"
            raise SettingsError(msg) from exc

    @property
    def settings(self) -> Settings:
        """The checked settings."""
        if self._settings is None:
            self._settings = parse_settings(self._config)
        return self._settings

    @property
    def tap_connector(self) -> BackofficeConnector:
        """The one connector of all streams."""
        if self._connector is None:
            self._connector = BackofficeConnector(dict(self.config), settings=self.settings)
        return self._connector

    @property
    def catalog_dict(self) -> dict[str, t.Any]:
        """The catalogue of `discover_streams`: configured streams under their own names.

        The SDK's own would list every table of the database, so that an orchestrator would select
        streams that the run does not know.
        """
        return self.catalog.to_dict()

    def discover_streams(self) -> t.Sequence[BackofficeStream]:
        """Describe the configured streams, or offer every table and view.

        Raises:
            SettingsError: a name is not in the database's catalogue.
            SourceError: the database cannot be reached.
        """
        connector = self.tap_connector
        describer = catalogue.describer(connector)
        given = self._given_entries()
        streams: list[BackofficeStream] = []
        problems: list[str] = []
        for wanted, is_view in self._wanted(given):
            try:
                columns, key = self._described(describer, wanted)
                definition = define(
                    wanted,
                    columns,
                    key,
                    singer_decimal=self.settings.use_singer_decimal,
                    is_view=is_view,
                )
            except SettingsError as exc:
                problems += exc.problems
                continue
            streams.append(self._stream(definition, given))
        if problems:
            raise SettingsError(problems)
        return streams

    def _described(
        self, describer: catalogue.Describer, wanted: StreamSettings
    ) -> tuple[list[Column], tuple[str, ...]]:
        with self.tap_connector.open() as connection:
            if wanted.query is None:
                return describer.table_columns(connection, wanted.schema, str(wanted.table))
            try:
                with self.tap_connector.reported("refuses it"):
                    return describer.query_columns(connection, wanted.query), ()
            except SourceError as exc:
                msg = f"{wanted.at('query')}: {exc}"
                raise SettingsError(msg) from exc

    def _stream(
        self, definition: Definition, given: dict[str, CatalogEntry] | None
    ) -> BackofficeStream:
        if given is not None:
            entry = given.get(definition.name)
            selection: dict[tuple[str, ...], bool] = {(): False}
            if entry is not None:
                selection = given_selection(entry)
            definition = dataclasses.replace(definition, selection=selection)
        return self.default_stream_class(self, definition, self.tap_connector)

    def _given_entries(self) -> dict[str, CatalogEntry] | None:
        if self.input_catalog is None:
            return None
        return {entry.tap_stream_id: entry for entry in self.input_catalog.values()}

    def _wanted(
        self, given: dict[str, CatalogEntry] | None
    ) -> t.Iterator[tuple[StreamSettings, bool]]:
        if self.settings.streams:
            yield from ((wanted, False) for wanted in self.settings.streams)
            return
        if given is not None:
            yield from _from_catalog(given)
            return
        for table in catalogue.list_tables(self.tap_connector):
            name = table.stream_name
            yield StreamSettings(name, table=table.name, schema=table.schema), table.is_view

    def load_state(self, state: dict[str, t.Any]) -> None:
        """Take the STATE of the run before.

        Raises:
            SettingsError: it tells how far another shard has come.
        """
        for name, saved in (state.get("bookmarks") or {}).items():
            shards.check_state(self.settings.shard, name, saved)
        super().load_state(state)

    def check_shards(self) -> None:
        """Look at all selected streams before the first row of the first one is read.

        Raises:
            SettingsError: the setting `shard` cannot divide one of them.
        """
        if self.settings.shard is None:
            return
        problems = [
            problem
            for stream in self.streams.values()
            if stream.selected and isinstance(stream, BackofficeStream)
            for problem in shards.refusals(
                stream.name, stream.definition.key_columns, self.tap_connector.backend
            )
        ]
        if problems:
            raise SettingsError(problems)

    def stream_completed(self, stream: BackofficeStream) -> None:
        """Note a stream whose last row is written; after the last one set the marker.

        The marker stands at the top level of the STATE (not below `bookmarks`), so neither a
        mapper's new stream names nor the next run's input state can make a false one.
        """
        self._completed.add(stream.tap_stream_id)
        selected = {s.tap_stream_id for s in self.streams.values() if s.selected}
        if selected <= self._completed:
            writer = t.cast("CountingWriter", self.message_writer)
            counts = dict(writer.counts)
            state = t.cast("dict[str, t.Any]", self.state)
            state[MARKER] = {"version": self.initialized_at, "counts": counts}
            if (mark := shards.mark(self.settings.shard)) is not None:
                state[MARKER][shards.STATE_KEY] = mark

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Leave with 128 + signal: a cut stream is no success, and gets no further STATE."""
        name = signal.Signals(signum).name
        self.logger.warning("Stopped by %s: the stream is cut, it gets no end marker", name)
        sys.exit(128 + signum)


def _from_catalog(
    given: dict[str, CatalogEntry],
) -> t.Iterator[tuple[StreamSettings, bool]]:
    for name, entry in given.items():
        root = entry.metadata.root
        if root.selected is False or not entry.table:
            continue
        key = entry.replication_key or root.replication_key
        method = entry.replication_method or root.forced_replication_method
        wanted = StreamSettings(
            name,
            table=entry.table,
            schema=root.schema_name,
            primary_key=tuple(entry.key_properties or root.table_key_properties or ()) or None,
            replication_key=None if method == "FULL_TABLE" else key,
        )
        yield wanted, bool(entry.is_view)


def main() -> None:
    """Run the command line; every failure ends in one line on stderr and an exit code.

    0 done · 1 database or unexpected · 2 configuration · 128+n signal.
    """
    try:
        code = TapBackoffice.cli.main(standalone_mode=False)
    except ReaderGoneError as exc:
        # Python would try once more at exit to hand over what is still buffered.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(str(exc), exc.exit_code)
    except TapError as exc:
        _fail(str(exc), exc.exit_code)
    except click.ClickException as exc:
        _fail(exc.format_message(), EXIT_SETTINGS)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped", 128 + signal.SIGINT)
    except Exception as exc:  # noqa: BLE001  # the last door: no value, no credential passes
        logger = logging.getLogger(TapBackoffice.name)
        frames = "".join(traceback.format_tb(exc.__traceback__))
        logger.debug("Traceback, without messages:\n%s", frames)
        _fail(f"unexpected {type(exc).__name__}; LOGLEVEL=DEBUG shows where", EXIT_UNEXPECTED)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(line: str, code: int) -> t.NoReturn:
    sys.stderr.write(f"{TapBackoffice.name}: {' '.join(line.split())}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
