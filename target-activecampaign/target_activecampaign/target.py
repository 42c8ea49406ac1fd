"""`target-activecampaign`: its settings, which streams it takes, how a run is reported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import click
from target_kit.cli import run as run_cli
from target_kit.clock import SystemClock
from target_kit.errors import ConfigurationError
from target_kit.intake import Intake, StreamInfo
from target_kit.publishing import Outlets, published
from target_kit.report import RunReport, judge
from target_kit.signals import StopSignal
from target_kit.singer import KitTarget
from target_kit.stream_schemas import remember

from target_activecampaign.audit_command import audit_command
from target_activecampaign.change_email_command import change_email_command
from target_activecampaign.compatibility import declared_faults
from target_activecampaign.doctor_command import doctor_command
from target_activecampaign.explain_command import explain_command
from target_activecampaign.forget_command import forget_command
from target_activecampaign.ledger_commands import (
    approve_command,
    history_command,
    worklist_command,
)
from target_activecampaign.plan_desk import plan_command
from target_activecampaign.rejects_desk import rejects_command
from target_activecampaign.run import Run, vendor
from target_activecampaign.schema import CONFIG_SCHEMA
from target_activecampaign.settings import Settings, read_settings

logger = logging.getLogger(__name__)


class TargetActiveCampaign(KitTarget):
    """Brings ActiveCampaign contacts and accounts into the state the backoffice intends."""

    name = "target-activecampaign"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA
    commands: ClassVar[Mapping[str, Callable[[StopSignal], click.Command]]] = {
        "doctor": lambda stop: doctor_command(TargetActiveCampaign, stop),
        "audit": lambda stop: audit_command(TargetActiveCampaign, stop),
        "worklist": lambda stop: worklist_command(TargetActiveCampaign, stop),
        "history": lambda stop: history_command(TargetActiveCampaign, stop),
        "approve": lambda stop: approve_command(TargetActiveCampaign, stop),
        "plan": lambda stop: plan_command(TargetActiveCampaign, stop),
        "explain": lambda stop: explain_command(TargetActiveCampaign, stop),
        "rejects": lambda stop: rejects_command(TargetActiveCampaign, stop),
        "forget": lambda stop: forget_command(TargetActiveCampaign, stop),
        "change-email": lambda stop: change_email_command(TargetActiveCampaign, stop),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings: Settings = read_settings(self.config)
        self.clock = SystemClock()

    @property
    def spool_dir(self) -> Path:
        """See KitTarget."""
        return self.settings.state_dir / "spool"

    def check_stream(self, info: StreamInfo) -> bool:
        """Take configured streams; an unknown one is an error unless it shall be ignored."""
        contacts = self.settings.streams.get(info.name)
        accounts = self.settings.account_streams.get(info.name)
        stream = contacts.with_upper_perstags() if contacts else accounts
        if stream is None:
            if self.settings.on_unknown_stream == "ignore":
                logger.warning("stream %s is not configured; its records are ignored", info.name)
                return False
            raise ConfigurationError(
                f"stream {info.name} is not configured: add it under 'streams', leave it out of "
                "the tap's selection, or set on_unknown_stream: ignore"
            )
        missing = [c for c in stream.columns if c not in info.schema.get("properties", {})]
        if missing:
            raise ConfigurationError(
                f"stream {info.name} has no column {', '.join(missing)}: "
                f"correct streams.{info.name} or add it to the source"
            )
        if faults := declared_faults(stream, info.schema):
            raise ConfigurationError("; ".join(faults))
        return True

    def connection_check(self) -> None:
        """Prove URL and key with one read (`meltano config test`); nothing is written."""
        with vendor(self.settings, self.clock, self.stop) as client:
            client.whoami()

    def consume(self, intake: Intake) -> None:
        """One run, with a report whatever its end."""
        if intake.input_error is None:  # what is malformed is not worth keeping
            remember(self.settings.state_dir, intake.streams.values())
        report = RunReport(
            target=self.name,
            version=version(self.name),
            started_at=self.clock.now().isoformat(timespec="seconds"),
            mode=self.settings.control.mode,
            requests_per_second=self.settings.requests_per_second,
        )
        settings = self.settings
        outlets = Outlets(settings.state_dir, settings.report_file, settings.report_html)
        with published(report, self.clock, outlets):
            Run(self.settings, intake, report, self.clock, self.stop).go()
            judge(report, intake.input_error, fail_on_rejects=self.settings.fail_on_rejects)


def main() -> NoReturn:
    """Console script."""
    run_cli(TargetActiveCampaign)


if __name__ == "__main__":
    main()
