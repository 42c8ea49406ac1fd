"""Refusals with numbers, before anything is changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from target_kit.errors import ConfigurationError, GuardTripped, InputError
from target_kit.feedback import Feedback

from target_optimizely.model import Intent
from target_optimizely.settings import ListSettings

#: The two files of the vendor's CRM guide (S1-30).
FEEDBACK_STREAMS = ("unsubscribes", "bounces")


def check_floor(settings: ListSettings, rows: int, last_good: int, what: str) -> None:
    """Refuse to replace `last_good` recipients by too few (S1-20).

    Raises GuardTripped below `min_rows`, or below the share `min_ratio` of `last_good`.
    """
    where = f"list {settings.name} ({settings.list_id}): {what}"
    if rows < settings.min_rows:
        raise GuardTripped(
            f"{where} has {rows} recipients, min_rows is {settings.min_rows}; the list is left as "
            f"it was. Check the selection, or lower lists.{settings.name}.min_rows"
        )
    if rows < settings.min_ratio * last_good:
        share = 100 * rows / last_good
        raise GuardTripped(
            f"{where} has {rows} recipients, {share:.1f} % of the last good {last_good}, min_ratio "
            f"is {settings.min_ratio:g}; the list is left as it was. Check the selection, or lower "
            f"lists.{settings.name}.min_ratio for one run"
        )


def check_nothing_open(settings: ListSettings, intent: Intent | None) -> None:
    """Refuse to plan for a list that an earlier run left half changed. Raises GuardTripped."""
    if intent is not None:
        raise GuardTripped(
            f"list {settings.name} ({settings.list_id}): a change of {intent.opened_at} was left "
            "open, so nothing can be planned yet; the next run brings it to its end, or "
            "target-optimizely recover"
        )


def is_enough(settings: ListSettings, rows: int, last_good: int) -> bool:
    """Whether the same floor holds for what the vendor has taken in the end (S1-20, S1-24)."""
    return rows >= max(settings.min_rows, settings.min_ratio * last_good)


def check_complete(
    settings: ListSettings,
    *,
    source: str,
    received: Mapping[str, int],
    marker: Mapping[str, Any] | None,
    activated: bool,
) -> None:
    """Refuse input that does not prove to be whole: the end of input is no proof (S1-20).

    `source` is the tap's own name of the stream. Raises InputError.
    """
    where = f"list {settings.name}: the input is not known to be complete"
    if marker is not None and marker.get("shard") is not None:
        raise InputError(
            f"list {settings.name}: the tap read one shard of its rows, a list needs all of them; "
            "the list is left as it was. Read without the tap's setting shard"
        )
    if settings.completeness == "eof":
        return
    if settings.completeness == "activate_version":
        if not activated:
            raise InputError(
                f"{where}: no ACTIVATE_VERSION of the records' version after the last record of "
                f"stream {source}; the list is left as it was"
            )
        return
    if marker is None:
        raise InputError(
            f"{where}: the last STATE has no sync_complete (was the tap stopped?); the list is "
            "left as it was. Taps other than tap-backoffice get the marker from singer-seal"
        )
    counts = marker.get("counts")
    counts = counts if isinstance(counts, Mapping) else {}
    if source not in counts and not received.get(source):
        raise InputError(
            f"{where}: the tap did not read stream {source} to its end; the list is left as it was"
        )
    for stream in sorted({*counts, *received}):
        if counts.get(stream, 0) != received.get(stream, 0):
            raise InputError(
                f"{where}: the tap counted {counts.get(stream, 0)} records of stream {stream}, "
                f"{received.get(stream, 0)} arrived; the list is left as it was"
            )


def check_feedback(settings: ListSettings, feedback: Feedback, now: datetime) -> None:
    """Refuse to copy without a recent and whole import of what came back (S1-29, S1-32).

    Raises GuardTripped.
    """
    limit, age = settings.max_feedback_age_hours, feedback.age_hours(now)
    if limit is None:
        return
    missing = [name for name in FEEDBACK_STREAMS if name not in feedback.counts]
    if missing:
        raise GuardTripped(
            f"list {settings.name}: the last feedback import had no {' and no '.join(missing)}; "
            "nothing was changed. Import both, then transfer"
        )
    if age > limit:
        raise GuardTripped(
            f"list {settings.name}: the last feedback import is {age:.1f} hours old, "
            f"max_feedback_age_hours is {limit:g}; nothing was changed. Import the feedback first"
        )


def check_columns(settings: ListSettings, schema: Mapping[str, Any]) -> None:
    """Refuse a stream that lacks a mapped column. Raises ConfigurationError."""
    missing = [c for c in settings.columns if c not in schema.get("properties", {})]
    if missing:
        raise ConfigurationError(
            f"stream {settings.stream} has no column {', '.join(missing)}: correct "
            f"lists.{settings.name} or add it to the selection"
        )


def check_attributes(settings: ListSettings, attributes: list[str]) -> None:
    """Refuse a list that lacks an attribute we would write; found before a clear (S1-12).

    Names are compared exactly: the vendor's own parameters are case sensitive (contract 5.3).
    """
    missing = [name for name in settings.names if name not in attributes]
    if missing:
        raise ConfigurationError(
            f"list {settings.name} ({settings.list_id}) has no attribute {', '.join(missing)}; it "
            f"has {', '.join(attributes)}. Add the field in Optimizely Campaign or correct "
            f"lists.{settings.name}"
        )
