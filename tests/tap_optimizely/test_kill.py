"""Stopped anywhere, run again from the last STATE: no row is lost, and no marker tells a lie."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tap_optimizely_support import LIST, START, Run, Tap

ROWS = 6000
CLOSED = {"unsubscribes_source": "closed_loop"}


@pytest.fixture
def many(tap: Tap) -> Tap:
    """An export much longer than the pipe."""
    rows = [[f"r{i}@example.com", str(LIST), START] for i in range(ROWS)]
    tap.simulator.event("add_export_file", stream="outbounces", rows=[["b@example.com"]])
    tap.simulator.event("add_export_file", stream="unsubscribes", rows=rows)
    tap.simulator.clock(advance=5)
    return tap


def cut(command: list[str], lines: int, signum: int) -> Run:
    """Run the tap, read some lines, send the signal, read what is left in the pipe."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as tap:
        assert tap.stdout is not None
        assert tap.stderr is not None
        output = b""
        while output.count(b"\n") < lines and (block := tap.stdout.read(1000)):
            output += block
        tap.send_signal(signum)
        while block := tap.stdout.read(65536):
            output += block
        errors = tap.stderr.read().decode()
        code = tap.wait(60)
    return Run(output, code, errors)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("lines", [1, 5, 3000])
def test_a_cut_run_tells_no_lie_and_the_next_one_has_everything(
    many: Tap, signum: int, lines: int
) -> None:
    """128 + signal, no marker, and no bookmark for a stream whose rows are not all out."""
    first = cut(many.command("bounces", "unsubscribes", **CLOSED), lines, signum)
    assert first.code == (-signum if signum == signal.SIGKILL else 128 + signum)
    assert first.markers == []
    bookmarks = first.state.get("bookmarks", {})
    assert not bookmarks.get("unsubscribes", {}).get("exports")
    sent = {r["recipient_id"] for r in first.records("unsubscribes")}
    assert len(sent) < ROWS
    rest = many.run("bounces", "unsubscribes", state=first.state, **CLOSED)
    got = {r["recipient_id"] for r in rest.records("unsubscribes")}
    assert got == {f"r{i}@example.com" for i in range(ROWS)}
    bounced = [r["recipient_id"] for r in first.records("bounces") + rest.records("bounces")]
    assert set(bounced) == {"b@example.com"}
    assert len(rest.markers) == 1


def test_a_tap_stopped_while_it_waits_for_the_vendor_leaves_at_once(many: Tap) -> None:
    """A hanging call does not keep a stopped tap alive."""
    path = "RpcClosedLoop"
    many.simulator.faults([{"match": {"path": path}, "action": "hang"}])
    with subprocess.Popen(
        many.command("unsubscribes", **CLOSED), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tap:
        deadline = time.monotonic() + 30
        while not any(fault["fired"] for fault in many.simulator.faults()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        tap.terminate()
        output, _ = tap.communicate(timeout=20)
    assert tap.returncode == 128 + signal.SIGTERM
    assert b"sync_complete" not in output


def test_a_tap_whose_reader_has_gone_stops_with_one_line(many: Tap) -> None:
    """A dead target is a broken pipe: exit 1, no traceback."""
    with subprocess.Popen(
        many.command("unsubscribes", **CLOSED), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tap:
        assert tap.stdout is not None
        assert tap.stderr is not None
        tap.stdout.readline()
        tap.stdout.close()
        errors = tap.stderr.read().decode()
    assert tap.returncode == 1
    assert errors.splitlines()[-1] == "tap-optimizely: the reader of the output has gone away"
    assert "Traceback" not in errors


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_a_cut_run_leaves_the_files_of_the_one_before(
    many: Tap, tmp_path: Path, signum: int
) -> None:
    """csv_dir gets a file only when its stream was read completely (S1-30)."""
    folder = tmp_path / "out"
    folder.mkdir()
    before = folder / "unsubscribes.csv"
    before.write_text("before\n")
    cut(many.command("unsubscribes", csv_dir=str(folder), **CLOSED), 50, signum)
    assert before.read_text() == "before\n"
    with contextlib.suppress(FileNotFoundError):
        (folder / ".unsubscribes.csv.part").chmod(0o600)  # whatever a killed run left behind
    run = many.run("unsubscribes", csv_dir=str(folder), **CLOSED)
    assert run.code == 0, run.errors
    assert before.read_text().count("\n") == ROWS + 1
    assert [path.name for path in folder.iterdir()] == ["unsubscribes.csv"]
