"""What `plan` has to know of this target; the command itself is the kit's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from target_kit import plan_command as kit
from target_kit.control import Mode
from target_kit.signals import StopSignal


def plan_command(target_class: Any, stop: StopSignal) -> click.Command:
    """See `target_kit.plan_command`."""
    return kit.plan_command(target_class, stop, prepare)


def prepare(target: Any, plan_file: Path | None) -> Path:
    """Make it a target that plans; where the plan goes."""
    settings = target.settings
    path: Path = plan_file or settings.control.plan_file or settings.state_dir / "plan.json"
    control = replace(settings.control, mode=Mode.PLAN, plan_file=path)
    target.settings = replace(settings, control=control)
    target.report.mode = Mode.PLAN
    return path
