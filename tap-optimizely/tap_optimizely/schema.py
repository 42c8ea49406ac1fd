"""The settings as JSON Schema: what `--about`, README and plugin.yaml are made from."""

from __future__ import annotations

import typing as t

from singer_sdk import typing as th

from tap_optimizely.exports import (
    BOTH,
    BY_LIST,
    DAY_SECONDS,
    DEFAULT_API_URL,
    EXPORT_NAMES,
    SCOPES,
    SOURCES,
)
from tap_optimizely.timestamps import EPOCH_MS, ISO

_EXPORTS = ", ".join(f"`{name}`" for name in EXPORT_NAMES)
_NAMES = th.ArrayType(th.StringType)
_CSV_FILE = th.ObjectType(
    th.Property("path", th.StringType, required=True),
    th.Property("delimiter", th.StringType, default=";"),
    th.Property("encoding", th.StringType, default="utf-8"),
    th.Property("quote", th.StringType, default='"'),
    th.Property(
        "columns",
        th.CustomType({"type": ["array", "object"], "additionalProperties": {"type": "string"}}),
        required=True,
    ),
    th.Property("final_newline", th.BooleanType, default=True),
    additional_properties=False,
)
_BOUNCES = (
    th.Property("categories", _NAMES),
    th.Property("threshold", th.IntegerType(minimum=1)),
)


def _per_export(kind: t.Any) -> th.ObjectType:
    return th.ObjectType(
        *(th.Property(name, kind) for name in EXPORT_NAMES), additional_properties=False
    )


CONFIG_JSONSCHEMA: dict[str, t.Any] = th.PropertiesList(
    th.Property(
        "api_url",
        th.StringType,
        default=DEFAULT_API_URL,
        title="API URL",
        description="Address of the SOAP API up to `/soap11`.",
    ),
    th.Property(
        "rest_url",
        th.StringType,
        title="REST URL",
        description="Address of the REST API; default: `/rest` beside `/soap11` of `api_url`.",
    ),
    th.Property(
        "mandator_id",
        th.IntegerType(minimum=1),
        required=True,
        title="Mandator id",
        description="Id of the client (mandator), digits only; each has credentials of its own.",
    ),
    th.Property(
        "username",
        th.StringType,
        secret=True,
        title="User name",
        description="API user; needed unless `csv_files` stands in for the API.",
    ),
    th.Property(
        "password",
        th.StringType,
        secret=True,
        title="Password",
        description="Password of the API user; needed unless `csv_files` stands in for the API.",
    ),
    th.Property(
        "start_date",
        th.DateTimeType,
        title="Start date",
        description="Export files older than this are not read by the first run; default: all.",
    ),
    th.Property(
        "overlap_seconds",
        th.IntegerType(minimum=0),
        default=DAY_SECONDS,
        title="Overlap seconds",
        description="How far before the last fetch export files are read again, since some are "
        "published late; rows already delivered are left out.",
    ),
    th.Property(
        "session_seconds",
        th.IntegerType(minimum=1, maximum=1200),
        default=900,
        title="Session seconds",
        description="How long one login is used; the vendor ends sessions after 20 minutes.",
    ),
    th.Property(
        "timeout_seconds",
        th.IntegerType(minimum=1),
        default=180,
        title="Timeout seconds",
        description="Total time of one call, from its first byte to the last of the answer.",
    ),
    th.Property(
        "max_tries",
        th.IntegerType(minimum=1),
        default=5,
        title="Maximum tries",
        description="How often a call is tried before the vendor counts as unavailable.",
    ),
    th.Property(
        "unsubscribes_source",
        th.StringType,
        default=BOTH,
        allowed_values=list(SOURCES),
        title="Source of unsubscribes",
        description="`rest`: the full listing, every run; `closed_loop`: what the exports have "
        "new; `both`: merged.",
    ),
    th.Property(
        "unsubscribe_scope",
        th.StringType,
        default=BY_LIST,
        allowed_values=list(SCOPES),
        title="Scope of unsubscribes",
        description="`by_list`: hits the consent of the list (mailing, opt-in) it names, and all "
        "of the client only if it names none; `client`: always all of the client.",
    ),
    th.Property(
        "columns",
        _per_export(_NAMES),
        title="Columns",
        description="Names of an export's columns in the vendor's order, per export "
        f"({_EXPORTS}); without them the columns are called `col_0`, `col_1` …",
    ),
    th.Property(
        "header_rows",
        _per_export(th.IntegerType(minimum=0)),
        title="Header rows",
        description="How many header rows an export begins with, per export; default: 0.",
    ),
    th.Property(
        "timestamp_formats",
        _per_export(th.StringType),
        title="Timestamp formats",
        description=f"`{ISO}` (default), `{EPOCH_MS}` or a pattern such as "
        "`dd.MM.yyyy HH:mm:ss`, per export or CSV file.",
    ),
    th.Property(
        "timezone",
        th.StringType,
        default="Europe/Berlin",
        title="Time zone",
        description="IANA zone of times without an offset; the vendor's servers use Berlin's.",
    ),
    th.Property(
        "page_size_rows",
        th.IntegerType(minimum=2, maximum=1000),
        default=1000,
        title="Page size rows",
        description="Rows asked for per call; the vendor allows 1000.",
    ),
    th.Property(
        "response_lifetime_days",
        th.IntegerType(minimum=14, maximum=30),
        default=14,
        title="Response lifetime days",
        description="How long the vendor keeps response data, as agreed with its support: 14 to "
        "30 days.",
    ),
    th.Property(
        "warn_after_share",
        th.NumberType(minimum=0, maximum=1),
        default=0.5,
        title="Warn after share",
        description="Warn when the last fetch is older than this share of the lifetime.",
    ),
    th.Property(
        "accept_gap",
        th.BooleanType,
        default=False,
        title="Accept gap",
        description="Go on although responses were deleted before they were fetched.",
    ),
    th.Property(
        "deliver_without_campaign",
        th.BooleanType,
        default=False,
        title="Deliver without campaign",
        description="Deliver opens and clicks also where no `campaign_id` of the CRM came along.",
    ),
    th.Property(
        "hard_bounce",
        th.ObjectType(
            *_BOUNCES, th.Property("ends_consent", th.BooleanType), additional_properties=False
        ),
        title="Hard bounce",
        description="`categories` (`[hardbounce]`), `threshold` from which an address counts as "
        "bounced out (1; above 1 the vendor's counter is asked), `ends_consent` (true).",
    ),
    th.Property(
        "soft_bounce",
        th.ObjectType(*_BOUNCES, additional_properties=False),
        title="Soft bounce",
        description="`categories` (`[softbounce]`), `threshold` (none: the vendor's own limit "
        "decides). Soft bounces never end a consent.",
    ),
    th.Property(
        "csv_dir",
        th.StringType,
        title="CSV directory",
        description="Also write `unsubscribes.csv` and `bounces.csv` there, each when its stream "
        "was read completely.",
    ),
    th.Property(
        "csv_files",
        th.ObjectType(
            th.Property("unsubscribes", _CSV_FILE),
            th.Property("bounces", _CSV_FILE),
            additional_properties=False,
        ),
        title="CSV files",
        description="Files that arrive by SFTP, read instead of the API: `path`, `delimiter` "
        '(`;`), `encoding` (`utf-8`), `quote` (`"`), `columns` (a list of names, or header: '
        "name), `final_newline` (true).",
    ),
    th.Property(
        "allow_custom_host",
        th.BooleanType,
        default=False,
        title="Allow custom host",
        description="Allow addresses of other hosts than the vendor's.",
    ),
).to_dict()
