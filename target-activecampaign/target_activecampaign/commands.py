"""What the commands for operators have in common: settings, the ledger, how a key is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from target_kit.clock import Clock
from target_kit.signals import StopSignal

from target_activecampaign.model import KeyType, canonical_key
from target_activecampaign.settings import Settings

if TYPE_CHECKING:
    from target_kit.ledger import Ledger


class Operated(Protocol):
    """The target that a command belongs to."""

    settings: Settings
    clock: Clock
    stop: StopSignal


@contextmanager
def ledger_of(settings: Settings, stream: str) -> Iterator[Ledger]:
    """The ledger of one stream of contacts."""
    from target_kit.ledger import open_ledger

    scope, shard = settings.ledger_scope(stream), settings.shard
    with open_ledger(settings.state_dir, settings.ledger_url, scope, shard=shard) as ledger:
        yield ledger


def identities(key: str) -> set[str]:
    """How a key that somebody typed may be named: as text, or as the number it is."""
    number = canonical_key(key, KeyType.NUMBER)
    return {f"key:{key.strip()}"} | ({f"key:{number}"} if number else set())
