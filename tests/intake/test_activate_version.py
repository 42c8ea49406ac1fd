"""ACTIVATE_VERSION as a sign of completeness: only after the last record, only of one version."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from target_kit.intake import Doors, Intake, Route
from target_kit.lines import LineReader
from target_kit.receiver import Receiver
from target_kit.spool import Spool

SCHEMA = {"type": "SCHEMA", "stream": "s", "schema": {"properties": {"a": {}}}}


def record(version: object = None) -> dict[str, Any]:
    """A RECORD of one version, or without one."""
    message = {"type": "RECORD", "stream": "s", "record": {"a": 1}}
    return message if version is None else {**message, "version": version}


def activate(version: object) -> dict[str, Any]:
    """An ACTIVATE_VERSION message."""
    return {"type": "ACTIVATE_VERSION", "stream": "s", "version": version}


@pytest.mark.parametrize(
    ("messages", "activated"),
    [
        ([record(7), record(7), activate(7)], True),
        ([activate(7), record(7), record(7)], False),
        ([record(7), activate(7), record(7)], False),
        ([record(7), record(8), activate(8)], False),
        ([record(7), activate(8)], False),
        ([record(), record(), activate(8)], False),
        ([record(), record(7), activate(7)], False),
        ([record("x"), record("x"), activate("x")], True),
        ([activate(7)], True),
        ([record(7), activate(7), {"type": "NONSENSE"}], False),
    ],
)
def test_a_stream_is_activated_only_by_the_version_of_all_its_records_after_the_last(
    tmp_path: Path, messages: list[dict[str, Any]], activated: bool
) -> None:
    """Taps write it at the start too (singer-sdk does): that says nothing."""
    intake = Intake(Spool.create(tmp_path / "spool"))
    doors = Doors(
        routes=lambda stream, schema, keys: [Route(stream, schema, (), None)],
        check_stream=lambda info: True,
        encode=msgspec.json.encode,
    )
    lines = b"".join(msgspec.json.encode(m) + b"\n" for m in [SCHEMA, *messages])
    Receiver(intake, doors).receive(LineReader(io.BytesIO(lines), max_line_bytes=10_000))
    intake.spool.close()
    assert ("s" in intake.activated) is activated
    assert intake.sources == {"s": "s"}
