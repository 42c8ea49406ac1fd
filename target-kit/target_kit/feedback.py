"""The small file that says when feedback was last imported: written after an import, read before a
transfer. A transfer without a fresh one is refused, so that nobody who unsubscribed or bounced is
copied back in (S1-31, S1-32).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from target_kit.errors import ConfigurationError, GuardTripped
from target_kit.files import write_atomically

VERSION = 1
_CLOCK_SKEW = timedelta(minutes=5)  # what two machines' clocks may differ
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Feedback:
    """One complete import: `imported_at` is when it began (aware), `counts` records by stream."""

    imported_at: datetime
    source: str
    counts: Mapping[str, int]
    marker_version: int | None = None

    def age_hours(self, now: datetime) -> float:
        """Hours since the import began; 0 for a clock that is a little behind."""
        return max(0.0, (now - self.imported_at).total_seconds() / 3600)


def write_feedback(path: Path, feedback: Feedback) -> None:
    """Replace the file (0600), atomically. Raises ConfigurationError when it can't be written."""
    content = {
        "version": VERSION,
        "imported_at": feedback.imported_at.astimezone(UTC).isoformat(timespec="seconds"),
        "source": feedback.source,
        "marker_version": feedback.marker_version,
        "counts": dict(feedback.counts),
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, msgspec.json.format(msgspec.json.encode(content)) + b"\n")
    except OSError as error:
        raise ConfigurationError(f"feedback_file: can't be written: {error.strerror}") from None


def read_feedback(path: Path, now: datetime) -> Feedback:
    """The last complete import as of `now` (aware).

    Raises GuardTripped where the file is missing, damaged or dated in the future,
    ConfigurationError where it can't be read at all or is of another version.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _damaged(path)
        data = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except FileNotFoundError:
        raise GuardTripped(
            f"feedback_file: there is no {path}: no import of unsubscribes and bounces has been "
            "completed; run the feedback import first"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"feedback_file: can't be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _damaged(path) from None
    if data.get("version") != VERSION:
        raise ConfigurationError(
            f"feedback_file: {path} is not of version {VERSION}; upgrade both targets together "
            "and run the feedback import again"
        )
    feedback = _feedback(data, path)
    if feedback.imported_at > now + _CLOCK_SKEW:
        raise GuardTripped(
            f"feedback_file: {path} is dated in the future; set the clock and run the feedback "
            "import again"
        )
    return feedback


def _feedback(data: Mapping[str, Any], path: Path) -> Feedback:
    imported_at, counts = data.get("imported_at"), data.get("counts")
    source, version = data.get("source"), data.get("marker_version")
    try:
        moment = datetime.fromisoformat(imported_at) if isinstance(imported_at, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not isinstance(source, str):
        raise _damaged(path)
    if not isinstance(counts, dict) or not all(_is_count(n) for n in counts.values()):
        raise _damaged(path)
    if version is not None and not _is_count(version):
        raise _damaged(path)
    return Feedback(moment, source, counts, version)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _damaged(path: Path) -> GuardTripped:
    return GuardTripped(f"feedback_file: {path} is damaged; run the feedback import again")
