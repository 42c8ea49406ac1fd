"""Shards: every row in exactly one, the same one on every path, a bookmark for each."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tap_backoffice.errors import SettingsError
from tap_backoffice.settings import parse_settings
from tap_support import Database, Run, Server, command, cut, run_command, sync

COUNT = 3
PLAIN = {"stream_maps": {"contacts": {}}, "stream_map_config": {}}
TEXTS = [
    *("", "a", "A", "ä", "Ä", "a ", " a", "0", "00", "-1", "Straße", "STRASSE", "e\u0301", "é"),
    *("x:y", "%s", "100%", "o'clock", "back\\slash", "tab\tline\n", "日本語", "🎈", "null"),
]


def config(database: Database, **more: Any) -> dict[str, Any]:
    stream = {"name": "contacts", "table": "people", **more.pop("stream", {})}
    return {"database_url": database.url, "streams": [stream], "fetch_size_rows": 50, **more}


def shard(config: dict[str, Any], index: int, count: int = COUNT) -> dict[str, Any]:
    return {**config, "shard": {"index": index, "count": count}}


def expected(*key: str, count: int = COUNT) -> int:
    """The rule of the README, in other words than the tap's own."""
    digests = [hashlib.md5(part.encode("utf-8")).hexdigest() for part in key]
    whole = digests[0] if len(key) == 1 else hashlib.md5("".join(digests).encode()).hexdigest()
    return int(whole[:8], 16) % count


def placed(config: dict[str, Any], columns: tuple[str, ...] = ("id",)) -> dict[Any, int]:
    """Read all shards; give each key's shard and see that none comes twice."""
    found: dict[Any, int] = {}
    for index in range(COUNT):
        for record in sync(shard(config, index)).records():
            key = tuple(record[column] for column in columns)
            assert key not in found
            found[key if len(key) > 1 else key[0]] = index
    return found


KEYS: dict[str, tuple[tuple[str, str, str], list[Any]]] = {
    "integers": (("integer", "integer", "integer"), list(range(-60, 61))),
    "large integers": (("integer", "bigint", "bigint"), [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1]),
    "unsigned with shown zeros": (("integer", "bigint", "int(9) unsigned zerofill"), [0, 7, 4242]),
    "texts": (("text", "text", "varchar(40) COLLATE utf8mb4_nopad_bin"), TEXTS),
    "texts in another charset": (
        ("text", "text", "varchar(40) CHARACTER SET latin1 COLLATE latin1_bin"),
        ["ä", "ö", "ß", "a", "é"],
    ),
    "uuids": (
        ("text", "uuid", "uuid"),
        [str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{i}.example.com")) for i in range(50)],
    ),
    "dates": (("date", "date", "date"), ["2024-02-29", "1999-12-31", "2030-01-01"]),
}


@pytest.mark.parametrize("how", ["table", "query", "plain"])
@pytest.mark.parametrize("kind", KEYS)
def test_every_row_is_in_exactly_one_shard_by_the_documented_rule(
    database: Database, kind: str, how: str
) -> None:
    """The union of the shards is the whole, no two overlap, and anybody can compute which."""
    types, keys = KEYS[kind]
    database.execute(f"CREATE TABLE people (id {database.type(*types)} PRIMARY KEY)")
    database.insert("people", [(key,) for key in keys])
    more: dict[str, Any] = PLAIN if how == "plain" else {}
    if how == "query":
        stream = {"table": None, "query": "SELECT id FROM people", "primary_key": ["id"]}
        more = {"stream": stream}
    whole = config(database, **more)
    found = placed(whole)
    assert found == {key: expected(str(key)) for key in keys}
    assert {r["id"] for r in sync(whole).records()} == set(keys)


def test_keys_that_the_collation_takes_for_one_are_all_sent(database: Database) -> None:
    """'a', 'A', 'ä' and 'a ' are equal to many a collation, and still rows of their own."""
    loose = database.type("text COLLATE NOCASE", "text", "varchar(40) COLLATE utf8mb4_general_ci")
    database.execute(f"CREATE TABLE people (id {loose})")
    database.insert("people", [(text,) for text in TEXTS])
    found = placed(config(database, stream={"primary_key": ["id"]}))
    assert found == {text: expected(text) for text in TEXTS}


def test_keys_of_several_columns_are_joined_without_a_seam(database: Database) -> None:
    """('a', 'bc') and ('ab', 'c') are different keys; a null counts as an empty text."""
    text = database.type("text", "text", "varchar(40) COLLATE utf8mb4_nopad_bin")
    database.execute(f"CREATE TABLE people (kind {text}, id integer, part {text})")
    rows: list[tuple[str | None, int, str | None]] = [
        *(("a", 1, "bc"), ("ab", 1, "c"), ("abc", 1, ""), ("abc", 1, "x"), ("", -11, "bc")),
        *((None, 7, "b"), ("b", 7, None), ("a", 11, "1"), ("a", 1, "11")),
    ]
    database.insert("people", rows)
    key = ("kind", "id", "part")
    found = placed(config(database, stream={"primary_key": list(key)}), key)
    assert found == {row: expected(row[0] or "", str(row[1]), row[2] or "") for row in rows}


def test_other_columns_can_be_keys_too(database: Database) -> None:
    """Binary, boolean and decimal keys belong to one shard each as well."""
    kinds = [("blob", "bytea", "varbinary(9)"), ("boolean", "boolean", "boolean")]
    binary, boolean = (database.type(*kind) for kind in kinds)
    database.execute(
        f"CREATE TABLE people (raw {binary} NOT NULL, flag {boolean} NOT NULL, "
        "amount decimal(9, 2) NOT NULL, PRIMARY KEY (raw, flag, amount))"
    )
    rows = [(bytes([255, i]), i % 2 == 0, "1.50") for i in range(40)]
    database.insert("people", rows)
    found = placed(config(database), ("raw", "flag"))
    assert len(found) == len(rows)
    if database.backend != "sqlite":  # which keeps 1.50 as 1.5
        by_rule = Counter(expected(r[0].hex(), str(int(r[1])), r[2]) for r in rows)
        assert Counter(found.values()) == by_rule


@pytest.mark.slow
def test_shards_are_of_about_one_size(database: Database) -> None:
    """10,000 rows with keys in steps of four: each of four shards has a quarter, within a tenth."""
    database.execute("CREATE TABLE people (id integer PRIMARY KEY)")
    database.insert("people", [(i * 4,) for i in range(10_000)])
    sizes = [len(sync(shard(config(database), index, 4)).records()) for index in range(4)]
    assert sum(sizes) == 10_000
    assert all(2250 <= size <= 2750 for size in sizes), sizes


def incremental(database: Database, **more: Any) -> dict[str, Any]:
    database.execute("CREATE TABLE people (id integer PRIMARY KEY, changed integer)")
    rows = [(i, None if i % 10 == 0 else i // 7) for i in range(300)]
    database.insert("people", rows)
    return config(database, stream={"replication_key": "changed"}, **more)


def ids(run: Run) -> set[int]:
    return {record["id"] for record in run.records()}


@pytest.mark.parametrize("more", [{}, PLAIN], ids=["fast", "plain"])
def test_each_shard_has_a_bookmark_of_its_own(database: Database, more: dict[str, Any]) -> None:
    """The second run sends what changed, and rows that can't be told to be unchanged, once each."""
    whole = incremental(database, **more)
    first = [sync(shard(whole, index)) for index in range(COUNT)]
    assert [ids(run) for run in first] == [
        {i for i in range(300) if expected(str(i)) == index} for index in range(COUNT)
    ]
    database.execute(
        "UPDATE people SET changed = 1000 WHERE id IN (3, 4, 5, 6, 10)",
        "INSERT INTO people VALUES (-7, 1001), (999, 1002), (1000, NULL)",
    )
    again = [sync(shard(whole, i), state=run.state) for i, run in enumerate(first)]
    changed = {3, 4, 5, 6, 10, -7, 999, 1000}
    unkeyed = set(range(20, 300, 10)) | {0}
    for index, (before, run) in enumerate(zip(first, again, strict=True)):
        mine = {i for i in changed | unkeyed if expected(str(i)) == index}
        ties = {
            i for i in ids(before) if i % 10 and i // 7 == before.bookmark() and i not in changed
        }
        assert ids(run) == mine | ties
        assert run.state["bookmarks"]["contacts"]["shard"] == {"index": index, "count": COUNT}


def test_the_marker_counts_the_shard_and_says_so(database: Database) -> None:
    """A target that needs the whole table can see that this is a part of it."""
    whole = incremental(database)
    for index in range(COUNT):
        run = sync(shard(whole, index))
        (marker,) = run.markers
        assert marker["counts"] == {"contacts": len(run.records())}
        assert marker["shard"] == {"index": index, "count": COUNT}
    (marker,) = sync(whole).markers
    assert "shard" not in marker


def test_a_shard_without_rows_is_complete(database: Database) -> None:
    """More shards than rows: the tap ends well and says that it has sent nothing."""
    database.execute("CREATE TABLE people (id integer PRIMARY KEY)")
    database.insert("people", [(1,)])
    empty = (expected("1", count=50) + 1) % 50
    run = sync(shard(config(database), empty, 50))
    assert run.records() == []
    assert run.markers[0]["counts"] == {"contacts": 0}


def test_a_state_of_another_shard_is_refused(sqlite: Server, tmp_path: Path) -> None:
    """Used silently, its bookmark would skip rows; one line, exit 2, not a row."""
    whole = incremental(sqlite.database())
    state = tmp_path / "state.json"
    cases = [
        (shard(whole, 0, 3), shard(whole, 1, 3), "shard 0 of 3, this run reads shard 1 of 3"),
        (shard(whole, 0, 3), shard(whole, 0, 4), "shard 0 of 3, this run reads shard 0 of 4"),
        (shard(whole, 0, 3), whole, "shard 0 of 3, this run reads a tap that reads all rows"),
        (shard(whole, 0, 3), shard(whole, 0, 1), "shard 0 of 3, this run reads a tap that"),
        (whole, shard(whole, 0, 3), "a tap that reads all rows, this run reads shard 0 of 3"),
    ]
    for before, after, said in cases:
        state.write_text(json.dumps(sync(before).state))
        run = run_command(after, tmp_path, "--state", str(state))
        assert run.code == 2
        assert run.output == b""
        (line,) = run.errors.strip().splitlines()[-1:]
        assert line.startswith("tap-backoffice: shard: the state of stream contacts was written by")
        assert said in line


def test_one_shard_is_the_whole(database: Database) -> None:
    """With count 1 the setting changes nothing: an older state goes on, and no mark is left."""
    whole = incremental(database)
    first = sync(whole)
    again = sync(shard(whole, 0, 1), state=first.state)
    assert again.bookmark() == first.bookmark()
    assert "shard" not in again.state["bookmarks"]["contacts"]
    assert sync(whole, state=again.state).code == 0


@pytest.mark.parametrize("signum", [9, 15], ids=["SIGKILL", "SIGTERM"])
def test_a_killed_shard_is_finished_by_its_next_run(
    server: Server, signum: int, tmp_path: Path
) -> None:
    """The others are not touched by it, and nobody is missing in the end."""
    database = server.database()
    database.execute(
        "CREATE TABLE people (id integer PRIMARY KEY, changed integer, note varchar(400))"
    )
    database.insert("people", [(i, i // 7, "x" * 300) for i in range(3000)])
    whole = config(database, stream={"replication_key": "changed"})
    others = ids(sync(shard(whole, 0))) | ids(sync(shard(whole, 2)))
    killed = cut(command(shard(whole, 1), tmp_path), 300, signum)
    assert killed.markers == []
    rest = sync(shard(whole, 1), state=killed.state)
    assert len(rest.records()) < 1000
    mine = ids(killed) | ids(rest)
    assert mine.isdisjoint(others)
    assert mine | others == set(range(3000))


def test_a_stream_that_cannot_be_divided_is_refused(database: Database) -> None:
    """Without a key, or with one that has no stable text, nothing is sent and nothing is lost."""
    number = database.type("real", "float8", "double")
    database.execute(
        "CREATE TABLE keyless (id integer)",
        f"CREATE TABLE measures (id {number})",
        "CREATE TABLE people (id integer PRIMARY KEY)",
        "INSERT INTO people VALUES (1)",
    )
    streams = [
        {"name": "contacts", "table": "people"},
        {"name": "keyless", "table": "keyless"},
        {"name": "measures", "table": "measures", "primary_key": ["id"]},
    ]
    whole = {"database_url": database.url, "streams": streams}
    with pytest.raises(SettingsError) as raised:
        sync(shard(whole, 0))
    keyless, measures = raised.value.problems
    assert keyless.startswith("shard: stream keyless has no primary key to divide its rows by")
    assert measures.startswith("shard: stream measures cannot be divided by its key column 'id'")
    chosen = {"streams": [{"tap_stream_id": "contacts", "stream": "contacts", "metadata": []}]}
    chosen["streams"][0] |= {"schema": {"properties": {"id": {"type": "integer"}}}}
    runs = [sync(shard(whole, index), catalog=chosen) for index in range(COUNT)]
    assert [r["id"] for run in runs for r in run.records()] == [1]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("0/4", "shard: must be a mapping with index and count"),
        ({"index": 0}, "shard: must be a mapping with index and count"),
        ({"index": 0, "count": None}, "shard: must be a mapping with index and count"),
        ({"index": 0, "count": 4, "of": 1}, "shard: must be a mapping with index and count"),
        ({"index": 4, "count": 4}, "shard.index: must be below shard.count; the first shard is 0"),
        ({"index": -1, "count": 4}, "shard.index: must be a whole number, at least 0"),
        ({"index": 0, "count": 0}, "shard.count: must be a whole number, at least 1"),
        ({"index": "canary", "count": 4}, "shard.index: must be a whole number, at least 0"),
    ],
)
def test_a_wrong_shard_is_named(given: Any, named: str) -> None:
    """Counted from 1 by mistake, the first shard would be missing for ever."""
    with pytest.raises(SettingsError) as raised:
        parse_settings({"database_url": "sqlite:///backoffice.db", "shard": given})
    assert raised.value.problems == [named]
