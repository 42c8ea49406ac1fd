"""`target-optimizely recover --config FILE [--restore LIST]`: for operators, without any input."""

from __future__ import annotations

from typing import Any

import click
from target_kit.signals import StopSignal


def recover_command(target_class: Any, stop: StopSignal) -> click.Command:
    """The command; settings are read as in a normal run (`--config FILE`, or `--config ENV`)."""

    @click.command("recover")
    @click.option(
        "--config",
        multiple=True,
        required=True,
        callback=target_class.cb_config,
        help="Settings file, or ENV for environment variables.",
    )
    @click.option(
        "--restore",
        metavar="LIST",
        help="Put the last snapshot of this list back, whether or not a change is open.",
    )
    def recover(config: Any, restore: str | None) -> None:
        """Finish the changes of lists that an earlier run left open, or restore a list."""
        target = target_class(
            config=config.config, validate_config=True, parse_env_config=config.parse_env
        )
        target.stop = stop
        if restore is not None:
            size = target.restore(restore)
            click.echo(f"{restore}: the last snapshot is back, {size} recipients", err=True)
            return
        number = target.recover()
        click.echo(f"{number} open change(s) brought to an end", err=True)

    return recover
