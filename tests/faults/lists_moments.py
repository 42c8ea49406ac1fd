"""Every moment at which a run can be killed, taken down while it goes on.

A killed process leaves what its calls have done so far: files as they are (SIGKILL does not empty
the kernel's caches) and the vendor as it is. So the run is stopped before each call that changes a
file and around each request, and both are copied: thousands of crash points from one run. Moments
that look the same to a later run (files equal once SQLite has rolled back, list equal) are one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.lists_kills import ASK, RUN_SECONDS, Scene, judge, phases_in
from faults.lists_scene import Held, held
from faults.support import Seen
from target_support import Run

_CHANGING = (b":clear", b":addAll3", b":removeAll", b":setAttributes")
_PASSING = {"locks", "spool"}  # says nothing to a later run


@dataclass(frozen=True)
class Moment:
    """A crash point: the state directory as it was, the list as it was, what was found there."""

    where: str
    disk: Path
    held: Held
    verdict: str


@dataclass
class Record:
    """One run: `moments` are distinct, `points` are all, by what holds there."""

    folder: Path
    moments: list[Moment] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    calls: int = 0
    faults: list[BaseException] = field(default_factory=list)


class Recorder:
    """Runs a scene once and writes down every moment of it; `folder` takes the copies."""

    def __init__(self, scene: Scene, folder: Path) -> None:
        self._scene = scene
        self._lock = threading.Lock()
        self._record = Record(folder)
        self._held: Held = {}
        self._version = 0
        self._stale = True
        self._verdicts: dict[tuple[Any, ...], str] = {}

    def run(self) -> tuple[Run, Record]:
        """The run, which nobody hurts, and its record; raises what a moment violates."""
        scene, home = self._scene, self._scene.target.home
        for name in ("ask", "go"):
            (home / name).unlink(missing_ok=True)
            os.mkfifo(home / name)
        scene.proxy.before = lambda seen: self._at_call(seen, "before")
        scene.proxy.after = lambda seen: self._at_call(seen, "after")
        asked = threading.Thread(target=self._answer, args=(home,))
        asked.start()
        running = scene.zygote.start(
            scene.target, scene.data, command=scene.command, crash=(0, ASK)
        )
        try:
            run = running.end(1200)
        finally:
            asked.join(RUN_SECONDS)
            scene.proxy.forget()
        if self._record.faults:
            raise self._record.faults[0]
        return run, self._record

    def _answer(self, home: Path) -> None:
        """Let the target make its next call once this moment is written down."""
        with (home / "ask").open("rb", buffering=0) as ask, (home / "go").open("wb", 0) as go:
            synced = False
            while what := ask.read(1):
                self._record.writes += 1
                if not synced:  # a sync changes nothing: the moment after it is the one before it
                    self._take(f"write {self._record.writes}")
                synced = what == b"s"
                go.write(b".")

    def _at_call(self, seen: Seen, phase: str) -> None:
        if phase == "after" and any(name in seen.body for name in _CHANGING):
            self._stale = True
        self._record.calls = max(self._record.calls, seen.number)
        self._take(f"{phase} call {seen.number}")

    def _take(self, where: str) -> None:
        with self._lock:
            try:
                self._taken(where)
            except BaseException as error:  # noqa: BLE001 - raised by `run`, in the test's thread
                error.add_note(f"at {where}")
                self._record.faults.append(error)

    def _taken(self, where: str) -> None:
        record = self._record
        if self._stale:
            self._held, self._stale = held(self._scene.sim), False
            self._version += 1
        disk = record.folder / "now"
        shutil.rmtree(disk, ignore_errors=True)
        if self._scene.state_dir.is_dir():
            shutil.copytree(self._scene.state_dir, disk, ignore=_passing)
        else:
            disk.mkdir()
        found, key = self._look(disk)
        stated = (self._scene.target.home / "stdout").stat().st_size > 0
        known = (self._version, key, tuple(found), stated)
        verdict = self._verdicts.get(known)
        if verdict is None:
            verdict = judge(self._scene.people, self._held, found, stated=stated)
            self._verdicts[known] = verdict
            kept = record.folder / f"moment{len(record.moments)}"
            disk.rename(kept)
            record.moments.append(Moment(where, kept, self._held, verdict))
        record.points[verdict] += 1

    def _look(self, disk: Path) -> tuple[list[str], tuple[Any, ...]]:
        """The intents' phases, and what tells this directory from others."""
        found: list[str] = []
        parts: list[tuple[str, str]] = []
        copies = self._record.folder / "copies"
        shutil.rmtree(copies, ignore_errors=True)
        if (disk / "lists").is_dir():
            shutil.copytree(disk / "lists", copies)
            for path in sorted(copies.glob("*.sqlite")):
                found += phases_in(path)
                parts.append((path.name, hashlib.md5(path.read_bytes()).hexdigest()))
        for path in sorted(disk.rglob("*")):
            if path.is_file() and path.parent.name != "lists":
                name = path.name if not path.name.startswith(".probe") else ".probe"
                parts.append((name, hashlib.md5(path.read_bytes()).hexdigest()))
        return found, tuple(parts)


def _passing(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in _PASSING}
