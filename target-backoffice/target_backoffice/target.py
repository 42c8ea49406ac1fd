"""`target-backoffice`: its settings, which streams it takes, how a run is reported.

It is an SDK `SQLTarget` whose message loop, signals and errors are the kit's. From the SDK come the
command line, `--about`, stream maps and, by its `SQLConnector`, types and tables. Not used are the
SDK's sinks: its `SQLSink` appends where this target upserts, and its loop emits STATE on a timer
and publishes half a run on SIGTERM (meltano/sdk issue 3775).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import click
import sqlalchemy as sa
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities
from singer_sdk.sql import SQLTarget
from target_kit.cli import run as run_cli
from target_kit.clock import SystemClock
from target_kit.errors import ConfigurationError, GuardTripped, InputError
from target_kit.feedback import Feedback, write_feedback
from target_kit.intake import Intake, StreamInfo
from target_kit.publishing import Outlets, published
from target_kit.report import RunReport, judge
from target_kit.signals import StopSignal
from target_kit.singer import KitTarget

from target_backoffice.completeness import began_at, gap, marker_version
from target_backoffice.confirm import confirm_command
from target_backoffice.connector import BackofficeConnector
from target_backoffice.run import Run, check_columns
from target_backoffice.schema import CONFIG_SCHEMA
from target_backoffice.settings import Settings, read_settings

logger = logging.getLogger(__name__)


class TargetBackoffice(KitTarget, SQLTarget):
    """Writes unsubscribes and bounces into the backoffice, and on to whom they concern."""

    name = "target-backoffice"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    commands: ClassVar[Mapping[str, Callable[[StopSignal], click.Command]]] = {
        "confirm": confirm_command
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings: Settings = read_settings(self.config)
        self.clock = SystemClock()
        self.started_at = self.clock.now()

    @property
    def target_connector(self) -> BackofficeConnector:
        """The one connector of all streams."""
        if not isinstance(self._target_connector, BackofficeConnector):
            self._target_connector = BackofficeConnector(self.settings)
        return self._target_connector

    @property
    def spool_dir(self) -> Path:
        """See KitTarget."""
        return self.settings.state_dir / "spool"

    def check_stream(self, info: StreamInfo) -> bool:
        """Take configured streams; an unknown one is an error unless it shall be ignored."""
        stream = self.settings.streams.get(info.name)
        if stream is None:
            if self.settings.on_unknown_stream == "ignore":
                logger.warning("stream %s is not configured; its records are ignored", info.name)
                return False
            raise ConfigurationError(
                f"stream {info.name} is not configured: add it under 'streams', leave it out of "
                "the tap's selection, or set on_unknown_stream: ignore"
            )
        check_columns(stream, info)
        return True

    def connection_check(self) -> None:
        """Prove the URL with one SELECT (`meltano config test`); nothing is written."""
        connector = self.target_connector
        with connector.reported("can't be reached"), connector.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))

    def consume(self, intake: Intake) -> None:
        """One run, with a report whatever its end."""
        report = RunReport(
            target=self.name,
            version=version(self.name),
            started_at=self.clock.now().isoformat(timespec="seconds"),
        )
        settings = self.settings
        outlets = Outlets(settings.state_dir, settings.report_file, settings.report_html)
        with published(report, self.clock, outlets):
            run = Run(self.settings, self.target_connector, intake, report, self.clock, self.stop)
            run.go()
            fail = self.settings.fail_on_rejects
            rejects = judge(report, intake.input_error, fail_on_rejects=fail)
            if self.settings.feedback_file and not intake.input_error:
                self._confirm(self.settings.feedback_file, intake, report, rejects)

    def _confirm(self, path: Path, intake: Intake, report: RunReport, rejects: int) -> None:
        """Write the feedback file, dated when the tap began, or say why not."""
        missing = gap(intake.marker, intake.received, self.settings.streams, intake.streams)
        if missing:
            report.status = "incomplete input"
            raise InputError(f"feedback_file stays as it was: {missing}")
        if rejects:
            raise GuardTripped(
                f"feedback_file stays as it was: {rejects} records were not imported; "
                "see the rejects file, correct the data and run again"
            )
        counts = {name: intake.spool.count(name) for name in sorted(intake.streams)}
        version = marker_version(intake.marker)
        moment = began_at(self.started_at, version)
        write_feedback(path, Feedback(moment, ", ".join(counts), counts, version))


def main() -> NoReturn:
    """Console script."""
    run_cli(TargetBackoffice)


if __name__ == "__main__":
    main()
