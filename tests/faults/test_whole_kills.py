"""The target killed at any request while it changes lists, tags, accounts, addresses, and deletes:
nobody is ever active who must not be, nobody deleted comes back, and the next run is right.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from destinations_support import sums_close
from faults import whole_scene as scene
from faults.canary import assert_quiet
from faults.kills import At, assert_no_leftovers, hurt_at, last_number, moments, points
from faults.support import EVERYTHING, Proxy, Zygote
from simulators_support import Simulator
from target_support import Run, Target, lines, state

Build = Callable[..., Target]
State = dict[str, Any]

#: Requests of the scene when nothing goes wrong; the first test keeps this number true.
REQUESTS = 135
SHARE = 10


@pytest.fixture
def before(sim: Simulator) -> State:
    """The account at the start; from here on the simulator notes what changes."""
    scene.seed(sim)
    sim.keep_journal()
    return sim.state()


@pytest.fixture
def target(before: State, proxy: Proxy, target_at: Build) -> Target:
    return target_at(proxy.url, streams={"contacts": scene.STREAM})


def hurt(zygote: Zygote, proxy: Proxy, target: Target, at: At) -> Run:
    """Kill the scene at `at`."""
    killed = hurt_at(zygote, proxy, target, scene.messages(), at, signal.SIGKILL)
    assert killed.code == -signal.SIGKILL
    proxy.forget()
    return killed


def leave(sim: Simulator) -> dict[str, scene.Person]:
    """Somebody active before, and somebody the killed run may have subscribed, unsubscribe; returns
    the model with that.
    """
    model = scene.wanted()
    present = scene.active(sim.state()["contacts"])
    for key in (101, 102):
        if (scene.address(key), scene.NEWS) in present:
            sim.event("unsubscribe", email=scene.address(key), list=scene.NEWS)
            model[scene.address(key)]["lists"]["News"] = "2"
    return model


def assert_recovers(
    zygote: Zygote, sim: Simulator, target: Target, killed: Run, before: State
) -> None:
    """What holds right after the kill, and after people left and it ran again from the last STATE;
    then everything once more, with late records of the deleted: nothing is written.
    """
    reached = last_number(killed)
    if reached:
        scene.assert_durable(reached, scene.found(sim.state()), target.rejects)
    model = leave(sim)
    again = zygote.run(target, scene.messages(after=reached))
    assert again.code == 0, again.stderr
    assert max(reached, last_number(again)) == len(scene.stream_of_records())
    after = sim.state()
    assert scene.found(after) == model
    assert [tag["tag"] for tag in after["tags"]].count(scene.GONE_TAG) == 1
    assert {r["record"]["ctt_id"]: r["cause"] for r in target.rejects} == scene.REJECTED
    sim.forget_requests()
    rows = [*scene.living(), *scene.late()]
    idle = zygote.run(target, [scene.messages_schema(), *rows, state(len(rows))])
    assert (idle.code, sim.requests(writes=True)) == (0, [])
    assert idle.causes["deleted_before"] == len(scene.late())
    assert sums_close(again)
    assert sums_close(idle)
    scene.assert_every_moment(before, sim.journal())
    scene.assert_foreign_untouched(before, sim.state())
    assert_no_leftovers(target, "tombstones.")
    for path in (target.home / "state").glob("ledger.*"):
        assert scene.address(115).encode() not in path.read_bytes(), "the ledger knows the erased"
    for run in (again, idle):
        assert_quiet(run, target)


def test_without_a_kill_the_whole_scene_ends_as_written_down(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target: Target, before: State
) -> None:
    """S0-34 X2 X3 X5: the fault-free run is the model, the next one writes nothing."""
    first = zygote.run(target, scene.messages())
    assert first.code == 0, first.stderr
    assert len(proxy.seen) == REQUESTS
    assert len(first.states) > 2  # otherwise the kills below would prove little about STATE
    assert scene.found(sim.state()) == scene.wanted()
    assert scene.assert_every_moment(before, sim.journal()) > 50
    assert not scene.active(sim.state()["contacts"]) & scene.MUST_LEAVE
    assert_recovers(zygote, sim, target, first, before)


@pytest.mark.kills
@pytest.mark.parametrize(
    "at", points(REQUESTS, signal.SIGKILL, SHARE), ids=lambda at: f"{at[0]}-{at[1]}"
)
def test_a_kill_at_any_request_makes_nobody_active_who_must_not_be(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target: Target, before: State, at: At
) -> None:
    """S2-17 X2 X3 X5 X6 X7: SIGKILL before, after or behind a request; people leave; run again."""
    killed = hurt(zygote, proxy, target, at)
    assert_recovers(zygote, sim, target, killed, before)


@pytest.mark.kills
@pytest.mark.parametrize("after", moments())
def test_a_kill_at_any_moment_makes_nobody_active_who_must_not_be(
    zygote: Zygote, sim: Simulator, target: Target, before: State, after: float
) -> None:
    """X2 X3: SIGKILL between requests: while reading, noting deletions or writing rejects."""
    running = zygote.start(target, lines(scene.messages()))
    time.sleep(after)  # the moment is the point of this test; whatever it hits must hold
    running.signal(signal.SIGKILL)
    assert_recovers(zygote, sim, target, running.end(), before)


@pytest.mark.parametrize(
    "at", [(first, second) for first in range(20, 120, 20) for second in range(15, 60, 15)]
    if EVERYTHING else [(60, 30), (100, 15)], ids=str,
)  # fmt: skip
def test_a_second_kill_while_recovering_makes_nobody_active_who_must_not_be(
    zygote: Zygote,
    sim: Simulator,
    proxy: Proxy,
    target: Target,
    before: State,
    at: tuple[int, int],
) -> None:
    """X2 X3: killed, started anew, killed again, started anew."""
    hurt(zygote, proxy, target, (at[0], "after"))
    second = hurt_at(zygote, proxy, target, scene.messages(), (at[1], "after"), signal.SIGKILL)
    proxy.forget()
    assert_recovers(zygote, sim, target, second, before)


def test_the_check_of_every_moment_sees_what_must_not_be(
    zygote: Zygote, sim: Simulator, target: Target, before: State
) -> None:
    """X2: somebody entered while others had to leave, brought back, or active under a new address:
    each is told by the check that the kills rely on.
    """
    assert zygote.run(target, scene.messages()).code == 0
    sim.event("unsubscribe", email=scene.address(102))
    journal = sim.journal()
    entering = next(e for e in journal if e["by"] == "call" and scene.entered(e))
    with pytest.raises(AssertionError, match="while"):
        scene.assert_every_moment(before, [entering, *journal])
    (left,) = (c for c in journal[-1]["changes"] if c["table"] == "contacts")
    back = {**journal[-1], "by": "call", "changes": [{**left, "after": left["before"]}]}
    with pytest.raises(AssertionError, match="brought back"):
        scene.assert_every_moment(before, [*journal, back])
    moved = {**left["before"], "email": scene.new_address(109)}
    wrong = {**journal[-1], "by": "call", "changes": [{**left, "after": moved}]}
    with pytest.raises(AssertionError, match=r"made .*moved"):
        scene.assert_every_moment(before, [*journal, wrong])
