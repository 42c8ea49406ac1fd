"""What a `doctor` says: each check with its cause, a next step and a code. Pure.

Codes are those of `target_kit.errors`; a warning has none, since a run would go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from target_kit.errors import ConfigurationError

_CONFIGURATION = ConfigurationError.exit_code
LITTLE_SPACE, NO_SPACE = 1024**3, 100 * 1024**2  # bytes: a first load of many rows is spooled


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    OPEN = "?"  # can't be told by reading
    WARNING = "warning"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's; `code` is the exit code that a run would end with."""

    level: Level
    name: str
    says: str
    step: str = ""
    code: int = 0

    @property
    def lines(self) -> list[str]:
        """As people read it."""
        first = f"{self.level.value:8} {self.name}: {self.says}"
        return [first, f"         next: {self.step}"] if self.step else [first]


def good(name: str, says: str) -> Check:
    """Nothing to do."""
    return Check(Level.OK, name, says)


def open_(name: str, says: str) -> Check:
    """What only a run can tell."""
    return Check(Level.OPEN, name, says)


def warning(name: str, says: str, step: str) -> Check:
    """Worth a look; a run goes on."""
    return Check(Level.WARNING, name, says, step)


def fail(name: str, says: str, step: str, code: int = _CONFIGURATION) -> Check:
    """A run would end with `code`."""
    return Check(Level.FAIL, name, says, step, code)


def space(free_bytes: int) -> Check:
    """Room for the spool and the ledger."""
    said = f"{free_bytes / 1024**3:.1f} GiB are free for state_dir"
    if free_bytes < NO_SPACE:
        return fail("disk", said, "make room: the input and the rejects have to be kept", 1)
    if free_bytes < LITTLE_SPACE:
        return warning("disk", said, "make room before many records come")
    return good("disk", said)


def exit_code(checks: Iterable[Check]) -> int:
    """That of the worst: the largest."""
    return max((check.code for check in checks), default=0)
