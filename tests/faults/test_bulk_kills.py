"""The target killed while it imports: nobody twice, nobody active who must not be, and nothing that
was imported before writes over what is written after it.
"""

from __future__ import annotations

import random
import re
import signal
from collections.abc import Callable

import pytest
from faults import bulk_scene as scene
from faults.support import EVERYTHING, SEED, Proxy, Running, Seen, Zygote, eventually
from simulators_support import Simulator
from target_support import Target, lines

Build = Callable[..., Target]

PHASES = ("before", "during", "after", "answered")
#: Requests of an import by what they begin with; the first read is the end of the crawl, the others
#: look who is still there, what was updated, who came, who was created, and at the sample.
MOMENTS = {
    "import": ("POST", r"/import/bulk_import"),
    "status": ("GET", r"/import/info"),
    "read": ("GET", r"id_greater=[1-9]|ids%5B%5D="),
}
READS = range(2, 7)
Point = tuple[str, int, str]
"""Moment, which of its requests, and the phase of it."""


def points() -> list[Point]:
    """Every phase of the first two requests of every moment, of more reads, or a seeded share."""
    every = [
        (moment, number, phase)
        for moment in MOMENTS
        for number in (READS if moment == "read" else (1, 2))
        for phase in PHASES
        if phase != "during" or MOMENTS[moment][0] == "POST"
    ]
    imports = [point for point in every if point[0] == "import"]
    others = [point for point in every if point[0] != "import"]
    return every if EVERYTHING else imports + random.Random(SEED).sample(others, 6)


def killed_at(zygote: Zygote, proxy: Proxy, target: Target, point: Point) -> None:
    """Deliver, and kill at this point."""
    moment, wanted, phase = point
    method, pattern = MOMENTS[moment]
    running: list[Running] = []
    seen: list[int] = []

    def hook(one: Seen) -> bool | None:
        if one.method != method or not re.search(pattern, one.target):
            return None
        seen.append(one.number)
        if len(seen) != wanted:
            return None
        eventually(lambda: running, "the process is known")
        running[0].signal(signal.SIGKILL)
        return False

    setattr(proxy, phase, hook)
    running.append(zygote.start(target, lines(scene.messages("Old"))))
    assert running[0].end().code == -signal.SIGKILL


@pytest.mark.kills
@pytest.mark.parametrize("point", points(), ids=lambda one: f"{one[0]}-{one[1]}-{one[2]}")
def test_a_kill_while_importing_loses_nothing_and_leaves_nothing_behind(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target_at: Build, point: Point
) -> None:
    """S0-52 X1 X2 X5: the next run brings newer values, and what was imported before it does not
    come after it.
    """
    sim.switches(bulk_delay_seconds=1.5)
    scene.seed(sim)
    target = target_at(proxy.url, **scene.SETTINGS, reads="crawl")
    killed_at(zygote, proxy, target, point)
    proxy.forget()
    left = list((target.home / "state").glob("bulk-*"))
    for journal in left:
        assert b"example." not in journal.read_bytes()
    again = zygote.run(target, scene.messages("New"), seconds=120)
    assert again.code == 0, again.stderr
    eventually(lambda: not _waiting(sim), "no import is waiting")
    scene.assert_delivered(sim.state()["contacts"], "New")
    assert target.rejects == []
    assert not list((target.home / "state").glob("bulk-*"))
    sim.forget_requests()
    assert zygote.run(target, scene.messages("New"), seconds=120).code == 0
    assert sim.requests(writes=True) == []


def _waiting(sim: Simulator) -> bool:
    return any(one["status"] == "waiting" for one in sim.state()["imports"])
