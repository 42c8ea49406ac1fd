"""Who may write to the account at the same time: one run, or one run for each shard."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

from target_kit.clock import Clock
from target_kit.limits import Deadline, pause
from target_kit.lock import refuse_rejects_elsewhere, run_lock
from target_kit.signals import StopSignal

from target_activecampaign.settings import Settings

if TYPE_CHECKING:
    from target_kit.ledger_locks import Transaction

_ASK_AGAIN_SECONDS = 0.5
_STILL_THERE_SECONDS = 5.0
Block = Callable[[], AbstractContextManager[None]]


class Exclusion:
    """The lock of a run. Inside of `alone` no other shard is: what all need is made once, such as
    custom fields. `session` is what holds the lock between machines, if they share one.
    """

    def __init__(
        self, clock: Clock, session: Transaction | None = None, alone: Block = nullcontext
    ) -> None:
        self.alone = alone
        self._clock, self._session = clock, session
        self._looked_at = clock.monotonic()
        self._one_at_a_time = threading.Lock()

    def watching(self, calls: Block = nullcontext) -> Block:
        """`calls`, entered around every call, which raises LedgerError once the lock is lost: with
        the session that holds it. Somebody else may have it by then; it is looked at every 5 s.
        """

        def watched() -> AbstractContextManager[None]:
            with self._one_at_a_time:
                self._look()
            return calls()

        return watched

    def _look(self) -> None:
        if self._session is None:
            return
        if self._clock.monotonic() - self._looked_at >= _STILL_THERE_SECONDS:
            with self._session() as connection:
                connection.exec_driver_sql("SELECT 1")
            self._looked_at = self._clock.monotonic()


@contextmanager
def exclusive(settings: Settings, clock: Clock, stop: StopSignal) -> Iterator[Exclusion]:
    """Hold the lock of contacts on this machine, and between all that share the ledger.

    Raises LockedError at once if another run has it, ConfigurationError while rejects of another
    number of shards are open; whoever waits to be alone does so until `deadline_seconds`.
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
            yield Exclusion(clock)
            return
        # SQLAlchemy takes as long to load as all else: only where a ledger is shared.
        from target_kit.ledger_database import lock_between_machines
        from target_kit.ledger_locks import alone

        session = held.enter_context(lock_between_machines(settings.ledger_url, name, shard))
        if shard is None:
            yield Exclusion(clock, session)
            return
        yield Exclusion(clock, session, lambda: alone(session, f"{name} alone", wait))
