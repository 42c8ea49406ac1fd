"""The feedback file: only a complete, durable import without rejects is confirmed."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from target_backoffice_support import (
    Importer,
    Message,
    bounce,
    complete,
    fetch,
    lines,
    marker,
    schema,
    unsubscribe,
)

Change = Callable[[list[Message]], list[Any]]


def test_a_complete_import_is_confirmed(on_sqlite: Importer) -> None:
    """S1-32 S1-35: time of its beginning, counts by stream, readable by its owner only."""
    before = datetime.now(UTC).replace(microsecond=0)
    run = on_sqlite.take(complete([unsubscribe(1), unsubscribe(2)], [bounce(1)]))
    assert run.code == 0, run.said
    found = on_sqlite.feedback
    assert found is not None
    assert before <= datetime.fromisoformat(found.pop("imported_at")) <= datetime.now(UTC)
    assert found == {
        "version": 1,
        "source": "bounces, unsubscribes",
        "marker_version": 7,
        "counts": {"bounces": 1, "unsubscribes": 2},
    }
    assert stat.S_IMODE(on_sqlite.feedback_file.stat().st_mode) == 0o600


def test_a_day_without_feedback_is_an_import_too(on_sqlite: Importer) -> None:
    """S1-32: schemas and a marker of zeros are complete."""
    assert on_sqlite.take(complete()).code == 0
    assert on_sqlite.feedback is not None
    assert on_sqlite.feedback["counts"] == {"bounces": 0, "unsubscribes": 0}


CUT: dict[str, Change] = {
    "no marker": lambda messages: messages[:-1],
    "tap died before its first row": lambda messages: messages[:2],
    "nothing at all": lambda messages: [],
    "row after the marker": lambda messages: [*messages, unsubscribe(5)],
    "one row too few": lambda messages: [*messages[:2], *messages[3:]],
    "one row too many": lambda messages: [*messages[:2], unsubscribe(9), *messages[2:]],
    "marker without counts": lambda messages: [
        *messages[:-1], {"type": "STATE", "value": {"sync_complete": {"version": 1}}},
    ],
    "a stream that did not come": lambda messages: [
        schema("unsubscribes"), unsubscribe(1), unsubscribe(2), marker(unsubscribes=2),
    ],
    "cut inside a line": lambda messages: [*messages[:-1], b'{"type": "STA'],
    "no JSON": lambda messages: [*messages, b"<html>\n"],
}  # fmt: skip


@pytest.mark.parametrize("what", CUT)
def test_an_incomplete_input_confirms_nothing(on_sqlite: Importer, what: str) -> None:
    """S1-32: the old file stays byte for byte, exit code 6; what came is kept all the same."""
    on_sqlite.feedback_file.write_bytes(b"old")
    messages = CUT[what](complete([unsubscribe(1), unsubscribe(2)]))
    run = on_sqlite.take(messages)
    assert run.code == 6, run.said
    assert on_sqlite.feedback_file.read_bytes() == b"old"
    if len(messages) > 3:
        count = fetch(on_sqlite.database, "SELECT count(*) FROM marketing_unsubscribes")
        assert count[0][0] > 0
        assert run.report["status"] == "incomplete input"


def test_a_rejected_record_confirms_nothing(on_sqlite: Importer) -> None:
    """S1-32: exit code 4, the old file stays, and so it does until the reject is settled."""
    run = on_sqlite.take(complete([unsubscribe(1), unsubscribe(2, event_time="never")]))
    assert (run.code, on_sqlite.feedback) == (4, None)
    assert "1 records were not imported" in run.said
    assert on_sqlite.take(complete([unsubscribe(3)])).code == 4
    assert on_sqlite.feedback is None


def test_without_the_setting_a_plain_input_is_done(on_sqlite: Importer) -> None:
    """Any tap: no marker is asked for where nothing is confirmed."""
    run = on_sqlite.take([schema("unsubscribes"), unsubscribe(1)], feedback_file=None)
    assert run.code == 0, run.said


def test_a_feedback_file_that_can_not_be_written_is_said(on_sqlite: Importer) -> None:
    """S1-32: the rows are in, the file is not, and the exit code tells."""
    on_sqlite.feedback_file.parent.joinpath("file").write_text("")
    path = str(on_sqlite.feedback_file.parent / "file" / "feedback.json")
    run = on_sqlite.take(complete([unsubscribe(1)]), feedback_file=path)
    assert run.code == 2
    assert "feedback_file: can't be written" in run.said


def test_stream_maps_rename_a_stream_and_its_counts_still_close(on_sqlite: Importer) -> None:
    """S1-32: the marker counts by the tap's own names, whatever they are called here."""
    streams = {"optouts": {"table": "optouts"}, "bounces": {}}
    maps = {"unsubscribes": {"__alias__": "optouts"}}
    run = on_sqlite.take(complete([unsubscribe(1)]), streams=streams, stream_maps=maps)
    assert run.code == 0, run.said
    assert json.loads(on_sqlite.feedback_file.read_text())["counts"] == {"bounces": 0, "optouts": 1}


def test_an_input_that_was_kept_is_as_old_as_its_tap(on_sqlite: Importer) -> None:
    """S1-32: the marker tells when the tap began; what it says of the future is not believed."""
    whole = complete([unsubscribe(1)])
    whole[-1]["value"]["sync_complete"]["version"] = 1767268800000
    assert on_sqlite.take(whole).code == 0
    assert on_sqlite.feedback is not None
    assert on_sqlite.feedback["imported_at"] == "2026-01-01T12:00:00+00:00"
    whole[-1]["value"]["sync_complete"]["version"] = 4102444800000
    assert on_sqlite.take(whole).code == 0
    assert on_sqlite.feedback["imported_at"] < datetime.now(UTC).isoformat()


def confirm(
    importer: Importer, messages: list[Any], *more: str
) -> subprocess.CompletedProcess[str]:
    source = importer.home / "feedback.singer"
    source.write_bytes(lines(messages))
    executable, file = importer.command()[0], str(importer.feedback_file)
    command = [executable, "confirm", "--feedback-file", file, *more, str(source)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_what_another_loader_imported_can_be_confirmed(on_sqlite: Importer) -> None:
    """S1-32: `target-backoffice confirm` looks for the marker that other loaders pass by."""
    done = confirm(on_sqlite, complete([unsubscribe(1)], [bounce(1), bounce(2)]))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr.endswith("feedback.json: 2 bounces, 1 unsubscribes\n")
    assert on_sqlite.feedback is not None
    assert on_sqlite.feedback["counts"] == {"bounces": 2, "unsubscribes": 1}
    kept = on_sqlite.feedback_file.read_bytes()
    for cut in ("no marker", "one row too few", "a stream that did not come", "cut inside a line"):
        refused = confirm(on_sqlite, CUT[cut](complete([unsubscribe(1), unsubscribe(2)])))
        assert refused.returncode == 6, refused.stderr
        assert on_sqlite.feedback_file.read_bytes() == kept
    assert confirm(on_sqlite, complete(), "--stream", "opens").returncode == 6
