"""Stopping on SIGTERM and SIGINT without publishing anything.

The SDK's own handler drains half a batch from inside the handler and exits 0
(meltano/sdk issue 3775); here a signal only raises a flag. The flag is looked at between calls
(`check`), and where the process just waits (`interruptible`) the signal ends the wait at once.
What must not be left half done (a list between clear and refill) gets a time of grace (`hold`).

A signal that comes just before a read begins does not end the read (Python looks for signals before
and after, not in between), and one raise may be swallowed on its way (logging does). So a wait is
woken every second to look again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from target_kit.clock import Clock, SystemClock
from target_kit.errors import Interrupted

AGAIN_SECONDS = 1.0


class StopSignal:
    """One per process; `install` in the main thread."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self._may_raise = False
        self._clock: Clock = SystemClock()
        self._grace_seconds: float | None = None
        self._came_at = 0.0
        self._installed = False

    def install(self) -> None:
        """Take over SIGTERM and SIGINT, and SIGALRM to look again."""
        signal.signal(signal.SIGALRM, self._again)
        self._installed = True
        signal.signal(signal.SIGTERM, self.handle)
        signal.signal(signal.SIGINT, self.handle)

    def handle(self, signum: int, frame: FrameType | None = None) -> None:  # noqa: ARG002 - the signature of a signal handler
        """Remember the signal; a second one ends the process at once."""
        if self.signum is not None:
            os._exit(128 + signum)
        self.signum = signum
        self._came_at = self._clock.monotonic()
        if self._may_raise and not self._held():
            raise Interrupted(signum)

    def _again(self, signum: int, frame: FrameType | None = None) -> None:  # noqa: ARG002 - the signature of a signal handler
        if self._may_raise:
            self.check()

    def check(self) -> None:
        """Raise `Interrupted` when a signal has come and no time of grace holds it back."""
        if self.signum is not None and not self._held():
            raise Interrupted(self.signum)

    @contextmanager
    def hold(self, grace_seconds: float, clock: Clock) -> Iterator[None]:
        """Inside, a signal ends nothing until `grace_seconds` after it came.

        For work that does harm when it is left half done. A signal that came before is raised
        here; one that came inside is raised by the first `check` after the block.
        """
        self.check()
        self._clock, self._grace_seconds = clock, grace_seconds
        try:
            yield
        finally:
            self._grace_seconds = None

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Inside an `interruptible` block: a part of it in which a signal only raises the flag."""
        before, self._may_raise = self._may_raise, False
        try:
            yield
        finally:
            self._may_raise = before
        self.check()

    def _held(self) -> bool:
        if self._grace_seconds is None:
            return False
        return self._clock.monotonic() < self._came_at + self._grace_seconds

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, a signal raises `Interrupted` at once: for reading input and for sleeping.

        Handlers run in the main thread only, so in a worker this is just a `check`.
        """
        before = self._may_raise
        if threading.current_thread() is threading.main_thread():
            self._may_raise = True
            self._wake(AGAIN_SECONDS)
        try:
            # A signal before the line above raised nothing: it is seen here.
            self.check()
            yield
        finally:
            self._may_raise = before
            if not before:
                self._wake(0)

    def _wake(self, seconds: float) -> None:
        """Interrupt system calls every so many seconds; 0 ends it."""
        if self._installed and threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
