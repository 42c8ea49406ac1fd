"""Stopping on SIGTERM and SIGINT without publishing anything.

The SDK's own handler drains half a batch from inside the handler and exits 0
(meltano/sdk issue 3775); here a signal only raises a flag. The flag is looked at between calls
(`check`), and where the process just waits (`interruptible`) the signal ends the wait at once.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from target_kit.errors import Interrupted


class StopSignal:
    """One per process; `install` in the main thread."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self._may_raise = False

    def install(self) -> None:
        """Take over SIGTERM and SIGINT."""
        signal.signal(signal.SIGTERM, self.handle)
        signal.signal(signal.SIGINT, self.handle)

    def handle(self, signum: int, frame: FrameType | None = None) -> None:  # noqa: ARG002 - the signature of a signal handler
        """Remember the signal; a second one ends the process at once."""
        if self.signum is not None:
            os._exit(128 + signum)
        self.signum = signum
        if self._may_raise:
            raise Interrupted(signum)

    def check(self) -> None:
        """Raise `Interrupted` when a signal has come."""
        if self.signum is not None:
            raise Interrupted(self.signum)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, a signal raises `Interrupted` at once: for reading input and for sleeping.

        Handlers run in the main thread only, so in a worker this is just a `check`.
        """
        before = self._may_raise
        if threading.current_thread() is threading.main_thread():
            self._may_raise = True
        try:
            # A signal before the line above raised nothing: it is seen here.
            self.check()
            yield
        finally:
            self._may_raise = before
