"""The feedback file: written whole, read with suspicion."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from target_kit.errors import ConfigurationError, GuardTripped
from target_kit.feedback import Feedback, read_feedback, write_feedback

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
GIVEN = Feedback(NOW, "bounces, unsubscribes", {"unsubscribes": 3, "bounces": 0}, 1790000000000)


def content(**changed: Any) -> bytes:
    whole = {"version": 1, "imported_at": NOW.isoformat(), "source": "x", "counts": {}}
    return json.dumps({**whole, **changed}).encode()


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """S1-35: times in UTC, readable by its owner only, folder made on the way."""
    path = tmp_path / "new" / "feedback.json"
    write_feedback(path, GIVEN)
    assert read_feedback(path, NOW) == GIVEN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["imported_at"] == "2026-11-22T06:00:00+00:00"


def test_its_age_is_counted_from_the_beginning_of_the_import(tmp_path: Path) -> None:
    """S1-32: hours as a fraction, never negative for a clock that is a little behind."""
    assert GIVEN.age_hours(NOW + timedelta(hours=25, minutes=30)) == 25.5
    assert GIVEN.age_hours(NOW - timedelta(minutes=3)) == 0


def test_no_file_means_no_import(tmp_path: Path) -> None:
    """S1-32: missing is refused, with the next step in words."""
    with pytest.raises(GuardTripped, match="run the feedback import first"):
        read_feedback(tmp_path / "feedback.json", NOW)


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"{", b"[]", b"\xff", content()[:-9], content(imported_at="today"),
        content(imported_at=NOW.replace(tzinfo=None).isoformat()), content(imported_at=5),
        content(counts=None), content(counts={"bounces": -1}), content(counts={"bounces": True}),
        content(source=None), content(marker_version="1"), b" " * 70_000,
    ],
)  # fmt: skip
def test_a_damaged_file_is_no_import(tmp_path: Path, damaged: bytes) -> None:
    """S1-32: cut, empty, of other types: refused."""
    path = tmp_path / "feedback.json"
    path.write_bytes(damaged)
    with pytest.raises(GuardTripped, match="is damaged"):
        read_feedback(path, NOW)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_version_is_refused(tmp_path: Path, version: object) -> None:
    """A file of another release is not guessed at."""
    path = tmp_path / "feedback.json"
    path.write_bytes(content(version=version))
    with pytest.raises(ConfigurationError, match="is not of version 1"):
        read_feedback(path, NOW)


def test_a_time_in_the_future_is_refused(tmp_path: Path) -> None:
    """S1-32: a wrong clock must not make old feedback look fresh; five minutes are tolerated."""
    path = tmp_path / "feedback.json"
    path.write_bytes(content(imported_at=(NOW + timedelta(minutes=6)).isoformat()))
    with pytest.raises(GuardTripped, match="in the future"):
        read_feedback(path, NOW)
    assert read_feedback(path, NOW + timedelta(minutes=2)).source == "x"


def test_what_can_not_be_read_or_written_is_a_configuration_error(tmp_path: Path) -> None:
    """A folder in its place, and a folder that is a file."""
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_feedback(tmp_path, NOW)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="can't be written"):
        write_feedback(tmp_path / "file" / "feedback.json", GIVEN)
