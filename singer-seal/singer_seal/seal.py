"""Runs the tap, copies its output byte for byte, and adds the marker after a true success."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t
from collections.abc import Callable, Sequence
from types import FrameType

MARKER = "sync_complete"
FORWARDED = (signal.SIGTERM, signal.SIGINT)
BLOCK_BYTES = 1 << 16

# What an SDK tap prints when a signal cut it although it exits with 0.
_SHUTDOWN = b"Gracefully shutting down..."
_FAILED_SYNC = re.compile(rb'"sync_duration".*"status":\s*"failed"')
# Most RECORD lines of a stream begin alike, so most need no parsing.
_RECORD_HEAD = re.compile(rb'\{"type": ?"RECORD", ?"stream": ?("(?:[^"\\]|\\.)*")')


class Tally:
    """Counts RECORDs per stream and keeps the last STATE, line by line."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.counts: dict[str, int] = {}
        self.state: dict[str, t.Any] = {}
        self.whole = True
        self._rest: list[bytes] = []  # of the line not yet ended, which may be many blocks long
        self._names: dict[bytes, str] = {}

    def feed(self, block: bytes) -> None:
        """Take the next bytes of the output."""
        first, *others = block.split(b"\n")
        self._rest.append(first)
        for line in others:
            self._take(b"".join(self._rest))
            self._rest = [line]

    def close(self) -> None:
        """Take what came after the last line feed."""
        self._take(b"".join(self._rest))
        self._rest = []

    @property
    def ends_with_line_feed(self) -> bool:
        """Say whether the output so far ends where a line ends."""
        return not any(self._rest)

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        head = _RECORD_HEAD.match(line)
        # A torn line begins like a whole one; only its end tells.
        if head and line.rstrip().endswith(b"}"):
            name = self._names.get(head[1])
            if name is None:
                name = self._names[head[1]] = str(json.loads(head[1]))
            self.counts[name] = self.counts.get(name, 0) + 1
            return
        self._parse(line)

    def _parse(self, line: bytes) -> None:
        try:
            message = json.loads(line)
            kind = message["type"]
            if kind == "RECORD":
                self.counts[message["stream"]] = self.counts.get(message["stream"], 0) + 1
            elif kind == "SCHEMA":
                self.counts.setdefault(message["stream"], 0)
            elif kind == "STATE":
                self.state = dict(message["value"])
        except (ValueError, KeyError, TypeError):
            self.whole = False  # no Singer message: what it was meant to be nobody knows

    def sealed_state(self, version: int) -> bytes:
        """Give the STATE line: the last state as it was, and the marker beside it."""
        value = {**self.state, MARKER: {"version": version, "counts": self.counts}}
        return json.dumps({"type": "STATE", "value": value}).encode() + b"\n"


def run_sealed(
    command: Sequence[str], *, clock_ms: Callable[[], int] = lambda: int(time.time() * 1000)
) -> int:
    """Run the tap and give the code to exit with; signals are handed on to the tap.

    Raises:
        FileNotFoundError, PermissionError: the tap cannot be started.
    """
    received: list[int] = []
    started = clock_ms()
    tap: list[subprocess.Popen[bytes]] = []

    def forward(signum: int, _frame: FrameType | None) -> None:
        received.append(signum)
        for child in tap:
            child.send_signal(signum)

    for signum in FORWARDED:
        signal.signal(signum, forward)
    child = subprocess.Popen(  # noqa: S603  # the user's own tap
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    tap.append(child)
    for early in received:  # one that came between the handler and the child
        child.send_signal(early)
    suspicions: list[str] = []
    errors = threading.Thread(target=_copy_errors, args=(child, suspicions), daemon=True)
    errors.start()
    tally = Tally()
    reader_gone = not _copy_output(child, tally)
    code = child.wait()
    errors.join()
    refusal = _refusal(code, received, suspicions, tally, reader_gone=reader_gone)
    if refusal is None:
        _write(tally.sealed_state(started))
        return 0
    sys.stderr.write(f"singer-seal: no end-of-snapshot marker: {refusal}\n")
    return _exit_code(code, received, reader_gone=reader_gone)


def _refusal(
    code: int, received: list[int], suspicions: list[str], tally: Tally, *, reader_gone: bool
) -> str | None:
    if received:
        return f"{signal.Signals(received[0]).name} came during the run"
    if reader_gone:
        return "the reader of the output has gone away"
    if code != 0:
        return f"the tap ended with {code}" if code > 0 else f"signal {-code} ended the tap"
    if suspicions:
        return suspicions[0]
    return None if tally.whole else "the output has a line that is no Singer message"


def _exit_code(code: int, received: list[int], *, reader_gone: bool) -> int:
    if received:
        return 128 + received[0]
    if code < 0:
        return 128 - code
    return 1 if code == 0 and reader_gone else code


def _copy_output(child: subprocess.Popen[bytes], tally: Tally) -> bool:
    """Copy until the tap closes its output; False when nobody reads it any more."""
    assert child.stdout is not None  # noqa: S101  # it was asked for
    try:
        while block := child.stdout.read(BLOCK_BYTES):
            _write(block)
            tally.feed(block)
        if not tally.ends_with_line_feed:
            _write(b"\n")  # else the marker would hang on the tap's last message
        tally.close()
    except BrokenPipeError:
        child.terminate()
        while child.stdout.read(BLOCK_BYTES):
            continue
        return False
    return True


def _copy_errors(child: subprocess.Popen[bytes], suspicions: list[str]) -> None:
    assert child.stderr is not None  # noqa: S101  # it was asked for
    for line in iter(child.stderr.readline, b""):
        if _SHUTDOWN in line:
            suspicions.append("the tap says that a signal shut it down")
        elif _FAILED_SYNC.search(line):
            suspicions.append("the tap reports a failed sync")
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()


def _write(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(1, rest) :]
