"""Files that hold personal data: a directory nobody else can enter, files nobody else can read."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from target_kit.errors import ConfigurationError


def file_name(name: str) -> str:
    """A stream's name as that of a file: taps name streams as they like."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)


def private_directory(path: Path) -> Path:
    """Make `path` (0700) and prove that it can be written; the error names the setting.

    A symbolic link in its place is refused: it would carry personal data to where it points.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.is_symlink():
            raise ConfigurationError(f"state_dir: {path.name} is a symbolic link; remove it")
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
        probe = path / f".probe-{secrets.token_hex(8)}"  # pods share volumes, and process ids
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"state_dir: {error.strerror or type(error).__name__}; "
            "it must be a directory that this user can write"
        ) from None
    return path


def open_private(path: Path, flags: int) -> int:
    """Open `path` with mode 0600, never through a symbolic link; returns the descriptor."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; see `replaced_atomically`."""
    with replaced_atomically(path) as file:
        file.write(data)


@contextmanager
def replaced_atomically(path: Path) -> Iterator[BinaryIO]:
    """A private file to write into, which replaces `path` when the block has ended well.

    After a crash either the old or the new content is there. Order: temporary file, fsync, rename,
    fsync of the directory (Pillai et al., OSDI 2014).
    """
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = open_private(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
