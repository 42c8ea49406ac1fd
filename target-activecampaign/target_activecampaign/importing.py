"""How a run imports in bulk: by which rule, through which queue, and how it reads back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from target_kit.clock import Clock

from target_activecampaign.bulk_client import ImportEndpoints
from target_activecampaign.bulk_journal import BulkJournal
from target_activecampaign.bulk_queue import ImportQueue, Imports
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.settings import Settings

_ASK_AGAIN_SECONDS = 0.5


class ReadsBack(Protocol):
    """Reads into the index what imports have made: a Look, or what counts its calls."""

    def read_known(self, contact_ids: Sequence[str]) -> None:
        """See Look."""
        ...

    def read_new(self, after: int) -> set[str]:
        """See Look."""
        ...


@dataclass(frozen=True)
class Importing:
    """`strategy` is auto, bulk or single; with `exclude_automations` imports start none. `pause`
    waits, `read_tags` reads the account's tags by id; `reading` None reads back by the stream's own
    Look. Inside of `turn` no other shard imports new contacts.
    """

    strategy: str
    exclude_automations: bool
    imports: Imports
    queue: ImportQueue
    pause: Callable[[float], None]
    read_tags: Callable[[], Mapping[str, str]]
    reading: ReadsBack | None = None
    turn: Callable[[], AbstractContextManager[None]] = nullcontext


def importing(settings: Settings, stream: str, endpoints: ListEndpoints, clock: Clock) -> Importing:
    """How this stream is imported at the account behind `endpoints`."""
    control, imports, pause = settings.control, ImportEndpoints(endpoints.api), endpoints.api.pause
    journal = BulkJournal.of(settings.state_dir, settings.account, stream)
    queue = ImportQueue(imports, journal, clock, pause)
    return Importing(
        control.strategy,
        control.exclude_automations,
        imports,
        queue,
        pause,
        endpoints.tags,
        turn=lambda: _turn(settings, pause),
    )


@contextmanager
def _turn(settings: Settings, pause: Callable[[float], None]) -> Iterator[None]:
    """Wait until no other shard imports new contacts. Raises what `pause` does."""
    if settings.shard is None or settings.ledger_url is None:
        yield
        return
    from target_kit.ledger_database import lock_between_machines
    from target_kit.ledger_locks import alone

    name, url = f"{settings.account}/contact imports", settings.ledger_url
    with (
        lock_between_machines(url, name, settings.shard) as session,
        alone(session, f"{name} alone", lambda: pause(_ASK_AGAIN_SECONDS)),
    ):
        yield
