"""Several requests on their way at a time, and yet one thought at a time.

The rows of a batch are worked on by several threads of which one runs: whoever holds the baton.
It is put down while a request is on the wire and taken up again for the answer. So deciding stays
as simple as if rows came one after the other, and what they share needs no locks of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_LOOK_UP_SECONDS = 0.2  # how often the main thread looks up, so that it can take signals


class Hands:
    """So many rows are worked on at a time. With one hand nothing here starts a thread."""

    def __init__(self, number: int = 1) -> None:
        self.number = number
        self._baton = threading.Condition(threading.Lock())
        self._claimed: set[str] = set()
        self._own = threading.local()

    def each(self, items: Iterable[T], work: Callable[[T], None]) -> None:
        """Do `work` for every item, begun in their order.

        What it raises first is raised here, once what others had begun has come to its end; nothing
        more is begun.
        """
        if self.number == 1:
            for item in items:
                work(item)
            return
        failures: list[BaseException] = []
        left = iter(items)
        names = [f"hand-{number}" for number in range(1, self.number + 1)]
        threads = [
            threading.Thread(target=self._labour, args=(left, work, failures), name=name)
            for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_LOOK_UP_SECONDS)
        if failures:
            raise failures[0]

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside, others go on: for what waits outside of this process."""
        if not self._has_baton:
            yield
            return
        self._put_down()
        try:
            yield
        finally:
            self._take_up()

    @contextmanager
    def alone(self, names: Collection[str]) -> Iterator[None]:
        """Inside, nobody else is inside with one of these names; waits until that is so.

        Not to be entered while inside already: two could wait for each other.
        """
        if not self._has_baton:
            yield
            return
        self._baton.wait_for(lambda: self._claimed.isdisjoint(names))
        self._claimed.update(names)
        try:
            yield
        finally:
            self._claimed.difference_update(names)
            self._baton.notify_all()

    @property
    def _has_baton(self) -> bool:
        return getattr(self._own, "baton", False)

    def _take_up(self) -> None:
        self._baton.acquire()
        self._own.baton = True

    def _put_down(self) -> None:
        self._own.baton = False
        self._baton.release()

    def _labour(
        self, left: Iterator[T], work: Callable[[T], None], failures: list[BaseException]
    ) -> None:
        self._take_up()
        try:
            for item in left:
                if failures:
                    return
                work(item)
        except BaseException as failure:  # noqa: BLE001 - raised again by `each`
            failures.append(failure)
        finally:
            self._put_down()
