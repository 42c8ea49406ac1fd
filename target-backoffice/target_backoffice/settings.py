"""Configuration → frozen Settings, with all faults of the configuration reported at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from target_kit.errors import ConfigurationError

from target_backoffice.model import Statement
from target_backoffice.statements import parse_statement

DEFAULT_TABLES = {"unsubscribes": "marketing_unsubscribes", "bounces": "marketing_bounces"}
#: What people write → the driver that comes with the extras `postgres` and `mysql`.
DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_TESTED = frozenset(DRIVERS.values())
_ASYNC = ("aiosqlite", "asyncpg", "psycopg_async", "aiomysql", "asyncmy")
_IDENTIFIER = re.compile(r"[^\W\d]\w{0,62}")


@dataclass(frozen=True, slots=True)
class FeedbackStream:
    """How one stream becomes rows; see the README for every option."""

    name: str
    table: str
    key: tuple[str, ...]  # () : the stream's own key_properties
    statements: tuple[Statement, ...]
    optional_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The target's settings, checked. The URL holds a password and is never part of `repr`."""

    database_url: URL = field(repr=False)
    schema: str | None
    streams: Mapping[str, FeedbackStream]
    on_unknown_stream: str
    worklist_table: str
    feedback_file: Path | None
    state_dir: Path
    max_errors: int
    fail_on_rejects: bool
    report_file: Path | None
    report_html: Path | None
    batch_size_rows: int
    lock_timeout_seconds: int
    connect_timeout_seconds: int
    validate_records: bool

    @property
    def backend(self) -> str:
        """`sqlite`, `postgresql`, `mysql` or `mariadb`."""
        return self.database_url.get_backend_name()


def is_identifier(name: object) -> bool:
    """A letter or underscore, then letters, digits, underscores; at most 63 characters."""
    return isinstance(name, str) and bool(_IDENTIFIER.fullmatch(name))


def read_settings(config: Mapping[str, Any]) -> Settings:
    """Check the whole configuration; raises one ConfigurationError naming every fault."""
    faults: list[str] = []
    url = _url(config.get("database_url"), faults)
    raw = config.get("streams") or {name: {} for name in DEFAULT_TABLES}
    streams = {name: _stream(name, entry or {}, faults) for name, entry in raw.items()}
    worklist = _identifier(config.get("worklist_table") or "marketing_worklist", "worklist_table",
                           faults)  # fmt: skip
    tables = [worklist.casefold(), *(s.table.casefold() for s in streams.values())]
    faults.extend(
        f"streams.{stream.name}.table: is used twice"
        for stream in streams.values()
        if tables.count(stream.table.casefold()) > 1
    )
    schema = config.get("schema") or None
    if schema is not None:
        _identifier(schema, "schema", faults)
        if url.get_backend_name() == "sqlite":
            faults.append("schema: SQLite has none")
    if faults:
        raise ConfigurationError("; ".join(faults))
    report, page = config.get("report_file"), config.get("report_html")
    feedback = config.get("feedback_file")
    return Settings(
        database_url=url,
        schema=schema,
        streams=streams,
        on_unknown_stream=str(config.get("on_unknown_stream", "fail")),
        worklist_table=worklist,
        feedback_file=Path(str(feedback)) if feedback else None,
        state_dir=Path(str(config.get("state_dir") or "state/target-backoffice")),
        max_errors=int(config.get("max_errors", 500)),
        fail_on_rejects=bool(config.get("fail_on_rejects", False)),
        report_file=Path(str(report)) if report else None,
        report_html=Path(str(page)) if page else None,
        batch_size_rows=int(config.get("batch_size_rows", 1000)),
        lock_timeout_seconds=int(config.get("lock_timeout_seconds", 30)),
        connect_timeout_seconds=int(config.get("connect_timeout_seconds", 15)),
        validate_records=bool(config.get("validate_records", True)),
    )


def _url(value: object, faults: list[str]) -> URL:
    nothing = URL.create("sqlite")
    if not isinstance(value, str) or not value.strip():
        faults.append("database_url: is missing")
        return nothing
    try:
        url = make_url(value.strip())
    except (ArgumentError, ValueError):
        faults.append("database_url: is no SQLAlchemy URL (dialect://user:password@host/name)")
        return nothing
    url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
    driver = url.drivername.partition("+")[2]
    if driver in _ASYNC:
        faults.append("database_url: names an asynchronous driver; leave the driver out")
    elif url.drivername not in _TESTED:
        faults.append(
            "database_url: unknown dialect or driver; sqlite, postgresql, mysql or mariadb, "
            "without a driver's name"
        )
    elif url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            faults.append("database_url: needs the path of a SQLite file (sqlite:///path)")
        if url.query:
            faults.append("database_url: options after ? are not supported for SQLite")
    elif not url.database:
        faults.append("database_url: names no database")
    return url


def _stream(name: str, raw: Mapping[str, Any], faults: list[str]) -> FeedbackStream:
    where = f"streams.{name}"
    table = raw.get("table") or DEFAULT_TABLES.get(name)
    if table is None:
        faults.append(f"{where}.table: is missing")
    else:
        _identifier(table, f"{where}.table", faults)
    statements = []
    for number, text in enumerate(_list(raw.get("apply_sql"))):
        try:
            statements.append(parse_statement(text))
        except ValueError as error:
            faults.append(f"{where}.apply_sql[{number}]: {error}")
    optional = _list(raw.get("optional_columns"))
    key = _list(raw.get("key"))
    for setting, names in (("key", key), ("optional_columns", optional)):
        for one in names:
            _identifier(one, f"{where}.{setting}", faults)
    return FeedbackStream(
        name, str(table or f"-{name}"), tuple(key), tuple(statements), tuple(optional)
    )


def _list(value: object) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(v) for v in value]  # type: ignore[attr-defined]


def _identifier(name: object, where: str, faults: list[str]) -> str:
    if not is_identifier(name):
        faults.append(f"{where}: needs a plain name (letters, digits, underscores)")
    return str(name)
