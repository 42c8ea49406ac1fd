"""`target-optimizely`: its settings, which streams it takes, how a run is reported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import click
from target_kit.cli import run as run_cli
from target_kit.clock import SystemClock
from target_kit.control import Mode
from target_kit.errors import ConfigurationError
from target_kit.intake import Intake, StreamInfo
from target_kit.publishing import Outlets, published
from target_kit.report import RunReport, judge
from target_kit.signals import StopSignal
from target_kit.singer import KitTarget

from target_optimizely import guards
from target_optimizely.checks import check_list
from target_optimizely.doctor_command import doctor_command
from target_optimizely.explain_command import explain_command
from target_optimizely.forget_command import forget_command
from target_optimizely.plan_desk import plan_command
from target_optimizely.recover_command import recover_command
from target_optimizely.recovering import Recovering
from target_optimizely.rejects_command import rejects_command
from target_optimizely.run import Run
from target_optimizely.schema import CONFIG_SCHEMA
from target_optimizely.settings import Settings, read_settings
from target_optimizely.workbench import Workbench

logger = logging.getLogger(__name__)


class TargetOptimizely(KitTarget):
    """Clears and refills recipient lists of Optimizely Campaign without ever losing one."""

    name = "target-optimizely"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA
    commands: ClassVar[Mapping[str, Callable[[StopSignal], click.Command]]] = {
        "plan": lambda stop: plan_command(TargetOptimizely, stop),
        "doctor": lambda stop: doctor_command(TargetOptimizely, stop),
        "explain": lambda stop: explain_command(TargetOptimizely, stop),
        "rejects": lambda stop: rejects_command(TargetOptimizely, stop),
        "forget": lambda stop: forget_command(TargetOptimizely, stop),
        "recover": lambda stop: recover_command(TargetOptimizely, stop),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings: Settings = read_settings(self.config)
        self.clock = SystemClock()
        self.report = RunReport(
            target=self.name,
            version=version(self.name),
            started_at=self.clock.now().isoformat(timespec="seconds"),
            mode=self.settings.control.mode,
        )

    @property
    def spool_dir(self) -> Path:
        """See KitTarget."""
        return self.settings.state_dir / "spool"

    def begin(self) -> None:
        """Finish what an earlier run left open, before any new input is read (S1-23).

        Not for a plan, which writes nothing: there an open change is refused by name.
        """
        if self.settings.control.mode is Mode.PLAN:
            return
        try:
            Recovering(self.bench).recover()
        except BaseException:  # the run ends here, so its report is due
            with self._published():
                raise

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
        with self.bench.vendor() as campaign:
            for one in self.settings.lists.values():
                check_list(campaign, one)

    def consume(self, intake: Intake) -> None:
        """One run, with a report whatever its end."""
        with self._published():
            Run(self.bench).go(intake)
            judge(self.report, None, fail_on_rejects=self.settings.fail_on_rejects)

    def rehearse(self, intake: Intake) -> None:
        """For `explain`: a plan by settings that plan, and no run of which there is a report."""
        Run(self.bench).go(intake)

    def recover(self) -> int:
        """Body of `target-optimizely recover`; how many lists were brought to an end."""
        with self._published():
            Recovering(self.bench).recover()
            judge(self.report, None, fail_on_rejects=False)
        return len(self.report.recovered)

    def restore(self, name: str) -> int:
        """Body of `target-optimizely recover --restore NAME`; the size of the list afterwards."""
        with self._published():
            size = Recovering(self.bench).restore(name)
            judge(self.report, None, fail_on_rejects=False)
        return size

    def _published(self) -> AbstractContextManager[None]:
        settings = self.settings
        outlets = Outlets(settings.state_dir, settings.report_file, settings.report_html)
        return published(self.report, self.clock, outlets)

    @property
    def bench(self) -> Workbench:
        """The means of this process; `stop` is set after construction."""
        return Workbench(self.settings, self.report, self.clock, self.stop)


def main() -> NoReturn:
    """Console script."""
    run_cli(TargetOptimizely)


if __name__ == "__main__":
    main()
