"""Guards: how much one run may change, as a number or as a share of what it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GUARDS_SCHEMA: dict[str, Any] = {"type": ["object", "null"]}


@dataclass(frozen=True, slots=True)
class Guards:
    """The limits by name."""


def read_guards(raw: Mapping[str, Any] | None, where: str, faults: list[str]) -> Guards:
    """Check the setting; appends what is wrong to `faults`."""
    del raw, where, faults
    return Guards()
