"""The set that all steps work on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from target_kit.intended import IntendedSet, Row

Filled = Callable[..., IntendedSet]


def row(seq: int, identity: str, **more: Any) -> Row:
    data: dict[str, Any] = {
        "line": seq, "keyed": True, "address_key": None, "digest": b"d", "version": None,
        "reoffered": False, "body": b"",
    }  # fmt: skip
    return Row(seq=seq, identity=identity, **{**data, **more})


@pytest.fixture
def filled() -> Iterator[Filled]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:

        def fill(*rows: Row) -> IntendedSet:
            intended = IntendedSet(database)
            intended.add(rows)
            intended.seal()
            return intended

        yield fill


def seqs(rows: list[Row]) -> list[int]:
    return [r.seq for r in rows]


def test_equal_rows_collapse_to_the_first(filled: Filled) -> None:
    """S0-3: identical rows are collapsed before anything is sent."""
    intended = filled(row(1, "a"), row(2, "b"), row(3, "a"), row(4, "a", digest=b"other"))
    assert seqs(intended.take_repeated()) == [3]
    assert intended.count() == 3


def test_different_rows_of_one_key_are_a_conflict(filled: Filled) -> None:
    """S0-9: never last-wins by chance."""
    intended = filled(row(1, "a"), row(2, "b"), row(3, "a", digest=b"other"))
    assert intended.take_outdated() == []
    assert seqs(intended.take_contradicting()) == [1, 3]
    assert intended.count() == 1


def test_a_version_column_orders_rows_of_one_key(filled: Filled) -> None:
    """S0-9: with an order given, the newest row is wanted and the older one is no conflict."""
    intended = filled(
        row(1, "a", version="2026-01-02"),
        row(2, "a", version="2026-01-01", digest=b"x"),
        row(3, "b", version="1"),
    )
    assert seqs(intended.take_outdated()) == [2]
    assert intended.take_contradicting() == []


@pytest.mark.parametrize(
    ("rule", "losers"), [("first", [3]), ("newest", [1, 3]), ("reject", [1, 2, 3])]
)
def test_rows_sharing_an_address_follow_the_chosen_rule(
    filled: Filled, rule: str, losers: list[int]
) -> None:
    """S0-8: never two inserts for one address; the rule is selectable."""
    intended = filled(
        row(1, "a", address_key="x", version="1"),
        row(2, "b", address_key="x", version="2"),
        row(3, "email:x", address_key="x", keyed=False, version="0"),
        row(4, "c", address_key="y"),
    )
    assert seqs(intended.take_sharing_address(rule=rule)) == losers


def test_an_old_reject_gives_way_to_a_newer_record_of_the_person(filled: Filled) -> None:
    """S0-59: re-offering never overwrites newer data."""
    intended = filled(row(1, "a"), row(2, "a", reoffered=True), row(3, "b", reoffered=True))
    assert seqs(intended.take_superseded()) == [2]


def test_settled_rows_leave_the_set_and_the_first_open_one_is_known(filled: Filled) -> None:
    """S0-6: every step works on what is still open of the same set."""
    intended = filled(*(row(n, f"p{n}") for n in range(1, 8)))
    seen = []
    for batch in intended.batches(3):
        seen += seqs(batch)
        intended.settle([r.seq for r in batch if r.seq != 4])
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert intended.first_open() == 4
    intended.settle([4])
    assert intended.first_open() is None
