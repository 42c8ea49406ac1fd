"""Lines on long runs."""

from __future__ import annotations

import logging

import pytest
from fake_clock import FakeClock
from target_kit.progress import SECONDS_BETWEEN_LINES, Progress


@pytest.fixture(autouse=True)
def at_info(caplog: pytest.LogCaptureFixture) -> None:
    """Lines of progress are of the level INFO."""
    caplog.set_level(logging.INFO, logger="target_kit.progress")


def test_a_long_run_tells_its_share_and_the_time_left(caplog: pytest.LogCaptureFixture) -> None:
    """At most one line per 30 seconds, estimated from the pace since the slow part began."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(400)
    clock.sleep(29.9)
    progress.tell(4_400, 100_000)
    clock.sleep(270.1)
    progress.tell(12_400, 100_000)
    progress.tell(12_401, 100_000)
    assert caplog.messages == ["contacts: 12,400 of 100,000 (12 %), about 36 min left"]


def test_a_short_run_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Less than half a minute of work needs no line, however many records it settles."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(0)
    for done in range(1, 30):
        clock.sleep(1)
        progress.tell(done * 1000, 29_000)
    assert caplog.messages == []


def test_records_cost_no_line_each(caplog: pytest.LogCaptureFixture) -> None:
    """An hour of work in steps of a second is 120 lines, not 3,600."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(0)
    for done in range(1, 3601):
        clock.sleep(1)
        progress.tell(done, 3600)
    assert len(caplog.messages) == 3600 / SECONDS_BETWEEN_LINES


def test_no_pace_means_no_promise(caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing moved, no time is invented."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(0)
    clock.sleep(31)
    progress.tell(0, 10)
    assert caplog.messages == ["contacts: 0 of 10 (0 %), time left unknown"]


def test_the_time_left_follows_a_vendor_that_slows_down(caplog: pytest.LogCaptureFixture) -> None:
    """After five slow minutes the quick ones before them count no more."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(0)
    done = 0
    for seconds_each in (0.1, 1):
        for _ in range(11):
            clock.sleep(30)
            done += int(30 / seconds_each)
            progress.tell(done, 10_000)
    assert done == 3630
    assert caplog.messages[-1] == "contacts: 3,630 of 10,000 (36 %), about 106 min left"


def test_the_rate_limit_is_the_least_it_takes(caplog: pytest.LogCaptureFixture) -> None:
    """A burst of calls at the beginning promises nothing that 5 requests a second can't keep."""
    clock = FakeClock()
    progress = Progress("contacts", clock, requests_per_second=5)
    progress.begin(0, calls=100)
    clock.sleep(30)
    progress.tell(300, 3300, calls=1000)
    assert caplog.messages == ["contacts: 300 of 3,300 (9 %), about 30 min left"]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (1, "less than a minute left"),
        (2, "about 1 min left"),
        (238, "about 119 min left"),
        (239, "about 2.0 h left"),
        (1200, "about 10 h left"),
        (0, "less than a minute left"),
    ],
)
def test_time_left_is_said_as_people_say_it(
    caplog: pytest.LogCaptureFixture, left: int, words: str
) -> None:
    """Minutes, then hours; a record in 30 seconds here."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(0)
    clock.sleep(30)
    progress.tell(1, 1 + left)
    assert caplog.messages[0].endswith(f", {words}")


def test_the_last_record_alone_is_all(caplog: pytest.LogCaptureFixture) -> None:
    """99.9 per cent are not called 100."""
    clock = FakeClock()
    progress = Progress("contacts", clock)
    progress.begin(0)
    clock.sleep(60)
    progress.tell(999, 1000)
    assert "(99 %)" in caplog.text
