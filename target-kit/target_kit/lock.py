"""One run at a time per account and object.

The lock is `flock` on a file in `state_dir`: the kernel frees it when its holder dies, so a killed
run leaves nothing behind that somebody would have to clear by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from target_kit.errors import LockedError
from target_kit.files import private_directory


@contextmanager
def run_lock(state_dir: Path, account: str, object_name: str) -> Iterator[None]:
    """Hold the lock of (`account`, `object_name`); LockedError at once if another run has it."""
    digest = hashlib.sha256(account.encode()).hexdigest()[:16]
    directory = private_directory(state_dir / "locks")
    lock = FileLock(directory / f"{object_name}-{digest}.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LockedError(
            f"another run is writing {object_name}s of this account; wait for its end"
        ) from None
    try:
        yield
    finally:
        lock.release()
