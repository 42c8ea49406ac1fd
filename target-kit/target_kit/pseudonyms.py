"""Keyed hashes that stand for persons where their names must not be kept.

The key of the hashes is a random file in `state_dir`; whoever has only the hashes can test no name.
It is made with the first hash and never changes: with another one none of them would match again.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from target_kit.errors import StopRun
from target_kit.files import open_private, private_directory, write_atomically

_KEY_BYTES = 32


class PseudonymsError(StopRun):
    """The key of the hashes can't be read or made."""


class Pseudonyms:
    """The hashes of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "pseudonyms.key"
        self._secret = b""

    @property
    def exist(self) -> bool:
        """Whether anything was ever hashed here."""
        return self._path.exists()

    def of(self, *words: str) -> str:
        """32 hexadecimal digits for these words, such as a stream and `key:17`.

        Raises PseudonymsError where the key can't be used.
        """
        self._secret = self._secret or self._read()
        text = "\x1f".join(words).encode()
        return hashlib.blake2b(text, key=self._secret, digest_size=16).hexdigest()

    def _read(self) -> bytes:
        try:
            if not self._path.exists():
                private_directory(self._path.parent)
                write_atomically(self._path, os.urandom(_KEY_BYTES))
            with os.fdopen(open_private(self._path, os.O_RDONLY), "rb") as file:
                secret = file.read()
        except OSError as error:
            raise PseudonymsError(f"state_dir: {self._path.name}: {error.strerror}") from None
        if len(secret) != _KEY_BYTES:
            raise PseudonymsError(
                f"state_dir: {self._path.name} is damaged; restore it from a backup"
            )
        return secret
