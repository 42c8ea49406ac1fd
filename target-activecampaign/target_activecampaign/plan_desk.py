"""What `plan` has to know of this target; the command itself is the kit's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from target_kit import plan_command as kit
from target_kit.signals import StopSignal

from target_activecampaign.control_settings import Mode
from target_activecampaign.settings import Settings


def plan_command(target_class: Any, stop: StopSignal) -> click.Command:
    """See `target_kit.plan_command`."""
    return kit.plan_command(target_class, stop, _prepare)


def _prepare(target: Any, plan_file: Path | None) -> Path:
    settings: Settings = target.settings
    path = plan_file or settings.control.plan_file or settings.state_dir / "plan.json"
    target.settings = planning(settings, path)
    return path


def planning(settings: Settings, path: Path) -> Settings:
    """These settings, for a plan into `path`."""
    return replace(settings, control=replace(settings.control, mode=Mode.PLAN, plan_file=path))
