"""What stays of a run in files: who was left out and why, and the proof of what was sent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from target_kit.errors import ConfigurationError
from target_kit.files import open_private, private_directory, write_atomically

from target_optimizely.rows import WantedRows

_encode = msgspec.json.Encoder().encode


def left_out_path(state_dir: Path, name: str) -> Path:
    """The file of one list, by the name of its entry under `lists`."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    return state_dir / "left_out" / f"{safe}.jsonl"


def write_left_out(path: Path, rows: WantedRows) -> int:
    """Name everyone the selection holds and the list does not, with the cause; how many.

    The whole set comes again with the next run, so the file tells about the last run only.
    """
    private_directory(path.parent)
    lines = bytearray()
    number = 0
    for line, kind, key, outcome, cause, message in rows.left_out():
        number += 1
        lines += _encode(
            {
                "line": line,
                "entity_type": kind,
                "entity_id": key,
                "outcome": outcome,
                "cause": cause,
                "message": message,
            }
        )
        lines += b"\n"
    try:
        write_atomically(path, bytes(lines))
    except OSError as error:
        raise ConfigurationError(f"state_dir: {path} can't be written: {error.strerror}") from None
    return number


def append_evidence(state_dir: Path, list_id: int, entry: Mapping[str, Any]) -> None:
    """Add a line about a finished transfer: consent, counts, digest of the rows (S1-11)."""
    path = private_directory(state_dir / "evidence") / f"{list_id}.jsonl"
    try:
        descriptor = open_private(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        with os.fdopen(descriptor, "ab") as file:
            file.write(_encode(entry) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigurationError(f"state_dir: {path} can't be written: {error.strerror}") from None
