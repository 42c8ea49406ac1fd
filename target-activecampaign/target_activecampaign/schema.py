"""The settings as JSON schema: what `--about`, Meltano and the README show."""

from __future__ import annotations

from typing import Any

from target_activecampaign.control_settings import CONTROL

_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_CONSENT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        name: {"type": "string"}
        for name in ("column", "granted_at", "evidence", "address", "purpose")
    },
}

#: Record types and names of tags are checked with the other settings as well.
_PROVENANCE: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "record_type": {"type": "string"},
        "values": {"type": "object"},
        "converted_from": {"type": ["string", "null"]},
        "added_when": {"type": ["string", "null"]},
        "source_of_truth": _TEXTS,
        "tags": {"type": "object", "additionalProperties": {"type": "object"}},
        "pending_field": {"type": "string"},
        "require_provenance_tag": {"type": "boolean"},
        "clean_up": {"type": "boolean"},
        "legacy_tags": _TEXTS,
    },
}

#: What a field's values may be is checked with the other settings, where all faults come at once.
_CUSTOM_FIELD: dict[str, Any] = {"type": "object", "required": ["column"]}

_STREAM: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "object": {"type": "string", "enum": ["contact", "account"]},
        "key": {"type": ["string", "null"]},
        "key_field": {"type": "string"},
        "key_type": {"type": "string", "enum": ["auto", "number", "text"]},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
        "custom_fields": {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, _CUSTOM_FIELD]},
        },
        "rules": {
            "type": "object",
            "additionalProperties": {
                "type": "string",
                "enum": ["always", "if_empty", "on_create", "never"],
            },
        },
        "create_fields": {"type": "boolean"},
        "null_semantics": {"type": "string", "enum": ["omit", "clear"]},
        "version_column": {"type": ["string", "null"]},
        "on_duplicate_email": {"type": "string", "enum": ["first", "newest", "reject"]},
        "on_contact_gone": {"type": "string", "enum": ["insert", "reject"]},
        "on_duplicate_name": {"type": "string", "enum": ["first", "newest", "reject"]},
        "on_account_gone": {"type": "string", "enum": ["insert", "reject"]},
        "on_delete": {
            "type": "string",
            "enum": ["unsubscribe_and_tag", "tag", "ignore", "delete"],
        },
        "deleted_tag": {"type": "string"},
        "erasure_column": {"type": ["string", "null"]},
        "max_deletes": {"type": "integer", "minimum": 0},
        "account": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {"key": {"type": "string"}, "key_field": {"type": "string"}},
        },
        "consent": {"anyOf": [_CONSENT, {"type": "array", "items": _CONSENT}, {"type": "null"}]},
        "on_email_change": {
            "anyOf": [
                {"enum": ["rename", "resubscribe", "hold"]},
                {"type": "object"},
                {"type": "null"},
            ]
        },
        "lists": {
            "type": ["object", "null"],
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "when": {"type": ["string", "boolean"]},
                    "consent": {"type": "string"},
                    "after_email_change": {"enum": ["evidence", "keep"]},
                },
            },
        },
        "provenance": _PROVENANCE,
        "tags": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {
                "add": _TEXTS,
                "remove": _TEXTS,
                "from": {"type": "string"},
                "owned_prefixes": _TEXTS,
            },
        },
    },
}


def _setting(kind: str | list[str], title: str, description: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "title": title, "description": description, **more}


CONFIG_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "api_url": _setting(
            "string",
            "API URL",
            "The URL shown under Settings > Developer, e.g. https://example.api-us1.com",
        ),
        "api_key": _setting(
            "string",
            "API key",
            "The key shown under Settings > Developer.",
            secret=True,
            writeOnly=True,
        ),
        "allow_custom_host": _setting(
            "boolean",
            "Allow another host",
            "Accept an api_url outside of api-us1.com and activehosted.com.",
            default=False,
        ),
        "profile": _setting(
            "string",
            "Profile",
            "test: write to test_accounts and simulators on this machine only; production: write "
            "to the account of api_url.",
            default="production",
            enum=["production", "test"],
        ),
        "test_accounts": _setting(
            ["array", "null"],
            "Test accounts",
            "Hosts of accounts that runs with profile test may write to.",
            items={"type": "string"},
        ),
        "requests_per_second": _setting(
            "number",
            "Requests per second",
            "All clients of an account share 5 requests a second.",
            default=5,
            exclusiveMinimum=0,
        ),
        "state_dir": _setting(
            "string",
            "State directory",
            "Where rejects, locks and the spool are kept (mode 0700).",
            default="state/target-activecampaign",
        ),
        "max_errors": _setting(
            "integer",
            "Error budget",
            "Row errors that each step (check, update, insert, custom_fields, account, lists, "
            "tags, delete) tolerates.",
            default=500,
            minimum=0,
        ),
        "fail_on_rejects": _setting(
            "boolean",
            "Fail on rejects",
            "End with exit code 4 when any record was not delivered.",
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
        **CONTROL,
        "timeout_seconds": _setting(
            "number",
            "Timeout",
            "Longest time one request may take in all.",
            default=30,
            exclusiveMinimum=0,
        ),
        "deadline_seconds": _setting(
            ["number", "null"],
            "Deadline",
            "Longest time the run may take; what is left comes with the next run.",
            exclusiveMinimum=0,
        ),
        "ca_bundle": _setting(
            ["string", "null"], "CA bundle", "Certificates to trust instead of the usual ones."
        ),
        "ledger_url": _setting(
            ["string", "null"],
            "Ledger URL",
            "PostgreSQL database that keeps the ledger, e.g. postgresql://user@host/db; "
            "without it a SQLite file in state_dir.",
            secret=True,
            writeOnly=True,
        ),
        "rate_limit_url": _setting(
            ["string", "null"],
            "Rate limit URL",
            "PostgreSQL or Redis that all processes of the account share their requests through, "
            "e.g. redis://host:6379/0.",
            secret=True,
            writeOnly=True,
        ),
        "shard": _setting(
            ["object", "null"],
            "Shard",
            "Which part of the records this process works on, {index, count}: others work at the "
            "same time. Needs ledger_url and rate_limit_url.",
            additionalProperties=False,
            properties={
                "index": {"type": "integer", "minimum": 0},
                "count": {"type": "integer", "minimum": 1},
            },
            required=["index", "count"],
        ),
        "on_unknown_stream": _setting(
            "string",
            "Unknown streams",
            "What to do with streams that are not configured: fail or ignore.",
            default="fail",
            enum=["fail", "ignore"],
        ),
        "create_fields": _setting(
            "boolean",
            "Create fields",
            "Create missing custom fields: the key field as hidden, others as text.",
            default=False,
        ),
        "reads": _setting(
            "string",
            "Reads",
            "How existing contacts are read: by cost (auto), crawl, point, or incremental.",
            default="auto",
            enum=["auto", "crawl", "point", "incremental"],
        ),
        "full_read_days": _setting(
            "number",
            "Full read",
            "With incremental reads: everything is read again after so many days.",
            default=7,
            minimum=0,
        ),
        "streams": _setting(
            ["object", "null"],
            "Streams",
            "Stream name to mapping; see the README. The default maps a stream 'contacts'.",
            additionalProperties=_STREAM,
        ),
    },
    "required": ["api_url", "api_key"],
}
