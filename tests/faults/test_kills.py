"""The target killed at any request: nothing lost, nobody twice, no STATE too early."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from faults import scene
from faults.kills import At, assert_no_leftovers, hurt_at, last_number, moments, points
from faults.support import EVERYTHING, Proxy, Zygote, eventually
from simulators_support import Simulator
from target_support import Run, Target, lines, record, schema, state

Build = Callable[..., Target]

#: Requests of the scene when nothing goes wrong; the first test keeps this number true.
REQUESTS = 43
SHARE = 20


def hurt(zygote: Zygote, proxy: Proxy, target: Target, at: At, signum: int) -> Run:
    """Run the scene and send the signal at `at`."""
    return hurt_at(zygote, proxy, target, scene.messages(), at, signum)


def assert_recovers(zygote: Zygote, sim: Simulator, target: Target, killed: Run) -> None:
    """What holds right after the kill, and after running again from the last STATE."""
    reached = last_number(killed)
    contacts = sim.state()["contacts"]
    scene.assert_unique(contacts)
    scene.assert_durable(reached, contacts, target.rejects if reached else [])
    again = zygote.run(target, scene.messages(after=reached))
    assert again.code == 0, again.stderr
    assert max(reached, last_number(again)) == len(scene.records())
    contacts = sim.state()["contacts"]
    scene.assert_unique(contacts)
    assert scene.found(contacts) == scene.wanted()
    assert {r["record"]["ctt_id"]: r["cause"] for r in target.rejects} == scene.REJECTED
    assert_no_leftovers(target)


@pytest.fixture
def target(sim: Simulator, proxy: Proxy, target_at: Build) -> Target:
    sim.seed(scene.seed())
    return target_at(proxy.url, create_fields=False)


def test_without_a_kill_the_scene_ends_as_written_down(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target: Target
) -> None:
    """S0-34: the fault-free run is the model, and a second one writes nothing."""
    first = zygote.run(target, scene.messages())
    assert first.code == 0, first.stderr
    assert len(proxy.seen) == REQUESTS
    assert len(first.states) > 2  # otherwise the kills below would prove little about STATE
    assert scene.found(sim.state()["contacts"]) == scene.wanted()
    sim.forget_requests()
    assert zygote.run(target, scene.messages()).code == 0
    assert sim.requests(writes=True) == []
    assert_no_leftovers(target)


@pytest.mark.kills
@pytest.mark.parametrize(
    "at", points(REQUESTS, signal.SIGKILL, SHARE), ids=lambda at: f"{at[0]}-{at[1]}"
)
def test_a_kill_at_any_request_loses_nothing_and_doubles_nobody(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target: Target, at: At
) -> None:
    """SIGKILL before, after or behind a request; then run again from the last STATE."""
    killed = hurt(zygote, proxy, target, at, signal.SIGKILL)
    assert killed.code == -signal.SIGKILL
    proxy.forget()
    assert_recovers(zygote, sim, target, killed)


@pytest.mark.kills
@pytest.mark.parametrize(
    "at", points(REQUESTS, signal.SIGTERM, SHARE), ids=lambda at: f"{at[0]}-{at[1]}"
)
def test_a_stop_at_any_request_publishes_only_what_is_durable(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target: Target, at: At
) -> None:
    """SIGTERM ends with 143, one clear line and the report; only a run that had nothing left to do
    may still end with 0.
    """
    stopped = hurt(zygote, proxy, target, at, signal.SIGTERM)
    if stopped.code == 0:
        assert last_number(stopped) == len(scene.records())
        assert at[0] == REQUESTS
    else:
        assert stopped.code == 128 + signal.SIGTERM
        assert "stopped by signal 15" in stopped.stderr.splitlines()[-1]
        assert stopped.report["exit_code"] == stopped.code
        if stopped.report["streams"]:
            assert sum(stopped.stream["outcomes"].values()) == (
                stopped.stream["received"] + stopped.stream["reoffered"]
            )
    # At most the request in flight and, for a create, its custom values came after the signal.
    assert len(proxy.seen) <= at[0] + 1
    proxy.forget()
    assert_recovers(zygote, sim, target, stopped)


@pytest.mark.kills
@pytest.mark.parametrize("after", moments())
def test_a_kill_at_any_moment_loses_nothing_and_doubles_nobody(
    zygote: Zygote, sim: Simulator, target: Target, after: float
) -> None:
    """SIGKILL between requests: while the input is read, sorted or the rejects are written."""
    running = zygote.start(target, lines(scene.messages()))
    time.sleep(after)  # the moment is the point of this test; whatever it hits must hold
    running.signal(signal.SIGKILL)
    assert_recovers(zygote, sim, target, running.end())


def test_a_second_kill_while_recovering_changes_nothing(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target: Target
) -> None:
    """Killed at request 20, started anew, killed at request 11 of that run, started anew."""
    first = hurt(zygote, proxy, target, (20, "after"), signal.SIGKILL)
    assert first.code == -signal.SIGKILL
    proxy.forget()
    second = hurt(zygote, proxy, target, (11, "after"), signal.SIGKILL)
    assert second.code == -signal.SIGKILL
    proxy.forget()
    assert_recovers(zygote, sim, target, second)


def test_what_a_kill_left_behind_goes_at_the_next_start_even_without_input(
    zygote: Zygote, proxy: Proxy, target: Target
) -> None:
    """A killed run leaves its work file; the next one removes it, whatever it has to do."""
    hurt(zygote, proxy, target, (15, "after"), signal.SIGKILL)
    proxy.forget()
    assert zygote.run(target, []).code == 0
    assert_no_leftovers(target)


@pytest.mark.parametrize("number", range(4, 12) if EVERYTHING else (4, 5))
def test_a_kill_while_fields_are_created_leaves_none_half_made(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target_at: Build, number: int
) -> None:
    """S0-14: after a kill between a field and its relation the next run relates it, once."""
    target = target_at(proxy.url)
    hurt(zygote, proxy, target, (number, "after"), signal.SIGKILL)
    proxy.forget()
    assert zygote.run(target, [schema(), record(1), state(1)]).code == 0
    fields = {field["perstag"]: field for field in sim.state()["fields"]}
    assert len(fields) == len(sim.state()["fields"]) == 4
    assert fields["BUBSCTTID"]["type"] == "hidden"
    assert all(len(field["relations"]) == 1 for field in fields.values())
    sim.forget_requests()
    assert zygote.run(target, [schema(), record(1), state(1)]).code == 0
    assert sim.requests(writes=True) == []


def stopped_while(
    zygote: Zygote, target: Target, reached: Callable[[], Any], data: bytes | None, **more: Any
) -> tuple[Run, float]:
    """SIGTERM once `reached()`; the run and the seconds from signal to end."""
    running = zygote.start(target, data, **more)
    if data is None:
        running.stdin.write(lines([schema(), record(1), state(1)]))
    eventually(reached, "the moment to stop at")
    started = time.monotonic()
    running.signal(signal.SIGTERM)
    ended = running.end()
    return ended, time.monotonic() - started


def test_a_stop_while_reading_input_ends_at_once_and_emits_nothing(
    zygote: Zygote, sim: Simulator, target_at: Build
) -> None:
    """With the tap still there and silent, SIGTERM ends the reading; nothing was sent."""
    target = target_at(sim.url)
    spool = target.home / "state" / "spool"
    running = zygote.start(target, None)
    running.stdin.write(lines([schema(), record(1), state(1)]))
    eventually(spool.exists, "the spool")
    time.sleep(0.1)
    began = time.monotonic()
    running.signal(signal.SIGTERM)
    eventually(lambda: "stopped by signal" in running.stderr, "its last words")
    assert time.monotonic() - began < 5
    ended = running.end()
    assert (ended.code, ended.states) == (143, [])
    assert sim.requests() == []


def test_a_stop_while_waiting_for_the_rate_ends_at_once(
    zygote: Zygote, sim: Simulator, target_at: Build
) -> None:
    """At one request in a hundred seconds SIGTERM does not wait for the next one."""
    target = target_at(sim.url)
    ended, seconds = stopped_while(
        zygote, target, lambda: sim.summary()["total"] == 1,
        lines([schema(), record(1), state(1)]), requests_per_second=0.01,
    )  # fmt: skip
    assert (ended.code, ended.states) == (143, [])
    assert seconds < 5


def test_a_stop_while_told_to_wait_ends_at_once(
    zygote: Zygote, sim: Simulator, target_at: Build
) -> None:
    """During a Retry-After of a minute SIGTERM is heeded."""
    sim.faults([{"match": {"path": "users/me"}, "action": {"type": "retry_after", "value": "60"}}])
    target = target_at(sim.url)
    ended, seconds = stopped_while(
        zygote, target, lambda: sim.summary()["total"] == 1,
        lines([schema(), record(1), state(1)]),
    )  # fmt: skip
    assert (ended.code, ended.states) == (143, [])
    assert seconds < 5


def test_a_stop_during_a_call_lets_it_end_and_a_second_signal_does_not(
    zygote: Zygote, sim: Simulator, target_at: Build
) -> None:
    """The first SIGTERM waits for the answer in flight; the second ends the process at once."""
    target = target_at(sim.url)
    hang = {"type": "apply_then_hang", "seconds": 60}
    sim.faults([{"match": {"method": "POST", "path": "contacts$"}, "action": hang}])
    running = zygote.start(target, lines([schema(), record(1), state(1)]))
    eventually(lambda: sim.contacts(), "the contact is there")
    running.signal(signal.SIGTERM)
    time.sleep(0.3)
    began = time.monotonic()
    running.signal(signal.SIGTERM)
    ended = running.end()
    assert time.monotonic() - began < 3
    assert (ended.code, ended.states) == (143, [])
    sim.faults([])
    assert zygote.run(target, [schema(), record(1), state(1)]).code == 0
    scene.assert_unique(sim.state()["contacts"])


def test_an_interrupt_from_the_keyboard_ends_like_a_stop(
    zygote: Zygote, sim: Simulator, target_at: Build
) -> None:
    """SIGINT: 130, and no STATE beyond what was done."""
    target = target_at(sim.url)
    running = zygote.start(target, lines([schema(), record(1), state(1)]), requests_per_second=0.01)
    eventually(lambda: sim.summary()["total"] == 1, "the first request")
    running.signal(signal.SIGINT)
    ended = running.end()
    assert (ended.code, ended.states) == (130, [])
