"""What stays of a run in files: who was left out and why, and the proof of what was sent."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from target_kit.errors import ConfigurationError
from target_kit.files import open_private, private_directory, write_atomically

from target_optimizely.rows import WantedRows

_encode = msgspec.json.Encoder().encode


class LeftOutLine(msgspec.Struct, frozen=True):
    """Who is not in a list: the line of the input, the backoffice's entity, and why."""

    line: int
    entity_type: str
    entity_id: str
    outcome: str
    cause: str
    message: str

    @property
    def key(self) -> str:
        """The entity; "" for a row without one."""
        return f"{self.entity_type} {self.entity_id}".strip()

    def is_about(self, key: str) -> bool:
        """Whether somebody who typed `key` means this entity: by its id, or by type and id."""
        return key.strip() in (self.entity_id, self.key) and bool(self.entity_id)


_decode = msgspec.json.Decoder(LeftOutLine).decode


def left_out_path(state_dir: Path, name: str) -> Path:
    """The file of one list, by the name of its entry under `lists`."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    return state_dir / "left_out" / f"{safe}.jsonl"


def write_left_out(path: Path, rows: WantedRows) -> int:
    """Name everyone the selection holds and the list does not, with the cause; how many.

    The whole set comes again with the next run, so the file tells about the last run only.
    """
    found = [LeftOutLine(*columns) for columns in rows.left_out()]
    _write(path, found)
    return len(found)


def read_left_out(state_dir: Path, name: str) -> list[LeftOutLine]:
    """What `write_left_out` has written of a list; nothing where there was no run.

    Raises ConfigurationError.
    """
    path = left_out_path(state_dir, name)
    try:
        return [_decode(line) for line in path.read_bytes().splitlines()]
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError):
        raise ConfigurationError(
            f"state_dir: {path} can't be read; the next run writes it anew"
        ) from None


def drop_left_out(state_dir: Path, name: str, keys: Collection[str]) -> int:
    """Take whoever has one of these keys out of the file; how many lines."""
    found = read_left_out(state_dir, name)
    kept = [one for one in found if not any(one.is_about(key) for key in keys)]
    if len(kept) < len(found):
        _write(left_out_path(state_dir, name), kept)
    return len(found) - len(kept)


def _write(path: Path, found: Iterable[LeftOutLine]) -> None:
    private_directory(path.parent)
    try:
        write_atomically(path, b"".join(_encode(one) + b"\n" for one in found))
    except OSError as error:
        raise ConfigurationError(f"state_dir: {path} can't be written: {error.strerror}") from None


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
