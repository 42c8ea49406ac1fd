"""A refused batch, searched for its bad rows: without any call."""

from __future__ import annotations

from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_activecampaign.bulk_bisect import MOST_TRIES, Bisection

BATCHES = st.integers(1, 250).flatmap(
    lambda rows: st.tuples(st.just(rows), st.sets(st.integers(0, rows - 1), min_size=1, max_size=6))
)


def searched(
    rows: int, bad: set[int], named: set[int], most: int
) -> tuple[list[int], list[int], int]:
    """What a vendor that refuses whatever has a bad row takes, what is left, and the tries."""
    search = Bisection(range(rows), named, most=most)
    taken: list[int] = []
    tries = 0
    while group := search.next():
        tries += 1
        if bad.intersection(group):
            search.refused()
        else:
            taken += group
            search.taken()
    return taken, sorted(search.left), tries


@given(BATCHES)
def test_every_good_row_is_taken_and_every_bad_one_found(batch: tuple[int, set[int]]) -> None:
    """Even where the vendor names none: in 2 log2(n) + 2 tries for each bad row at most."""
    rows, bad = batch
    taken, left, tries = searched(rows, bad, set(), most=10_000)
    assert set(left) == bad
    assert sorted(taken) == sorted(set(range(rows)) - bad)
    assert tries <= len(bad) * (2 * ceil(log2(rows)) + 2)


@given(BATCHES, st.integers(0, 1))
def test_named_rows_are_found_from_either_base(batch: tuple[int, set[int]], base: int) -> None:
    """Named from 0 or from 1: the rest goes in one try, and only neighbours are tried again."""
    rows, bad = batch
    taken, left, tries = searched(rows, bad, {number + base for number in bad}, most=10_000)
    assert set(left) == bad
    assert len(taken) == rows - len(bad)
    assert tries <= 1 + 4 * len(bad) * (2 + ceil(log2(2 * len(bad))))


@given(BATCHES, st.sets(st.integers(-3, 300)))
def test_wrong_names_cost_tries_and_no_row(batch: tuple[int, set[int]], named: set[int]) -> None:
    """Whatever the vendor names: good rows are taken, bad ones left."""
    rows, bad = batch
    taken, left, _ = searched(rows, bad, named, most=10_000)
    assert (set(left), len(taken)) == (bad, rows - len(bad))


@given(
    st.integers(1, 250).flatmap(
        lambda rows: st.tuples(st.just(rows), st.sets(st.integers(0, rows - 1), min_size=1))
    ),
    st.integers(0, MOST_TRIES),
)
def test_the_tries_have_a_bound(batch: tuple[int, set[int]], most: int) -> None:
    """Past it all that is not settled is left: no bad row is ever taken, and no row is lost."""
    rows, bad = batch
    taken, left, tries = searched(rows, bad, set(), most)
    assert tries <= most
    assert not bad.intersection(taken)
    assert sorted(taken + left) == list(range(rows))


def test_a_batch_of_bad_rows_costs_forty_tries() -> None:
    """Then single calls are cheaper: all rows are left."""
    search, tries = Bisection(range(250)), 0
    while search.next():
        tries += 1
        search.refused()
    assert tries == MOST_TRIES == 40
    assert sorted(search.left) == list(range(250))


@pytest.mark.parametrize(("rows", "tries"), [(1, 0), (2, 1), (250, 8)])
def test_a_row_that_must_be_the_bad_one_is_not_tried(rows: int, tries: int) -> None:
    """Where the first half is taken each time, the last row is known without a try."""
    _, left, spent = searched(rows, {rows - 1}, set(), most=40)
    assert left == [rows - 1]
    assert spent == tries
