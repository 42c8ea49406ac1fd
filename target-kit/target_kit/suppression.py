"""Who was forgotten here and shall not be made anew by the next run.

`state_dir/forgotten.jsonl` has a line a person: the stream, when, and keyed hashes of what the
person is called by (`key:17`, `email:…`), by the key of `state_dir` (`redact.KeyHasher`). Whoever
has only one of the two can test no name; both belong to what is backed up. A file that can't be
read, or was written with another key, stops the run: else forgotten persons would be made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from target_kit.clock import Clock
from target_kit.errors import StopRun
from target_kit.files import private_directory, write_atomically
from target_kit.redact import KeyHasher

_FILE = "forgotten.jsonl"


class SuppressionError(StopRun):
    """Who was forgotten can't be read or made durable."""


@dataclass(frozen=True, slots=True)
class _Forgotten:
    """`proof` tells which key the hashes were made with."""

    stream: str
    at: str
    who: tuple[str, ...]
    proof: str


class Suppressions:
    """The forgotten persons of one stream. Whoever changes them holds the run's lock."""

    def __init__(self, state_dir: Path, stream: str) -> None:
        self._path = state_dir / _FILE
        self._stream = stream
        self._state_dir = state_dir
        self._lines = self._read()
        if self._lines and not self._is_our_key():
            raise SuppressionError(
                "state_dir: the key of the hashes is another one, so nobody can tell who was "
                "forgotten; restore it from a backup, or remove forgotten.jsonl to take everybody"
            )
        own = [line.who for line in self._lines if line.stream == stream]
        self._hashes = frozenset(one for who in own for one in who)

    @classmethod
    def any_in(cls, state_dir: Path, streams: Iterable[str]) -> bool:
        """Whether somebody may have been forgotten here; nothing is made. Raises SuppressionError
        where a run of these streams would.
        """
        for stream in streams:
            cls(state_dir, stream)
        return (state_dir / _FILE).exists()

    def _is_our_key(self) -> bool:
        has_key = KeyHasher.has_key(self._state_dir)
        return has_key and all(line.proof == self._proof for line in self._lines)

    @cached_property
    def _hash(self) -> Callable[[str], str]:
        return KeyHasher.from_state_dir(self._state_dir).long

    @property
    def _proof(self) -> str:
        return self._hash(self._path.name)

    def __bool__(self) -> bool:
        """Whether anybody of this stream was forgotten."""
        return bool(self._hashes)

    def covers(self, *names: str) -> bool:
        """Whether any of these names is one that a forgotten person had."""
        return bool(self._hashes) and not self._hashes.isdisjoint(self._of(names))

    def add(self, names: Collection[str], clock: Clock) -> None:
        """Make durable that the person of these names is forgotten, once."""
        hashes = self._of(names)
        if hashes <= self._hashes:
            return
        now = clock.now().isoformat(timespec="seconds")
        self._write(
            [*self._lines, _Forgotten(self._stream, now, tuple(sorted(hashes)), self._proof)]
        )

    def lift(self, names: Collection[str]) -> int:
        """Take whoever has one of these names again, by whatever name; returns how many persons."""
        hashes = self._of(names)
        kept = [
            line
            for line in self._lines
            if line.stream != self._stream or hashes.isdisjoint(line.who)
        ]
        lifted = len(self._lines) - len(kept)
        if lifted:
            self._write(kept)
        return lifted

    def _of(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(self._hash(f"{self._stream} {name}") for name in names)

    def _read(self) -> list[_Forgotten]:
        try:
            lines = self._path.read_bytes().splitlines()
            return [msgspec.json.decode(line, type=_Forgotten) for line in lines]
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError):
            raise SuppressionError(
                "state_dir: forgotten.jsonl can't be read; restore it from a backup"
            ) from None

    def _write(self, lines: list[_Forgotten]) -> None:
        private_directory(self._path.parent)
        try:
            write_atomically(self._path, b"".join(msgspec.json.encode(o) + b"\n" for o in lines))
        except OSError as error:
            raise SuppressionError(
                f"state_dir: forgotten.jsonl can't be written: {error.strerror}"
            ) from None
        own = [line.who for line in lines if line.stream == self._stream]
        self._lines, self._hashes = lines, frozenset(one for who in own for one in who)
