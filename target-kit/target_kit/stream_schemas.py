"""The last SCHEMA of each stream, in `state_dir/schemas`: what commands without input go by.

Column names and types only; no record is in it. Written at once and atomically, so that two runs
that start together leave one of the two.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from target_kit.errors import ConfigurationError
from target_kit.files import open_private, private_directory
from target_kit.intake import StreamInfo
from target_kit.rejects import RejectStore


def remember(state_dir: Path, streams: Iterable[StreamInfo]) -> None:
    """Keep these, instead of what was known of the same streams."""
    for info in streams:
        data = msgspec.json.encode(
            {"schema": info.schema, "key_properties": info.key_properties}, order="deterministic"
        )
        path = _path(state_dir, info.name)
        if path.exists() and path.read_bytes() == data:
            continue
        private_directory(path.parent)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            flags = os.O_CREAT | os.O_TRUNC | os.O_WRONLY
            with os.fdopen(open_private(temporary, flags), "wb") as file:
                file.write(data)
            temporary.replace(path)
        except OSError as error:
            raise ConfigurationError(
                f"state_dir: schemas can't be written: {error.strerror}"
            ) from None


def recall(state_dir: Path, stream: str) -> StreamInfo | None:
    """What was remembered of a stream; None for nothing, or nothing that can be read."""
    try:
        data = msgspec.json.decode(_path(state_dir, stream).read_bytes())
        return StreamInfo(stream, data["schema"], tuple(data["key_properties"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(state_dir: Path, stream: str) -> Path:
    return state_dir / "schemas" / f"{RejectStore.path_of(state_dir, stream).stem}.json"
