"""Never faster than the vendor allows, never waiting for ever."""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest
from edge_support import FaultServer, Request, api_for, reply
from fake_clock import START, FakeClock
from hypothesis import given, settings
from hypothesis import strategies as st
from target_kit.clock import SystemClock
from target_kit.errors import Interrupted, OutcomeUnknown, VendorUnavailable
from target_kit.http import JsonApi, Safety
from target_kit.limits import Deadline, RateLimiter, pause
from target_kit.retry import retry_after_seconds
from target_kit.signals import StopSignal


def get(api: JsonApi) -> int:
    return api.call("GET", "things", route="GET things", safety=Safety.SAFE).status


def too_fast(retry_after: str | None = None) -> object:
    headers = () if retry_after is None else (f"Retry-After: {retry_after}",)
    return reply(429, b"", headers=headers)


def densest_second(starts: list[float]) -> int:
    """Most starts within any window [t, t + 1]."""
    return max(sum(1 for other in starts if 0 <= other - one <= 1.0) for one in starts)


@settings(deadline=None, max_examples=200)
@given(
    rate=st.one_of(st.integers(1, 50), st.floats(1, 50)),
    gaps=st.lists(st.floats(0, 2), min_size=1, max_size=120),
)
def test_no_second_holds_more_starts_than_the_rate(rate: float, gaps: list[float]) -> None:
    """However long calls take in between, every sliding second keeps the rate."""
    clock = FakeClock()
    limiter = RateLimiter(rate, clock)
    starts = []
    for gap in gaps:
        limiter.wait()
        starts.append(clock.monotonic())
        clock.advance(gap)
    assert densest_second(starts) <= rate


@given(rate=st.integers(1, 20), holds=st.lists(st.floats(0, 5), min_size=1, max_size=20))
def test_a_penalty_holds_the_next_start_and_keeps_the_spacing(
    rate: int, holds: list[float]
) -> None:
    """After a penalty there is no burst."""
    clock = FakeClock()
    limiter = RateLimiter(rate, clock)
    starts = []
    for hold in holds:
        limiter.wait()
        starts.append(clock.monotonic())
        limiter.penalise(hold)
        limiter.wait()
        starts.append(clock.monotonic())
        assert starts[-1] - starts[-2] >= hold - 1e-9
    assert densest_second(starts) <= rate


def test_the_margin_costs_little() -> None:
    """At 5 per second, 100 starts take less than 5 % longer than the rate itself would."""
    clock = FakeClock()
    limiter = RateLimiter(5, clock)
    for _ in range(101):
        limiter.wait()
    assert 20 < clock.monotonic() < 21
    assert limiter.waited_seconds == pytest.approx(clock.monotonic())


def test_threads_share_one_rate() -> None:
    """Eight threads on the machine's clock stay under the rate together."""
    limiter = RateLimiter(40, SystemClock())
    starts: list[float] = []

    def work() -> None:
        for _ in range(6):
            limiter.wait()
            starts.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(starts) == 48
    assert densest_second(sorted(starts)) <= 41  # a start is noted a moment after it was granted


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_below_zero_is_refused(rate: float) -> None:
    """No division by zero, no backwards waits."""
    with pytest.raises(ValueError, match="per_second"):
        RateLimiter(rate, FakeClock())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("0", 1),
        ("-5", 1),
        ("1000000000", 120),
        ("9" * 299, 120),
        (format_datetime(START + timedelta(seconds=40), usegmt=True), 40),
        (format_datetime(START - timedelta(days=400), usegmt=True), 1),
        (format_datetime(START + timedelta(days=4000), usegmt=True), 120),
        ("Sun, 01 Mar 2026 13:00:20 +0100", 20),
        ("Sun, 01 Mar 2026 12:00:20", 20),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("nan", None),
        ("inf", None),
        ("1e9", None),
        ("Sun, 99 Foo 2026 12:00:20 GMT", None),
        ("9" * 400, None),
        (None, None),
    ],
)
def test_retry_after_is_read_and_clamped(text: str | None, seconds: float | None) -> None:
    """D.4 row 2: seconds or date; absurd ones are bounded, unreadable ones ignored."""
    assert retry_after_seconds(text, START) == seconds


@pytest.mark.parametrize("safety", list(Safety))
def test_a_429_is_waited_out_and_repeated_whatever_the_safety(safety: Safety) -> None:
    """A call over the limit was not applied, so even a create is sent again."""
    clock = FakeClock()
    with FaultServer([too_fast("30"), reply(201)]) as server:
        with api_for(server.url, clock) as api:
            answer = api.call("POST", "x", route="POST x", json={}, safety=safety)
            assert api.rate_wait_seconds == pytest.approx(30)
        assert answer.status == 201
        assert len(server.requests) == 2
    assert 30 <= clock.monotonic() < 31


@pytest.mark.parametrize("retry_after", ["1", "0", "-3", "soon", None])
def test_a_storm_of_429_for_a_minute_is_survived_with_few_calls(retry_after: str | None) -> None:
    """D.4 row 1: waits grow although the vendor keeps saying one second."""
    clock = FakeClock()

    def storm(server: FaultServer, conn: object, request: Request) -> bool:
        action = too_fast(retry_after) if clock.monotonic() < 60 else reply()
        return action(server, conn, request)

    with FaultServer([storm]) as server, api_for(server.url, clock) as api:
        assert get(api) == 200
        assert len(server.requests) <= 8
    assert clock.monotonic() < 95


@pytest.mark.parametrize("retry_after", ["1", "1000000000", None])
def test_endless_429_ends_the_run_with_bounded_time_and_calls(retry_after: str | None) -> None:
    """D.4 rows 2 and 3: a used-up quota is the vendor's, not a row's."""
    clock = FakeClock()
    with FaultServer([too_fast(retry_after)]) as server, api_for(server.url, clock) as api:
        with pytest.raises(VendorUnavailable, match="quota"):
            get(api)
        assert len(server.requests) <= 26
    assert clock.monotonic() <= 720


def test_a_429_holds_all_threads() -> None:
    """D.4 row 1: while one caller is told to wait, no other sends."""
    told = threading.Event()
    times: list[float] = []

    def first_refused(server: FaultServer, conn: object, request: Request) -> bool:
        times.append(request.at)
        action = reply() if told.is_set() else too_fast("1")
        told.set()
        return action(server, conn, request)

    with (
        FaultServer([first_refused]) as server,
        api_for(server.url, SystemClock(), requests_per_second=20) as api,
    ):
        threads = [threading.Thread(target=get, args=(api,)) for _ in range(4)]
        threads[0].start()
        assert told.wait(5)
        # The others come while the hold is on: the answer is on its way or read by now.
        time.sleep(0.1)
        for thread in threads[1:]:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(times) == 5
    assert min(times[1:]) - times[0] >= 0.99


def test_a_503_with_retry_after_is_obeyed() -> None:
    """ActiveCampaign said "too fast" with 503 for years."""
    clock = FakeClock()
    actions = [reply(503, b"", headers=("Retry-After: 20",)), reply()]
    with FaultServer(actions) as server, api_for(server.url, clock) as api:
        assert get(api) == 200
    assert clock.monotonic() >= 20


def test_no_wait_goes_past_the_deadline() -> None:
    """A wait that can't end in time is not begun."""
    clock = FakeClock()
    deadline = Deadline(25, clock)
    with FaultServer([too_fast("30")]) as server:
        with (
            api_for(server.url, clock, deadline=deadline) as api,
            pytest.raises(VendorUnavailable, match=r"deadline_seconds \(25\) reached"),
        ):
            get(api)
        assert len(server.requests) == 1
    assert clock.monotonic() < 1


def test_nothing_is_sent_after_the_deadline() -> None:
    """The deadline is looked at before each request."""
    clock = FakeClock()
    with FaultServer([reply()]) as server:
        with api_for(server.url, clock, deadline=Deadline(25, clock)) as api:
            get(api)
            clock.advance(26)
            with pytest.raises(VendorUnavailable, match="deadline_seconds"):
                get(api)
            assert api.calls["GET things"] == 1
        assert len(server.requests) == 1


def test_the_deadline_also_ends_a_call_in_flight() -> None:
    """What is left of the run caps the time of one attempt; a create cut so is unknown."""
    clock = SystemClock()
    with FaultServer([lambda server, conn, request: server.stopped.wait(10)]) as server:
        began = time.monotonic()
        with (
            api_for(server.url, clock, deadline=Deadline(0.4, clock), timeout_seconds=60) as api,
            pytest.raises(OutcomeUnknown),
        ):
            api.call("POST", "x", route="POST x", json={}, safety=Safety.UNSAFE)
        assert time.monotonic() - began < 2


def test_a_deadline_of_none_never_comes() -> None:
    """Without `deadline_seconds` only the vendor ends a run."""
    clock = FakeClock()
    deadline = Deadline(None, clock)
    clock.advance(10**9)
    deadline.check()
    assert deadline.remaining() == float("inf")


def test_a_signal_ends_a_wait_at_once() -> None:
    """A real signal during a real 60-second hold."""
    stop = StopSignal()
    before = signal.signal(signal.SIGUSR1, stop.handle)
    try:
        with (
            FaultServer([too_fast("60")]) as server,
            api_for(server.url, SystemClock(), stop=stop) as api,
        ):
            timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1))
            timer.start()
            began = time.monotonic()
            with pytest.raises(Interrupted) as caught:
                get(api)
            assert time.monotonic() - began < 3
            timer.join()
            assert len(server.requests) == 1
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert caught.value.code == 128 + signal.SIGUSR1


def test_a_waiting_worker_thread_notices_the_signal() -> None:
    """Signals reach the main thread only, so other threads look once a second."""
    stop = StopSignal()
    ended: list[float] = []

    def work() -> None:
        began = time.monotonic()
        try:
            pause(60, SystemClock(), stop)
        except Interrupted:
            ended.append(time.monotonic() - began)

    thread = threading.Thread(target=work)
    thread.start()
    stop.handle(signal.SIGTERM)
    thread.join(10)
    assert ended
    assert ended[0] < 3
