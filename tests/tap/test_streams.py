"""What a stream says beside its rows: marker, deletes, constants, selection, discovery."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.exceptions import AbortedSyncFailedException, AbortedSyncPausedException
from tap_backoffice.errors import SettingsError
from tap_backoffice.streams import BackofficeStream
from tap_backoffice.tap import TapBackoffice
from tap_support import Database, PostgresServer, Run, Server, captured, run_command, sync

PLAIN = {"stream_maps": {"contacts": {}}, "stream_map_config": {}}


def people(database: Database, count: int = 3, table: str = "people") -> None:
    database.execute(
        f"CREATE TABLE {table} (ctt_id integer PRIMARY KEY, email varchar(50),"
        f" changed {database.timestamp})"
    )
    rows = [(i, f"p{i}@example.com", f"2024-01-01 10:00:{i:02}") for i in range(count)]
    if rows:
        database.insert(table, rows)


def config(database: Database, *streams: dict[str, Any], **more: Any) -> dict[str, Any]:
    chosen = list(streams) or [{"name": "contacts", "table": "people"}]
    return {"database_url": database.url, "streams": chosen, "fetch_size_rows": 2, **more}


# The end-of-snapshot marker.


def test_the_marker_is_the_very_last_message_and_counts_empty_streams(database: Database) -> None:
    """One marker, after the last row of the last stream, zeros included."""
    people(database)
    people(database, 0, "companies")
    run = sync(
        config(
            database,
            {"name": "contacts", "table": "people"},
            {"name": "accounts", "table": "companies"},
        )
    )
    assert [m["counts"] for m in run.markers] == [{"accounts": 0, "contacts": 3}]
    assert run.messages[-1]["value"]["sync_complete"] == run.markers[0]
    assert isinstance(run.markers[0]["version"], int)
    assert "bookmarks" in run.messages[-1]["value"]


def test_the_marker_counts_what_stream_maps_emit(database: Database) -> None:
    """Under the emitted name, without the rows a filter drops."""
    people(database, 4)
    maps = {"contacts": {"__alias__": "leads", "__filter__": "record['ctt_id'] > 1"}}
    run = sync(config(database, stream_maps=maps, stream_map_config={}))
    assert [m["counts"] for m in run.markers] == [{"leads": 2}]
    assert len(run.records("leads")) == 2


def test_an_old_marker_in_the_input_state_is_not_repeated(database: Database) -> None:
    """A marker speaks of its own run only."""
    people(database)
    first = sync(config(database))
    second = sync(config(database), state=first.state)
    assert len(second.markers) == 1
    assert second.markers[0]["version"] > first.markers[0]["version"]


def test_no_marker_when_a_stream_fails(postgresql: PostgresServer, tmp_path: Path) -> None:
    """An error in the middle of the last stream ends with exit 1 and without a marker."""
    database = postgresql.database()
    people(database, 5)
    query = "SELECT 10 / (3 - ctt_id) AS a, ctt_id FROM people ORDER BY ctt_id"
    run = run_command(config(database, {"name": "contacts", "query": query}), tmp_path)
    assert run.code == 1
    assert len(run.records()) < 5
    assert run.markers == []
    assert run.errors.splitlines()[-1].startswith("tap-backoffice: the database (postgresql")


def test_no_marker_from_the_connection_test(database: Database) -> None:
    """`--test` reads one row a stream: never a snapshot."""
    people(database)
    with captured() as output:
        TapBackoffice(config=config(database)).run_connection_test()
    run = Run.of(output.getvalue())
    assert len(run.records()) == 1
    assert run.markers == []


# Deleted rows and constants.


@pytest.mark.parametrize("path", [{}, PLAIN])
@pytest.mark.parametrize(
    ("kind", "gone", "kept"),
    [
        ("timestamp", "'2024-02-01 08:00:00'", "NULL"),
        ("date", "'2024-02-01'", "NULL"),
        ("boolean", "true", "false"),
        ("integer", "1", "0"),
        ("varchar(5)", "'J'", "'N'"),
        ("varchar(5)", "'x'", "''"),
    ],
)
def test_a_deleted_row_says_so_in_the_record(
    database: Database, kind: str, gone: str, kept: str, path: dict[str, Any]
) -> None:
    """_sdc_deleted_at: the time of deletion, of the change where there is only a flag, or null."""
    if kind == "timestamp":
        kind = database.timestamp + (" NULL" if database.backend == "mariadb" else "")
    database.execute(
        "CREATE TABLE people"
        f" (ctt_id integer PRIMARY KEY, changed {database.timestamp}, gone {kind})",
        f"INSERT INTO people VALUES (1, '2024-01-05 10:00:00', {gone})",
        f"INSERT INTO people VALUES (2, '2024-01-05 10:00:00', {kept})",
        "INSERT INTO people VALUES (3, '2024-01-05 10:00:00', NULL)",
    )
    stream = {
        "name": "contacts",
        "table": "people",
        "deleted_column": "gone",
        "replication_key": "changed",
    }
    run = sync(config(database, stream, **path))
    expected = {
        "'2024-02-01 08:00:00'": "2024-02-01T08:00:00+00:00",
        "'2024-02-01'": "2024-02-01T00:00:00+00:00",
    }.get(gone, "2024-01-05T10:00:00+00:00")
    assert [r["_sdc_deleted_at"] for r in run.records()] == [expected, None, None]
    assert run.schema()["_sdc_deleted_at"] == {"type": ["string", "null"], "format": "date-time"}


def test_a_flag_without_any_time_gives_the_start_of_the_run(database: Database) -> None:
    """A full table with a flag: deleted by now at the latest."""
    database.execute(
        "CREATE TABLE people (ctt_id integer PRIMARY KEY, gone integer)",
        "INSERT INTO people VALUES (1, 1)",
    )
    stream = {"name": "contacts", "table": "people", "deleted_column": "gone"}
    before = dt.datetime.now(dt.UTC) - dt.timedelta(milliseconds=1)
    moment = sync(config(database, stream)).records()[0]["_sdc_deleted_at"]
    assert before <= dt.datetime.fromisoformat(moment) <= dt.datetime.now(dt.UTC)


@pytest.mark.parametrize("path", [{}, PLAIN])
def test_entity_type_is_a_constant_column(database: Database, path: dict[str, Any]) -> None:
    """In each record and in the schema, whatever characters it has."""
    people(database)
    kind = 'Kontakt "100%" \\ ü'
    stream = {"name": "contacts", "table": "people", "entity_type": kind}
    run = sync(config(database, stream, **path))
    assert [r["entity_type"] for r in run.records()] == [kind] * 3
    assert run.schema()["entity_type"] == {"type": ["string"]}


def test_an_added_column_must_not_hide_one_of_the_table(database: Database) -> None:
    """A table that has an entity_type of its own is a mistake in the settings."""
    database.execute("CREATE TABLE people (ctt_id integer PRIMARY KEY, entity_type varchar(9))")
    with pytest.raises(SettingsError, match="column 'entity_type' already"):
        sync(config(database, {"name": "contacts", "table": "people", "entity_type": "x"}))


# The SDK's own features, kept on the fast path.


@pytest.mark.parametrize("path", [{}, PLAIN])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_record_limit_is_kept_to_the_record(
    database: Database, limit: int, path: dict[str, Any]
) -> None:
    """ABORT_AT_RECORD_COUNT ends the stream as on the SDK's path, in the middle of a chunk too."""
    people(database, 5)
    with captured() as output:
        stream = TapBackoffice(config=config(database, **path)).streams["contacts"]
        stream.ABORT_AT_RECORD_COUNT = limit
        with pytest.raises((AbortedSyncFailedException, AbortedSyncPausedException)):
            stream.sync()
    assert len(Run.of(output.getvalue()).records()) == limit


@pytest.mark.parametrize("path", [{}, PLAIN])
def test_versions_are_sent_when_asked_for(database: Database, path: dict[str, Any]) -> None:
    """ACTIVATE_VERSION before the records, its version in each of them."""
    people(database)
    run = sync(config(database, emit_activate_version_messages=True, **path))
    activated = [m["version"] for m in run.messages if m["type"] == "ACTIVATE_VERSION"]
    assert len(activated) == 1
    versions = {m["version"] for m in run.messages if m["type"] == "RECORD"}
    assert versions == set(activated)
    assert not [m for m in sync(config(database)).messages if m["type"] == "ACTIVATE_VERSION"]


class ShoutingStream(BackofficeStream):
    """A stream that somebody extended by the SDK's hook."""

    def post_process(self, row: Any, context: Any = None) -> Any:
        """Shout, and leave one row out."""
        return None if row["ctt_id"] == 1 else {**row, "email": row["email"].upper()}


class ShoutingTap(TapBackoffice):
    """A tap with such a stream."""

    default_stream_class = ShoutingStream


def test_post_process_is_run_on_every_record(database: Database) -> None:
    """An overridden hook takes the plain path: nothing passes it by."""
    people(database)
    run = sync(config(database), tap_class=ShoutingTap)
    assert [r["email"] for r in run.records()] == ["P0@EXAMPLE.COM", "P2@EXAMPLE.COM"]
    assert run.markers[0]["counts"] == {"contacts": 2}


def test_the_private_sdk_names_the_fast_path_overrides_still_exist() -> None:
    """_sync_records is private by name: a new SDK that renames it must fail here."""
    from singer_sdk.sql import SQLStream

    for name in ("_sync_records", "_increment_stream_state", "_write_starting_replication_value"):
        assert callable(getattr(SQLStream, name))
        assert name in vars(BackofficeStream)


@pytest.mark.parametrize("path", [{}, PLAIN])
def test_deselected_columns_are_neither_sent_nor_in_the_schema(
    database: Database, path: dict[str, Any]
) -> None:
    """A catalogue's selection counts; keys and replication keys are always there."""
    people(database)
    stream = {"name": "contacts", "table": "people", "replication_key": "changed"}
    catalog = TapBackoffice(config=config(database, stream)).catalog_dict
    for entry in catalog["streams"][0]["metadata"]:
        if entry["breadcrumb"]:
            entry["metadata"]["selected"] = False
    run = sync(config(database, stream, **path), catalog=catalog)
    assert [set(r) for r in run.records()] == [{"ctt_id", "changed"}] * 3
    assert set(run.schema()) == {"ctt_id", "changed"}


def test_a_deselected_stream_is_not_read(database: Database) -> None:
    """The marker is that of the selected streams."""
    people(database)
    people(database, 2, "companies")
    settings = {"database_url": database.url}
    catalog = TapBackoffice(config=settings).catalog_dict
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = entry["tap_stream_id"] == "companies"
    run = sync(settings, catalog=catalog)
    assert run.markers[0]["counts"] == {"companies": 2}


def test_a_catalogue_may_set_the_replication_key(database: Database) -> None:
    """Meltano's metadata extra works for discovered streams."""
    people(database)
    settings = {"database_url": database.url, "fetch_size_rows": 2}
    catalog = TapBackoffice(config=settings).catalog_dict
    entry = catalog["streams"][0]
    for metadata in entry["metadata"]:
        if not metadata["breadcrumb"]:
            metadata["metadata"] |= {
                "replication-key": "changed",
                "replication-method": "INCREMENTAL",
            }
    entry["replication_method"] = "INCREMENTAL"
    first = sync(settings, catalog=catalog)
    assert first.bookmark("people") == "2024-01-01T10:00:02+00:00"
    assert len(sync(settings, catalog=catalog, state=first.state).records("people")) == 1


# Discovery.


def test_without_streams_every_table_and_view_is_offered_and_no_system_schema(
    database: Database,
) -> None:
    """Some seventy system views must not be among them."""
    people(database)
    database.execute("CREATE VIEW adults AS SELECT * FROM people")
    if database.backend == "postgresql":
        database.execute(
            "CREATE SCHEMA crm",
            "CREATE TABLE crm.leads (id integer PRIMARY KEY)",
            "CREATE MATERIALIZED VIEW summary AS SELECT count(*) AS n FROM people",
        )
    run = sync({"database_url": database.url})
    offered = {m["stream"] for m in run.messages if m["type"] == "SCHEMA"}
    more = {"crm-leads", "summary"} if database.backend == "postgresql" else set()
    assert offered == {"people", "adults"} | more
    assert len(run.records("adults")) == 3


def test_discovery_is_a_command(database: Database, tmp_path: Path) -> None:
    """`--discover` prints the catalogue and reads no row."""
    people(database)
    run = run_command({"database_url": database.url}, tmp_path, "--discover")
    assert run.code == 0
    catalog = json.loads(run.output)
    assert [s["tap_stream_id"] for s in catalog["streams"]] == ["people"]
    assert catalog["streams"][0]["key_properties"] == ["ctt_id"]


def test_a_query_stream_is_read_by_its_replication_key(database: Database) -> None:
    """Wrapped, so that the filter and the order apply; a trailing comment does no harm."""
    people(database, 4)
    stream = {
        "name": "contacts",
        "query": "SELECT ctt_id, changed, 'a:b %' AS note FROM people -- all",
        "primary_key": "ctt_id",
        "replication_key": "changed",
    }
    first = sync(config(database, stream))
    assert [r["note"] for r in first.records()] == ["a:b %"] * 4
    assert first.messages[0]["key_properties"] == ["ctt_id"]
    assert [r["ctt_id"] for r in sync(config(database, stream), state=first.state).records()] == [3]


def test_a_querys_columns_are_found_without_running_it(postgresql: PostgresServer) -> None:
    """A query that takes a minute costs nothing at discovery."""
    database = postgresql.database()
    stream = {"name": "contacts", "query": "SELECT pg_sleep(60)::text AS nap, 1 AS n"}
    started = dt.datetime.now(dt.UTC)
    schema = TapBackoffice(config=config(database, stream)).streams["contacts"].schema
    assert set(schema["properties"]) == {"nap", "n"}
    assert dt.datetime.now(dt.UTC) - started < dt.timedelta(seconds=30)


def test_a_query_the_database_refuses_is_a_wrong_setting(database: Database) -> None:
    """Exit 2, with the name of the stream, without the query's text."""
    stream = {"name": "contacts", "query": "SELEKT canary_secret"}
    with pytest.raises(SettingsError, match=r"streams\[contacts\]\.query: ") as raised:
        sync(config(database, stream))
    assert "canary" not in str(raised.value)


def test_a_lost_connection_ends_the_run_without_a_marker(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    """The server ends the session in the middle of a stream: exit 1, the bookmark stays true."""
    import subprocess

    from tap_support import command

    database = postgresql.database()
    database.execute(
        "CREATE TABLE people AS SELECT n AS ctt_id, repeat('x', 500) AS note"
        " FROM generate_series(1, 20000) n"
    )
    stream = {"name": "contacts", "table": "people", "replication_key": "ctt_id"}
    log = tmp_path / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command(config(database, stream, fetch_size_rows=100), tmp_path),
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as tap,
    ):
        assert tap.stdout is not None
        # After these lines the pipe is full again, so the tap waits in the middle of the table.
        head = b"".join(tap.stdout.readline() for _ in range(300))
        assert postgresql.terminate_sessions(database) >= 1
        run = Run.of(head + tap.stdout.read())
    assert tap.returncode == 1
    assert "connection lost" in log.read_text().splitlines()[-1]
    assert run.markers == []
    sent = [r["ctt_id"] for r in run.records()]
    assert run.bookmark() <= sent[-1]


def test_a_column_added_after_a_cached_catalogue_is_sent(server: Server) -> None:
    """Meltano may reuse a catalogue older than the table."""
    database = server.database()
    people(database)
    catalog = TapBackoffice(config=config(database)).catalog_dict
    database.execute("ALTER TABLE people ADD COLUMN phone varchar(20)")
    with contextlib.suppress(KeyError):
        catalog["streams"][0]["schema"]["properties"].pop("phone")
    assert "phone" in sync(config(database), catalog=catalog).records()[0]
