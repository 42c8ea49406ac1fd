"""A disposable SQLite file for one run: what is wanted and what exists, on disk, so that memory
stays flat whatever the number of contacts. Like the spool it has no name: it is unlinked as soon as
it is open, so not even SIGKILL leaves personal data behind. Nothing in it is needed afterwards,
because STATE never went past it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from target_kit.errors import StopRun
from target_kit.files import file_name, open_private, private_directory


class WorkFileError(StopRun):
    """The work file can't be written or read (full disk, missing rights)."""


@contextmanager
def work_file(state_dir: Path, name: str) -> Iterator[sqlite3.Connection]:
    """Open a fresh private database in `state_dir/work`, gone at the end whatever that is.

    The caller holds the run's lock, so a file already there belongs to a run that died while it
    was opening it. Raises WorkFileError, also for what goes wrong inside the block.
    """
    path = private_directory(state_dir / "work") / f"{file_name(name)}.sqlite"
    try:
        connection = _open(path)
        try:
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise WorkFileError(f"state_dir: the work file can't be used: {error}") from None


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.unlink(missing_ok=True)
        os.close(open_private(path, os.O_CREAT | os.O_EXCL | os.O_RDWR))
    except OSError as error:
        raise WorkFileError(f"state_dir: no work file: {error.strerror}") from None
    try:
        # mode=rw: the file must be the one just made, never a new one with other rights.
        uri = f"{path.absolute().as_uri()}?mode=rw"
        # Several threads use it, one at a time (see hands).
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA user_version = 1")  # the first access: opens the file for good
    finally:
        with suppress(OSError):
            path.unlink()
    return connection
