"""Where histories happen: one simulator behind a proxy, targets forked from one zygote."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.support import Proxy, Running, Seen, Zygote, eventually
from properties.backoffice import Row, messages
from simulators_support import Simulator
from target_kit.tombstones import Tombstones
from target_support import Run, Target, lines

#: What the zygote imports once: the target, and what it imports when it opens its ledger.
TARGET = ("target_activecampaign.target", "target_kit.ledger")
PHASES = ("before", "during", "after", "answered")


@dataclass(frozen=True)
class Kill:
    """SIGKILL at a request of the run, in one of its PHASES."""

    request: int
    phase: str


class Place:
    """`unannounced` are the erasures of the last run that no tombstone on disk came before, `seen`
    counts what the histories came by.
    """

    def __init__(self, sim: Simulator, proxy: Proxy, zygote: Zygote, folder: Path) -> None:
        self.sim, self.proxy, self.zygote = sim, proxy, zygote
        self.folder = folder
        self.unannounced: list[str] = []
        self.seen: Counter[str] = Counter()

    def target(self, **config: Any) -> Target:
        """A target with an empty folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        return Target(self.folder, self.proxy.url, **config)

    @property
    def state_dir(self) -> Path:
        """Of the target."""
        return self.folder / "state"

    def forget(self) -> None:
        """Lose everything that the target keeps between runs, but not who was deleted."""
        for path in self.state_dir.glob("*"):
            if path.is_dir():
                shutil.rmtree(path)
            elif not path.name.startswith("tombstones."):
                path.unlink()

    def run(self, target: Target, rows: list[Row], kill: Kill | None, **more: Any) -> Run:
        """One run as a real process; each erasure on its way is held against the disk."""
        self.proxy.forget()
        self.unannounced = []
        deleted = [row for row in rows if row.deleted_at]
        running: list[Running] = []

        def look(seen: Seen) -> None:
            erases = seen.method == "DELETE" and "/contacts/" in seen.target
            if erases and not any(self.noted(row) for row in deleted):
                self.unannounced.append(seen.target)

        def hook(phase: str, seen: Seen) -> bool | None:
            if phase == "before":
                look(seen)
            if kill is None or (seen.number, phase) != (kill.request, kill.phase):
                return None
            eventually(lambda: running, "the process is known")
            running[0].signal(signal.SIGKILL)
            return False

        for phase in PHASES:
            setattr(self.proxy, phase, lambda seen, phase=phase: hook(phase, seen))
        running.append(self.zygote.start(target, lines(messages(rows)), **more))
        done = running[0].end()
        self.proxy.forget()
        return done

    def noted(self, row: Row) -> bool:
        """Whether a later run would know from the disk, as it is now, that a row was deleted."""
        with tempfile.TemporaryDirectory() as folder:
            for path in self.state_dir.glob("tombstones.*"):
                shutil.copy(path, folder)
            tombstones = Tombstones(Path(folder), "contacts")
            try:
                return tombstones.covers(f"key:{row.key}", None)
            finally:
                tombstones.close()
