"""One part of a set of records, which a process works on while others work on the other parts.

Pure: which shard a process is, and what is kept apart for it. Which records are in a shard is the
tap's business; all that the target needs is that a person is always in the same one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from target_kit.errors import ConfigurationError

_FOLDER = re.compile(r"shard-(\d+)-of-(\d+)")


@dataclass(frozen=True, slots=True)
class Shard:
    """Number `index` (from 0) of `count` parts."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}-of-{self.count}"

    @property
    def folder(self) -> str:
        """Where below `state_dir` the shard's spool, rejects and work files are."""
        return f"shard-{self}"

    @classmethod
    def of_folder(cls, name: str) -> Self | None:
        """The shard that a folder of this name belongs to."""
        found = _FOLDER.fullmatch(name)
        return cls(int(found[1]), int(found[2])) if found else None


def read_shard(config: Mapping[str, Any], faults: list[str]) -> Shard | None:
    """The setting `shard`; appends what is wrong to `faults`.

    Shards work at the same time, so they need a ledger and a request budget that they share.
    """
    raw = config.get("shard")
    if not raw:
        return None
    shard = Shard(int(raw["index"]), int(raw["count"]))
    if not 0 <= shard.index < shard.count:
        faults.append("shard: index must be from 0 to count - 1")
    faults += [
        f"shard: needs {name}, which all shards share"
        for name in ("ledger_url", "rate_limit_url")
        if not config.get(name)
    ]
    return shard


def check_same(shard: Shard | None, marker: Mapping[str, Any] | None) -> None:
    """Refuse the records of another shard than the one this process is: with other counts on both
    sides, some people would be read by nobody, or be in two shards at once.

    `marker` is the `sync_complete` of the tap; a tap that knows no shards says nothing of them.
    Raises `ConfigurationError`.
    """
    read = (marker or {}).get("shard")
    if shard is None or not isinstance(read, Mapping):
        return
    index, count = read.get("index"), read.get("count")
    if (index, count) != (shard.index, shard.count):
        raise ConfigurationError(
            f"setting shard: this is shard {shard.index} of {shard.count}, the tap read shard "
            f"{index} of {count}; nothing was written. Give both the same index and count"
        )
