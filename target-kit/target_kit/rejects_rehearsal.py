"""The open rejects for a rehearsal: offered as in a run, and left as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from target_kit.outcome import Result
from target_kit.rejects import Reject, RejectStore


class UnkeptRejects(RejectStore):
    """Reads what is open, and keeps nothing; see RejectStore for every method."""

    def __init__(self, state_dir: Path, stream: str, only: frozenset[str] | None = None) -> None:
        self.path = self.path_of(state_dir, stream)
        self._only = only

    def add(
        self,
        identity: str,
        key: str | None,
        record: dict[str, Any] | None,
        result: Result,
        now: str,
    ) -> Reject:
        """See RejectStore."""
        return Reject(
            identity, key, result.outcome, result.step, result.cause, result.message, result.field,
            tries=1, first_seen=now, last_seen=now, record=record,
        )  # fmt: skip

    def closed(self, identity: str) -> None:
        """See RejectStore."""

    def sync(self) -> None:
        """See RejectStore."""

    def close(self) -> None:
        """See RejectStore."""

    def finish(self) -> None:
        """See RejectStore."""
