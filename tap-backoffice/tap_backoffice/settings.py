"""The door: configuration → frozen `Settings`; every problem is reported at once."""

from __future__ import annotations

import typing as t
import zoneinfo
from dataclasses import dataclass, field

from singer_sdk import typing as th
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from tap_backoffice.errors import SettingsError

DEFAULT_FETCH_SIZE_ROWS = 2000
DELETED_AT = "_sdc_deleted_at"
ENTITY_TYPE = "entity_type"

# What people write → the driver this tap ships with.
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}

_STREAM = th.ObjectType(
    th.Property("name", th.StringType, required=True, description="Name of the stream, as is."),
    th.Property("table", th.StringType, description="Table or view to read."),
    th.Property("query", th.StringType, description="A SELECT to read instead of a table."),
    th.Property("schema", th.StringType, description="Schema (MariaDB: database) of `table`."),
    th.Property(
        "primary_key",
        th.CustomType({"type": ["array", "string", "null"], "items": {"type": "string"}}),
        description="Key columns; default: the table's own primary key.",
    ),
    th.Property(
        "replication_key",
        th.StringType,
        description="Column that grows with every change; makes the stream incremental.",
    ),
    th.Property(
        "deleted_column",
        th.StringType,
        description="Timestamp, boolean or flag that marks deleted rows → `_sdc_deleted_at`.",
    ),
    th.Property("entity_type", th.StringType, description="Constant put into each record."),
    additional_properties=False,
)

CONFIG_JSONSCHEMA: dict[str, t.Any] = th.PropertiesList(
    th.Property(
        "database_url",
        th.StringType,
        required=True,
        secret=True,
        title="Database URL",
        description=(
            "SQLAlchemy URL of the backoffice, e.g. `sqlite:///backoffice.db`, "
            "`postgresql://user:password@host/db`, `mariadb://user:password@host/db`."
        ),
    ),
    th.Property(
        "streams",
        th.ArrayType(_STREAM),
        title="Streams",
        description="What to read; without it every table and view is offered.",
    ),
    th.Property(
        "lookback_seconds",
        th.IntegerType(minimum=0),
        default=0,
        title="Lookback seconds",
        description="Read again this much before the bookmark, for rows committed late.",
    ),
    th.Property(
        "source_timezone",
        th.StringType,
        default="UTC",
        title="Source time zone",
        description="IANA zone of timestamps stored without a zone, e.g. `Europe/Vienna`.",
    ),
    th.Property(
        "fetch_size_rows",
        th.IntegerType(minimum=1),
        default=DEFAULT_FETCH_SIZE_ROWS,
        title="Fetch size rows",
        description="Rows per chunk; after each chunk of an incremental stream comes a STATE.",
    ),
    th.Property(
        "shard",
        th.ObjectType(
            th.Property("index", th.IntegerType(minimum=0), required=True),
            th.Property("count", th.IntegerType(minimum=1), required=True),
            additional_properties=False,
        ),
        title="Shard",
        description=(
            "Read only this part of each stream's rows, `{index, count}`; `index` begins at 0. "
            "Other taps read the other parts."
        ),
    ),
    th.Property(
        "emit_activate_version_messages",
        th.BooleanType,
        default=False,
        title="Emit ACTIVATE_VERSION messages",
        description="Versions for FULL_TABLE streams, for targets that want them.",
    ),
).to_dict()


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """One entry of `streams`; exactly one of `table` and `query` is set."""

    name: str
    table: str | None = None
    query: str | None = None
    schema: str | None = None
    primary_key: tuple[str, ...] | None = None
    replication_key: str | None = None
    deleted_column: str | None = None
    entity_type: str | None = None

    def at(self, setting: str) -> str:
        """Name a setting of this stream the way messages do."""
        return f"streams[{self.name}].{setting}"


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts of each stream's rows; `index` is below `count`, which is above 1."""

    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. `database_url` is kept out of the repr: it holds a password."""

    database_url: URL = field(repr=False)
    streams: tuple[StreamSettings, ...]
    lookback_seconds: int
    source_timezone: zoneinfo.ZoneInfo
    fetch_size_rows: int
    use_singer_decimal: bool
    shard: Shard | None = None


def parse_settings(config: t.Mapping[str, t.Any]) -> Settings:
    """Check the configuration and freeze it.

    Raises:
        SettingsError: names each wrong setting; never repeats its value.
    """
    problems: list[str] = []
    url = _url(config.get("database_url"), problems)
    settings = Settings(
        database_url=url,
        streams=_streams(config.get("streams"), problems),
        lookback_seconds=_integer(config, "lookback_seconds", 0, 0, problems),
        source_timezone=_zone(config.get("source_timezone") or "UTC", problems),
        fetch_size_rows=_integer(config, "fetch_size_rows", DEFAULT_FETCH_SIZE_ROWS, 1, problems),
        use_singer_decimal=config.get("use_singer_decimal") is True,
        shard=_shard(config.get("shard"), problems),
    )
    for flag in ("use_singer_decimal", "emit_activate_version_messages"):
        if config.get(flag) not in (None, True, False):
            problems += [f"{flag}: must be true or false"]
    if problems:
        raise SettingsError(problems)
    return settings


def _url(value: object, problems: list[str]) -> URL:
    nothing = URL.create("sqlite")
    if not isinstance(value, str) or not value:
        problems.append("database_url: is required")
        return nothing
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        problems.append("database_url: is not a SQLAlchemy URL (dialect://user:password@host/name)")
        return nothing
    url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        problems.append("database_url: needs the path of a SQLite file (sqlite:///path)")
    return url


def _integer(
    config: t.Mapping[str, t.Any], name: str, default: int, minimum: int, problems: list[str]
) -> int:
    value = config.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or value != value or int_or_none(value) is None or value < minimum:
        problems.append(f"{name}: must be a whole number, at least {minimum}")
        return default
    return int(value)


def int_or_none(value: object) -> int | None:
    """Take a whole number in any numeric type (the SDK parses JSON floats as Decimal)."""
    try:
        whole = int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError, ArithmeticError):
        return None
    return whole if whole == value else None


def _shard(value: object, problems: list[str]) -> Shard | None:
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"index", "count"}:
        problems.append("shard: must be a mapping with index and count")
        return None
    found = len(problems)
    given = {f"shard.{name}": number for name, number in value.items()}
    count = _integer(given, "shard.count", 0, 1, problems)
    index = _integer(given, "shard.index", 0, 0, problems)
    if len(problems) == found and None in value.values():
        problems.append("shard: must be a mapping with index and count")
    elif len(problems) == found and index >= count:
        problems.append("shard.index: must be below shard.count; the first shard is 0")
    return Shard(index, count) if count > 1 else None


def _zone(value: object, problems: list[str]) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(str(value))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        problems.append("source_timezone: is no IANA time zone (example: Europe/Vienna)")
        return zoneinfo.ZoneInfo("UTC")


def _streams(value: object, problems: list[str]) -> tuple[StreamSettings, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        problems.append("streams: must be a list")
        return ()
    streams = [s for i, entry in enumerate(value) if (s := _stream(i, entry, problems))]
    names = [s.name for s in streams]
    problems.extend(
        f"streams[{name}].name: is used twice"
        for name in sorted(set(names))
        if names.count(name) > 1
    )
    return tuple(streams)


def _stream(index: int, entry: object, problems: list[str]) -> StreamSettings | None:
    if not isinstance(entry, dict):
        problems.append(f"streams[{index}]: must be a mapping with name and table or query")
        return None
    name = entry.get("name")
    where = f"streams[{name if isinstance(name, str) and name else index}]"
    found = len(problems)
    if not isinstance(name, str) or not name:
        problems.append(f"{where}.name: is required")
    known = StreamSettings.__dataclass_fields__.keys()
    problems.extend(f"{where}.{key}: is unknown" for key in entry if key not in known)
    for key in ("table", "query", "schema", "replication_key", "deleted_column", "entity_type"):
        if entry.get(key) is not None and (not isinstance(entry[key], str) or not entry[key]):
            problems += [f"{where}.{key}: must be a text"]
    if (entry.get("table") is None) == (entry.get("query") is None):
        problems.append(f"{where}: needs either table or query")
    if entry.get("query") is not None and entry.get("schema") is not None:
        problems.append(f"{where}.schema: goes with table, not with query")
    primary_key = _primary_key(entry.get("primary_key"), f"{where}.primary_key", problems)
    if len(problems) > found:
        return None
    texts = {k: v for k, v in entry.items() if k != "primary_key" and v is not None}
    return StreamSettings(**texts, primary_key=primary_key)


def _primary_key(value: object, where: str, problems: list[str]) -> tuple[str, ...] | None:
    if value is None:
        return None
    columns = [value] if isinstance(value, str) else value
    if not isinstance(columns, (list, tuple)) or not all(isinstance(c, str) and c for c in columns):
        problems.append(f"{where}: must be a column name or a list of them")
        return None
    return tuple(columns)
