"""The tap: settings at the door, streams by name, one line and one exit code on failure."""

from __future__ import annotations

import logging
import os
import signal
import sys
import traceback
import typing as t

import click
from singer_sdk import Tap
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities

from tap_optimizely.csv_output import CsvWriter
from tap_optimizely.errors import (
    EXIT_SETTINGS,
    EXIT_UNEXPECTED,
    ReaderGoneError,
    SettingsError,
    TapError,
)
from tap_optimizely.exports import CSV_STREAMS, STREAMS
from tap_optimizely.kinds import stream_class
from tap_optimizely.lifetime import LastFetch, LifetimeWatch
from tap_optimizely.messages import CountingWriter
from tap_optimizely.schema import CONFIG_JSONSCHEMA
from tap_optimizely.settings import Settings, parse_settings
from tap_optimizely.streams import OptimizelyStream
from tap_optimizely.timestamps import from_ms
from tap_optimizely.vendor import Vendor

if t.TYPE_CHECKING:
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum

MARKER = "sync_complete"


class TapOptimizely(Tap):
    """Singer tap for what comes back from Optimizely Campaign."""

    name = "tap-optimizely"
    config_jsonschema = CONFIG_JSONSCHEMA
    message_writer_class = CountingWriter
    # No BATCH: its files would pass the counts of the end-of-snapshot marker by.
    capabilities: t.ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Start with no stream completed and no call made."""
        self._completed: set[str] = set()
        self._settings: Settings | None = None
        self._vendor: Vendor | None = None
        self._lifetimes_checked = False
        self._bounces: dict[tuple[str, str], int] = {}
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
        except ConfigValidationError:
            pass  # its messages may hold values
        raise SettingsError("a setting does not fit its schema; see --about")

    @property
    def settings(self) -> Settings:
        """The checked settings."""
        if self._settings is None:
            self._settings = parse_settings(self._config)
        return self._settings

    @property
    def vendor(self) -> Vendor:
        """The one connection of all streams."""
        if self._vendor is None:
            self._vendor = Vendor(self.settings, f"{self.name}/{self.plugin_version}")
        return self._vendor

    def discover_streams(self) -> t.Sequence[OptimizelyStream]:
        """Describe the streams; where files stand in for the API, only theirs."""
        names = CSV_STREAMS if self.settings.without_api else STREAMS
        return [stream_class(name)(self, name) for name in names]

    def csv_writer(self, stream: str) -> CsvWriter | None:
        """The file of a stream, None where none is wanted."""
        if self.settings.csv_dir is None or stream not in CSV_STREAMS:
            return None
        columns = self.streams[stream].schema["properties"]
        return CsvWriter(self.settings.csv_dir, stream, columns)

    def count_bounces(self, recipient_id: str, counter: str) -> int:
        """The vendor's bounce counter of a recipient, asked for once a run."""
        key = (recipient_id, counter)
        if key not in self._bounces:
            self._bounces[key] = self.vendor.bounce_counter(recipient_id, counter)
        return self._bounces[key]

    def check_lifetimes(self) -> None:
        """Compare each stream's last fetch with the lifetime of responses, once a run (S1-37).

        Raises:
            GapError: responses of some streams are gone for certain, and nobody accepted that.
        """
        if self._lifetimes_checked:
            return
        self._lifetimes_checked = True
        fetches = [
            LastFetch(stream.name, bookmarks, is_listed=stream.is_listed())
            for stream in self._selected()
            if (bookmarks := stream.bookmarks())
        ]
        watch = LifetimeWatch(self.settings, from_ms(self.vendor.current_time_ms()))
        for warning in watch.judge(fetches):
            self.logger.warning(warning)

    def _selected(self) -> list[OptimizelyStream]:
        streams = t.cast("dict[str, OptimizelyStream]", self.streams)
        return [stream for stream in streams.values() if stream.selected]

    def stream_completed(self, stream: OptimizelyStream) -> None:
        """Note a stream whose last record is out; after the last one set the marker.

        The marker stands at the top level of the STATE (not below `bookmarks`), so neither a
        mapper's new stream names nor the next run's input state can make a false one.
        """
        self._completed.add(stream.tap_stream_id)
        if self.all_completed:
            writer = t.cast("CountingWriter", self.message_writer)
            state = t.cast("dict[str, t.Any]", self.state)
            state[MARKER] = {"version": self.initialized_at, "counts": dict(writer.counts)}

    @property
    def all_completed(self) -> bool:
        """Whether the last record of every selected stream is out."""
        return {stream.tap_stream_id for stream in self._selected()} <= self._completed

    def close(self) -> None:
        """Log out, as well as it goes."""
        if self._vendor is not None:
            self._vendor.close()

    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Leave with 128 + signal: a cut stream is no success, and gets no further STATE."""
        name = signal.Signals(signum).name
        self.logger.warning("Stopped by %s: the stream is cut, it gets no end marker", name)
        sys.exit(128 + signum)


def main() -> None:
    """Run the command line; every failure ends in one line on stderr and an exit code.

    0 done · 1 unexpected · 2 configuration · 3 credentials or permission · 4 a gap · 6 another
    layout than agreed · 7 vendor unavailable · 128+n signal.
    """
    try:
        code = TapOptimizely.cli.main(standalone_mode=False)
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
        logger = logging.getLogger(TapOptimizely.name)
        frames = "".join(traceback.format_tb(exc.__traceback__))
        logger.debug("Traceback, without messages:\n%s", frames)
        _fail(f"unexpected {type(exc).__name__}; LOGLEVEL=DEBUG shows where", EXIT_UNEXPECTED)
    sys.exit(code if isinstance(code, int) else 0)


def _fail(line: str, code: int) -> t.NoReturn:
    sys.stderr.write(f"{TapOptimizely.name}: {' '.join(line.split())}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
