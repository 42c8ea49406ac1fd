"""Kill target-optimizely in the middle of a change, say what must hold then, and heal it."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from faults.lists_scene import Held, People, address, held
from faults.support import SEED, Proxy, Running, Seen, Zygote, eventually
from lists_support import ListTarget
from simulators_support import Simulator
from target_support import Run, lines

OPEN = {"clearing", "filling", "reconciling", "restoring"}
BEFORE, AFTER, TORN, ASK = 1, 2, 3, 4  # see crash_point.c
#: What comes between a kill and the next complete run.
HEALINGS = ("next", "recover", "empty", "next")
RUN_SECONDS = 240.0


def phases(state_dir: Path) -> list[str]:
    """Phases of the intents on disk, oldest first; read from a copy, as a later run would see it.

    Reading rolls back what the killed run had not committed.
    """
    found: list[str] = []
    for path in sorted((state_dir / "lists").glob("*.sqlite")):
        with tempfile.TemporaryDirectory() as folder:
            for one in path.parent.glob(f"{path.name}*"):
                shutil.copy(one, folder)
            found += phases_in(Path(folder) / path.name)
    return found


def phases_in(path: Path) -> list[str]:
    """The same of one file, which is rolled back."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")  # a copy need not survive anything
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'intents'").fetchone():
            return []
        rows = connection.execute("SELECT phase FROM intents ORDER BY id").fetchall()
        assert connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        return [phase for (phase,) in rows]
    finally:
        connection.close()


def judge(people: People, now: Held, found: Sequence[str], *, stated: bool) -> str:
    """What holds at any instant: old, new, or declared as open; tells which of them.

    `now` is the list, `found` the phases on disk, `stated` whether a STATE came out.
    """
    opened = [phase for phase in found if phase in OPEN]
    assert len(opened) <= 1, found
    old, new = people.before(), people.after()
    if found[-1:] == ["done"] or stated:
        assert now == new, "complete was said of less"
    if found[-1:] == ["restored"]:
        assert now == people.restored(), "restored was said of something else"
        return "restored"
    if now == new:
        return "new, open" if opened else "new"
    if now == old:
        return "old, open" if opened else "old"
    assert opened, "the list is incomplete and no intent is open"
    assert now.keys() <= old.keys() | new.keys()
    suppressed = {address(key) for key in people.suppressed}
    assert not (now.keys() - old.keys()) & suppressed, "somebody suppressed was put in"
    return f"incomplete, {opened[0]}"


@dataclass
class Scene:
    """One account with its list, one target, and the ways to hurt it.

    `command` and `data` are those of the run that is hurt: a transfer unless told otherwise.
    """

    zygote: Zygote
    sim: Simulator
    proxy: Proxy
    target: ListTarget
    people: People
    dice: Random = field(default_factory=lambda: Random(SEED))
    command: Sequence[str] = ()
    data: bytes = b""

    def __post_init__(self) -> None:
        self.whole = lines(self.people.messages())
        self.data = self.data or (b"" if self.command else self.whole)

    @property
    def state_dir(self) -> Path:
        """Of the target."""
        return self.target.home / "state"

    def begin(self, now: Held | None = None, disk: Path | None = None) -> None:
        """As at first, or with the list and the state directory of some moment."""
        self.proxy.forget()
        self.sim.reset()
        self.people.seed(self.sim, now)
        shutil.rmtree(self.state_dir, ignore_errors=True)
        if disk is not None:
            shutil.copytree(disk, self.state_dir)

    def run(self, data: bytes, command: Sequence[str] = ()) -> Run:
        """One run that nobody hurts."""
        return self.zygote.start(self.target, data, command=command).end(RUN_SECONDS)

    def killed_at_call(self, number: int, phase: str) -> Run:
        """SIGKILL at the n-th request: before, during, after or behind it."""
        running: list[Running] = []

        def hook(seen: Seen) -> bool | None:
            if seen.number != number:
                return None
            eventually(lambda: running, "the process is known")
            running[0].signal(signal.SIGKILL)
            return False

        setattr(self.proxy, phase, hook)
        running.append(self.zygote.start(self.target, self.data, command=self.command))
        return running[0].end(RUN_SECONDS)

    def killed_at_write(self, number: int, mode: int) -> Run:
        """SIGKILL at the n-th call that changes a file; a run that has fewer comes through."""
        crash = (number, mode)
        running = self.zygote.start(self.target, self.data, command=self.command, crash=crash)
        return running.end(RUN_SECONDS)

    def judge(self, run: Run) -> str:
        """See the function; of what there is now."""
        found = phases(self.state_dir)
        return judge(self.people, held(self.sim), found, stated=bool(run.states))

    def heal(self, how: str = "") -> None:
        """Somebody unsubscribes, then what comes next in the backoffice's day; all is well after.

        `how` is one of HEALINGS, or by dice.
        """
        how = how or self.dice.choice(HEALINGS)
        self.proxy.forget()
        staying = [key for key in self.people.wanted if key not in self.people.suppressed]
        leaver = address(self.dice.choice(staying))
        self.sim.event("unsubscribe", id=leaver)
        new = {key: one for key, one in self.people.after().items() if key != leaver}
        if how != "next":
            self._recover(how, new, leaver)
        self.assert_done(self.run(self.whole), new)

    def _recover(self, how: str, new: Held, leaver: str) -> None:
        """Without any input: complete again, and nobody in it who was suppressed by then."""
        opened = [phase for phase in phases(self.state_dir) if phase in OPEN]
        untouched = held(self.sim)
        run = self.run(b"", ("recover",) if how == "recover" else ())
        # Empty input finishes what is open as well, but is never taken for a whole one.
        assert run.code == (0 if how == "recover" else 6), run.stderr
        assert run.states == []
        assert not any(phase in OPEN for phase in phases(self.state_dir))
        now = held(self.sim)
        if opened == ["restoring"]:
            assert now == {k: v for k, v in self.people.restored().items() if k != leaver}
        elif opened:
            assert now == new, "recovered, but not as the model says"
        else:
            assert now == untouched

    def assert_done(self, run: Run, new: Held) -> None:
        """The list is what the model says, the journal closed, the sums close, STATE came out."""
        assert run.code == 0, run.stderr
        assert held(self.sim) == new
        found = phases(self.state_dir)
        assert found[-1] == "done"
        assert not any(phase in OPEN for phase in found)
        assert len(run.states) == 1
        assert "sync_complete" in run.states[0]
        outcomes = run.stream["outcomes"]
        assert sum(outcomes.values()) == run.stream["received"] == len(self.people.wanted)
        assert outcomes["applied"] + outcomes["unchanged"] == len(new)
        assert outcomes["suppressed"] == len(self.people.wanted) - len(new)
