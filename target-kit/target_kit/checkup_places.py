"""What a `doctor` of any target looks at on this machine."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from target_kit.checkup import Check, fail, good, space, warning


def is_open_to_others(path: Path) -> bool:
    """Whether other users of this machine can enter a directory that is there."""
    return path.exists() and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def state_directory(path: Path) -> Iterator[Check]:
    """Whether `state_dir` is private, can be written and has room; nothing is made."""
    there = next(one for one in (path, *path.absolute().parents) if one.exists())
    step = "choose a directory that this user can write, or change its owner"
    if path.is_symlink() or not there.is_dir():
        yield fail("state_dir", "is no directory of its own", step)
    elif not os.access(there, os.W_OK | os.X_OK):
        yield fail("state_dir", "can't be written by this user", step)
    elif there != path:
        yield good("state_dir", "is not there yet; the first run makes it")
    elif is_open_to_others(path):
        said = "others on this machine can enter it"
        yield warning("state_dir", said, "chmod 700; the next run does so by itself")
    else:
        yield good("state_dir", "private and writable")
    yield space(shutil.disk_usage(there).free)
