"""singer-seal: the end marker after a true success, and only then."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

SCHEMA = {"type": "SCHEMA", "stream": "contacts", "schema": {}, "key_properties": []}
EMPTY = {"type": "SCHEMA", "stream": "accounts", "schema": {}, "key_properties": []}


def record(number: int) -> dict[str, Any]:
    return {"type": "RECORD", "stream": "contacts", "record": {"id": number, "name": "Jürgen"}}


def tap(directory: Path, body: str) -> dict[str, str]:
    """Make an executable tap and the environment that names it."""
    path = directory / "tap-sample"
    path.write_text(
        f"#!{sys.executable}\nimport json, os, signal, sys, time\n" + textwrap.dedent(body)
    )
    path.chmod(0o755)
    return {**os.environ, "SEAL_TAP": str(path)}


def says(*messages: dict[str, Any]) -> str:
    return (
        "".join(f"print({json.dumps(json.dumps(m))})\n" for m in messages) + "sys.stdout.flush()\n"
    )


def seal(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "singer_seal", *arguments],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def marker(output: bytes) -> dict[str, Any] | None:
    found = [json.loads(x) for x in output.splitlines() if b"sync_complete" in x]
    return found[-1]["value"]["sync_complete"] if found else None


def test_a_success_is_sealed_with_the_last_state_and_the_counts(tmp_path: Path) -> None:
    """Zeros for streams with a SCHEMA only; the output before is the tap's, byte for byte."""
    state = {"type": "STATE", "value": {"bookmarks": {"contacts": {"a": 1}}}}
    body = says(SCHEMA, EMPTY, record(1), {"type": "STATE", "value": {}}, record(2), state)
    environment = tap(tmp_path, body)
    alone = subprocess.run([environment["SEAL_TAP"]], capture_output=True, check=True).stdout
    done = seal(environment)
    assert done.returncode == 0
    assert done.stdout.startswith(alone)
    sealed = json.loads(done.stdout[len(alone) :])
    assert sealed["type"] == "STATE"
    assert sealed["value"]["bookmarks"] == {"contacts": {"a": 1}}
    assert sealed["value"]["sync_complete"]["counts"] == {"contacts": 2, "accounts": 0}
    assert isinstance(sealed["value"]["sync_complete"]["version"], int)


@pytest.mark.parametrize(
    "line",
    [
        '{"type": "RECORD", "stream": "a \\"b\\" ü", "record": {}}',
        '{"stream":"a \\"b\\" ü","record":{},"type":"RECORD"}',
        '{"type":"RECORD","stream":"a \\"b\\" ü","record":{"x":"{\\"type\\":\\"STATE\\"}"}}',
    ],
)
def test_records_are_counted_however_they_are_written(tmp_path: Path, line: str) -> None:
    """Key order, blanks and escapes are the tap's own business."""
    done = seal(tap(tmp_path, f"print({line!r})"))
    found = marker(done.stdout)
    assert found is not None
    assert found["counts"] == {'a "b" ü': 1}


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("sys.exit(1)", 1),
        ("sys.exit(3)", 3),
        ("raise ValueError", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("os.kill(os.getpid(), signal.SIGTERM)", 143),
    ],
)
def test_a_failed_tap_is_not_sealed(tmp_path: Path, ending: str, code: int) -> None:
    """The wrapper exits with the tap's code, or 128 + n for its signal."""
    done = seal(tap(tmp_path, says(SCHEMA, record(1)) + ending))
    assert done.returncode == code
    assert marker(done.stdout) is None
    assert b"no end-of-snapshot marker" in done.stderr


@pytest.mark.parametrize(
    "log",
    [
        "2026-01-01 INFO Gracefully shutting down...",
        'METRIC: {"type": "timer", "metric": "sync_duration", "tags": {"status": "failed"}}',
        'METRIC: {"type":"timer","metric":"sync_duration","tags":{"status":"failed"}}',
    ],
)
def test_a_tap_that_exits_0_but_says_it_was_cut_is_not_sealed(tmp_path: Path, log: str) -> None:
    """Taps made with the SDK exit with 0 on SIGTERM."""
    done = seal(tap(tmp_path, says(SCHEMA) + f"print({log!r}, file=sys.stderr)"))
    assert marker(done.stdout) is None
    assert log.encode() in done.stderr


def test_a_line_that_is_no_message_is_not_sealed(tmp_path: Path) -> None:
    """A torn last line is handed on as it is, and nothing is promised."""
    done = seal(tap(tmp_path, says(SCHEMA, record(1)) + 'sys.stdout.write(\'{"type":"REC\')'))
    assert marker(done.stdout) is None
    assert done.stdout.rstrip().endswith(b'{"type":"REC')


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("reaction", ["sys.exit(0)", "os._exit(5)"])
def test_a_signal_is_handed_on_and_nothing_is_sealed(
    tmp_path: Path, signum: signal.Signals, reaction: str
) -> None:
    """Whatever the tap makes of the signal, the run was cut: 128 + n."""
    body = f"""
    def stop(number, frame):
        print("tap got", number, file=sys.stderr, flush=True)
        {reaction}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    """
    ending = "while True:\n    time.sleep(0.05)\n"
    environment = tap(tmp_path, textwrap.dedent(body) + says(SCHEMA, record(1)) + ending)
    with subprocess.Popen(
        [sys.executable, "-m", "singer_seal"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as wrapper:
        assert wrapper.stdout is not None
        wrapper.stdout.readline()  # the tap is up and its handlers are in place
        wrapper.send_signal(signum)
        rest = wrapper.stdout.read()
        assert wrapper.stderr is not None
        errors = wrapper.stderr.read()
    assert wrapper.returncode == 128 + signum
    assert marker(rest) is None
    assert b"tap got %d" % signum in errors


def test_a_reader_that_goes_away_stops_the_tap(tmp_path: Path) -> None:
    """No tap is left running without a target."""
    body = says(SCHEMA) + "while True:\n    print(json.dumps({'type': 'STATE', 'value': {}}))\n"
    with subprocess.Popen(
        [sys.executable, "-m", "singer_seal"],
        env=tap(tmp_path, body),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as wrapper:
        assert wrapper.stdout is not None
        wrapper.stdout.readline()
        wrapper.stdout.close()
    assert wrapper.returncode != 0


@pytest.mark.parametrize(
    "argument", ["--discover", "--about", "--help", "--version", "--test=schema"]
)
def test_questions_go_straight_to_the_tap(tmp_path: Path, argument: str) -> None:
    """The tap takes the wrapper's place: its output, its code, no marker."""
    done = seal(tap(tmp_path, "print(sys.argv[1:])\nsys.exit(7)"), "--config", "c.json", argument)
    assert done.stdout.decode() == f"{['--config', 'c.json', argument]}\n"
    assert done.returncode == 7


def test_without_a_tap_the_message_names_the_variable(tmp_path: Path) -> None:
    """Exit 2 when SEAL_TAP is missing, 127 when it names nothing."""
    bare = {k: v for k, v in os.environ.items() if k != "SEAL_TAP"}
    done = seal(bare)
    assert (done.returncode, done.stderr) == (
        2,
        b"singer-seal: SEAL_TAP must name the tap to run\n",
    )
    assert seal({**bare, "SEAL_TAP": str(tmp_path / "nothing")}).returncode == 127


def test_a_huge_record_passes(tmp_path: Path) -> None:
    """Forty megabytes in one line: copied, counted, sealed."""
    body = "print(json.dumps({'type': 'RECORD', 'stream': 'a', 'record': {'x': 'y' * 40_000_000}}))"
    done = seal(tap(tmp_path, body))
    assert marker(done.stdout) is not None
    assert len(done.stdout) > 40_000_000


def test_the_wrapper_needs_nothing_but_python() -> None:
    """It is installed beside taps of any age: no dependency may clash with theirs."""
    from importlib.metadata import requires

    assert not requires("singer-seal")
