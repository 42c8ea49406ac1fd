"""Kills of target-activecampaign at chosen requests or moments, whatever the scene."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterable
from typing import Any

from faults.support import EVERYTHING, SEED, Proxy, Running, Seen, Zygote, eventually
from target_support import Run, Target, lines

PHASES = ("before", "after", "answered")
MOMENTS = 200 if EVERYTHING else 4

At = tuple[int, str]
"""Number of the request, and the phase of it; see `faults.support.Proxy`."""


def points(requests: int, salt: int, share: int) -> list[At]:
    """Every phase of so many requests, or a seeded share of them."""
    every = [(number, phase) for number in range(1, requests + 1) for phase in PHASES]
    return every if EVERYTHING else random.Random(SEED + salt).sample(every, share)


def moments() -> list[float]:
    """Seconds after the start, for kills between requests: while reading, sorting, finishing."""
    dice = random.Random(SEED)
    return [round(dice.uniform(0.02, 0.9), 3) for _ in range(MOMENTS)]


def hurt_at(
    zygote: Zygote,
    proxy: Proxy,
    target: Target,
    messages: Iterable[dict[str, Any]],
    at: At,
    signum: int,
) -> Run:
    """Deliver the messages and send the signal at request `at[0]`, in the phase `at[1]` of it."""
    number, phase = at
    running: list[Running] = []

    def hook(seen: Seen) -> bool | None:
        if seen.number != number:
            return None
        eventually(lambda: running, "the process is known")
        running[0].signal(signum)
        # Who is dead has left its connection; what had not been passed on must stay unsent.
        return False if signum == signal.SIGKILL else None

    setattr(proxy, phase, hook)
    running.append(zygote.start(target, lines(messages)))
    return running[0].end()


def last_number(run: Run) -> int:
    """How far the last STATE goes; 0 without one."""
    return int(run.last_state) if run.states else 0


#: Rejects, locks and ledger; numbers of runs, SCHEMAs, and the key of the hashes.
KEPT = ("rejects/", "locks/", "ledger.", "runs.", "schemas/", "log-hash.key")


def assert_no_leftovers(target: Target, *kept: str) -> None:
    """The state directory holds what is in KEPT and what `kept` begins with, and persons
    in the rejects and the ledger only.
    """
    folder = target.home / "state"
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    for name, path in files.items():
        assert name.startswith((*KEPT, *kept)), name
        if not name.startswith(("rejects/", "ledger.")):
            assert b"example." not in path.read_bytes(), name  # the domains of all addresses
