"""The vendor guide's two files, written beside the messages."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pytest
from tap_optimizely_support import LIST, START, Tap

CLOSED = {"unsubscribes_source": "closed_loop"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_two_files_hold_what_the_messages_hold(tap: Tap, tmp_path: Path) -> None:
    """unsubscribes.csv and bounces.csv, readable by their owner only (S1-30)."""
    tap.simulator.seed({"recipients": [{"list": LIST, "id": "b@example.com"}]})
    mailing = tap.simulator.event("send_mailing", list=LIST)["mailing"]
    tap.simulator.event("bounce", id="b@example.com", mailing=mailing)
    tap.simulator.event("unsubscribe", id="u@example.com", list=LIST)
    tap.simulator.clock(advance=5)
    folder = tmp_path / "feedback"
    run = tap.run(csv_dir=str(folder))
    assert run.code == 0, run.errors
    assert {path.name for path in folder.iterdir()} == {"unsubscribes.csv", "bounces.csv"}
    for stream in ("unsubscribes", "bounces"):
        path = folder / f"{stream}.csv"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        written = [row["event_key"] for row in rows(path)]
        assert written == [r["event_key"] for r in run.records(stream)]
        assert list(rows(path)[0]) == list(run.schema(stream))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_taken_for_a_formula(tap: Tap, tmp_path: Path, sign: str) -> None:
    """Spreadsheets open these files, and addresses are chosen by strangers."""
    path = tmp_path / "in.txt"
    hostile = f'{sign}cmd|"/c calc"!A0@example.com'
    quoted = hostile.replace('"', '""')
    path.write_bytes(f'"{quoted}";17\n'.encode())
    given = {"path": str(path), "columns": ["recipient_id", "list_id"]}
    run = tap.run(
        "unsubscribes", csv_files={"unsubscribes": given}, csv_dir=str(tmp_path), **CLOSED
    )
    assert run.code == 0, run.errors
    assert run.records("unsubscribes")[0]["recipient_id"] == hostile
    assert [row["recipient_id"] for row in rows(tmp_path / "unsubscribes.csv")] == ["'" + hostile]


def test_a_run_that_fails_leaves_the_file_of_the_one_before(tap: Tap, tmp_path: Path) -> None:
    """Half a file would be taken for all of it (S1-30)."""
    (tmp_path / "unsubscribes.csv").write_text("before\n")
    good, bad = ["a@example.com", str(LIST), START], ["b@example.com", str(LIST), "never"]
    tap.simulator.event("add_export_file", stream="unsubscribes", rows=[good, bad])
    tap.simulator.clock(advance=5)
    run = tap.run("unsubscribes", csv_dir=str(tmp_path), **CLOSED)
    assert run.code == 6
    assert (tmp_path / "unsubscribes.csv").read_text() == "before\n"
    assert not (tmp_path / ".unsubscribes.csv.part").exists()


def test_a_stream_without_rows_gets_a_header_alone(tap: Tap, tmp_path: Path) -> None:
    """An importer can tell "nothing new" from "not there"."""
    run = tap.run("bounces", csv_dir=str(tmp_path))
    assert run.code == 0, run.errors
    text = (tmp_path / "bounces.csv").read_text()
    assert text.startswith("event_key,source,export,client_id,recipient_id")
    assert text.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_a_wrong_setting(tap: Tap, tmp_path: Path) -> None:
    """The line names the setting, not the path's owner."""
    (tmp_path / "file").write_text("")
    run = tap.run("bounces", csv_dir=str(tmp_path / "file"))
    assert run.code == 2
    assert "csv_dir: cannot be written to" in run.said
