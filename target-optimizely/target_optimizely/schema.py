"""The settings as JSON schema: what `--about`, Meltano and the README show."""

from __future__ import annotations

from typing import Any

from target_kit.control import CONTROL

_TEXT = {"type": "string"}
_LIST: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "stream": _TEXT,
        "selection_column": _TEXT,
        "selection": _TEXT,
        "list_id": {"type": "integer"},
        "consent": {"type": ["string", "integer", "array"]},
        "consent_column": _TEXT,
        "recipient_id": _TEXT,
        "email": _TEXT,
        "email_attribute": _TEXT,
        "id_attribute": _TEXT,
        "attributes": {"type": "object", "additionalProperties": _TEXT},
        "technical": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    _TEXT,
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"column": _TEXT, "attribute": _TEXT},
                    },
                ]
            },
        },
        "entity_types": {"type": "array", "items": _TEXT},
        "strategy": {"type": "string", "enum": ["clear_and_refill", "reconcile"]},
        "min_ratio": {"type": "number", "minimum": 0, "maximum": 1},
        "min_rows": {"type": "integer", "minimum": 0},
        "on_wrong_consent": {"type": "string", "enum": ["stop", "reject"]},
        "duplicates": {"type": "string"},
        "null_values": {"type": "string", "enum": ["nil", "empty", "omit"]},
        "completeness": {"type": "string", "enum": ["marker", "activate_version", "eof"]},
        "max_feedback_age_hours": {"type": "number", "exclusiveMinimum": 0},
        "suppression": {"type": "string", "enum": ["api", "column", "off"]},
        "suppression_column": _TEXT,
        "unsubscribe_scope": {"type": "string", "enum": ["client_and_list", "list"]},
        "list_kind": {"type": "string", "enum": ["regular"]},
        "allow_optin_list": {"type": "boolean"},
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
            "Base address of the SOAP services, up to /soap11.",
            default="https://api.campaign.episerver.net/soap11",
        ),
        "mandator_id": _setting(
            ["integer", "string"],
            "Client id",
            "Id of the client (mandator), digits; each client is a world of its own.",
        ),
        "username": _setting(
            "string",
            "API user",
            "User with the permission INTERFACE_WEBSERVICE.",
            secret=True,
            writeOnly=True,
        ),
        "password": _setting(
            "string", "Password", "Password of the API user.", secret=True, writeOnly=True
        ),
        "allow_custom_host": _setting(
            "boolean",
            "Allow another host",
            "Accept an api_url outside of the vendor's hosts.",
            default=False,
        ),
        "lists": _setting(
            "object",
            "Lists",
            "One entry per recipient list, named after its stream; see the README.",
            additionalProperties=_LIST,
        ),
        "suppression": _setting(
            "string",
            "Suppression",
            "Who tells that a recipient is unsubscribed, blocked or bounced out: the vendor (api), "
            "a column of the record, or nobody (off).",
            enum=["api", "column", "off"],
            default="api",
        ),
        "feedback_file": _setting(
            ["string", "null"],
            "Feedback file",
            "Written by target-backoffice after a complete feedback import; its age is checked.",
        ),
        "state_dir": _setting(
            "string",
            "State directory",
            "Journals, snapshots, rejects and locks; personal data, private to the user.",
            default="state/target-optimizely",
        ),
        "report_file": _setting(
            ["string", "null"], "Report file", "JSON report of each run, overwritten."
        ),
        "report_html": _setting(
            ["string", "null"],
            "Report page",
            "Where the run's report is written as one HTML page for people, earlier runs included.",
        ),
        "max_errors": _setting(
            "integer",
            "Row errors per step",
            "Row errors that each step of a list tolerates; one more stops it.",
            default=500,
            minimum=0,
        ),
        "fail_on_rejects": _setting(
            "boolean", "Fail on rejects", "End with code 4 when a row was rejected.", default=False
        ),
        "batch_size_records": _setting(
            "integer",
            "Batch size",
            "Recipients per call; the vendor's cap is taken to be 1000.",
            default=500,
            minimum=1,
            maximum=1000,
        ),
        "session_seconds": _setting(
            "number",
            "Session",
            "Age at which a session is renewed; the vendor ends it after 20 minutes.",
            default=900,
            exclusiveMinimum=0,
        ),
        "timeout_seconds": _setting(
            "number",
            "Timeout",
            "Total time of one attempt of one call.",
            default=180,
            exclusiveMinimum=0,
        ),
        "deadline_seconds": _setting(
            ["number", "null"],
            "Deadline",
            "Time after which the run ends; a list under refill is finished by the next run.",
            exclusiveMinimum=0,
        ),
        "grace_seconds": _setting(
            "number",
            "Grace",
            "Time that a refill may go on after SIGTERM before it is left to the next run.",
            default=25,
            minimum=0,
        ),
        "check_mailings": _setting(
            "boolean",
            "Check mailings",
            "Refuse to change a list while a mailing to it is being sent or paused.",
            default=True,
        ),
        "on_unknown_stream": _setting(
            "string",
            "Unknown stream",
            "What to do with a stream that no list takes.",
            enum=["fail", "ignore"],
            default="fail",
        ),
        "ca_bundle": _setting(
            ["string", "null"], "CA bundle", "File of additional certificate authorities."
        ),
        **CONTROL,
    },
    "required": ["mandator_id", "username", "password", "lists"],
}
