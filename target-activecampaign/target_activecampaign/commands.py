"""What the commands for operators have in common: settings, the ledger, how a key is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from target_kit.clock import Clock
from target_kit.signals import StopSignal
from target_kit.stream_schemas import recall

from target_activecampaign.mapping import declared_key_type
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


def identities(key: str, key_type: KeyType) -> set[str]:
    """How a key that somebody typed is named: as text, as the number it is, or, where nobody knows
    how keys compare (AUTO), as either.
    """
    text = {f"key:{key.strip()}"}
    number = canonical_key(key, KeyType.NUMBER) if key_type is not KeyType.TEXT else None
    if number is None:
        return text
    return {f"key:{number}"} | (text if key_type is KeyType.AUTO else set())


def key_type_of(settings: Settings, name: str) -> KeyType:
    """How the keys of a stream compare; AUTO while that depends on a SCHEMA that has never come:
    `017` and `17` are one number, and two persons where keys are texts (S0-22).
    """
    stream = settings.streams.get(name) or settings.account_streams[name]
    if stream.key_type is not KeyType.AUTO:
        return stream.key_type
    shared = settings.shared_dir
    for folder in (settings.state_dir, shared, *sorted(shared.glob("shard-*"))):
        if info := recall(folder, name):
            return declared_key_type(info.schema, stream.key)
    return KeyType.AUTO


def names_of_key(settings: Settings, stream: str, key: str) -> set[str]:
    """How a key that somebody typed is named in this stream."""
    return identities(key, key_type_of(settings, stream))
