"""What a signal does while work runs that must not be left half done."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from fake_clock import FakeClock
from target_kit.errors import Interrupted
from target_kit.signals import StopSignal


def test_a_signal_in_a_time_of_grace_waits_until_the_work_is_done() -> None:
    """Inside `hold` neither a look nor a wait ends; the first look after it does."""
    stop, clock = StopSignal(), FakeClock()
    with stop.hold(30, clock):
        stop.handle(signal.SIGTERM)
        stop.check()
        with stop.interruptible():
            clock.sleep(29)
    with pytest.raises(Interrupted):
        stop.check()


def test_the_time_of_grace_runs_from_the_signal_and_ends() -> None:
    """Work that takes longer than the grace ends at its next look."""
    stop, clock = StopSignal(), FakeClock()
    with stop.hold(30, clock):
        clock.sleep(1000)
        stop.handle(signal.SIGTERM)
        stop.check()
        clock.sleep(30)
        with pytest.raises(Interrupted):
            stop.check()


def test_work_is_not_begun_when_the_signal_came_before() -> None:
    """`hold` itself looks first."""
    stop, clock = StopSignal(), FakeClock()
    stop.handle(signal.SIGTERM)
    with pytest.raises(Interrupted), stop.hold(30, clock):
        pytest.fail("begun")


def test_a_deferred_part_of_a_wait_is_ended_only_after_it() -> None:
    """Within `interruptible`, `deferred` keeps a signal from raising in the middle."""
    stop, passed = StopSignal(), []
    with pytest.raises(Interrupted), stop.interruptible():  # noqa: PT012 - the place is the point
        with stop.deferred():
            stop.handle(signal.SIGINT)
            passed.append("through")
        passed.append("not reached")
    assert passed == ["through"]


SWALLOWED = """
import os, signal, sys, time
from target_kit.signals import StopSignal
stop = StopSignal()
stop.install()
with stop.interruptible():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except Exception:
        pass  # as logging does
    sys.stdin.buffer.raw.read(1)
"""


def test_a_signal_whose_raise_was_swallowed_is_raised_again() -> None:
    """A process that blocks in a read ends soon, though the first `Interrupted` came to nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", SWALLOWED], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        began = time.monotonic()
        assert process.wait(30) == 1
        assert time.monotonic() - began < 20
        assert process.stderr is not None
        assert b"target_kit.errors.Interrupted" in process.stderr.read()
