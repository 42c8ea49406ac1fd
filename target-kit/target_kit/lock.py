"""One run at a time per account and object, or one per shard.

The lock is `flock` on a file in `state_dir`: the kernel frees it when its holder dies, so a killed
run leaves nothing behind that somebody would have to clear by hand. Machines with a shared ledger
lock each other out by `target_kit.ledger_locks`, which has the same rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from target_kit.errors import ConfigurationError, LockedError
from target_kit.files import private_directory
from target_kit.shards import Shard

_GATE_SECONDS = 30.0  # taking a lock is a matter of milliseconds


@contextmanager
def run_lock(
    state_dir: Path, account: str, object_name: str, shard: Shard | None = None
) -> Iterator[None]:
    """Hold the lock of (`account`, `object_name`); LockedError at once if another run has it.

    With `shard`, runs of other shards of the same count may hold theirs; no whole run may, and none
    of another count. `state_dir` is the one that all shards on this machine share.
    """
    digest = hashlib.sha256(account.encode()).hexdigest()[:16]
    directory = private_directory(state_dir / "locks")
    name = f"{object_name}-{digest}"
    own = _file(directory, name if shard is None else f"{name}-{shard}")
    with _gate(directory, name):
        for path in _others(directory, name, shard):
            with suppress(FileNotFoundError):
                _take(FileLock(path, mode=0o600), object_name).release()
        _take(own, object_name)
    try:
        yield
    finally:
        own.release()


def refuse_rejects_elsewhere(state_dir: Path, shard: Shard | None) -> None:
    """Raise ConfigurationError while a run of another kind has open rejects.

    Rejects are offered again by the run that finds them: those of whole runs, or of another number
    of shards, would be found by nobody. Under the lock.
    """
    shards = {path: Shard.of_folder(path.name) for path in state_dir.glob("shard-*")}
    folders = [p for p, of in shards.items() if of and (shard is None or of.count != shard.count)]
    if shard is not None:
        folders.append(state_dir)
    held = [folder for folder in sorted(folders) if _has_rejects(folder)]
    if not held:
        return
    names = ", ".join("a whole run" if f == state_dir else f.name for f in held)
    raise ConfigurationError(
        f"shard: rejects of {names} are open in state_dir; run that once more or drop them before "
        "the number of shards changes"
    )


def _has_rejects(folder: Path) -> bool:
    return any(path.stat().st_size for path in (folder / "rejects").glob("*.jsonl"))


@contextmanager
def _gate(directory: Path, name: str) -> Iterator[None]:
    """Looking at the others and taking one's own is one step."""
    gate = _file(directory, f"{name}-gate")
    try:
        gate.acquire(timeout=_GATE_SECONDS)
    except Timeout:
        raise LockedError("another run is starting and does not get on; try again") from None
    try:
        yield
    finally:
        gate.release()


def _others(directory: Path, name: str, shard: Shard | None) -> list[Path]:
    """The locks that nobody may hold beside this one."""
    found = []
    for path in sorted(directory.glob(f"{name}-*-of-*.lock")):
        other = Shard.of_folder(f"shard-{path.stem.removeprefix(f'{name}-')}")
        if other and (shard is None or other.count != shard.count):
            found.append(path)
    return found if shard is None else [directory / f"{name}.lock", *found]


def _take(lock: FileLock, object_name: str) -> FileLock:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LockedError(
            f"another run is writing {object_name}s of this account; wait for its end"
        ) from None
    return lock


def _file(directory: Path, name: str) -> FileLock:
    return FileLock(directory / f"{name}.lock", mode=0o600)
