"""Who may write to the account at the same time: one run, or one run for each shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext

from target_kit.clock import Clock
from target_kit.limits import Deadline, pause
from target_kit.lock import refuse_rejects_elsewhere, run_lock
from target_kit.signals import StopSignal

from target_activecampaign.settings import Settings

_ASK_AGAIN_SECONDS = 0.5
Alone = Callable[[], AbstractContextManager[None]]
"""Gives a block that no other shard is in: what all need is made once, such as custom fields."""


@contextmanager
def exclusive(settings: Settings, clock: Clock, stop: StopSignal) -> Iterator[Alone]:
    """Hold the lock of contacts on this machine, and between all that share the ledger.

    Raises LockedError at once if another run has it, ConfigurationError while rejects of another
    number of shards are open; whoever waits for the block does so until `deadline_seconds`.
    """
    shard, name = settings.shard, f"{settings.account}/contact"
    deadline = Deadline(settings.deadline_seconds, clock)

    def wait() -> None:
        deadline.check()
        pause(_ASK_AGAIN_SECONDS, clock, stop)

    with ExitStack() as held:
        held.enter_context(run_lock(settings.shared_dir, settings.account, "contact", shard))
        refuse_rejects_elsewhere(settings.shared_dir, shard)
        if settings.ledger_url is None:
            yield nullcontext
            return
        # SQLAlchemy takes as long to load as all else: only where a ledger is shared.
        from target_kit.ledger_database import lock_between_machines
        from target_kit.ledger_locks import alone

        session = held.enter_context(lock_between_machines(settings.ledger_url, name, shard))
        if shard is None:
            yield nullcontext
            return
        yield lambda: alone(session, f"{name} alone", wait)
