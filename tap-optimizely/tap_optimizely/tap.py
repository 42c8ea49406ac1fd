"""The tap: settings at the door, streams by name, one line and one exit code on failure."""

from __future__ import annotations

import datetime as dt
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

from tap_optimizely.bookmarks import read_bookmark
from tap_optimizely.csv_output import CsvWriter
from tap_optimizely.errors import (
    EXIT_SETTINGS,
    EXIT_UNEXPECTED,
    GapError,
    ReaderGoneError,
    SettingsError,
    TapError,
)
from tap_optimizely.exports import CSV_STREAMS, EXPORTS, REST, STREAMS, UNSUBSCRIBES
from tap_optimizely.lifetime import Age, age
from tap_optimizely.messages import CountingWriter
from tap_optimizely.schema import CONFIG_JSONSCHEMA
from tap_optimizely.settings import Settings, parse_settings
from tap_optimizely.streams import OptimizelyStream, stream_class
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
        """Compare each selected stream's last fetch with the lifetime of responses (S1-37).

        Raises:
            GapError: responses of some streams are gone for certain, and nobody accepted that.
        """
        if self._lifetimes_checked:
            return
        self._lifetimes_checked = True
        now = from_ms(self.vendor.current_time_ms())
        lost = []
        for stream in self._streams_with_exports():
            verdict = self._age_of(stream, now)
            if verdict is Age.GAP:
                lost.append(stream.name)
            elif verdict is Age.LATE:
                self.logger.warning(
                    "%s: the last fetch is older than %d %% of the lifetime of responses "
                    "(%d days); fetch more often",
                    stream.name,
                    round(self.settings.warn_after_share * 100),
                    self.settings.lifetime.days,
                )
        if lost:
            self._report_gap(lost)
        self._warn_of_early_start(now)

    def _warn_of_early_start(self, now: dt.datetime) -> None:
        """What was deleted before a first run is nobody's mistake, but good to know."""
        start = self.settings.start
        never = any(
            read_bookmark(stream.stream_state, export.name).fetched_at is None
            for stream in self._streams_with_exports()
            for export in EXPORTS[stream.name]
        )
        if never and start is not None and now - start > self.settings.lifetime:
            self.logger.warning(
                "start_date is older than the lifetime of responses (%d days): a first run gets "
                "what is left",
                self.settings.lifetime.days,
            )

    def _streams_with_exports(self) -> t.Iterator[OptimizelyStream]:
        for stream in self.streams.values():
            if isinstance(stream, OptimizelyStream) and stream.selected and stream.exports_read():
                yield stream

    def _age_of(self, stream: OptimizelyStream, now: dt.datetime) -> Age:
        """The worst age of a stream's exports; a full listing besides leaves no gap."""
        ages = [
            age(
                read_bookmark(stream.stream_state, export.name),
                now,
                self.settings.lifetime,
                self.settings.warn_after_share,
            )
            for export in EXPORTS[stream.name]
        ]
        if Age.GAP in ages and not self._listed(stream):
            return Age.GAP
        return Age.FRESH if set(ages) == {Age.FRESH} else Age.LATE

    def _listed(self, stream: OptimizelyStream) -> bool:
        source = self.settings.unsubscribes_source
        return stream.name == UNSUBSCRIBES and source in {REST, "both"}

    def _report_gap(self, lost: list[str]) -> None:
        what = (
            f"{', '.join(lost)}: the last fetch is older than the lifetime of responses "
            f"({self.settings.lifetime.days} days), so some were deleted before they were fetched"
        )
        if not self.settings.accept_gap:
            raise GapError(f"{what}; to go on with what is left set accept_gap: true")
        self.logger.warning("%s; accepted", what)

    def stream_completed(self, stream: OptimizelyStream) -> None:
        """Note a stream whose last record is out; after the last one set the marker.

        The marker stands at the top level of the STATE (not below `bookmarks`), so neither a
        mapper's new stream names nor the next run's input state can make a false one.
        """
        self._completed.add(stream.tap_stream_id)
        selected = {s.tap_stream_id for s in self.streams.values() if s.selected}
        if selected <= self._completed:
            writer = t.cast("CountingWriter", self.message_writer)
            state = t.cast("dict[str, t.Any]", self.state)
            state[MARKER] = {"version": self.initialized_at, "counts": dict(writer.counts)}
            self.close()

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
