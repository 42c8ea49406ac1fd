"""Several workers on shards of one set and one account: never too fast, nobody twice, none lost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from destinations_support import sums_close
from simulators_support import Simulator
from tap_support import Database, PostgresServer
from target_kit.ledger_database import lock_between_machines
from target_kit.ledger_locks import alone
from target_kit.shards import Shard
from target_support import record, schema, state
from workers_support import (
    SECRET,
    RedisServer,
    Worker,
    arrivals,
    densest_second,
    each_once,
    made,
    shards_of,
)

SHARDS = 4
#: At 5 requests a second each contact takes its time; FAULTS=all takes more of them.
CONTACTS = 160 if os.environ.get("FAULTS") == "all" else 48
MakeWorker = Callable[..., Worker]


@pytest.fixture
def make_worker(sim: Simulator, tmp_path: Path, database_url: str) -> MakeWorker:
    """Build the worker of a shard; all share one state_dir, as on one machine."""

    def make(rate_url: str, index: int | None, number: int = SHARDS, **config: Any) -> Worker:
        shared = {
            "requests_per_second": 5,
            "state_dir": str(tmp_path / "state"),
            "ledger_url": database_url,
            "rate_limit_url": rate_url,
            "strategy": "single",
            **({} if index is None else {"shard": {"index": index, "count": number}}),
        }
        return Worker(tmp_path / f"worker-{index}-{number}", sim.url, **{**shared, **config})

    return make


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_four_workers_load_one_account(
    sim: Simulator, make_worker: MakeWorker, rate_url: str
) -> None:
    """X1: at most 5 requests in every second by the simulator's log, every contact exactly
    once, a killed worker's shard is finished by its next run, the sums close.
    """
    keys = range(1, CONTACTS + 1)
    parts = shards_of(keys, SHARDS)
    workers = [make_worker(rate_url, index) for index in range(SHARDS)]
    for worker, part in zip(workers, parts, strict=True):
        worker.begin(part)
    killed, its = workers[2], {f"person{one['record']['ctt_id']}@example.com" for one in parts[2]}
    killed.until(lambda: len(its & sim.contacts().keys()) >= 3)
    killed.kill()
    assert not its <= sim.contacts().keys()
    runs = [worker.end() for worker in workers if worker is not killed]
    assert not each_once(sim, keys)
    killed.begin(parts[2])
    runs.append(killed.end())
    assert [run.code for run in runs] == [0] * SHARDS, [run.stderr for run in runs]
    assert densest_second(arrivals(sim)) <= 5
    assert {entry["status"] for entry in sim.requests()} <= {200, 201}
    assert each_once(sim, keys)
    assert made(sim) == CONTACTS
    assert all(sums_close(run) for run in runs)
    assert [run.stream["received"] for run in runs] == [CONTACTS // SHARDS] * SHARDS
    assert runs[-1].outcomes.get("unchanged", 0) >= 3
    perstags = [field["perstag"] for field in sim.state()["fields"]]
    assert len(perstags) == len(set(perstags))  # made once, although all four missed them


@pytest.mark.parametrize(
    ("read", "code"),
    [
        ({"index": 1, "count": SHARDS}, 0),
        ({"index": 1, "count": 2 * SHARDS}, 2),
        ({"index": 0, "count": SHARDS}, 2),
        (None, 0),
    ],
)
def test_the_records_of_another_shard_are_refused(
    sim: Simulator,
    make_worker: MakeWorker,
    database_url: str,
    read: dict[str, int] | None,
    code: int,
) -> None:
    """X1: with eight taps before four targets half of the people would be read by nobody; nothing
    is written then, and no bookmark moves. A tap that knows no shards is believed.
    """
    worker = make_worker(database_url, 1, requests_per_second=1000)
    marker = {"version": 1, "counts": {"contacts": 1}, **({"shard": read} if read else {})}
    end = {"type": "STATE", "value": {**state(1)["value"], "sync_complete": marker}}
    run = worker.run([schema(), record(1), end])
    assert run.code == code, run.stderr
    assert bool(sim.contacts()) is bool(run.states) is (code == 0)
    if code and read:
        said = f"this is shard 1 of {SHARDS}, the tap read shard {read['index']} of {read['count']}"
        assert said in run.stderr
        assert sim.requests() == []


def test_a_lost_rate_ends_the_run_with_seven(
    sim: Simulator, make_worker: MakeWorker, own_redis: RedisServer
) -> None:
    """Item 7: without the server nothing more is sent; what was delivered has its STATE, the rest
    comes again; no part of the URL is told (X7).
    """
    worker = make_worker(own_redis.url, None)
    records = [record(key) for key in range(1, 41)]
    worker.begin(records)
    worker.until(lambda: made(sim) >= 3)
    own_redis.stop()
    run = worker.end(60)
    sent = len(arrivals(sim))
    assert run.code == 7
    assert "rate_limit_url: the shared request rate can't be kept" in run.stderr.splitlines()[-1]
    assert run.states == []
    assert made(sim) < len(records)
    told = run.stderr + json.dumps(run.report)
    assert SECRET not in told
    assert str(own_redis.port) not in told
    assert len(arrivals(sim)) == sent
    own_redis.start()
    sim.switches(rate_limit=False)
    worker.config["requests_per_second"] = 500
    worker.begin(records)
    again = worker.end()
    assert again.code == 0, again.stderr
    assert each_once(sim, range(1, 41))
    assert made(sim) == 40


def test_a_429_holds_the_other_workers(
    sim: Simulator, make_worker: MakeWorker, rate_url: str
) -> None:
    """Item 7: one worker is told to wait three seconds, and no other sends meanwhile."""
    sim.switches(rate_limit=False)
    workers = [make_worker(rate_url, index, 2, requests_per_second=10) for index in range(2)]
    for worker, part in zip(workers, shards_of(range(1, 61), 2), strict=True):
        worker.begin(part)
    workers[1].until(
        lambda: {int(c["fieldValues"]["BUBSCTTID"]) % 2 for c in sim.contacts().values()} == {0, 1}
    )
    sim.faults(
        [
            {
                "match": {"method": "POST", "path": "/contacts$"},
                "times": 1,
                "action": {"type": "retry_after", "value": "3"},
            }
        ]
    )
    runs = [worker.end() for worker in workers]
    assert [run.code for run in runs] == [0, 0], [run.stderr for run in runs]
    log = sim.requests()
    (told,) = [entry["time"] for entry in log if entry["status"] == 429]
    after = sorted(entry["time"] for entry in log if entry["time"] > told)
    early = [moment for moment in after if moment < told + 2.9]
    # Whoever had a start before the answer was read is on the way already.
    assert len(early) <= 1
    assert all(moment < told + 0.3 for moment in early)
    assert each_once(sim, range(1, 61))


def test_rejects_are_found_again_by_their_shard_only(
    sim: Simulator, make_worker: MakeWorker, redis: RedisServer
) -> None:
    """Item 7: a shard offers its own rejects again; another number of shards, or a whole run, is
    refused while there are any, and writes nothing.
    """
    sim.switches(rate_limit=False)
    redis.forget()
    fast = {"requests_per_second": 500}
    worker = make_worker(redis.url, 3, **fast)
    worker.begin([record(7, "no address"), record(3)])
    assert worker.end().outcomes == {"applied": 1, "rejected": 1}
    worker.begin([])
    again = worker.end()
    assert (again.stream["received"], again.stream["reoffered"]) == (0, 1)
    before = len(sim.requests(writes=True))
    for other in (make_worker(redis.url, 1, 2, **fast), make_worker(redis.url, None, **fast)):
        other.begin([record(7)])
        refused = other.end()
        assert (refused.code, refused.states) == (2, [])
        assert "rejects of shard-3-of-4 are open" in refused.stderr.splitlines()[-1]
    assert len(sim.requests(writes=True)) == before
    beside = make_worker(redis.url, 0, **fast)
    beside.begin([record(4)])
    assert beside.end().code == 0
    worker.begin([record(7)])
    assert worker.end().code == 0
    whole = make_worker(redis.url, None, **fast)
    whole.begin([record(7), record(4)])
    assert whole.end().outcomes == {"unchanged": 2}


def test_an_address_handed_from_shard_to_shard_settles_with_the_next_run(
    sim: Simulator, make_worker: MakeWorker, redis: RedisServer
) -> None:
    """Within a run such changes are put in order; between shards the one who comes too early has a
    reject, which its next run delivers.
    """
    sim.switches(rate_limit=False)
    redis.forget()
    first, second = (make_worker(redis.url, i, 2, requests_per_second=500) for i in range(2))
    for worker, key in ((first, 2), (second, 3)):
        worker.begin([record(key)])
        assert worker.end().code == 0
    second.begin([record(3, "person2@example.com")])
    assert second.end().causes == {"address_taken": 1}
    first.begin([record(2, "other@example.com")])
    assert first.end().outcomes == {"applied": 1}
    second.begin([])
    assert second.end().outcomes == {"applied": 1}
    found = {c["email"]: c["fieldValues"]["BUBSCTTID"] for c in sim.state()["contacts"]}
    assert found == {"other@example.com": "2", "person2@example.com": "3"}


def test_a_worker_that_waits_for_another_one_ends_by_its_deadline(
    sim: Simulator, make_worker: MakeWorker, redis: RedisServer, database_url: str
) -> None:
    """Item 7: whoever makes what all need may hang; the others end with their reports (exit 7)."""
    sim.switches(rate_limit=False)
    redis.forget()
    worker = make_worker(redis.url, 1, requests_per_second=500, deadline_seconds=3)
    at = urlsplit(sim.url)
    name = f"{at.netloc}{at.path}/contact"
    with (
        lock_between_machines(database_url, name, Shard(0, SHARDS)) as session,
        alone(session, f"{name} alone", lambda: None),
    ):
        worker.begin([record(1)])
        run = worker.end(60)
    assert (run.code, run.states) == (7, []), run.stderr
    assert "deadline_seconds (3) reached" in run.stderr.splitlines()[-1]
    assert sim.requests(writes=True) == []


def test_a_worker_that_lost_its_lock_writes_nothing_more(
    sim: Simulator,
    make_worker: MakeWorker,
    redis: RedisServer,
    database_url: str,
    postgresql: PostgresServer,
) -> None:
    """Item 7: with its sessions the locks are gone, and another run may have them; that is noticed
    within seconds, not with the next batch.
    """
    redis.forget()
    worker = make_worker(redis.url, 1)
    worker.begin([record(key) for key in range(1, 161)])
    worker.until(lambda: made(sim) >= 3)
    assert postgresql.terminate_sessions(Database("postgresql", database_url))
    before = made(sim)
    run = worker.end(120)
    assert (run.code, run.states) == (1, []), run.stderr
    assert run.stderr.splitlines()[-1].startswith("target-activecampaign: ledger_url: the ledger")
    assert made(sim) <= before + 40  # 5 seconds of requests, and what a busy machine adds


def test_a_worker_is_locked_out_while_its_shard_is_worked_on(
    sim: Simulator, make_worker: MakeWorker, redis: RedisServer, tmp_path: Path
) -> None:
    """Item 7: on another machine, too, where only the ledger is shared: exit 5, nothing written."""
    sim.switches(rate_limit=False)
    redis.forget()
    hang = {"match": {"method": "POST", "path": "/contacts$"}, "times": 1, "action": "hang"}
    sim.faults([hang])
    holder = make_worker(redis.url, 1, requests_per_second=500, timeout_seconds=240)
    holder.begin([record(1)])
    holder.until(lambda: sim.faults()[0]["fired"])
    before = len(sim.requests(writes=True))
    elsewhere = {"requests_per_second": 500, "state_dir": str(tmp_path / "elsewhere")}
    for index, number in ((1, 4), (0, 2), (None, 4)):
        other = make_worker(redis.url, index, number, **elsewhere)
        other.home = tmp_path / f"other-{index}-{number}"
        other.home.mkdir()
        other.config["report_file"] = str(other.home / "report.json")
        other.begin([record(5)])
        run = other.end()
        assert (run.code, run.states) == (5, []), run.stderr
        assert "another run works with this ledger" in run.stderr.splitlines()[-1]
    assert len(sim.requests(writes=True)) == before
    beside = make_worker(redis.url, 2, **elsewhere)
    beside.begin([record(6)])
    assert beside.end().code == 0
    holder.kill()
    holder.begin([record(1)])
    assert holder.end().code == 0
    assert each_once(sim, range(1, 7, 5))


def test_of_two_shards_with_one_address_the_first_to_import_has_it(
    sim: Simulator, make_worker: MakeWorker, redis: RedisServer
) -> None:
    """S0-8 X1: an import writes over whoever has the address. So shards import new contacts in
    turns, and who comes second sees the first: the other row is a reject, as by single calls.
    """
    sim.switches(rate_limit=False, bulk_rate_limit=False, bulk_delay_seconds=6)
    redis.forget()
    shared = "family@example.com"
    emails = dict.fromkeys((7, 8), shared)
    parts = [
        [record(key, emails.get(key)) for key in range(1, 41) if key % 2 == index]
        for index in range(2)
    ]
    fast = {"requests_per_second": 500, "strategy": "bulk"}
    workers = [make_worker(redis.url, index, 2, **fast) for index in range(2)]
    for worker, part in zip(workers, parts, strict=True):
        worker.begin(part)
    runs = [worker.end() for worker in workers]
    assert [run.code for run in runs] == [0, 0], [run.stderr for run in runs]
    assert sorted(run.outcomes["applied"] for run in runs) == [19, 20]
    assert [c for run in runs for c in run.causes] == ["address_of_other_key"]
    sent = [row["email"] for one in sim.state()["imports"] for row in one["contacts"]]
    assert sent.count(shared) == 1
    (kept,) = (c for c in sim.state()["contacts"] if c["email"] == shared)
    first = 0 if runs[0].outcomes["applied"] == 20 else 1
    assert kept["fieldValues"]["BUBSCTTID"] == ("8", "7")[first]
