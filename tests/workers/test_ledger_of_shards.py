"""One ledger that several shards write at the same time."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
from ledger_support import NOON, Place, day, interval, person
from target_kit.ledger import Finding, Interval, Ledger, open_ledger
from target_kit.shards import Shard

SCOPE = "example.api-us1.com/contacts"
ROUNDS = 25
PEOPLE = 60


def write(url: str, shard: Shard, failures: list[BaseException]) -> None:
    """Write rows that the other shards write as well, in an order of one's own."""
    try:
        with open_ledger(Path(), url, SCOPE, shard=shard) as ledger:
            for turn in range(ROUNDS):
                numbers = sorted(range(PEOPLE), reverse=bool(shard.index % 2))
                findings = [Finding(f"key:{n}", "old_address_lives", "m", "r") for n in numbers]
                known = [person(n) for n in numbers]
                address = f"{turn}-{shard}@example.com"
                dated = [Interval(p.who, address, day(turn), None, "first", "") for p in known]
                ledger.record(people=known, intervals=dated, findings=findings, now=NOON)
                ledger.doubt(None)
                ledger.set_fact("read_through", f"{shard} {turn}")
    except BaseException as error:  # noqa: BLE001 - told by the test itself
        failures.append(error)


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_shards_that_write_the_same_rows_lose_and_double_nothing(
    database_url: str, isolation: str
) -> None:
    """Item 7: every finding counts, nobody has two addresses at a time, nothing deadlocks, whatever
    isolation the database gives a session that asks for none.
    """
    with psycopg.connect(database_url, autocommit=True) as connection:
        name, default = connection.info.dbname, f"default_transaction_isolation = '{isolation}'"
        connection.execute(f'ALTER DATABASE "{name}" SET {default}')
    failures: list[BaseException] = []
    threads = [
        threading.Thread(target=write, args=(database_url, Shard(index, 3), failures))
        for index in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with open_ledger(Path(), database_url, SCOPE) as ledger:
        assert {item.times for item in ledger.worklist()} == {3 * ROUNDS}
        assert len(ledger.worklist()) == PEOPLE
        assert_one_address_at_a_time(ledger)


def assert_one_address_at_a_time(ledger: Ledger) -> None:
    for number in range(PEOPLE):
        history = ledger.addresses(f"key:{number}")
        assert [one.until for one in history].count(None) == 1
        assert len(ledger.since([f"key:{number}"])) == 1


def test_a_shard_knows_what_it_has_read_itself(database_url: str) -> None:
    """One shard's read says nothing about the rows of others: each keeps its own moment, and whole
    runs theirs.
    """
    kinds = [None, Shard(0, 2), Shard(1, 2), Shard(1, 3)]
    for number, shard in enumerate(kinds):
        with open_ledger(Path(), database_url, SCOPE, shard=shard) as ledger:
            assert ledger.fact("read_through") is None
            ledger.set_fact("read_through", str(number))
    for number, shard in enumerate(kinds):
        with open_ledger(Path(), database_url, SCOPE, shard=shard) as ledger:
            assert ledger.fact("read_through") == str(number)


def test_shards_know_the_same_persons(database_url: str, tmp_path: Path) -> None:
    """A person's history does not depend on the number of shards."""
    place = Place(tmp_path, database_url)
    with open_ledger(tmp_path, database_url, SCOPE, shard=Shard(0, 2)) as ledger:
        ledger.record(people=[person(1)], intervals=[interval("key:1", "old", 0)], now=NOON)
    with open_ledger(tmp_path, database_url, SCOPE, shard=Shard(1, 3)) as ledger:
        ledger.record(intervals=[interval("key:1", "new", 1)], now=NOON)
    with place.open(SCOPE) as ledger:
        assert [one.address_key for one in ledger.addresses("key:1")] == [
            "old@example.com",
            "new@example.com",
        ]
        assert ledger.people(["key:1"])["key:1"].contact_id == "1001"
