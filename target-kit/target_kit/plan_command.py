"""`plan`: a run's input, and what a run would make of it; nothing is written at the destination."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click

from target_kit.commands import operator_command
from target_kit.errors import ConfigurationError
from target_kit.signals import StopSignal

#: Makes the target one that plans, into this file; returns the file that was chosen.
Prepare = Callable[[Any, Path | None], Path]


def plan_command(target_class: Any, stop: StopSignal, prepare: Prepare) -> click.Command:
    """The command; `prepare` knows the settings of its target."""

    @operator_command("plan", target_class, stop)
    @click.option(
        "--input", "source", help="File of Singer messages; without it the standard input."
    )
    @click.option("--plan-file", type=click.Path(path_type=Path), help="Where the plan is kept.")
    @click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
    def plan(target: Any, source: str | None, plan_file: Path | None, form: str) -> int:
        """Print what a run would do with these records, and why; `mode: apply` takes the file."""
        path = prepare(target, plan_file)
        with opened(source) as messages:
            target.listen(messages)
        shown = path if form == "json" else path.with_name(f"{path.name}.txt")
        click.echo(shown.read_text(), nl=False)
        return 0

    return plan


def opened(source: str | None) -> IO[str]:
    """The messages of a file, or of the standard input. Raises ConfigurationError."""
    if source is None:
        return sys.stdin
    try:
        return Path(source).open(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"--input: {error.strerror or type(error).__name__}") from None
