"""Commands for operators, `<executable> NAME …`: what all of them have in common.

They print keys and, where that is what was asked for, addresses: on the standard output of whoever
may read the state directory, never in a log. What changes something leaves a line in
`state_dir/operations.jsonl`: what, when, by which user of this machine, and keyed hashes of whom.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from target_kit.clock import Clock
from target_kit.errors import StopRun
from target_kit.files import open_private, private_directory
from target_kit.signals import StopSignal

DAY = "%Y-%m-%d %H:%M"


def operator_command(
    name: str, target_class: Any, stop: StopSignal
) -> Callable[[Callable[..., int | None]], click.Command]:
    """A command with `--config`, whose body gets the target; its exit code is what that returns.

    Settings are read as in a normal run (`--config FILE`, or `--config ENV`).
    """

    def wrap(body: Callable[..., int | None]) -> click.Command:
        def run(config: Any, **options: Any) -> int:
            target = target_class(
                config=config.config, validate_config=True, parse_env_config=config.parse_env
            )
            target.stop = stop
            return body(target, **options) or 0

        run.__doc__ = body.__doc__
        run.__click_params__ = getattr(body, "__click_params__", [])  # type: ignore[attr-defined]
        config = click.option(
            "--config",
            multiple=True,
            required=True,
            callback=target_class.cb_config,
            help="Settings file, or ENV for environment variables.",
        )
        return click.command(name)(config(run))

    return wrap


def note_operation(state_dir: Path, clock: Clock, did: str, **details: Any) -> None:
    """Make durable what an operator did; `details` hold no values, keys or addresses.

    Raises StopRun for a disk that takes nothing.
    """
    line = {"at": clock.now().isoformat(timespec="seconds"), "by": _user(), "did": did, **details}
    path = private_directory(state_dir) / "operations.jsonl"
    try:
        descriptor = open_private(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StopRun(f"state_dir: operations.jsonl can't be written: {error.strerror}") from None


def minute(moment: str) -> str:
    """A moment as it is kept in files, for people: to the minute, in UTC."""
    return datetime.fromisoformat(moment).strftime(DAY)


def person(identity: str) -> str:
    """A key, or a field that many persons have; a row without key is known by its address or
    content, which nobody asked to see.
    """
    return identity if identity.startswith(("key:", "field ")) else "a row without key"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
