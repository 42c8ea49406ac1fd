"""How one mutant is run: in a fork, in memory, with its module's tests from a copy.

A child is forked once all libraries are loaded, so that each mutant costs its tests and little
more. Modules and tests come from a copy: no file of the checkout is touched, work in it may go on.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import shutil
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import entry_points
from pathlib import Path
from types import CodeType, ModuleType

import hypothesis
import pytest

BROKEN = 70  # exit code of a child that could not run its tests
PYTEST = [
    "-x",
    "-q",
    "--tb=line",
    "--assert=plain",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-o",
    "timeout=0",
]
KILLED, SURVIVED, TIMED_OUT = "killed", "survived", "timed out"


@dataclass(frozen=True, slots=True)
class Guarded:
    """One module (dotted `name`, its file) and the test files that guard it."""

    name: str
    path: Path
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed module; `code` compiles it, in the process that is to run it."""

    module: Guarded
    text: str
    code: Callable[[], CodeType]
    by_hand: bool = False

    def __str__(self) -> str:
        return f"{self.module.name}: {self.text}"


class _Importer(SourceFileLoader):
    """Gives one module with changed code; for all others Python asks elsewhere."""

    def __init__(self, module: Guarded, code: CodeType) -> None:
        super().__init__(module.name, str(module.path))
        self._changed = code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - as importlib calls it
        return self._changed

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Python's question to everything in `sys.meta_path`."""
        del path, target
        return importlib.util.spec_from_loader(name, self) if name == self.name else None


def fork(module: Guarded, code: Callable[[], CodeType] | None, output: Path) -> int:
    """Run the tests of a module in a child, changed by `code` if any; returns its process id."""
    if pid := os.fork():
        return pid
    status = BROKEN
    try:
        stream = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(stream, 1)
        os.dup2(stream, 2)
        if code:
            sys.meta_path.insert(0, _Importer(module, code()))
        status = int(pytest.main([*PYTEST, *module.tests]))
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - a child must never go on as if it were the parent
        traceback.print_exc()
    os._exit(status)


def verdicts(
    chosen: Iterable[Mutant], workers: int, patience: float, folder: Path
) -> Iterator[tuple[Mutant, str]]:
    """Run each, so many at once, and yield it with killed, survived or, after so many seconds of
    `patience`, timed out.
    """
    waiting, running = deque(chosen), dict[int, tuple[Mutant, float, Path]]()
    while waiting or running:
        while waiting and len(running) < workers:
            mutant, output = waiting.popleft(), folder / f"output{len(waiting)}"
            pid = fork(mutant.module, mutant.code, output)
            running[pid] = mutant, time.monotonic() + patience, output
        for pid, (mutant, deadline, output) in list(running.items()):
            late = time.monotonic() > deadline
            if late:
                os.kill(pid, signal.SIGKILL)
            ended, status = os.waitpid(pid, 0 if late else os.WNOHANG)
            if not ended:
                continue
            del running[pid]
            if os.waitstatus_to_exitcode(status) == BROKEN:
                sys.exit(f"{mutant}: not run\n{output.read_text()}")
            output.unlink()
            yield mutant, TIMED_OUT if late else KILLED if status else SURVIVED
        time.sleep(0.005)


def check_unchanged(modules: Iterable[Guarded], folder: Path) -> None:
    """The tests must pass on the modules as they are, or everything would count as killed."""
    for module in modules:
        _, status = os.waitpid(fork(module, None, folder / "output"), 0)
        if status:
            sys.exit(f"{module.name}: its tests fail unchanged\n{(folder / 'output').read_text()}")


def take_copy(root: Path, paths: Iterable[str], folder: Path) -> None:
    """Copy the distributions of these modules and the tests; they are imported from there."""
    for name in sorted({"tests", *(Path(path).parts[0] for path in paths)}):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, folder / name, ignore=ignored)
        sys.path.insert(0, str(folder / name))
    shutil.copy(root / "pyproject.toml", folder)
    os.chdir(folder)


def keep_bytecode(folder: Path) -> None:
    """What the first child compiles, the others need not; nothing of it goes anywhere else."""
    sys.dont_write_bytecode, sys.pycache_prefix = False, str(folder / "bytecode")


def load_libraries(names: Iterable[str]) -> None:
    """Once, before any fork, with those that pytest will load as plugins.

    Hypothesis draws the same examples each time, keeps none, and looks for no smaller ones.
    """
    for name in (*names, *(plugin.module for plugin in entry_points(group="pytest11"))):
        importlib.import_module(name)
    hypothesis.settings.register_profile(
        "mutants",
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=30,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    hypothesis.settings.load_profile("mutants")
    gc.freeze()  # or each child walks all of that anew
