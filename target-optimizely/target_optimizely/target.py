"""`target-optimizely`: its settings, which streams it takes, how a run is reported."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import click
from target_kit.cli import run as run_cli
from target_kit.clock import SystemClock
from target_kit.errors import ConfigurationError, GuardTripped, StopRun
from target_kit.intake import Intake, StreamInfo
from target_kit.outcome import OPEN
from target_kit.report import RunReport
from target_kit.signals import StopSignal
from target_kit.singer import KitTarget

from target_optimizely import guards
from target_optimizely.checks import check_list
from target_optimizely.recover_command import recover_command
from target_optimizely.run import Run, vendor
from target_optimizely.schema import CONFIG_SCHEMA
from target_optimizely.settings import Settings, read_settings

logger = logging.getLogger(__name__)


class TargetOptimizely(KitTarget):
    """Clears and refills recipient lists of Optimizely Campaign without ever losing one."""

    name = "target-optimizely"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA
    commands: ClassVar[Mapping[str, Callable[[StopSignal], click.Command]]] = {
        "recover": lambda stop: recover_command(TargetOptimizely, stop)
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings: Settings = read_settings(self.config)
        self.clock = SystemClock()
        self.report = RunReport(
            target=self.name,
            version=version(self.name),
            started_at=self.clock.now().isoformat(timespec="seconds"),
        )

    @property
    def spool_dir(self) -> Path:
        """See KitTarget."""
        return self.settings.state_dir / "spool"

    def begin(self) -> None:
        """Finish what an earlier run left open, before any new input is read (S1-23)."""
        with self._reported(only_failures=True):
            self.working().recover()

    def check_stream(self, info: StreamInfo) -> bool:
        """Take streams that feed a list; an unknown one is an error unless it shall be ignored."""
        lists = self.settings.lists_of(info.name)
        if not lists:
            if self.settings.on_unknown_stream == "ignore":
                logger.warning("stream %s feeds no list; its records are ignored", info.name)
                return False
            raise ConfigurationError(
                f"stream {info.name} feeds no list: add it under 'lists', leave it out of the "
                "tap's selection, or set on_unknown_stream: ignore"
            )
        for one in lists:
            guards.check_columns(one, info.schema)
        return True

    def connection_check(self) -> None:
        """Prove address, user and lists by reading (`meltano config test`); nothing is written."""
        with vendor(self.settings, self.clock, self.stop) as campaign:
            for one in self.settings.lists.values():
                check_list(campaign, one)

    def consume(self, intake: Intake) -> None:
        """One run, with a report whatever its end."""
        with self._reported():
            self.working().go(intake)
            self._judge()

    def recover(self) -> int:
        """Body of `target-optimizely recover`; how many lists were brought to an end."""
        with self._reported():
            self.working().recover()
            self.report.status, self.report.exit_code = "done", 0
        return len(self.report.recovered)

    def restore(self, name: str) -> int:
        """Body of `target-optimizely recover --restore NAME`; the size of the list afterwards."""
        with self._reported():
            size = self.working().restore(name)
            self.report.status, self.report.exit_code = "done", 0
        return size

    def working(self) -> Run:
        """The run's worker."""
        return Run(self.settings, self.report, self.clock, self.stop)

    @contextmanager
    def _reported(self, *, only_failures: bool = False) -> Iterator[None]:
        """Write the report at the end, whatever it is."""
        report, started = self.report, self.clock.monotonic()
        failed = True
        try:
            yield
            failed = False
        except StopRun as stopped:
            if report.status == "running":  # a judged run keeps its own words
                report.status = "stopped"
            report.exit_code, report.message = stopped.code, str(stopped)
            raise
        finally:
            report.seconds = round(report.seconds + self.clock.monotonic() - started, 3)
            if failed or not only_failures:
                self._publish(report)

    def _publish(self, report: RunReport) -> None:
        if report.exit_code is None:  # something nobody foresaw; the command line names it
            report.status, report.exit_code = "failed", StopRun.exit_code
        print(report.as_table(), file=sys.stderr)  # noqa: T201 - the report is for people
        if self.settings.report_file:
            report.write(self.settings.report_file)

    def _judge(self) -> None:
        """Status and exit code of a run that came to its end; raises GuardTripped."""
        report = self.report
        rejects = sum(stream.outcomes[o] for stream in report.streams for o in OPEN)
        report.status = f"completed with {rejects} errors" if rejects else "done"
        report.exit_code = 0
        if rejects and self.settings.fail_on_rejects:
            raise GuardTripped(f"{rejects} records were not delivered (fail_on_rejects)")


def main() -> NoReturn:
    """Console script."""
    run_cli(TargetOptimizely)


if __name__ == "__main__":
    main()
