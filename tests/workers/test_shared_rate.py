"""One request rate for several processes, kept by Redis or PostgreSQL."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from fake_clock import FakeClock
from tap_support import Database, PostgresServer
from target_kit.errors import ConfigurationError, VendorUnavailable
from target_kit.limits import Deadline
from target_kit.retry import MAX_RATE_WAIT_SECONDS
from target_kit.shared_rate import LATE_SECONDS, SHARED_MARGIN, SharedRateLimiter, shared_rate
from workers_support import (
    ACCOUNT,
    SECRET,
    RedisServer,
    SlowServer,
    densest_second,
    limiter,
    start_program,
)

PER_SECOND = 20
INTERVAL = (1 + SHARED_MARGIN) / PER_SECOND


@contextmanager
def seconds_taken(least: float, most: float) -> Iterator[None]:
    """The block takes between `least` and `most` seconds."""
    began = time.monotonic()
    yield
    assert least <= time.monotonic() - began <= most


def start(url: str) -> None:
    """Ask for a start; no time passes between tries."""
    with shared_rate(url, ACCOUNT, 5, FakeClock()) as shared:
        assert shared is not None
        shared.wait()


def set_due(url: str, redis: RedisServer, seconds: float) -> None:
    """Write what a server whose clock was that far ahead would have written."""
    if url.startswith("redis"):
        due = str(round((time.time() + seconds) * 1e6))
        redis.ask("SET", f"request-rate:{ACCOUNT}", due)
    else:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "UPDATE request_rate SET due = clock_timestamp() + %s * interval '1 s'", [seconds]
            )


def test_processes_together_keep_one_rate(rate_url: str) -> None:
    """Item 7: four processes take starts as evenly as one would, and none is left out."""
    with limiter(rate_url, PER_SECOND) as shared:
        shared.wait()  # the first second is over
    processes = [start_program("starts", rate_url, str(PER_SECOND), "15") for _ in range(4)]
    told = [process.communicate(timeout=60)[0].split() for process in processes]
    starts = sorted(float(moment) for one in told for moment in one)
    assert [len(one) for one in told] == [15] * 4
    assert starts[-1] - starts[0] >= 59 * INTERVAL - LATE_SECONDS
    assert densest_second(starts) <= PER_SECOND + 1  # a start is told a moment after it was granted


def test_a_hold_told_to_one_holds_all(rate_url: str) -> None:
    """Item 7: who is told to wait by a 429 says so to the others."""
    with limiter(rate_url) as first, limiter(rate_url) as second:
        first.wait()
        first.penalise(1.2)
        with seconds_taken(1.15, 5):
            second.wait()
        assert second.waited_seconds >= 1.15


def test_a_shorter_hold_ends_no_longer_one(rate_url: str) -> None:
    """The one who has to wait longest counts."""
    with limiter(rate_url) as first, limiter(rate_url) as second:
        first.wait()
        first.penalise(1.2)
        second.penalise(0.01)
        with seconds_taken(1.1, 5):
            second.wait()


def test_accounts_do_not_share_their_rates(rate_url: str) -> None:
    """One server serves several accounts."""
    with limiter(rate_url) as one, limiter(rate_url, account="other.api-us1.com") as other:
        one.wait()
        other.wait()
        one.penalise(60)
        with seconds_taken(0, 5):
            other.wait()


def test_an_unknown_past_costs_a_second(rate_url: str) -> None:
    """Others may have sent right before the server lost what it knew."""
    with limiter(rate_url) as shared, seconds_taken(0.99, 5):
        shared.wait()


@pytest.mark.parametrize("ahead", [310, 7200])
def test_a_clock_set_back_holds_nobody_for_long(
    rate_url: str, redis: RedisServer, ahead: float
) -> None:
    """A moment further ahead than any hold is none: it was written by another clock."""
    with limiter(rate_url) as shared:
        shared.wait()
        set_due(rate_url, redis, ahead)
        with seconds_taken(0.9, 5):
            shared.wait()


def test_the_longest_hold_is_kept(rate_url: str) -> None:
    """What a vendor may ask for is no moment of another clock."""
    clock = FakeClock()
    with shared_rate(rate_url, ACCOUNT, 5, clock) as shared, limiter(rate_url) as other:
        assert shared is not None
        other.wait()
        other.penalise(MAX_RATE_WAIT_SECONDS)
        with pytest.raises(VendorUnavailable, match="deadline_seconds"):
            shared.wait(Deadline(MAX_RATE_WAIT_SECONDS - 10, clock))


def test_idle_time_gives_no_burst(rate_url: str) -> None:
    """What was not used is gone."""
    with limiter(rate_url) as shared:
        shared.wait()
        time.sleep(10 * INTERVAL)
        began = time.monotonic()
        for _ in range(5):
            shared.wait()
        assert time.monotonic() - began >= 4 * INTERVAL - LATE_SECONDS


def test_a_late_grant_moves_the_others(redis: RedisServer) -> None:
    """A start that comes late comes closer to those after it, which are moved by as much."""
    redis.forget()
    with SlowServer(redis.port, 0.1) as slow, limiter(redis.url, 5) as near:
        near.wait()
        with limiter(redis.url.replace(str(redis.port), str(slow.port)), 5) as far:
            far.wait()
            due = int(redis.ask("GET", f"request-rate:{ACCOUNT}"))
        seconds, micros = redis.ask("TIME")
        # A whole interval is left, less what this question took.
        left = due / 1e6 - (int(seconds) + int(micros) / 1e6)
        assert left > near.interval_seconds - 0.05


def test_a_grant_that_got_stuck_on_its_way_is_not_used(redis: RedisServer) -> None:
    """X1: others have started since; it would be the sixth of its second."""
    redis.forget()
    starts: list[float] = []

    def take(shared: SharedRateLimiter) -> None:
        shared.wait()
        starts.append(time.monotonic())

    with (
        SlowServer(redis.port, 0) as slow,
        limiter(redis.url, 5) as near,
        limiter(redis.url.replace(str(redis.port), str(slow.port)), 5) as far,
    ):
        far.wait()
        time.sleep(2 * near.interval_seconds)
        slow.delay_seconds = 1.19  # right after five others
        stuck = threading.Thread(target=take, args=[far])
        stuck.start()
        time.sleep(0.1)
        slow.delay_seconds = 0
        while stuck.is_alive():
            take(near)
        stuck.join()
        for _ in range(2):
            take(near)
    assert densest_second(starts) <= 5


def test_a_late_request_moves_the_others_by_the_room_it_takes(rate_url: str) -> None:
    """A process that was stopped for minutes within a request holds nobody for minutes."""
    with limiter(rate_url) as shared:
        shared.wait()
        shared.started_late(600)
        with seconds_taken(INTERVAL, 5):
            shared.wait()


def test_a_server_that_comes_back_is_used_again(own_redis: RedisServer) -> None:
    """A restart ends no run; what it forgot costs a second."""
    with limiter(own_redis.url) as shared:
        shared.wait()
        own_redis.stop()
        own_redis.start()
        with seconds_taken(0.9, 10):
            shared.wait()


def test_an_ended_session_is_replaced(database_url: str, postgresql: PostgresServer) -> None:
    """A failing-over PostgreSQL ends no run."""
    with limiter(database_url) as shared:
        shared.wait()
        assert postgresql.terminate_sessions(Database("postgresql", database_url))
        with seconds_taken(0, 5):
            shared.wait()


def test_a_server_that_stays_away_ends_the_run(own_redis: RedisServer) -> None:
    """Item 7: without the server nothing is sent, and the line tells no part of the URL (X7)."""
    clock = FakeClock()
    with shared_rate(own_redis.url, ACCOUNT, 5, clock) as shared:
        assert shared is not None
        shared.wait()
        own_redis.stop()
        with pytest.raises(VendorUnavailable) as caught:
            shared.wait()
        with pytest.raises(VendorUnavailable):
            shared.penalise(1)
    assert "connection to Redis refused or lost" in str(caught.value)
    assert_quiet(caught.value, own_redis.port)
    own_redis.start()


@pytest.mark.parametrize("scheme", ["redis", "rediss", "postgresql"])
def test_a_server_out_of_reach_is_told_in_one_line(scheme: str) -> None:
    """Exit 7 whatever the server; no part of the URL is told (X7)."""
    with socket.socket() as closed:  # bound, and nobody listens
        closed.bind(("127.0.0.1", 0))
        port = int(closed.getsockname()[1])
        url = f"{scheme}://somebody:{SECRET}@127.0.0.1:{port}/0"
        with pytest.raises(VendorUnavailable, match="refused or lost") as caught:
            start(url)
    assert caught.value.code == 7
    assert_quiet(caught.value, port)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://somebody:{SECRET}@127.0.0.1/0",
        f"somebody:{SECRET}@127.0.0.1",
        f"redis://somebody:{SECRET}@127.0.0.1:port/0",
        f"redis://somebody:{SECRET}@127.0.0.1/0?no_such_option=1",
        f"postgresql://somebody:{SECRET}@127.0.0.1:port/0",
        f"postgresql://somebody:{SECRET}@127.0.0.1/0?no_such_option=1",
    ],
)
def test_an_address_that_cannot_be_right_is_a_configuration_error(url: str) -> None:
    """Exit 2, and no part of the URL is told (X7)."""
    with pytest.raises(ConfigurationError, match="rate_limit_url") as caught:
        start(url)
    assert_quiet(caught.value)


def test_a_wrong_password_is_a_configuration_error(redis: RedisServer) -> None:
    """Exit 2: waiting would not put it right."""
    url = redis.url.replace(SECRET, f"wrong-{SECRET}")
    with pytest.raises(ConfigurationError, match="authentication failed") as caught:
        start(url)
    assert_quiet(caught.value, redis.port)


def test_a_missing_database_is_a_configuration_error(database_url: str) -> None:
    """Exit 2 on PostgreSQL, too."""
    url = database_url.replace("/backoffice", "/nothing-of-")
    with pytest.raises(ConfigurationError, match="no such database") as caught:
        start(url)
    assert "nothing-of" not in str(caught.value)


def assert_quiet(error: Exception, *more: object) -> None:
    """Neither the line nor what led to it tells any part of the URL."""
    told = f"{error} {error.__cause__} {error.__context__}"
    for part in (SECRET, "somebody", "127.0.0.1", *map(str, more)):
        assert part not in told
