"""Every guess about response data: the closed loop, its files, and the REST endpoints."""

from __future__ import annotations

from api_simulators.optimizely.export_columns import LAYOUTS, TIME_FORMATS, is_layout
from api_simulators.optimizely.export_files import INTERVALS
from api_simulators.switches import Switch, Value


def _not_negative(value: Value) -> bool:
    return isinstance(value, int | float) and value >= 0


def _is_hour(value: Value) -> bool:
    return isinstance(value, int) and 0 <= value < 24


def _layout(stream: str, default: str) -> Switch:
    meaning = f"columns of {stream} files; a name that is no fact is a field of the list"
    return Switch(f"columns_{stream}", default, (), meaning, "guess", check=is_layout)


RESPONSE_TABLE: tuple[Switch, ...] = (
    # Closed loop
    Switch(
        "closed_loop_contracted", True, (), "false: every call of RpcClosedLoop faults", "guide"
    ),
    Switch(
        "export_jobs",
        "daily",
        ("daily", "hourly", "instant"),
        "when export files appear: at export_hour, at each full hour, or at once",
        "ClosedLoopWebservice page",
    ),
    Switch("export_hour", 2, (), "hour (UTC) at which the daily jobs run", "guess", check=_is_hour),
    Switch(
        "export_interval",
        "left_open",
        INTERVALS,
        "which ends of since..until belong to it: (since, until], [since, until), both, none",
        "guess",
    ),
    Switch(
        "export_rows_over_1000",
        "capped",
        ("capped", "fault"),
        "what numberOfRows above 1000 does",
        "guess",
    ),
    Switch(
        "export_row_order",
        "oldest_first",
        ("oldest_first", "newest_first"),
        "order of the rows inside a file",
        "guess",
    ),
    Switch(
        "export_header",
        "none",
        ("none", "first", "every_file"),
        "whether column names are rows: never, as row 0, or ahead of each file's rows",
        "guess",
    ),
    Switch("export_time_format", "iso", TIME_FORMATS, "how times are written in files", "guess"),
    Switch("export_null", "empty", ("empty", "nil"), "what a missing value is read as", "guess"),
    Switch(
        "export_unsubscribes",
        "all",
        ("all", "without_mailing"),
        "whether getUnsubscribes also has those that getMailingUnsubscribes has",
        "guess",
    ),
    Switch(
        "response_lifetime_days",
        30,
        (),
        "rows of mailings dispatched earlier are gone; the guide speaks of 14 to 30",
        "ClosedLoopWebservice page",
        check=_not_negative,
    ),
    Switch(
        "response_counts_purged", False, (), "true: RpcResponse forgets as the files do", "guess"
    ),
    Switch(
        "wave_delay_seconds",
        60.0,
        (),
        "from importFinishedAndScheduleMailing to the sent mailing",
        "guess",
        check=_not_negative,
    ),
    *(_layout(stream, default) for stream, default in LAYOUTS.items()),
    # REST
    Switch("rest_error_body", "empty", ("empty", "json", "html"), "body of a refusal", "guess"),
    Switch("rest_forbidden", "", (), "comma list of resources that answer 403", "reference"),
    Switch(
        "rest_count",
        "page",
        ("page", "total"),
        "what count in a listing counts",
        "guess",
    ),
    Switch(
        "rest_times",
        "iso_utc",
        ("iso_utc", "iso_offset", "epoch_ms"),
        "how times are written in JSON",
        "guess",
    ),
    Switch(
        "rest_unsubscribe_list",
        "list_based",
        ("list_based", "always"),
        "when recipientListId of an unsubscribe is filled: only with list-based unsubscribes",
        "reference",
    ),
    Switch(
        "rest_simultaneous",
        10,
        (),
        "most selectRecipients and countRecipients at a time, 429 above; they are served one "
        "after another here, so only 0 is ever exceeded",
        "reference",
        check=_not_negative,
    ),
)
