"""Lines on long runs."""

from __future__ import annotations

import logging

import pytest
from fake_clock import FakeClock
from target_kit.progress import Progress


def test_a_long_run_tells_its_share_and_the_time_left(caplog: pytest.LogCaptureFixture) -> None:
    """One line per 30 seconds, estimated from the pace since the slow part began."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(100)
    with caplog.at_level(logging.INFO, logger="target_kit.progress"):
        clock.sleep(20)
        progress.tell(150, 1100)
        clock.sleep(40)
        progress.tell(200, 1100)
        progress.tell(201, 1100)
    assert [r.getMessage() for r in caplog.records] == [
        "contacts: 200 of 1100 records settled (18 %), about 9 min left"
    ]


def test_no_pace_means_no_promise(caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing moved, no time is invented."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(0)
    clock.sleep(31)
    with caplog.at_level(logging.INFO, logger="target_kit.progress"):
        progress.tell(0, 10)
    assert "time left unknown" in caplog.text
