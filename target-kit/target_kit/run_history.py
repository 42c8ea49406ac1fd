"""The numbers of the last runs, kept in `state_dir` for the report's page.

One line of JSON a run, the newest last. A run is entered when it begins and again when it ends, so
one that was killed stays there without an end. It holds counts, times, words of the status and
names of streams: no key, no value, no address. What can't be read is left out, and what can't be
written is said in the log: a run never ends because of its history.
"""

from __future__ import annotations

import logging
import os
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from filelock import FileLock, Timeout

from target_kit.errors import ConfigurationError
from target_kit.files import open_private, private_directory, write_atomically
from target_kit.outcome import Outcome

FILE_NAME = "runs.jsonl"
#: Runs that are kept; a month of daily ones.
KEPT_RUNS = 30
#: Larger than 30 runs of many streams could be: such a file is not ours.
_MAX_BYTES = 4_000_000
#: Another process holds the lock only while it writes a few kilobytes.
_LOCK_SECONDS = 10.0

logger = logging.getLogger(__name__)

Count = Annotated[int, msgspec.Meta(ge=0)]
Counts = dict[Outcome, Count]


class PastRun(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One run's numbers; without `status` its end is not known."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    target: str
    started_at: str
    mode: str = "run"
    status: str = ""
    exit_code: int | None = None
    seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    calls: Count = 0
    writes: Count = 0
    streams: dict[str, Counts] = {}

    @property
    def unfinished(self) -> bool:
        """Whether nobody entered its end: it was killed, or is still at work."""
        return not self.status

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """How many records of all streams ended how."""
        streams = self.streams.values()
        return {one: sum(counts.get(one, 0) for counts in streams) for one in Outcome}


class RunHistory:
    """The file of one `state_dir`; several processes may use it at once."""

    def __init__(self, state_dir: Path) -> None:
        self._directory = state_dir
        self._path = state_dir / FILE_NAME

    def begin(self, target: str, started_at: str, mode: str) -> PastRun:
        """Enter a run that begins now, durably; give it back to `end` with its numbers."""
        run = PastRun(id=uuid.uuid4().hex, target=target, started_at=started_at, mode=mode)
        self._change(lambda runs: [*runs, run])
        return run

    def end(self, run: PastRun) -> list[PastRun]:
        """Enter the run's numbers; returns the runs that are known now, the oldest first.

        The run itself is among them even where nothing could be written.
        """

        def entered(runs: list[PastRun]) -> list[PastRun]:
            if all(one.id != run.id for one in runs):
                return [*runs, run]
            return [run if one.id == run.id else one for one in runs]

        return self._change(entered)

    def _change(self, change: Callable[[list[PastRun]], list[PastRun]]) -> list[PastRun]:
        runs: list[PastRun] = []
        try:
            private_directory(self._directory)
            with FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_SECONDS, mode=0o600):
                runs = change(self._read())[-KEPT_RUNS:]
                lines = [msgspec.json.encode(run) for run in runs]
                write_atomically(self._path, b"".join(line + b"\n" for line in lines))
        except Timeout:
            logger.warning(
                "the history of runs is in use by another process; this run is not in it"
            )
        except ConfigurationError as error:
            logger.warning("the history of runs was not written: %s", error)
        except OSError as error:
            reason = error.strerror or os.strerror(error.errno or 0)
            logger.warning("the history of runs was not written: %s", reason)
        return runs or change([])

    def _read(self) -> list[PastRun]:
        """The runs in the file; what is none, torn or alien lines, is dropped with a word."""
        try:
            descriptor = open_private(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return []
        except OSError:  # a symbolic link, a file of another user
            logger.warning("the history of runs can't be read; it is begun anew")
            return []
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            logger.warning("the history of runs is no file; it is begun anew")
            return []
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            logger.warning("the history of runs is too large to be ours; it is begun anew")
            return []
        return _decoded(data)


def _decoded(data: bytes) -> list[PastRun]:
    decoder, runs, dropped = msgspec.json.Decoder(PastRun), list[PastRun](), 0
    for line in data.splitlines():
        try:
            runs.append(decoder.decode(line))
        except (msgspec.DecodeError, ValueError, RecursionError):
            dropped += 1
    if dropped:
        logger.warning("%d lines of the history of runs can't be read; they are dropped", dropped)
    return runs
