"""What `rejects` has to know of this target; the command itself is the kit's."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import click
from target_kit.intake import Intake
from target_kit.lock import run_lock
from target_kit.rejects_command import Desk
from target_kit.rejects_command import rejects_command as command_of
from target_kit.signals import StopSignal

from target_activecampaign.commands import names_of_key


def rejects_command(target_class: Any, stop: StopSignal) -> click.Command:
    """See `target_kit.rejects_command`."""
    return command_of(target_class, stop, _desk)


def _desk(target: Any) -> Desk:
    settings = target.settings

    def locked() -> AbstractContextManager[None]:
        # for all streams
        return run_lock(settings.shared_dir, settings.account, "contact", settings.shard)

    def retry(intake: Intake) -> int:
        for info in intake.streams.values():
            target.check_stream(info)
        target.consume(intake)
        return 0

    def identities(stream: str, key: str) -> set[str]:
        return names_of_key(settings, stream, key)

    streams = [*settings.account_streams, *settings.streams]
    return Desk(settings.state_dir, streams, target.clock, identities, locked, retry)
