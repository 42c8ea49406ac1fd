"""Incremental streams: no row is ever lost, the bookmark is never ahead of rows or clock."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tap_backoffice.errors import SourceError
from tap_support import Database, PostgresServer, Run, Server, sync

PLAIN = {"stream_maps": {"contacts": {}}, "stream_map_config": {}}


def contacts(database: Database, rows: list[tuple[int, str | None]], kind: str = "") -> None:
    database.execute(
        f"CREATE TABLE people (ctt_id integer PRIMARY KEY, changed {kind or database.timestamp})"
    )
    database.insert("people", rows)


def config(database: Database, **more: Any) -> dict[str, Any]:
    stream = {"name": "contacts", "table": "people", "replication_key": "changed"}
    return {"database_url": database.url, "streams": [stream], "fetch_size_rows": 3, **more}


def ids(run: Run) -> list[int]:
    return [record["ctt_id"] for record in run.records()]


@pytest.fixture(params=["fast", "plain"])
def path(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {} if request.param == "fast" else PLAIN


@pytest.fixture
def host_in_vienna() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Vienna"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_rows_come_in_the_order_of_replication_key_and_key(
    database: Database, path: dict[str, Any]
) -> None:
    """Ties are broken by the primary key, so two reads give one order."""
    contacts(
        database,
        [(5, "2024-01-01 10:00:00"), (3, "2024-01-01 11:00:00"), (4, "2024-01-01 10:00:00")],
    )
    assert ids(sync(config(database, **path))) == [4, 5, 3]


def test_the_second_run_takes_the_bookmark_as_a_timestamp(
    database: Database, path: dict[str, Any]
) -> None:
    """Bound as a text, '18:00' of the same day sorts before 'T14:00' and is skipped."""
    contacts(database, [(1, "2024-01-01 14:00:00"), (2, "2024-01-01 13:00:00")])
    first = sync(config(database, **path))
    assert first.bookmark() == "2024-01-01T14:00:00+00:00"
    database.insert("people", [(3, "2024-01-01 18:00:00"), (4, "2024-01-01 12:00:00")])
    assert ids(sync(config(database, **path), state=first.state)) == [1, 3]


def test_rows_that_tie_with_the_bookmark_are_sent_again(
    database: Database, path: dict[str, Any]
) -> None:
    """A row committed later with the very time of the bookmark is not lost."""
    contacts(database, [(1, "2024-01-01 10:00:00.123456")])
    first = sync(config(database, **path))
    database.insert("people", [(2, "2024-01-01 10:00:00.123456")])
    assert ids(sync(config(database, **path), state=first.state)) == [1, 2]


def test_rows_without_a_replication_key_come_in_every_run(
    database: Database, path: dict[str, Any]
) -> None:
    """NULL is never greater than a bookmark; such rows are read first, each time."""
    contacts(database, [(1, "2024-01-01 10:00:00"), (2, None), (3, None)])
    first = sync(config(database, **path))
    assert ids(first) == [2, 3, 1]
    assert ids(sync(config(database, **path), state=first.state)) == [2, 3, 1]


def test_the_bookmark_never_passes_the_start_of_the_run(
    database: Database, path: dict[str, Any]
) -> None:
    """A row dated in the future is sent again until its time has come."""
    contacts(database, [(1, "2024-01-01 10:00:00"), (2, "2999-01-01 00:00:00")])
    before = dt.datetime.now(dt.UTC)
    first = sync(config(database, **path))
    after = dt.datetime.now(dt.UTC)
    for state in first.states:
        value = state["bookmarks"]["contacts"]["replication_key_value"]
        assert dt.datetime.fromisoformat(value) <= after
    final = dt.datetime.fromisoformat(first.bookmark())
    assert before - dt.timedelta(milliseconds=1) <= final <= after
    assert ids(sync(config(database, **path), state=first.state)) == [2]


def test_a_bookmark_from_the_future_in_the_state_is_brought_back(database: Database) -> None:
    """Another tap's bookmark may be ahead of the clock."""
    now = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    contacts(database, [(1, now.strftime("%Y-%m-%d %H:%M:%S"))])
    ahead = {"replication_key": "changed", "replication_key_value": "2999-01-01T00:00:00+00:00"}
    run = sync(config(database), state={"bookmarks": {"contacts": ahead}})
    assert ids(run) == [1]
    assert run.bookmark() < "2999"


def test_lookback_reads_rows_committed_late(database: Database) -> None:
    """A transaction that began before the bookmark may commit after it."""
    contacts(database, [(1, "2024-01-01 10:00:00")])
    first = sync(config(database))
    database.insert("people", [(2, "2024-01-01 09:59:30"), (3, "2024-01-01 09:00:00")])
    assert ids(sync(config(database), state=first.state)) == [1]
    late = sync(config(database, lookback_seconds=60), state=first.state)
    assert ids(late) == [2, 1]
    assert late.bookmark() == first.bookmark()


def test_state_comes_after_every_chunk(database: Database, path: dict[str, Any]) -> None:
    """Each STATE covers exactly what stands before it."""
    contacts(database, [(i, f"2024-01-01 10:{i:02}:00") for i in range(10)])
    run = sync(config(database, **path))
    sent: list[str] = []
    bookmarks = 0
    for message in run.messages:
        if message["type"] == "RECORD":
            sent.append(message["record"]["changed"])
        elif message["type"] == "STATE" and sent:
            assert message["value"]["bookmarks"]["contacts"]["replication_key_value"] == sent[-1]
            bookmarks += 1
    assert bookmarks >= 4


def test_a_run_continues_after_each_state_of_a_cut_run(database: Database) -> None:
    """Whatever the last STATE was, the next run sends all that was missing."""
    contacts(database, [(i, f"2024-01-01 10:{i // 4:02}:00") for i in range(20)])
    full = sync(config(database))
    for cut, message in enumerate(full.messages):
        if message["type"] != "STATE":
            continue
        sent = {m["record"]["ctt_id"] for m in full.messages[:cut] if m["type"] == "RECORD"}
        rest = sync(config(database), state=message["value"])
        assert sent | set(ids(rest)) == set(range(20))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("integer", [7, 9, 9, 12]),
        ("decimal(20,6)", ["1.000001", "1.5", "1.5", "2"]),
        ("date", ["2024-01-01", "2024-01-02", "2024-01-02", "2024-02-01"]),
        ("varchar(20)", ["a", "b", "b", "c"]),
    ],
)
def test_other_kinds_of_keys_are_bound_as_what_they_are(
    database: Database, kind: str, values: list[Any], path: dict[str, Any]
) -> None:
    """Numbers, dates and texts: the second run starts at the bookmark, ties included."""
    contacts(database, list(enumerate(values[:3])), kind)
    first = sync(config(database, **path))
    assert ids(first) == [0, 1, 2]
    database.insert("people", [(3, values[3])])
    assert ids(sync(config(database, **path), state=first.state)) == [1, 2, 3]


def test_timestamps_with_a_zone_do_not_break_the_order_at_a_dst_change(
    postgresql: PostgresServer,
) -> None:
    """01:30-04:00 comes before 01:10-05:00: the session speaks UTC, whatever the role's zone."""
    database = postgresql.database()
    database.execute("ALTER ROLE postgres SET TimeZone = 'America/New_York'")
    try:
        contacts(
            database,
            [(1, "2024-11-03 01:30:00-04"), (2, "2024-11-03 01:10:00-05")],
            "timestamptz",
        )
        run = sync(config(database))
    finally:
        database.execute("ALTER ROLE postgres RESET TimeZone")
    assert [r["changed"] for r in run.records()] == [
        "2024-11-03T05:30:00+00:00",
        "2024-11-03T06:10:00+00:00",
    ]
    assert ids(sync(config(database), state=run.state)) == [2]


def test_the_zone_of_the_server_session_does_not_move_mariadb_timestamps(mariadb: Server) -> None:
    """TIMESTAMP columns are rendered in the session's zone, which the tap sets to UTC."""
    database = mariadb.database()
    database.execute("SET GLOBAL time_zone = '+05:00'")
    try:
        database.execute(
            "SET time_zone = '+00:00'",
            "CREATE TABLE people (ctt_id integer PRIMARY KEY, changed timestamp(6) NULL)",
            "INSERT INTO people VALUES (1, '2024-01-01 10:00:00')",
        )
        run = sync(config(database))
        assert run.bookmark() == "2024-01-01T10:00:00+00:00"
        assert ids(sync(config(database), state=run.state)) == [1]
    finally:
        database.execute("SET GLOBAL time_zone = 'SYSTEM'")


@pytest.mark.usefixtures("host_in_vienna")
def test_the_zone_of_the_host_means_nothing(database: Database) -> None:
    """Naive timestamps are UTC by default, on a host in Vienna too."""
    contacts(database, [(1, "2024-07-01 10:00:00")])
    assert sync(config(database)).bookmark() == "2024-07-01T10:00:00+00:00"


@pytest.mark.parametrize("later", ["2024-10-27 02:10:00", "2024-10-27 02:50:00"])
def test_no_row_is_lost_in_the_hour_the_clock_is_put_back(database: Database, later: str) -> None:
    """Local times repeat: the next run reads that hour again."""
    zone = {"source_timezone": "Europe/Vienna"}
    contacts(database, [(1, "2024-10-27 01:30:00"), (2, "2024-10-27 02:45:00")])
    first = sync(config(database, **zone))
    database.insert("people", [(3, later)])
    assert 3 in ids(sync(config(database, **zone), state=first.state))


def test_local_times_that_never_were_do_not_stop_the_run(database: Database) -> None:
    """02:30 in the skipped hour sorts after 01:59 and before 03:10, in UTC it does not."""
    rows = [(1, "2024-03-31 01:59:00"), (2, "2024-03-31 02:30:00"), (3, "2024-03-31 03:10:00")]
    contacts(database, rows)
    first = sync(config(database, source_timezone="Europe/Vienna"))
    assert ids(first) == [1, 2, 3]
    second = sync(config(database, source_timezone="Europe/Vienna"), state=first.state)
    assert 3 in ids(second)


def test_mixed_timestamp_formats_in_sqlite_sort_by_time(sqlite: Server) -> None:
    """SQLite compares texts; blank, T, Z and offset formats of one column must not."""
    database = sqlite.database()
    contacts(
        database,
        [
            (1, "2024-01-01T09:00:00Z"),
            (2, "2024-01-01 08:00:00"),
            (3, "2024-01-01T12:00:00+02:00"),
            (4, "2024-01-01 11:00:00.5"),
        ],
    )
    first = sync(config(database))
    assert ids(first) == [2, 1, 3, 4]
    database.insert("people", [(5, "2024-01-01T14:00:00+02:00"), (6, "2024-01-01 07:00:00")])
    assert ids(sync(config(database), state=first.state)) == [4, 5]


def test_a_changed_replication_key_starts_from_the_beginning(database: Database) -> None:
    """The bookmark of another column says nothing about this one."""
    contacts(database, [(1, "2024-01-01 10:00:00")])
    other = {"replication_key": "created", "replication_key_value": "2025-01-01T00:00:00+00:00"}
    assert ids(sync(config(database), state={"bookmarks": {"contacts": other}})) == [1]


def test_a_bookmark_of_another_type_is_an_error(database: Database) -> None:
    """Rather stop than start from a wrong place."""
    contacts(database, [(1, "2024-01-01 10:00:00")])
    bad = {"replication_key": "changed", "replication_key_value": "yesterday"}
    with pytest.raises(SourceError, match="bookmark for replication key 'changed'"):
        sync(config(database), state={"bookmarks": {"contacts": bad}})


def test_the_index_on_the_replication_key_is_used(postgresql: PostgresServer) -> None:
    """No `OR … IS NULL`, no NULLS FIRST: a small increment of a big table costs no full sort."""
    import psycopg
    from tap_backoffice.queries import Part, Quoting, Source, bound, select_text
    from tap_backoffice.types import Column

    database = postgresql.database()
    key = Column("changed", "timestamp")
    database.execute(
        "CREATE TABLE people (ctt_id integer PRIMARY KEY, changed timestamp)",
        "INSERT INTO people SELECT n, timestamp '2024-01-01' + n * interval '1 second'"
        " FROM generate_series(1, 50000) n",
        "CREATE INDEX ON people (changed, ctt_id)",
        "ANALYZE people",
    )
    with psycopg.connect(database.url) as connection:
        from sqlalchemy.dialects.postgresql.psycopg import dialect

        quoting = Quoting(dialect())
        source = Source((key,), ("ctt_id",), table="people", replication_key=key)
        part = Part("present", dt.datetime(2024, 1, 1, 13))  # noqa: DTZ001  # naive, as bound
        text = select_text(
            source, part, quoting, values=["t.ctt_id"], order='t."changed"', limit=None
        )
        statement, values = bound(text, part.lower_bound, dialect())
        connection.execute("SET enable_bitmapscan = off")  # it would hide the index's order
        rows = connection.execute(f"EXPLAIN {statement}", values).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "Index" in plan
    assert "Sort" not in plan
