"""Settings: one clear line that names the setting, exit 2, and never a secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tap_backoffice.errors import SettingsError
from tap_backoffice.settings import parse_settings
from tap_support import Database, Server, run_command, sync

URL = "sqlite:///backoffice.db"
TABLE = {"name": "contacts", "table": "people"}


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({}, "database_url: is required"),
        ({"database_url": "canary-secret"}, "database_url: is not a SQLAlchemy URL"),
        ({"database_url": "sqlite://"}, "database_url: needs the path"),
        ({"database_url": URL, "lookback_seconds": -1}, "lookback_seconds: must be"),
        ({"database_url": URL, "fetch_size_rows": 0}, "fetch_size_rows: must be"),
        ({"database_url": URL, "fetch_size_rows": "canary-secret"}, "fetch_size_rows: must be"),
        ({"database_url": URL, "source_timezone": "Vienna"}, "source_timezone: is no IANA"),
        ({"database_url": URL, "source_timezone": "../etc/passwd"}, "source_timezone: is no"),
        ({"database_url": URL, "streams": {}}, "streams: must be a list"),
        ({"database_url": URL, "streams": [{"name": "a"}]}, "streams[a]: needs either"),
        ({"database_url": URL, "streams": [{"table": "a"}]}, "streams[0].name: is required"),
        (
            {"database_url": URL, "streams": [{**TABLE, "query": "SELECT 1"}]},
            "streams[contacts]: needs either",
        ),
        ({"database_url": URL, "streams": [TABLE, TABLE]}, "streams[contacts].name: is used twice"),
        (
            {"database_url": URL, "streams": [{**TABLE, "replication": "x"}]},
            "streams[contacts].replication: is unknown",
        ),
        (
            {"database_url": URL, "streams": [{**TABLE, "primary_key": [1]}]},
            "streams[contacts].primary_key: must be",
        ),
    ],
)
def test_a_wrong_setting_is_named_and_not_repeated(config: dict[str, Any], named: str) -> None:
    """The message leads to the setting; its value may be a secret."""
    with pytest.raises(SettingsError) as raised:
        parse_settings(config)
    assert named in str(raised.value)
    assert "canary" not in str(raised.value)


def test_all_wrong_settings_are_told_at_once() -> None:
    """Nobody wants to find five mistakes in five runs."""
    with pytest.raises(SettingsError) as raised:
        parse_settings({"lookback_seconds": -1, "source_timezone": "x", "streams": "y"})
    assert len(raised.value.problems) == 4


def test_urls_find_their_driver() -> None:
    """postgresql:// means psycopg, mysql:// and mariadb:// mean pymysql."""
    drivers = {
        "postgresql://h/d": "postgresql+psycopg",
        "postgres://h/d": "postgresql+psycopg",
        "mysql://h/d": "mysql+pymysql",
        "mariadb://h/d": "mariadb+pymysql",
        "oracle+oracledb://h": "oracle+oracledb",
    }
    for url, driver in drivers.items():
        assert parse_settings({"database_url": url}).database_url.drivername == driver


def test_the_password_is_not_in_the_settings_repr() -> None:
    """A repr ends up in logs sooner or later."""
    settings = parse_settings({"database_url": "postgresql://u:canary-secret@h/d"})
    assert "canary" not in repr(settings)


@pytest.mark.parametrize(
    ("stream", "named"),
    [
        ({"table": "nobody"}, "streams[contacts].table: no such table"),
        ({"table": "people; drop table people"}, "streams[contacts].table: no such table"),
        ({"table": "people", "schema": "nowhere"}, "streams[contacts].table: no such table"),
        (
            {"table": "people", "replication_key": "CHANGED"},
            "streams[contacts].replication_key: there is no column 'CHANGED' (there is 'changed')",
        ),
        (
            {"table": "people", "replication_key": 'changed" OR 1=1 --'},
            "streams[contacts].replication_key: there is no column",
        ),
        ({"table": "people", "primary_key": "x"}, "streams[contacts].primary_key: there is no"),
        ({"table": "people", "deleted_column": "x"}, "streams[contacts].deleted_column: there is"),
    ],
)
def test_names_are_checked_against_the_catalogue(
    database: Database, stream: dict[str, Any], named: str
) -> None:
    """A table or column from the settings must exist (E20)."""
    database.execute("CREATE TABLE people (ctt_id integer PRIMARY KEY, changed date)")
    config = {"database_url": database.url, "streams": [{"name": "contacts", **stream}]}
    with pytest.raises(SettingsError) as raised:
        sync(config)
    assert named in str(raised.value)
    database.execute("SELECT count(*) FROM people")


def test_names_with_quotes_spaces_and_reserved_words_are_read(database: Database) -> None:
    """Identifiers are quoted by the dialect's rules, whatever is in them (E20)."""
    q = "`" if database.backend == "mariadb" else '"'
    names = ["select", "a b", f"quo{q}te", "100%", "c:lon", "Größe", "group"]
    quoted = [q + name.replace(q, q * 2) + q for name in names]
    columns = ", ".join(f"{name} integer" for name in quoted[1:])
    table = f"{q}order by 1; --{q}"
    database.execute(
        f"CREATE TABLE {table} ({quoted[0]} integer PRIMARY KEY, {columns})",
        f"INSERT INTO {table} VALUES (1, 2, 3, 4, 5, 6, 7)",
    )
    stream = {"name": "contacts", "table": "order by 1; --", "replication_key": f"quo{q}te"}
    config = {"database_url": database.url, "streams": [stream]}
    first = sync(config)
    assert first.records() == [dict(zip(names, range(1, 8), strict=True))]
    assert sync(config, state=first.state).records() == first.records()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS a) t; UPDATE people SET ctt_id = 9; SELECT * FROM (SELECT 1",
        "SELECT 1 AS a; UPDATE people SET ctt_id = 9",
        "UPDATE people SET ctt_id = 9",
        "INSERT INTO people VALUES (9) RETURNING ctt_id",
    ],
)
def test_a_query_cannot_write(database: Database, query: str) -> None:
    """Free SQL runs in a read-only session and is one statement (E21)."""
    database.execute("CREATE TABLE people (ctt_id integer)", "INSERT INTO people VALUES (1)")
    config = {"database_url": database.url, "streams": [{"name": "contacts", "query": query}]}
    with pytest.raises(Exception):  # noqa: B017, PT011  # each database refuses in its own words
        sync(config)
    table = {"database_url": database.url, "streams": [{"name": "contacts", "table": "people"}]}
    assert sync(table).records() == [{"ctt_id": 1}]


def test_a_writing_function_in_a_query_is_refused(postgresql: Server) -> None:
    """A SELECT may call a function that writes: the read-only session stops it (E21)."""
    database = postgresql.database()
    database.execute(
        "CREATE TABLE people (ctt_id integer)",
        "CREATE FUNCTION sneak() RETURNS integer LANGUAGE sql AS"
        " 'INSERT INTO people VALUES (9) RETURNING 1'",
    )
    stream = {"name": "contacts", "query": "SELECT sneak() AS a"}
    with pytest.raises(Exception, match="read-only"):
        sync({"database_url": database.url, "streams": [stream]})
    table = {"database_url": database.url, "streams": [{"name": "contacts", "table": "people"}]}
    assert sync(table).records() == []


def test_a_wrong_setting_ends_in_one_line_and_exit_2(tmp_path: Path) -> None:
    """The whole of stderr but log lines is one line that begins with the tap's name."""
    run = run_command({"database_url": URL, "fetch_size_rows": -1}, tmp_path)
    assert run.code == 2
    assert [x for x in run.errors.splitlines() if " | " not in x] == [
        "tap-backoffice: fetch_size_rows: must be a whole number, at least 1"
    ]
    assert run.output == b""


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://canary_user:canary_secret@127.0.0.1:1/canary",
        "mariadb://canary_user:canary_secret@127.0.0.1:1/canary",
        "sqlite:////nowhere/canary_secret.db",
    ],
)
def test_an_unreachable_database_ends_in_one_line_and_exit_1(tmp_path: Path, url: str) -> None:
    """At DEBUG too, no line has the URL's user or password."""
    run = run_command({"database_url": url}, tmp_path, LOGLEVEL="DEBUG")
    assert run.code == 1
    last = run.errors.splitlines()[-1]
    assert last.startswith("tap-backoffice: the database (")
    assert "cannot be reached" in last
    assert "canary" not in run.errors
    assert "Traceback (most recent" not in run.errors


def test_a_wrong_password_is_not_printed(mariadb: Server, tmp_path: Path) -> None:
    """Drivers put the user's name into their message; the tap's has none."""
    url = mariadb.database().url.replace("root@", "canary_user:canary_secret@")
    run = run_command({"database_url": url}, tmp_path, LOGLEVEL="DEBUG")
    assert run.code == 1
    assert "authentication failed" in run.errors.splitlines()[-1]
    assert "canary" not in run.errors


def test_about_marks_every_secret(tmp_path: Path) -> None:
    """`--about` is what Meltano Hub reads: title, description and secret flag of each setting."""
    about = json.loads(run_command({}, tmp_path, "--about", "--format", "json").output)
    settings = about["settings"]["properties"]
    assert settings["database_url"]["writeOnly"] is True
    for name in ("database_url", "streams", "lookback_seconds", "source_timezone"):
        assert settings[name]["description"]
    assert "batch" not in about["capabilities"]
