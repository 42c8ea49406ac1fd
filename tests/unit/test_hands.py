"""Several rows at a time, one thought at a time."""

from __future__ import annotations

import threading
from contextlib import ExitStack

import pytest
from target_kit.hands import Hands

SECONDS = 20


def test_so_many_rows_wait_outside_at_the_same_time() -> None:
    """Four hands meet at a barrier that only four can pass."""
    hands, meeting, met = Hands(4), threading.Barrier(4), list[int]()

    def work(item: int) -> None:
        with hands.waiting():
            meeting.wait(SECONDS)
        met.append(item)

    hands.each(range(8), work)
    assert sorted(met) == list(range(8))


def test_only_one_thinks_at_a_time() -> None:
    """Between two waits nobody else runs: a counter without a lock of its own never loses."""
    hands, inside, most = Hands(4), list[int](), list[int]()

    def work(item: int) -> None:
        for _ in range(50):
            inside.append(item)
            most.append(len(inside))
            inside.remove(item)
            with hands.waiting():
                pass

    hands.each(range(8), work)
    assert max(most) == 1


def test_who_shares_a_name_waits_for_the_other() -> None:
    """Two rows with one name follow each other even where both wait outside."""
    hands, story = Hands(2), list[str]()
    began = threading.Event()

    def work(item: str) -> None:
        with hands.alone({"the same", item}):
            story.append(f"{item} begins")
            with hands.waiting():
                began.set()
                began.wait(SECONDS)
            story.append(f"{item} ends")

    hands.each(["a", "b"], work)
    assert story in (
        ["a begins", "a ends", "b begins", "b ends"],
        ["b begins", "b ends", "a begins", "a ends"],
    )


def test_who_shares_none_goes_on() -> None:
    """Rows with other names meet in the middle of their work."""
    hands, meeting = Hands(2), threading.Barrier(2)

    def work(item: str) -> None:
        with hands.alone({item}), hands.waiting():
            meeting.wait(SECONDS)

    hands.each(["a", "b"], work)


@pytest.mark.parametrize("number", [1, 3])
def test_the_first_failure_ends_it_once_what_was_begun_is_done(number: int) -> None:
    """Nothing more is begun, nothing begun is left half done, and the failure is raised."""
    hands, begun, done = Hands(number), list[int](), list[int]()

    def work(item: int) -> None:
        begun.append(item)
        if item == 2:
            raise RuntimeError("the third")
        with hands.waiting():
            pass
        done.append(item)

    with pytest.raises(RuntimeError, match="the third"):
        hands.each(range(100), work)
    assert sorted([*done, 2]) == sorted(begun)
    assert len(begun) < 100


def test_names_are_free_again_after_a_failure() -> None:
    """Whoever comes later does not wait for somebody who has failed."""
    hands = Hands(2)

    def fail(item: int) -> None:
        with hands.alone({"one"}):
            raise RuntimeError(str(item))

    with pytest.raises(RuntimeError):
        hands.each(range(2), fail)
    done: list[int] = []

    def work(item: int) -> None:
        with hands.alone({"one"}):
            done.append(item)

    hands.each(range(2), work)
    assert sorted(done) == [0, 1]


def test_outside_of_its_rows_nobody_needs_a_baton() -> None:
    """The main thread may wait and be alone at any time."""
    hands = Hands(4)
    with ExitStack() as stack:
        stack.enter_context(hands.alone({"one"}))
        stack.enter_context(hands.alone({"one"}))
        stack.enter_context(hands.waiting())
