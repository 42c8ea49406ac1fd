"""target-optimizely as warm processes, and what its tests look at afterwards."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from destinations_support import Zygote
from lists_support import REGULAR, ListTarget, recipients, the_list
from simulators_support import Simulator
from target_support import Run

#: Operations that change something at the vendor.
WRITES = {"clear", "addAll3", "removeAll", "setAttributesInBatchFlat"}
#: The parameter of a writing call that has the recipient ids.
_IDS = {"addAll3": "in3", "removeAll": "in2", "setAttributesInBatchFlat": "in2"}
Person = dict[str, Any]


class WarmListTarget(ListTarget):
    """A ListTarget whose processes are forked from a zygote: the same `main`, no import time."""

    def __init__(self, zygote: Zygote, home: Path, url: str, **config: Any) -> None:
        super().__init__(home, url, **config)
        self._zygote = zygote

    def run_bytes(self, data: bytes, *, env: dict[str, str] | None = None, **more: Any) -> Run:
        """Feed bytes, wait for the end."""
        return self._run(self.command(**more), data)

    def recover(self, *options: str, **more: Any) -> Run:
        """`target-optimizely recover` with these options."""
        program, *config = self.command(**more)
        return self._run([program, "recover", *config, *options], b"")

    def operate(
        self, name: str, *options: str, data: bytes = b"", **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """What an operator types: a command of the target, with this configuration."""
        program, *config = self.command(**more)
        typed = [program, name, *config, *options]
        code, out, err = self._zygote.run(typed, data, self.home)
        return subprocess.CompletedProcess(typed, code, out.decode(), err.decode())

    def _run(self, command: list[str], data: bytes) -> Run:
        report = self.home / "report.json"
        report.unlink(missing_ok=True)
        code, out, err = self._zygote.run(command, data, self.home)
        return Run(
            code,
            [json.loads(line) for line in out.splitlines()],
            err.decode(),
            json.loads(report.read_text()) if report.exists() else {},
        )


def operations(sim: Simulator) -> Counter[str]:
    """How often each SOAP operation was called."""
    return Counter(_operation(entry) for entry in sim.requests())


def written(sim: Simulator) -> Counter[str]:
    """How often each operation that changes something was called."""
    return Counter({name: n for name, n in operations(sim).items() if name in WRITES})


def rows_of(sim: Simulator) -> Counter[str]:
    """How many recipients the writing calls named, by operation; needs `keep_bodies`."""
    rows: Counter[str] = Counter()
    for entry in sim.requests():
        name = _operation(entry)
        if name in _IDS:
            (array,) = ElementTree.fromstring(entry["body"]).iter(_IDS[name])
            rows[name] += len(array)
    return rows


def active(sim: Simulator, list_id: int = REGULAR) -> set[str]:
    """Ids of the recipients whom a mailing to the list would reach."""
    return {key for key, one in recipients(sim, list_id).items() if one["active"]}


def active_anywhere(sim: Simulator) -> set[str]:
    """Ids whom a mailing to any list of the client would reach."""
    lists = sim.state()["clients"]["1234"]["lists"]
    return {one["id"] for found in lists for one in found["recipients"] if one["active"]}


def content(sim: Simulator, list_id: int = REGULAR) -> list[Person]:
    """The list as it stands, times included: two equal ones say that nobody touched it."""
    rows: list[Person] = the_list(sim, list_id)["recipients"]
    return rows


def attributes(sim: Simulator, key: str, list_id: int = REGULAR) -> dict[str, str | None]:
    """What the list holds of one recipient."""
    values: dict[str, str | None] = recipients(sim, list_id)[key]["attributes"]
    return values


def _operation(entry: dict[str, Any]) -> str:
    return str(entry.get("operation", "")).rpartition(".")[2]


def closes(run: Run) -> bool:
    """Whether every record of each stream has its outcome (X4)."""
    return all(
        sum(stream["outcomes"].values()) == stream["received"] for stream in run.report["streams"]
    )


def said(run: Run) -> str:
    """The last line on stderr."""
    return run.stderr.splitlines()[-1]
