"""What has come in: records and states in a spool, streams as their SCHEMA says, the marker.

`receiver.py` fills it; a target works through it once, after the end of input, and closes it piece
by piece as records get durable. Knows Singer, does not know the SDK.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from target_kit.errors import InputError
from target_kit.output import write_line
from target_kit.spool import Spool

Transform = Callable[[dict[str, Any]], dict[str, Any] | None]


class RecordBeforeSchema(InputError):
    """A RECORD came before the SCHEMA of its stream."""


class RecordWithoutKey(InputError):
    """A RECORD lacks a column that its SCHEMA names in `key_properties`."""


class Route(NamedTuple):
    """Where the records of one incoming stream go; `transform` None leaves them as they are."""

    alias: str
    schema: Mapping[str, Any]
    key_properties: tuple[str, ...]
    transform: Transform | None


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream as its newest SCHEMA describes it, after stream maps."""

    name: str
    schema: Mapping[str, Any]
    key_properties: tuple[str, ...]


@dataclass
class Intake:
    """Everything that came in.

    `streams` by name after stream maps, `sources` the tap's own stream name of each; `received`
    counts RECORD messages by the tap's own stream name (as `marker["counts"]` does); `marker` is
    the `sync_complete` value of the last STATE when no RECORD came after it and the input was sound
    to its end; `activated` names the tap's streams whose last message is an ACTIVATE_VERSION of the
    version that all their records carry. `only` names the persons whose open rejects are offered
    again, None all.
    """

    spool: Spool
    streams: dict[str, StreamInfo] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    activated: set[str] = field(default_factory=set)
    input_error: InputError | None = None
    marker: Mapping[str, Any] | None = None
    only: frozenset[str] | None = None
    _closed_through: int = 0
    _emitted: bytes | None = None

    def close_through(self, seq: int) -> None:
        """Everything up to `seq` is durably applied or durably rejected: emit its newest STATE.

        At most one JSON line, flushed; never an older STATE than before, never the same twice in
        a row, never `{}`. Raises `OutputClosed` when nobody reads stdout any more.
        """
        if seq <= self._closed_through:
            return
        found = self.spool.latest_state(through=seq)
        if found is not None and found[0] > self._closed_through and found[1] != self._emitted:
            write_line(found[1])
            self._emitted = found[1]
        self._closed_through = seq


@dataclass(frozen=True, slots=True)
class Doors:
    """What the receiver asks of the target: stream maps, its yes or no, an encoder for maps."""

    routes: Callable[[str, dict[str, Any], list[str] | None], list[Route]]
    check_stream: Callable[[StreamInfo], bool]
    encode: Callable[[dict[str, Any]], bytes]
    validate: bool = True
