"""Records that could not be delivered: durable before STATE moves on, offered again next time.

One file per stream, `state_dir/rejects/<stream>.jsonl`, one open reject a line. During a run lines
are only appended: a reject, or `{"closed": <identity>}` once a newer record of the same person was
delivered. A reject with `row` 1 replaces those of the same person before it, higher ones stand
beside it: rows of one person that contradict each other stay together, or the one kept would win by
chance when it is offered again alone (S0-9). A line counts only when it is complete, so a torn last
line loses nothing: STATE was not yet past it. At the end of a run the file is rewritten with what
is still open (S0-59, S0-60).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from target_kit.errors import ConfigurationError, StopRun
from target_kit.files import file_name, open_private, private_directory, write_atomically
from target_kit.outcome import Result

_FLUSH_BYTES = 256 * 1024


class RejectsError(StopRun):
    """The rejects can't be made durable (full disk): the run ends before STATE passes them."""


@dataclass(frozen=True, slots=True)
class Reject:
    """One open reject, as an analyst reads it and as the next run offers it again.

    `identity` names the person within the stream (key, else address, else a digest of the row);
    `record` is the source row as it came, or None where it could not even be read as a row; `row`
    counts the rows of this person that one run rejected.
    """

    identity: str
    key: str | None
    outcome: str
    step: str
    cause: str
    message: str
    field: str | None
    tries: int
    first_seen: str
    last_seen: str
    record: dict[str, Any] | None = None
    row: int = 1


class RejectStore:
    """The open rejects of one stream. Not thread-safe; one run holds the lock.

    `only` names the persons whose rejects are offered again, None all of them; others stay open.
    """

    _only: frozenset[str] | None = None

    def __init__(self, state_dir: Path, stream: str, only: frozenset[str] | None = None) -> None:
        self.path = self.path_of(state_dir, stream)
        self._only = only
        private_directory(self.path.parent)
        self._encode = msgspec.json.Encoder().encode
        self._rows: Counter[str] = Counter()  # rejects of this run by identity
        self._before: dict[str, list[Reject]] = {}  # those of earlier runs that they replaced
        try:
            self._cut_torn_line()
            self._open = _load(self.path, content=False)
            self._descriptor = open_private(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        except OSError as error:
            raise ConfigurationError(f"rejects file {self.path}: {error.strerror}") from None
        self._pending = bytearray()

    @staticmethod
    def path_of(state_dir: Path, stream: str) -> Path:
        """Where the rejects of `stream` are kept."""
        return state_dir / "rejects" / f"{file_name(stream)}.jsonl"

    def add(
        self,
        identity: str,
        key: str | None,
        record: dict[str, Any] | None,
        result: Result,
        now: str,
    ) -> Reject:
        """Remember a reject; a known one keeps its first date and counts one more try. The first
        of a run replaces what earlier runs said of this person, later ones stand beside it.
        """
        if identity not in self._rows:
            self._before[identity] = self._open.pop(identity, [])
        self._rows[identity] += 1
        known = max(self._before[identity], key=lambda reject: reject.tries, default=None)
        reject = Reject(
            identity=identity,
            key=key,
            outcome=result.outcome,
            step=result.step,
            cause=result.cause,
            message=result.message,
            field=result.field,
            tries=known.tries + 1 if known else 1,
            first_seen=known.first_seen if known else now,
            last_seen=now,
            record=record,
            row=self._rows[identity],
        )
        # The content stays on disk only.
        self._open.setdefault(identity, []).append(replace(reject, record=None))
        self._append(reject)
        return reject

    def closed(self, identity: str) -> None:
        """The person was delivered: an older reject must never be offered again."""
        if self._open.pop(identity, None) is not None:
            self._append({"closed": identity})

    def sync(self) -> None:
        """Make everything said so far durable; called before STATE is written.

        Raises RejectsError; what could not be written is kept for another try.
        """
        if not self._pending:
            return
        try:
            while self._pending:
                del self._pending[: os.write(self._descriptor, self._pending)]
            os.fsync(self._descriptor)
        except OSError as error:
            raise RejectsError(
                f"the rejects file can't be written: {error.strerror}; STATE stays before them, "
                "make room and run again"
            ) from None

    def records(self) -> list[Reject]:
        """The open rejects to be offered again, with their content, read back from disk."""
        self.sync()
        found = chain.from_iterable(_load(self.path).values())
        return [one for one in found if self._only is None or one.identity in self._only]

    def close(self) -> None:
        """Make durable and close, as the file stands."""
        try:
            self.sync()
        finally:
            os.close(self._descriptor)

    def finish(self) -> None:
        """Rewrite the file with the open rejects only, then close it."""
        self.close()
        _rewrite(self.path, list(chain.from_iterable(_load(self.path).values())))

    def _append(self, line: Reject | dict[str, str]) -> None:
        self._pending += self._encode(line) + b"\n"
        if len(self._pending) >= _FLUSH_BYTES:
            self.sync()

    def _cut_torn_line(self) -> None:
        """A last line without its end was torn by a crash: STATE never went past it."""
        if not self.path.exists():
            return
        descriptor = open_private(self.path, os.O_RDWR)
        with os.fdopen(descriptor, "r+b") as file:
            end = file.read().rfind(b"\n") + 1
            file.truncate(end)


def open_rejects(state_dir: Path, stream: str) -> list[Reject]:
    """What is open, without content, for looking at; a line that a run is just writing is left out.

    Raises ConfigurationError for a damaged file.
    """
    path = RejectStore.path_of(state_dir, stream)
    return list(chain.from_iterable(_load(path, content=False).values()))


def drop_rejects(state_dir: Path, stream: str, meant: Callable[[Reject], bool]) -> list[Reject]:
    """Give up those that are meant (judged with content); returns them. The caller holds the lock.

    What the file still has of persons that a killed run had delivered goes as well.
    Raises ConfigurationError for a damaged file, RejectsError for one that can't be rewritten.
    """
    path = RejectStore.path_of(state_dir, stream)
    kept: list[Reject] = []
    dropped: list[Reject] = []
    for reject in chain.from_iterable(_load(path).values()):
        (dropped if meant(reject) else kept).append(reject)
    if path.exists():
        _rewrite(path, kept)
    return dropped


def _rewrite(path: Path, rejects: list[Reject]) -> None:
    encode = msgspec.json.Encoder().encode
    try:
        write_atomically(path, b"".join(encode(reject) + b"\n" for reject in rejects))
    except OSError as error:
        raise RejectsError(
            f"the rejects file can't be rewritten: {error.strerror}; it stays complete as it is"
        ) from None


def _load(path: Path, *, content: bool = True) -> dict[str, list[Reject]]:
    """By identity; a last line without its end is torn, or not yet written."""
    rejects: dict[str, list[Reject]] = {}
    if not path.exists():
        return rejects
    descriptor = open_private(path, os.O_RDONLY)
    with os.fdopen(descriptor, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            reject = _parse(line, number, path)
            if not isinstance(reject, Reject):
                rejects.pop(reject, None)
                continue
            if reject.row == 1:
                rejects[reject.identity] = []
            kept = reject if content else replace(reject, record=None)
            rejects.setdefault(reject.identity, []).append(kept)
    return rejects


def _parse(line: bytes, number: int, path: Path) -> Reject | str:
    """A line as the reject it is, or as the identity it closes; people edit this file."""
    try:
        data = msgspec.json.decode(line, type=dict[str, Any])
        if "closed" in data:
            return str(data["closed"])
        return msgspec.convert(data, Reject)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # the error would quote the line
    raise ConfigurationError(
        f"line {number} of the rejects file {path} is damaged; correct or remove that line"
    )
