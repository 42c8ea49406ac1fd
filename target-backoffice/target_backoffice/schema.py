"""The settings as JSON schema: what `--about`, Meltano and the README show."""

from __future__ import annotations

from typing import Any

_NAMES: dict[str, Any] = {"type": ["array", "string", "null"], "items": {"type": "string"}}
_STREAM: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "table": {"type": ["string", "null"]},
        "key": _NAMES,
        "apply_sql": _NAMES,
        "optional_columns": _NAMES,
    },
}


def _setting(kind: str | list[str], title: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "title": title, "description": description, **more}


CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "database_url": _setting(
            "string",
            "Database URL",
            "SQLAlchemy URL of the backoffice: `sqlite:///backoffice.db`, "
            "`postgresql://user:password@host/db` or `mariadb://user:password@host/db`.",
            secret=True,
            writeOnly=True,
        ),
        "schema": _setting(
            ["string", "null"],
            "Schema",
            "Schema (MariaDB: database) of the feedback tables; default: the connection's own.",
        ),
        "streams": _setting(
            ["object", "null"],
            "Streams",
            "Stream name to table, key and apply_sql; see the README. The default takes "
            "'unsubscribes' and 'bounces'.",
            additionalProperties=_STREAM,
        ),
        "on_unknown_stream": _setting(
            "string",
            "Unknown streams",
            "What to do with streams that are not configured: fail or ignore.",
            default="fail",
            enum=["fail", "ignore"],
        ),
        "worklist_table": _setting(
            "string",
            "Worklist table",
            "Where records go that no apply_sql statement found an entity for.",
            default="marketing_worklist",
        ),
        "feedback_file": _setting(
            ["string", "null"],
            "Feedback file",
            "Written when a complete feedback import is durable; target-optimizely reads it.",
        ),
        "state_dir": _setting(
            "string",
            "State directory",
            "Where rejects, locks and the spool are kept (mode 0700).",
            default="state/target-backoffice",
        ),
        "max_errors": _setting(
            "integer",
            "Error budget",
            "Row errors that each step (check, insert, update) tolerates.",
            default=500,
            minimum=0,
        ),
        "fail_on_rejects": _setting(
            "boolean",
            "Fail on rejects",
            "End with exit code 4 when any record was not imported; always so with feedback_file.",
            default=False,
        ),
        "report_file": _setting(
            ["string", "null"], "Report file", "Where the run's report is written as JSON."
        ),
        "report_html": _setting(
            ["string", "null"],
            "Report page",
            "Where the run's report is written as one HTML page for people, earlier runs included.",
        ),
        "batch_size_rows": _setting(
            "integer",
            "Batch size",
            "Records per transaction; STATE moves on after each.",
            default=1000,
            minimum=1,
            maximum=10000,
        ),
        "lock_timeout_seconds": _setting(
            "integer",
            "Lock timeout",
            "How long to wait for rows or tables that another session has locked.",
            default=30,
            minimum=1,
        ),
        "connect_timeout_seconds": _setting(
            "integer",
            "Connect timeout",
            "How long to wait for the database server to answer.",
            default=15,
            minimum=1,
        ),
    },
    "required": ["database_url"],
}
