"""A disposable SQLite file for one run: what is wanted and what exists, on disk, so that memory
stays flat whatever the number of contacts. A leftover of a killed run is removed at the next start;
nothing in it is needed, because STATE never went past it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from target_kit.files import open_private, private_directory


@contextmanager
def work_file(state_dir: Path, name: str) -> Iterator[sqlite3.Connection]:
    """Open a fresh private database `state_dir/work/<name>.sqlite`, deleted at the end.

    The caller holds the run's lock, so a file already there belongs to a dead run.
    """
    path = private_directory(state_dir / "work") / f"{name}.sqlite"
    path.unlink(missing_ok=True)
    os.close(open_private(path, os.O_CREAT | os.O_EXCL | os.O_RDWR))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute("PRAGMA temp_store = FILE")
        yield connection
    finally:
        connection.close()
        path.unlink(missing_ok=True)
