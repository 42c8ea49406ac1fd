"""What the settings, the statements and the database may refuse, and in which words."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from tap_support import MariadbServer, PostgresServer, Server
from target_backoffice.refusals import Verdict, judge
from target_backoffice.settings import read_settings
from target_backoffice.statements import parse_statement
from target_backoffice_support import (
    Importer,
    bounce,
    complete,
    dump,
    fetch,
    lines,
    unsubscribe,
    wait_for,
)
from target_kit.errors import ConfigurationError

GOOD = "UPDATE people SET score = score + 1 WHERE id = :recipient_id"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "is missing"),
        ("hunter2", "is no SQLAlchemy URL"),
        ("postgresql+asyncpg://u:hunter2@h/d", "asynchronous"),
        ("sqlite+aiosqlite:///x", "asynchronous"),
        ("mssql+pyodbc://u:hunter2@h/d", "unknown dialect"),
        ("oracle://u:hunter2@h/d", "unknown dialect"),
        ("postgresql+psycopg2://u:hunter2@h/d", "unknown dialect or driver"),
        ("postgresql://u:hunter2@h", "names no database"),
        ("sqlite://", "needs the path"),
        ("sqlite:///:memory:", "needs the path"),
        ("sqlite:///x?mode=memory", "options after ?"),
    ],
)
def test_a_database_url_is_refused_in_words(url: str | None, words: str) -> None:
    """Asynchronous and unknown drivers, databases without a name; never with the URL's text."""
    with pytest.raises(ConfigurationError, match=words.replace("?", r"\?")) as caught:
        read_settings({"database_url": url})
    assert "hunter2" not in str(caught.value)


def test_every_fault_of_the_settings_is_named_at_once() -> None:
    """One message, one fault each."""
    streams: dict[str, Any] = {
        "unsubscribes": {"table": "a b", "key": ["x;y"], "apply_sql": ["DROP TABLE contacts"]},
        "bounces": {"table": "marketing_worklist"},
        "opens": {},
    }
    with pytest.raises(ConfigurationError) as caught:
        read_settings({"database_url": "sqlite:///x", "schema": "s", "streams": streams})
    said = str(caught.value)
    for part in (
        "streams.unsubscribes.table: needs a plain name",
        "streams.unsubscribes.key: needs a plain name",
        "streams.unsubscribes.apply_sql[0]: must be an UPDATE or an INSERT",
        "streams.bounces.table: is used twice",
        "streams.opens.table: is missing",
        "schema: SQLite has none",
    ):
        assert part in said


def test_the_password_is_no_part_of_the_settings_repr() -> None:
    """Neither of the URL nor of the settings."""
    settings = read_settings({"database_url": "postgresql://u:hunter2@h/d"})
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("", "must be an UPDATE or an INSERT"),
        ("DELETE FROM contacts WHERE email = :recipient_id", "must be an UPDATE or an INSERT"),
        ("WITH x AS (DELETE FROM a) UPDATE b SET c = :d WHERE e", "must be an UPDATE"),
        (f"{GOOD}; {GOOD}", "more than one statement"),
        (f"{GOOD}; DROP TABLE people", "more than one statement"),
        ("UPDATE people SET score = :scope", "without WHERE"),
        ("UPDATE people SET score = :scope -- where", "without WHERE"),
        ("UPDATE people SET score = 1 WHERE id = 2", "names no column"),
        ("UPDATE people SET score = 'x WHERE id = :id", "without its end"),
        ("UPDATE people SET score = $$x$$ WHERE id = :id", "or a \\$"),
    ],
)
def test_a_statement_that_may_do_anything_is_refused(statement: str, words: str) -> None:
    """One UPDATE or INSERT with bound values per entry, never a script."""
    with pytest.raises(ValueError, match=words):
        parse_statement(statement)


@pytest.mark.parametrize(
    "statement",
    [
        f"{GOOD};\n",
        "INSERT INTO log (what) SELECT :scope",
        "UPDATE people SET score = 'a;b''c' WHERE id = :recipient_id -- done; really",
        'update "people" set score = 1 /* ; */ where id = :recipient_id',
    ],
)
def test_one_statement_with_bound_values_is_taken(statement: str) -> None:
    """Semicolons in quotes and comments are none."""
    assert parse_statement(statement).parameters <= {"recipient_id", "scope"}


def test_casts_and_escaped_colons_are_no_parameters() -> None:
    """`::type` is PostgreSQL's cast."""
    text = "UPDATE a SET b = '1'::integer WHERE c = :recipient_id AND d = 'x\\:y'"
    assert parse_statement(text).parameters == {"recipient_id"}


def test_an_unknown_parameter_stops_the_run_before_anything_is_written(importer: Importer) -> None:
    """The stream has no such column: named, exit code 2, no table made."""
    wrong = GOOD.replace(":recipient_id", ":recipientId")
    run = importer.take(complete([unsubscribe(1)]), streams=_apply(wrong))
    assert run.code == 2
    assert "streams.unsubscribes.apply_sql[0]: the stream has no column recipientId" in run.said
    with pytest.raises(Exception, match=r"no such table|does not exist|doesn't exist"):
        fetch(importer.database, "SELECT * FROM marketing_unsubscribes")


def test_a_column_the_tap_lacks_may_be_declared_optional(importer: Importer) -> None:
    """It is empty then, as another tap may have it filled."""
    statement = GOOD.replace(":recipient_id", "coalesce(:crm_id, :recipient_id)")
    importer.database.execute("CREATE TABLE people (id varchar(50) PRIMARY KEY, score integer)")
    importer.database.insert("people", [("person1@example.com", 0)])
    streams = _apply(statement, optional_columns=["crm_id"])
    run = importer.take(complete([unsubscribe(1)]), streams=streams)
    assert run.code == 0, run.said
    assert fetch(importer.database, "SELECT score FROM people") == [(1,)]


@pytest.mark.parametrize(
    "statement",
    [GOOD.replace("people", "peopel"), GOOD.replace("score", "scroe"), GOOD.replace("SET", "SETT")],
)
def test_a_wrong_statement_stops_the_run_before_the_first_row(
    importer: Importer, statement: str
) -> None:
    """The database plans each statement first: no such table, no such column, syntax."""
    importer.database.execute("CREATE TABLE people (id varchar(50) PRIMARY KEY, score integer)")
    run = importer.take(complete([unsubscribe(1)]), streams=_apply(statement))
    assert run.code == 2, run.said
    assert "streams.unsubscribes.apply_sql[0]: the database refuses it" in run.said
    assert fetch(importer.database, "SELECT count(*) FROM marketing_unsubscribes") == [(0,)]


def test_a_statement_that_fails_for_one_row_costs_that_row_only(importer: Importer) -> None:
    """A constraint of the backoffice forbids one: a named reject; it is whole or not there, and
    tried again next time.
    """
    importer.database.execute(
        "CREATE TABLE people (id varchar(50) PRIMARY KEY, score integer, CHECK (score < 2))"
    )
    importer.database.insert(
        "people", [(f"person{n}@example.com", 1 if n == 3 else 0) for n in range(6)]
    )
    config = {"streams": _apply(GOOD)}
    run = importer.take(complete([unsubscribe(n) for n in range(6)]), **config)
    assert run.code == 4, run.said
    assert run.outcomes() == {"applied": 5, "rejected": 1}
    ((name, cause),) = [(r["key"], r["cause"]) for r in importer.rejects()]
    assert (name, cause) == ('{"event_key": "unsubscribe-3"}', "refused")
    assert fetch(importer.database, "SELECT count(*) FROM marketing_unsubscribes") == [(5,)]
    importer.database.execute("UPDATE people SET score = 0 WHERE id = 'person3@example.com'")
    again = importer.take(complete(), **config)
    assert (again.code, again.outcomes()) == (0, {"applied": 1})
    assert fetch(importer.database, "SELECT DISTINCT score FROM people") == [(1,)]


def test_a_database_locked_for_too_long_is_unavailable(on_sqlite: Importer) -> None:
    """Exit code 7, nothing written, and the next run has it all."""
    on_sqlite.take(complete([unsubscribe(1)]))
    before = dump(on_sqlite.database, "marketing_unsubscribes")
    other = on_sqlite.database.connect()
    other.execute("BEGIN IMMEDIATE")
    run = on_sqlite.take(complete([unsubscribe(2)]), lock_timeout_seconds=1)
    other.close()
    assert run.code == 7
    assert "locked by another session" in run.said
    assert dump(on_sqlite.database, "marketing_unsubscribes") == before


def test_a_locked_table_of_a_server_is_unavailable(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    """PostgreSQL: a lock held by somebody else ends the run after the timeout."""
    database = postgresql.database()
    importer = Importer(tmp_path, database)
    importer.take(complete([unsubscribe(1)]))
    other = database.connect()
    other.execute("LOCK TABLE marketing_unsubscribes IN ACCESS EXCLUSIVE MODE")
    run = importer.take(complete([unsubscribe(2)]), lock_timeout_seconds=1)
    other.close()
    assert run.code == 7, run.said
    assert importer.take(complete([unsubscribe(2)])).code == 0


def test_a_deadlock_is_tried_again(postgresql: PostgresServer, tmp_path: Path) -> None:
    """PostgreSQL takes one of two sessions back; if it is ours, the chunk is done once more."""
    database = postgresql.database()
    database.execute(
        "CREATE TABLE people (id varchar(50) PRIMARY KEY, score integer)",
        f"ALTER DATABASE {database.url.split('?')[0].rsplit('/', 1)[-1]} "
        "SET deadlock_timeout = '4s'",
    )
    database.insert("people", [("person1@example.com", 0), ("person2@example.com", 0)])
    touch = "UPDATE people SET score = score WHERE id = '{0}@example.com'"
    importer = Importer(tmp_path, database, streams=_apply(GOOD))
    other = database.connect()
    other.execute("SET deadlock_timeout = '60s'")
    other.execute(touch.format("person2"))
    process = importer.start()
    assert process.stdin is not None
    process.stdin.write(lines(complete([unsubscribe(1), unsubscribe(2)])))
    process.stdin.close()
    process.stdin = None
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
    wait_for(lambda: fetch(database, waiting))
    other.execute(touch.format("person1"))  # now each waits for the other
    other.commit()
    other.close()
    run = importer.finish(process)
    assert run.code == 0, run.said
    assert fetch(database, "SELECT DISTINCT score FROM people") == [(1,)]
    counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    wait_for(lambda: fetch(database, counted) == [(1,)])


class _Refused(Exception):
    """An exception with a driver's attributes."""

    def __init__(self, *args: object, **attributes: object) -> None:
        super().__init__(*args)
        self.__dict__.update(attributes)


@pytest.mark.parametrize(
    ("backend", "error", "verdict"),
    [
        ("sqlite", _Refused(sqlite_errorcode=13), Verdict.UNAVAILABLE),
        ("sqlite", _Refused(sqlite_errorcode=5 | 2 << 8), Verdict.UNAVAILABLE),
        ("sqlite", _Refused(sqlite_errorcode=19 | 8 << 8), Verdict.ROW),
        ("sqlite", _Refused(), Verdict.ROW),
        ("postgresql", _Refused(sqlstate="40P01"), Verdict.AGAIN),
        ("postgresql", _Refused(sqlstate="53100"), Verdict.UNAVAILABLE),
        ("postgresql", _Refused(sqlstate="57P01"), Verdict.UNAVAILABLE),
        ("postgresql", _Refused(sqlstate="42501"), Verdict.CREDENTIALS),
        ("postgresql", _Refused(sqlstate="23514"), Verdict.ROW),
        ("postgresql", _Refused(sqlstate="P0001"), Verdict.ROW),
        ("mariadb", _Refused(1213, "x"), Verdict.AGAIN),
        ("mariadb", _Refused(1205, "x"), Verdict.UNAVAILABLE),
        ("mariadb", _Refused(2013, "x"), Verdict.UNAVAILABLE),
        ("mysql", _Refused(1142, "x"), Verdict.CREDENTIALS),
        ("mysql", _Refused(4025, "x"), Verdict.ROW),
        ("mariadb", _Refused(0, ""), Verdict.UNAVAILABLE),
    ],
)
def test_what_an_error_means_is_told_by_its_code(
    backend: str, error: Exception, verdict: Verdict
) -> None:
    """Values and constraints concern a row, the rest the run; the driver's text never shows."""
    refusal = judge(backend, error)
    assert refusal.verdict is verdict
    assert " x" not in refusal.reason


def test_a_missing_right_is_exit_code_3(postgresql: PostgresServer, tmp_path: Path) -> None:
    """A role that may read only: permission, in words, without a value."""
    database = postgresql.database()
    Importer(tmp_path, database).take(complete([unsubscribe(1)]))
    database.execute("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN",
                     "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")  # fmt: skip
    url = make_url(database.url).set(username="reader")
    run = Importer(tmp_path, database, database_url=url.render_as_string(hide_password=False)).take(
        complete([unsubscribe(2)])
    )
    database.execute("DROP OWNED BY reader", "DROP ROLE reader")
    assert run.code == 3, run.said
    assert "permission denied" in run.said


def test_a_wrong_password_is_exit_code_3(mariadb: MariadbServer, tmp_path: Path) -> None:
    """The server's text would name the user; ours does not."""
    database = mariadb.database()
    url = make_url(database.url).set(username="canary-user", password="canary-word")
    importer = Importer(tmp_path, database, database_url=url.render_as_string(hide_password=False))
    run = importer.take(complete([unsubscribe(1)]))
    assert run.code == 3, run.said
    assert "canary" not in run.said


def test_a_server_that_is_not_there_is_exit_code_7(sqlite: Server, tmp_path: Path) -> None:
    """Connection refused, for both kinds of server; a SQLite file that is missing is not made."""
    for url in ("postgresql://u:p@127.0.0.1:9/d", "mariadb://u:p@127.0.0.1:9/d"):
        importer = Importer(tmp_path, sqlite.database(), database_url=url)
        assert importer.take(complete([unsubscribe(1)])).code == 7
    missing = tmp_path / "missing.db"
    importer = Importer(tmp_path, sqlite.database(), database_url=f"sqlite:///{missing}")
    run = importer.take(complete([unsubscribe(1)]))
    assert (run.code, missing.exists()) == (2, False)


def test_a_full_disk_stops_the_run_without_state(on_sqlite: Importer) -> None:
    """What is committed stays, the rest comes again; exit code 7 and no feedback file."""
    file = Path(on_sqlite.database.url.removeprefix("sqlite:///"))
    connection = on_sqlite.database.connect()
    connection.execute("CREATE TABLE filler (x blob)")
    connection.execute("INSERT INTO filler VALUES (zeroblob(4000000))")
    connection.commit()
    connection.close()
    limit = file.stat().st_size + 100_000
    done = subprocess.run(
        on_sqlite.command(),
        input=lines(complete([unsubscribe(n, reason="x" * 300) for n in range(2000)])),
        capture_output=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert (done.returncode, done.stdout) == (7, b""), done.stderr
    assert b"can't be written" in done.stderr
    assert on_sqlite.feedback is None
    assert on_sqlite.take(complete([unsubscribe(n) for n in range(3)])).code == 0


def test_a_stream_nobody_configured_is_refused_or_ignored(on_sqlite: Importer) -> None:
    """on_unknown_stream: fail is the default."""
    streams = {"unsubscribes": {}}
    messages = complete([unsubscribe(1)], [bounce(1)])
    assert on_sqlite.take(messages, streams=streams).code == 2
    run = on_sqlite.take(messages, streams=streams, on_unknown_stream="ignore")
    assert run.code == 0, run.said
    assert [s["stream"] for s in run.report["streams"]] == ["unsubscribes"]


def _apply(*statements: str, **more: Any) -> dict[str, Any]:
    return {"unsubscribes": {"apply_sql": list(statements), **more}, "bounces": {}}
