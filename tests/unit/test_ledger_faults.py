"""The ledger when runs are killed, disks fill, servers go away and settings are wrong."""

from __future__ import annotations

import logging
import os
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import ledger_support
import psycopg
import pytest
from ledger_support import NOON, SCOPE, Place, interval, person, wait_for
from sqlalchemy.engine import make_url
from tap_support import Database, PostgresServer
from target_kit.errors import ConfigurationError, LockedError, StopRun
from target_kit.ledger import Finding, LedgerError, open_ledger

CANARY = "canary-word"
#: A person of whom no trace may be told.
NAMED = person(1, who=f"key:{CANARY}", address_key=f"{CANARY}@example.com", contact_id=CANARY)


def one_line(error: StopRun) -> str:
    """The message, proven to be one line that tells nobody anything, nor its printed cause."""
    text = str(error)
    printed = "".join(traceback.format_exception(error))
    assert "\n" not in text
    assert CANARY not in printed
    assert "direct cause" not in printed
    assert "During handling" not in printed
    assert not re.search(r"INSERT|SELECT|sqlalche\.me|127\.0\.0\.1|host=", text), text
    return text


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    return Place(tmp_path / "state", None)


@pytest.fixture
def server(postgresql: PostgresServer) -> Database:
    return postgresql.database()


# --- kills ---


def killed(place: Place, moment: Callable[[int], object]) -> int:
    """Start a run that records batches of 4000 for ever, kill it at the moment that `moment` finds
    once two batches are through; how many it said it had recorded.
    """
    command = [
        sys.executable,
        ledger_support.__file__,
        str(place.state_dir),
        place.url or "",
        "4000",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        said = [int(process.stdout.readline()) for _ in range(2)]
        wait_for(lambda: moment(process.pid))
        process.send_signal(signal.SIGKILL)
        said += [int(line) for line in process.stdout]
    return said[-1]


def test_a_run_killed_while_it_records_leaves_whole_batches(
    place: Place, request: pytest.FixtureRequest
) -> None:
    """X8: SIGKILL in the middle of a transaction; what was said to be recorded is there, and of the
    batch under way either nothing or everything, persons and addresses alike.
    """
    with place.open():
        pass
    said = killed(place, _writing(place))
    whole = None

    def opened() -> bool:  # PostgreSQL may still be noticing that the run is gone
        nonlocal whole
        try:
            with place.open() as ledger:
                people = [p for batch in ledger.all_people() for p in batch]
                dated = sum(len(ledger.since([p.who for p in people[n::4]])) for n in range(4))
        except LockedError:
            return False
        assert dated == len(people)
        whole = divmod(len(people), 4000)
        return True

    wait_for(opened)
    assert whole in ((said, 0), (said + 1, 0))


def _writing(place: Place) -> Callable[[int], object]:
    """Whether a transaction is under way that has written something."""
    if place.url is None:
        journal = place.file.with_name("ledger.sqlite-journal")
        return lambda _pid: journal.stat().st_size > 0
    database = Database("postgresql", place.url)
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
    )

    def writes(_pid: int) -> object:
        with closing(database.connect()) as connection:
            return connection.execute(query).fetchall()

    return writes


# --- SQLite ---


def refused(place: Place, what: str, kind: type[StopRun] = LedgerError, **more: float) -> str:
    """The text with which an attempt to work is refused."""
    with pytest.raises(kind, match=what) as caught:
        work(place, **more)
    return one_line(caught.value)


def work(place: Place, **more: float) -> None:
    """What every run does."""
    with place.open(**more) as ledger:
        ledger.record(people=[NAMED], now=NOON)
        list(ledger.all_people())


def test_the_file_is_nobody_elses(sqlite: Place) -> None:
    """X7: 0600 in 0700, the journal too; SQLite keeps nothing of whom it was to forget."""
    with sqlite.open() as ledger:
        ledger.record(people=[NAMED], intervals=[interval(NAMED.who, CANARY, 0)], now=NOON)
        assert CANARY.encode() in sqlite.file.read_bytes()
        ledger.forget([NAMED.who])
        modes = {p.name: p.stat().st_mode & 0o777 for p in sqlite.state_dir.iterdir()}
    assert modes == {"ledger.sqlite": 0o600, "ledger.sqlite-journal": 0o600}
    assert sqlite.state_dir.stat().st_mode & 0o777 == 0o700
    assert all(CANARY.encode() not in p.read_bytes() for p in sqlite.state_dir.iterdir())


def test_a_file_that_is_no_ledger_is_named(sqlite: Place) -> None:
    """Rubbish, a file cut in half, one whose pages are overwritten: damaged, and what to do."""
    sqlite.state_dir.mkdir()
    sqlite.file.write_bytes(b"x" * 5000)
    assert "remove the file: the next run rebuilds it" in refused(sqlite, "it is damaged")
    sqlite.file.unlink()
    with sqlite.open() as ledger:
        ledger.record(people=[person(n) for n in range(5000)], now=NOON)
    whole = sqlite.file.read_bytes()
    sqlite.file.write_bytes(whole[: len(whole) // 2])
    refused(sqlite, "it is damaged")
    sqlite.file.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    refused(sqlite, "it is damaged")


def test_a_removed_file_begins_anew(sqlite: Place) -> None:
    """X8: nothing is known, nothing stands in the way."""
    for _ in range(2):
        with sqlite.open() as ledger:
            assert ledger.people([NAMED.who]) == {}
            ledger.record(people=[NAMED], now=NOON)
        sqlite.file.unlink()


def test_a_symbolic_link_is_not_followed(sqlite: Place, tmp_path: Path) -> None:
    """Personal data goes nowhere else."""
    sqlite.state_dir.mkdir()
    sqlite.file.symlink_to(tmp_path / "elsewhere")
    refused(sqlite, "symbolic link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_ledger_of_another_version_is_refused(place: Place) -> None:
    """It is not guessed what its columns mean."""
    with place.open():
        pass
    database = Database("postgresql", place.url) if place.url else None
    with closing(database.connect() if database else sqlite3.connect(place.file)) as connection:
        connection.execute("UPDATE ledger_schema SET version = 99")
        connection.commit()
    refused(place, "another version made it")


def test_a_locked_file_is_waited_for_and_then_named(sqlite: Place) -> None:
    """Somebody else holds a write lock: at the opening, and in the middle of a run."""
    with sqlite.open(lock_timeout_seconds=0.05) as ledger:
        ledger.record(people=[person(2)], now=NOON)
        with closing(sqlite3.connect(sqlite.file, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            refused(sqlite, "locked by another process", lock_timeout_seconds=0.05)
            with pytest.raises(LedgerError, match="locked by another process") as caught:
                ledger.record(people=[NAMED], now=NOON)
            one_line(caught.value)
        ledger.record(people=[NAMED], now=NOON)
        assert ledger.people([NAMED.who]) == {NAMED.who: NAMED}


def test_a_disk_that_fills_up_is_named_and_undoes_the_batch(sqlite: Place) -> None:
    """A limit on the file's size stands for the disk: what was committed before is there."""
    code = (
        "import sys; from pathlib import Path; from ledger_support import *\n"
        "from target_kit.errors import StopRun\n"
        "try: record_for_ever(Place(Path(sys.argv[1]), None), 1000)\n"
        "except StopRun as error: sys.exit(str(error))"
    )
    folder = str(Path(ledger_support.__file__).parent)
    limit = 1_500_000
    done = subprocess.run(
        [sys.executable, "-c", code, str(sqlite.state_dir)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": folder},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert re.fullmatch(r"state_dir: the ledger .*: disk (error|full); .*\n", done.stderr)
    with sqlite.open() as ledger:
        found = sum(len(batch) for batch in ledger.all_people())
    assert found == 1000 * len(done.stdout.split())
    assert found > 0


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Make a file read-only, for a privileged user too."""
    if os.geteuid():
        path.chmod(0o400)
        yield
        return
    for options in (["--bind", path, path], ["-o", "remount,bind,ro", path]):
        if subprocess.run(["mount", *options], capture_output=True).returncode:
            subprocess.run(["umount", path], capture_output=True)
            pytest.skip("this privileged user may not mount, and nothing else is read-only to it")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_read_only_file_is_named(sqlite: Place) -> None:
    """Before any work is done."""
    with sqlite.open():
        pass
    with read_only(sqlite.file):
        refused(sqlite, "Read-only file system|Permission denied")


# --- PostgreSQL ---


def test_one_run_of_a_stream_at_a_time(server: Database, tmp_path: Path) -> None:
    """Several machines share a server: the second run of a stream is exit code 5, another stream
    is not, and the lock ends with the run.
    """
    place = Place(tmp_path, server.url)
    with place.open():
        assert "another run" in refused(place, "wait", LockedError)
        with place.open("another stream") as ledger:
            ledger.record(people=[NAMED], now=NOON)
    with place.open() as ledger:
        ledger.record(people=[NAMED], now=NOON)


def test_a_lost_connection_ends_the_run(
    postgresql: PostgresServer, server: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """X8: the lock went with the session, so no later call may open another one silently."""
    place = Place(tmp_path, server.url)
    with place.open() as ledger:
        ledger.record(people=[person(2)], now=NOON)
        assert postgresql.terminate_sessions(server) == 1
        for call in (
            lambda: ledger.record(people=[NAMED], now=NOON),
            lambda: ledger.record(people=[NAMED], now=NOON),
            lambda: ledger.people([NAMED.who]),
        ):
            with pytest.raises(LedgerError, match=r"ended the session|connection lost") as caught:
                call()
            one_line(caught.value)
    with place.open() as ledger:
        assert ledger.people([NAMED.who, "key:2"]) == {"key:2": person(2)}
    assert capfd.readouterr().err == ""


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Nobody listens, nobody answers, nobody has that name."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        url = f"postgresql://{CANARY}:{CANARY}@127.0.0.1:{port}/{CANARY}"
        refused(Place(tmp_path, f"{url}?connect_timeout=2"), "timed out|refused or lost")
    text = refused(Place(tmp_path, url), "connection refused or lost")
    assert "drop its tables ledger_*: the next run rebuilds them" in text


@pytest.fixture
def guest(postgresql: PostgresServer, server: Database) -> Iterator[str]:
    """The URL of a role with a password that the server asks for."""
    role = "ledger_guest"
    server.execute(
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role} LOGIN PASSWORD 'right-{CANARY}'",
    )
    with closing(server.connect()) as connection:
        rules = Path(connection.execute("SHOW hba_file").fetchone()[0])
    before = rules.read_text()
    rules.write_text(f"local all {role} scram-sha-256\nhost all {role} all scram-sha-256\n{before}")
    server.execute("SELECT pg_reload_conf()")
    url = make_url(server.url).set(username=role, password=f"wrong-{CANARY}")
    asked = url.render_as_string(hide_password=False)

    def asks() -> bool:
        try:
            psycopg.connect(asked).close()
        except psycopg.OperationalError as error:
            return "authentication" in str(error)
        return False

    wait_for(asks)
    yield asked
    rules.write_text(before)
    server.execute("SELECT pg_reload_conf()", f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def test_a_wrong_password_and_a_missing_right_are_settings_to_correct(
    server: Database, guest: str, tmp_path: Path
) -> None:
    """Authentication, then the right to make tables; with both the ledger opens."""
    wrong, right = Place(tmp_path, guest), Place(tmp_path, guest.replace("wrong-", "right-"))
    refused(wrong, "^ledger_url: .*authentication failed", ConfigurationError)
    server.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC, ledger_guest")
    refused(right, "^ledger_url: .*permission denied", ConfigurationError)
    server.execute("GRANT CREATE ON SCHEMA public TO ledger_guest")
    with right.open() as ledger:
        ledger.record(people=[NAMED], now=NOON)


def test_a_database_that_does_not_exist_is_a_setting_to_correct(
    server: Database, tmp_path: Path
) -> None:
    """Its name is not repeated."""
    url = make_url(server.url).set(database=CANARY).render_as_string(hide_password=False)
    refused(Place(tmp_path, url), "^ledger_url: .*no such database", ConfigurationError)


def test_every_spelling_of_postgresql_is_taken(server: Database, tmp_path: Path) -> None:
    """As other tools write it; psycopg 3 is what is used."""
    _, _, rest = server.url.partition("://")
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        with open_ledger(tmp_path, f" {scheme}://{rest} ", SCOPE) as ledger:
            ledger.set_fact("scheme", scheme)


@pytest.mark.parametrize(
    "url",
    [
        CANARY,
        f"mysql://{CANARY}:{CANARY}@{CANARY}/x",
        f"postgresql+psycopg2://{CANARY}:{CANARY}@{CANARY}/x",
        f"sqlite:///{CANARY}",
        f"postgresql://{CANARY}:{CANARY}@{CANARY}",
        f"postgresql://{CANARY}@h:{CANARY}/x",
        f"://{CANARY}",
    ],
)
def test_any_other_url_is_refused_with_the_two_that_work(url: str, tmp_path: Path) -> None:
    """Neither host nor user nor password is repeated."""
    text = refused(Place(tmp_path, url), "ledger_url: must be", ConfigurationError)
    assert "PostgreSQL" in text
    assert "SQLite" in text
    assert list(tmp_path.iterdir()) == []


# --- what is told ---


def test_nothing_of_a_person_is_logged(
    place: Place, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """X7: at DEBUG too, whether statements work or fail."""
    caplog.set_level(logging.DEBUG)
    for name in ("sqlalchemy", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg"):
        caplog.set_level(logging.DEBUG, logger=name)
    with place.open() as ledger:
        ledger.record(
            people=[NAMED], findings=[Finding(NAMED.who, CANARY, CANARY, CANARY)], now=NOON
        )
        assert ledger.people([NAMED.who])
        with pytest.raises(LedgerError) as caught:
            ledger.record(people=[person(2, who=None, contact_id=CANARY)], now=NOON)
        ledger.approve(NAMED.who, NAMED.address_key, NOON)
        ledger.forget([NAMED.who])
    one_line(caught.value)
    captured = capfd.readouterr()
    assert CANARY not in caplog.text + captured.out + captured.err
