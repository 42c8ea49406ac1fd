"""target-optimizely killed at any request and any file write: the list is old, declared, or new.

`FAULTS=all` takes 5,000 rows and every point; without it a smaller list and a seeded share.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from faults.lists_kills import AFTER, BEFORE, TORN, Scene
from faults.lists_moments import Moment, Record, Recorder
from faults.lists_scene import People, held
from faults.support import EVERYTHING, SEED, Proxy, Zygote
from lists_support import STREAM, ListTarget
from simulators_support import Simulator

Build = Callable[..., ListTarget]
MakeScene = Callable[..., Scene]

STRATEGIES = ("clear_and_refill", "reconcile")
SMALL, LARGE = 600, 5000
SIZE = LARGE if EVERYTHING else SMALL
#: Crash points that are healed for real without FAULTS=all.
SHARE = 5
#: Requests and file writes of a transfer of 600; the last ones of the share come through.
CALLS, WRITES = 90, 925


@pytest.fixture
def make_scene(
    crashing_zygote: Zygote, campaign: Simulator, list_proxy: Proxy, lists_at: Build
) -> MakeScene:
    def make(size: int = SIZE, strategy: str = "clear_and_refill") -> Scene:
        people = People(size)
        target = lists_at(
            list_proxy.url, batch_size_records=people.batch, list={"strategy": strategy}
        )
        return Scene(crashing_zygote, campaign, list_proxy, target, people)

    return make


def told(title: str, record: Record) -> None:
    """Print what was found, for the long loops."""
    print(f"\n{title}: {record.calls} calls, {record.writes} file writes")
    for verdict, number in sorted(record.points.items()):
        print(f"{number:6} x {verdict}")
    print(f"{len(record.moments)} moments differ")


def share(moments: list[Moment]) -> list[Moment]:
    """All moments, or a seeded share: some of each kind, as the incomplete ones matter most."""
    if EVERYTHING:
        return moments
    incomplete = [one for one in moments if "incomplete" in one.verdict]
    others = [one for one in moments if one not in incomplete]
    dice = Random(SEED)
    return dice.sample(incomplete, min(SHARE, len(incomplete))) + dice.sample(others, 2)


def heal_each(scene: Scene, moments: list[Moment]) -> None:
    """From each moment back to a list in order."""
    for moment in share(moments):
        try:
            scene.begin(moment.held, moment.disk)
            scene.heal()
        except BaseException as error:
            error.add_note(f"killed at {moment.where}: {moment.verdict}")
            raise


@pytest.mark.kills
@pytest.mark.timeout(7200 if EVERYTHING else 300)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_at_every_moment_of_a_transfer_the_list_is_old_declared_or_new_and_heals(
    make_scene: MakeScene, tmp_path: Path, strategy: str
) -> None:
    """S1-21 S1-22 S1-23: before each file write and around each call until no crash point is left;
    `done` and STATE are never said of less, and what comes next makes the list complete.
    """
    scene = make_scene(strategy=strategy)
    scene.begin()
    run, record = Recorder(scene, tmp_path).run()
    told(f"{strategy} of {SIZE}", record)
    scene.assert_done(run, scene.people.after())
    assert record.writes > 500
    assert record.points["old"] > 100
    assert sum(n for verdict, n in record.points.items() if "incomplete" in verdict) > 100
    heal_each(scene, record.moments)


@pytest.mark.kills
@pytest.mark.timeout(7200 if EVERYTHING else 300)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_at_every_moment_of_a_recovery_the_list_is_declared_or_new_and_heals(
    make_scene: MakeScene, tmp_path: Path, strategy: str
) -> None:
    """S1-23: `recover`, killed itself, is as good as not begun: the next one ends it."""
    scene = make_scene(SMALL, strategy)
    half = halfway(scene, tmp_path)
    scene.begin(half.held, half.disk)
    scene.command, scene.data = ("recover",), b""
    run, record = Recorder(scene, tmp_path / "recovery").run()
    told(f"recovery of {strategy}", record)
    assert run.code == 0, run.stderr
    assert held(scene.sim) == scene.people.after()
    assert set(record.points) <= {
        "new", "new, open", "incomplete, clearing", "incomplete, filling", "incomplete, reconciling"
    }  # fmt: skip
    scene.command, scene.data = (), scene.whole
    heal_each(scene, record.moments)


def halfway(scene: Scene, tmp_path: Path) -> Moment:
    """A moment in the middle of a transfer."""
    scene.begin()
    (tmp_path / "transfer").mkdir()
    _, record = Recorder(scene, tmp_path / "transfer").run()
    moments = [one for one in record.moments if one.verdict.startswith("incomplete")]
    (tmp_path / "recovery").mkdir()
    return moments[len(moments) // 2]


@pytest.mark.kills
@pytest.mark.timeout(7200 if EVERYTHING else 300)
def test_at_every_moment_of_a_restore_the_list_is_new_declared_or_restored_and_heals(
    make_scene: MakeScene, tmp_path: Path
) -> None:
    """S1-23: `recover --restore` puts the last snapshot back, and can be killed anywhere."""
    scene = make_scene(SMALL)
    scene.begin()
    assert scene.run(scene.whole).code == 0
    scene.command, scene.data = ("recover", "--restore", STREAM), b""
    run, record = Recorder(scene, tmp_path).run()
    told("restore", record)
    assert run.code == 0, run.stderr
    assert held(scene.sim) == scene.people.restored()
    assert record.points["restored"] > 0
    assert record.points["incomplete, restoring"] > 100
    scene.command, scene.data = (), scene.whole
    heal_each(scene, record.moments)


def call_points() -> list[tuple[int, str]]:
    every = [
        (n, phase)
        for n in range(1, CALLS + 1)
        for phase in ("before", "during", "after", "answered")
    ]
    return every if EVERYTHING else Random(SEED).sample(every, 2 * SHARE)


@pytest.mark.kills
@pytest.mark.parametrize("at", call_points(), ids=lambda at: f"{at[0]}-{at[1]}")
def test_a_real_kill_at_a_call_leaves_what_was_written_down(
    make_scene: MakeScene, at: tuple[int, str]
) -> None:
    """S1-22 S1-23: SIGKILL before, during, after or behind a request; `during` cuts it in half."""
    scene = make_scene(SMALL)
    scene.begin()
    killed = scene.killed_at_call(*at)
    assert killed.code == -signal.SIGKILL
    scene.judge(killed)
    scene.heal()


def write_points() -> list[tuple[int, int]]:
    every = [(n, mode) for n in range(1, WRITES + 1) for mode in (BEFORE, AFTER, TORN)]
    return Random(SEED).sample(every, 300 if EVERYTHING else SHARE)


@pytest.mark.kills
@pytest.mark.parametrize("at", write_points(), ids=lambda at: f"{at[0]}-{at[1]}")
def test_a_real_kill_at_a_file_write_leaves_what_was_written_down(
    make_scene: MakeScene, at: tuple[int, int]
) -> None:
    """S1-22 S1-23: SIGKILL before, after or in the middle of a call that changes a file."""
    scene = make_scene(SMALL)
    scene.begin()
    killed = scene.killed_at_write(*at)
    assert killed.code in {-signal.SIGKILL, 0}  # the very last numbers vary by a few
    scene.judge(killed)
    scene.heal()


@pytest.mark.kills
@pytest.mark.timeout(300)
@pytest.mark.parametrize("call", [60, 85])
def test_a_real_kill_in_a_refill_of_five_thousand_heals(make_scene: MakeScene, call: int) -> None:
    """S1-22 S1-23: among the chunks, after the vendor took one and before the target knows."""
    scene = make_scene(LARGE)
    scene.begin()
    killed = scene.killed_at_call(call, "after")
    assert killed.code == -signal.SIGKILL
    assert scene.judge(killed) == "incomplete, filling"
    scene.heal("recover")
