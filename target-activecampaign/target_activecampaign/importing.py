"""How a run imports in bulk: by which rule, through which queue, and how it reads back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from target_kit.clock import Clock

from target_activecampaign.bulk_client import ImportEndpoints
from target_activecampaign.bulk_journal import BulkJournal
from target_activecampaign.bulk_queue import ImportQueue, Imports
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.settings import Settings


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
    Look.
    """

    strategy: str
    exclude_automations: bool
    imports: Imports
    queue: ImportQueue
    pause: Callable[[float], None]
    read_tags: Callable[[], Mapping[str, str]]
    reading: ReadsBack | None = None


def importing(settings: Settings, stream: str, endpoints: ListEndpoints, clock: Clock) -> Importing:
    """How this stream is imported at the account behind `endpoints`."""
    control, imports, pause = settings.control, ImportEndpoints(endpoints.api), endpoints.api.pause
    journal = BulkJournal.of(settings.state_dir, settings.account, stream)
    queue = ImportQueue(imports, journal, clock, pause)
    return Importing(
        control.strategy, control.exclude_automations, imports, queue, pause, endpoints.tags
    )
