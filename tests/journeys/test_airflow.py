"""The DAG of examples/airflow, run by Airflow: four shards of one table, one account."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from airflow_support import README, Airflow, Unfinished, commands, install
from house_support import ROOT
from journeys_support import poll
from simulators_support import Simulator
from tap.conftest import postgresql, server_directory  # noqa: F401 - fixtures
from tap_support import Database, PostgresServer
from workers_support import arrivals, densest_second, made

pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow, pytest.mark.timeout(1500)]

DAG = "contacts_in_shards"
SHARDS, CONTACTS = 4, 60


@pytest.fixture(scope="session")
def airflow_bin(project: Path) -> Path:
    """Airflow's own environment, made once."""
    return install(project)


@pytest.fixture
def limited() -> Iterator[Simulator]:
    """A simulated account with its real rate limit: 5 requests a second."""
    with Simulator(rate_limit=True) as started:
        started.seed({"fields": [field(perstag) for perstag in ("LAND", "SPRACHE", "MOBIL")]})
        yield started


def field(perstag: str) -> dict[str, str]:
    return {"title": perstag, "type": "text", "perstag": perstag}


@pytest.fixture
def backoffice(postgresql: PostgresServer) -> Database:  # noqa: F811 - the fixture
    """The sample backoffice on PostgreSQL; one of its contacts has no address."""
    database = postgresql.database()
    command = [sys.executable, "-m", "examples.backoffice", "build", "--count", str(CONTACTS)]
    subprocess.run([*command, "--database-url", sqlalchemy_url(database)], check=True, cwd=ROOT)
    return database


def sqlalchemy_url(database: Database) -> str:
    return database.url.replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture
def airflow(
    airflow_bin: Path,
    project: Path,
    limited: Simulator,
    backoffice: Database,
    postgresql: PostgresServer,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> Airflow:
    """Airflow with the example's DAG, and Meltano set up as the example's README says."""
    (include,) = re.findall(r"^include_paths: .*$", README, re.MULTILINE)
    meltano_yml = project / "meltano.yml"
    if include not in meltano_yml.read_text():
        meltano_yml.write_text(f"{include}\n{meltano_yml.read_text()}")
    shared = postgresql.database().url
    started = Airflow(airflow_bin, tmp_path, project / "examples" / "airflow")
    started.settings |= {
        "MELTANO_STATE_BACKEND_URI": f"file://{tmp_path}/meltano-state",
        "TAP_BACKOFFICE_DATABASE_URL": backoffice.url,
        "TAP_BACKOFFICE_FETCH_SIZE_ROWS": "10",
        "TARGET_ACTIVECAMPAIGN_API_URL": limited.url,
        "TARGET_ACTIVECAMPAIGN_LEDGER_URL": shared,
        "TARGET_ACTIVECAMPAIGN_RATE_LIMIT_URL": shared,
        "SHARD_RETRY_SECONDS": "1",
    }
    assert started.run("db", "migrate") == 0, started.log("db").read_text()
    return started


def keys(backoffice: Database, where: str) -> Counter[str]:
    """The keys of the backoffice's contacts, each once."""
    with contextlib.closing(backoffice.connect()) as connection:
        rows = connection.execute(f"SELECT ctt_id FROM contacts WHERE {where}").fetchall()
    return Counter(str(key) for (key,) in rows)


def loaded(sim: Simulator) -> Counter[str]:
    """How many contacts of the account have each key."""
    return Counter(c["fieldValues"].get("BUBSCTTID") for c in sim.state()["contacts"])


def shard_of(key: str) -> int:
    """The rule of tap-backoffice's README."""
    return int(hashlib.md5(key.encode()).hexdigest()[:8], 16) % SHARDS


def attempts(airflow: Airflow) -> dict[int, int]:
    """How often each shard was tried in the last run of the DAG."""
    last = "run_id = (SELECT run_id FROM dag_run ORDER BY id DESC LIMIT 1)"
    with contextlib.closing(sqlite3.connect(airflow.home / "airflow.db")) as metadata:
        query = f"SELECT map_index, try_number FROM task_instance WHERE task_id = 'load' AND {last}"
        return dict(metadata.execute(query).fetchall())


def shard_process(index: int) -> psutil.Process | None:
    """Meltano's process for a shard, once its target has begun."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if f"target-activecampaign-shard-{index}" in words and "run" in words:
            below = [" ".join(child.cmdline()) for child in process.children(recursive=True)]
            if any("/target-activecampaign " in f"{line} " for line in below):
                return process
    return None


def kill_in_the_middle(index: int, sim: Simulator, run: subprocess.Popen[str]) -> None:
    """SIGKILL Meltano and both plugins of a shard while contacts are being created."""

    def reached() -> bool:
        assert run.poll() is None, "the DAG has ended already"
        mine = [key for key in loaded(sim) if shard_of(key) == index]
        found = shard_process(index) if len(mine) > 2 else None
        if found is None:
            return False
        os.killpg(found.pid, signal.SIGKILL)
        return True

    poll(reached, seconds=400)


def ended(airflow: Airflow, run: subprocess.Popen[str]) -> int | None:
    """The exit code of the DAG's run; None when Airflow waits for a task that has ended.

    `dags test` has no scheduler that would notice a task whose end it missed; an operator runs the
    DAG again then. A shard that is still at work fails the test.
    """
    try:
        return airflow.finish(run, seconds=240)
    except Unfinished as hung:
        if any("-shard-" in words for words in hung.running):
            raise
        return None


def test_four_shards_load_one_account_side_by_side(
    airflow: Airflow, limited: Simulator, backoffice: Database
) -> None:
    """X1: `airflow dags test` runs the shards at one request rate, a killed one is finished by its
    retry, nobody is missing or doubled. Open rejects fail the check; a refused key fails a shard
    at the first try.
    """
    alone, side_by_side = (line.split()[1:] for line in commands("airflow") if DAG in line)
    with airflow.api_server():
        run = airflow.start(*side_by_side)
        kill_in_the_middle(2, limited, run)
        code = ended(airflow, run)
        if code is None:
            code = airflow.run(*side_by_side)
        else:
            assert attempts(airflow) == {0: 1, 1: 1, 2: 2, 3: 1}, airflow.everything_said()
    log = airflow.everything_said()
    reachable = keys(backoffice, "email IS NOT NULL")
    assert code == 0, log
    assert densest_second(arrivals(limited)) <= 5
    assert loaded(limited) == reachable
    assert made(limited) == reachable.total()

    backoffice.execute(
        "UPDATE contacts SET email = 'nobody at example', updated_at = current_timestamp "
        "WHERE email IS NULL"
    )
    limited.forget_requests()
    assert airflow.run(*alone) != 0
    assert "1 records were not delivered" in airflow.everything_said()
    assert limited.requests(writes=True) == []

    airflow.settings |= {"TARGET_ACTIVECAMPAIGN_API_KEY": "not-the-key", "SHARDS": "1"}
    assert airflow.run(*alone) != 0
    log = airflow.everything_said()
    assert "shard-0: Meltano failed; exit codes: loaders 3" in log
    assert "not-the-key" not in log
    assert attempts(airflow) == {0: 1}
