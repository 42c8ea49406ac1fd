"""What all scenes of flipped guesses about ActiveCampaign share: which values, and one table."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from api_simulators.activecampaign.switches import TABLE
from faults.support import EVERYTHING, SEED, eventually
from simulators_support import Simulator

Case = tuple[str, Any, str]
"""Switch, value, way of reading."""

#: Switches (by how they begin) of what the target never asks for.
NEVER_ASKED = {
    "contacts_sync_": "contacts/sync is not called",
    "sync_": "contact/sync is not called",
    "patch_": "PATCH is not used",
    "unknown_path": "every path that is used is known",
}


def reason_unused(name: str) -> str:
    """Why a switch makes no difference to the target; empty for one that may."""
    return next((why for start, why in NEVER_ASKED.items() if name.startswith(start)), "")


def cases(
    values: dict[str, tuple[Any, ...]],
    without: Collection[str],
    share: int,
    ways: Sequence[str] = ("crawl", "point"),
) -> list[Case]:
    """Every value that is not the default, for each of the `ways` of reading; a seeded share in CI.
    `values` are those of switches that take any, `without` how the names of others begin.
    """
    every = [
        (switch.name, value, reads)
        for switch in TABLE
        if not switch.name.startswith(tuple(without)) and not reason_unused(switch.name)
        for value in _others(switch, values)
        for reads in ways
    ]
    return shared_out(every, share)


def shared_out(every: list[Case], share: int) -> list[Case]:
    """All of them, or a seeded share in CI."""
    return every if EVERYTHING else random.Random(SEED).sample(every, share)


def _others(switch: Any, values: dict[str, tuple[Any, ...]]) -> list[Any]:
    if switch.name in values:
        return list(values[switch.name])
    if isinstance(switch.default, bool):
        return [not switch.default]
    return [value for value in switch.values if value != switch.default]


def settle(sim: Simulator) -> None:
    """Let what was written become visible to searches."""
    began = sim.clock()["seconds"]
    lag = {s["name"]: s["value"] for s in sim.control("GET", "switches")["switches"]}
    wait = float(lag["search_lag_seconds"])
    if wait:
        eventually(lambda: sim.clock()["seconds"] > began + wait + 0.1, "the lag is over")


@dataclass
class Table:
    """What the target did under each guess; printed once all scenes are through."""

    flipped: list[tuple[str, str, str, str, int]] = field(default_factory=list)
    usual: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, case: Case, scene: str, words: str, calls: int) -> None:
        """One value that is not the default."""
        name, value, reads = case
        self.flipped.append((name, str(value), f"{scene}, {reads}", words, calls))
        print(f"\n{name}={value} ({scene}, {reads}): {words} ({calls} calls)")

    def add_usual(self, scene: str, words: str, calls: int) -> None:
        """All switches at their defaults."""
        self.usual[scene] = (words, calls)

    def lines(self) -> Iterator[str]:
        """Switch, value, whether it is the default, scene, calls, what the target did."""
        form = "{:31}{:22}{:9}{:18}{:>6}  {}"
        yield form.format("switch", "value", "default?", "scene", "calls", "what the target did")
        for switch in sorted(TABLE, key=lambda one: one.name):
            rows = sorted(row for row in self.flipped if row[0] == switch.name)
            why = reason_unused(switch.name)
            scenes = {row[2].partition(",")[0] for row in rows}
            if why or not scenes:
                words = why or "not drawn in this run"
                yield form.format(switch.name, str(switch.default), "yes", "-", "-", words)
            for scene in sorted(scenes & self.usual.keys()):
                words, calls = self.usual[scene]
                yield form.format(switch.name, str(switch.default), "yes", scene, calls, words)
            for _, value, where, words, calls in rows:
                yield form.format(switch.name, value, "no", where, calls, words)
