"""stdout, where a target writes STATE lines and nothing else."""

from __future__ import annotations

import os
import sys

from target_kit.errors import StopRun


class OutputClosed(StopRun):
    """Nobody reads stdout any more: a STATE can't be handed over, the next run repeats."""


def write_line(value: bytes) -> None:
    """Write `value` and a line feed, flushed. Raises `OutputClosed`."""
    data = value + b"\n"
    try:
        out = getattr(sys.stdout, "buffer", None)
        if out is None:  # a text-only replacement of stdout
            sys.stdout.write(data.decode())
            sys.stdout.flush()
            return
        sys.stdout.flush()
        while data:  # an unbuffered stdout (PYTHONUNBUFFERED) may take less than offered
            data = data[out.write(data) :]
        out.flush()
    except (OSError, ValueError):  # ValueError: closed file
        raise OutputClosed("stdout is closed: STATE can't be handed over") from None


def silence_stdout() -> None:
    """Let the interpreter's last flush of stdout go nowhere, after `OutputClosed`."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)
    except OSError:
        sys.stdout = None
