"""Runs the target as real processes that start warm, and reads what the simulator saw of them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from simulators_support import Simulator
from target_support import Run, Target

TESTS = Path(__file__).resolve().parent
RUN_SECONDS = 120.0
CUSTOM_FIELDS = ("BUBSCTTID", "LAND", "SPRACHE", "MOBIL")
#: Every route a contact run may use: reading, contacts, their values, and missing fields.
ALLOWED_WRITES = {
    ("POST", "/contacts"),
    ("PUT", "/contacts/{id}"),
    ("POST", "/fieldValues"),
    ("POST", "/fields"),
    ("POST", "/fieldRels"),
}


class Zygote:
    """The process that has imported a target's module already; see `faults.zygote`."""

    def __init__(self, *module: str) -> None:
        self._module = module or ("target_activecampaign.target", "target_kit.ledger")
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self.socket = f"{self._folder.name}/socket"
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Zygote:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.zygote", self.socket, *self._module],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": _path(os.environ.get("PYTHONPATH"), str(TESTS))},
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()

    def run(self, command: list[str], data: bytes, folder: Path) -> tuple[int, bytes, bytes]:
        """Exit code, stdout and stderr of the target, run with `command` in `folder`."""
        order = {"arguments": command, "folder": str(folder), "environment": {}}
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            given.write(data)
            given.seek(0)
            connection.settimeout(RUN_SECONDS)
            connection.connect(self.socket)
            files = [given.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(connection, [json.dumps(order).encode()], files)
            with connection.makefile() as answers:
                answers.readline()  # the process id
                code = int(answers.readline())
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read()


class WarmTarget(Target):
    """A Target whose processes are forked from a zygote: the same `main`, no import time."""

    def __init__(self, zygote: Zygote, home: Path, api_url: str, **config: Any) -> None:
        super().__init__(home, api_url, **config)
        self._zygote = zygote

    def run_bytes(self, data: bytes, *, env: dict[str, str] | None = None, **more: Any) -> Run:
        """Feed bytes, wait for the end."""
        assert env is None, "a warm process keeps the zygote's environment"
        report = self.home / "report.json"
        report.unlink(missing_ok=True)
        code, out, err = self._zygote.run(self.command(**more), data, self.home)
        return Run(
            code,
            [json.loads(line) for line in out.splitlines()],
            err.decode(),
            json.loads(report.read_text()) if report.exists() else {},
        )

    def operate(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """What an operator types: a command of the target, with this configuration."""
        program, *config = self.command()
        typed = [program, name, *config, *options]
        code, out, err = self._zygote.run(typed, b"", self.home)
        return subprocess.CompletedProcess(typed, code, out.decode(), err.decode())


def _path(*folders: str | None) -> str:
    return os.pathsep.join(folder for folder in folders if folder)


def contact_of(sim: Simulator, email: str) -> dict[str, Any]:
    """The contact with this address; fails when there is none."""
    contacts = sim.contacts()
    assert email in contacts, f"no such contact; there are {sorted(contacts)}"
    return contacts[email]


def routes(sim: Simulator, *, writes: bool = True) -> Counter[tuple[str, str]]:
    """How often each (method, route below /api/3) was called."""
    return Counter(
        (entry["method"], re.sub(r"/\d+", "/{id}", entry["path"].partition("/api/3")[2]))
        for entry in sim.requests(writes=writes)
    )


def seeded_fields(*more: dict[str, Any]) -> list[dict[str, Any]]:
    """The default mapping's custom fields as seed data, with `more` after them."""
    default: list[dict[str, Any]] = [{"perstag": perstag} for perstag in CUSTOM_FIELDS]
    default[0]["type"] = "hidden"
    return [*default, *more]


def sums_close(run: Run) -> bool:
    """Whether each stream's outcomes add up to what came in and was offered again (X4)."""
    return all(
        sum(stream["outcomes"].values()) == stream["received"] + stream["reoffered"]
        for stream in run.report["streams"]
    )


def keys_are_unique(sim: Simulator) -> bool:
    """Whether no backoffice key and no address is on two contacts (X1)."""
    contacts = sim.state()["contacts"]
    keys = [c["fieldValues"].get("BUBSCTTID") for c in contacts]
    addresses = [c["email"].lower() for c in contacts]
    return _unique(k for k in keys if k) and _unique(a for a in addresses if a)


def _unique(values: Iterable[str]) -> bool:
    return all(number == 1 for number in Counter(values).values())
