"""`rejects list`: who is not in a list, and why, as the last run left it.

There is nothing to retry or to drop: the whole selection comes again with the next run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import msgspec
from target_kit.causes import sentence
from target_kit.commands import operator_command
from target_kit.errors import ConfigurationError
from target_kit.signals import StopSignal

from target_optimizely.evidence import LeftOutLine, read_left_out
from target_optimizely.settings import Settings


def rejects_command(target_class: Any, stop: StopSignal) -> click.Command:
    """Entities and causes; no address is kept that could be printed."""

    @operator_command("rejects", target_class, stop)
    @click.argument("action", type=click.Choice(["list"]))
    @click.option("--list", "name", help="Only those of this list, by its name under 'lists'.")
    @click.option("--key", help="Only the entity with this id, such as 17 or 'contact 17'.")
    @click.option("--cause", help="Only those with this cause, such as unsubscribed.")
    @click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
    def rejects(
        target: Any, action: str, name: str | None, key: str | None, cause: str | None, form: str
    ) -> None:
        """Say who the selection has and the list has not, by the last run."""
        del action
        number = 0
        for where, one in _chosen(target.settings, name, key, cause):
            number += 1
            if form == "json":
                click.echo(msgspec.json.encode({"list": where, **msgspec.to_builtins(one)}))
                continue
            who = one.key or "a row without entity id"
            click.echo(f"{where}  {who}  {one.outcome}  {one.cause}  line {one.line}")
            click.echo(f"    {sentence(one.cause) or one.message}")
        click.echo(f"{number} left out by the last run", err=True)

    return rejects


def _chosen(
    settings: Settings, name: str | None, key: str | None, cause: str | None
) -> Iterator[tuple[str, LeftOutLine]]:
    for where in chosen_lists(settings, name):
        for one in read_left_out(settings.state_dir, where):
            if cause in (None, one.cause) and (key is None or one.is_about(key)):
                yield where, one


def chosen_lists(settings: Settings, name: str | None) -> list[str]:
    """All lists, or the one named. Raises ConfigurationError."""
    if name is not None and name not in settings.lists:
        raise ConfigurationError(f"--list: there is no list {name} under 'lists'")
    return [name] if name else list(settings.lists)
