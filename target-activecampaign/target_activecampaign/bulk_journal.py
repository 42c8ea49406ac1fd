"""Which imports are under way, on disk: an import outlives the run that asked for it.

Before the first request of an import the journal is there; it goes when nothing can be applied any
more. It has ids of batches and no persons.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
from target_kit.errors import StopRun
from target_kit.files import file_name, private_directory, write_atomically
from target_kit.shards import Shard


class _Content(msgspec.Struct):
    batches: list[str]
    sending: bool


class BulkJournalError(StopRun):
    """The journal can't be written (full disk): nothing is imported without it."""


class BulkJournal:
    """The open imports of one stream of an account. Not thread-safe; one run holds the lock.

    `sending`: a request may have been on its way when the journal was left, so that there may be a
    batch whose id nobody knows.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.batches: list[str] = []
        self.sending = False

    @classmethod
    def of(cls, state_dir: Path, account: str, stream: str) -> BulkJournal:
        """The journal of a stream, not yet on disk."""
        private_directory(state_dir)
        name = file_name(stream)
        return cls(state_dir / f"bulk-{_digest(account)}-{name}.json")

    @classmethod
    def left_open(cls, state_dir: Path, account: str) -> list[BulkJournal]:
        """What runs before this one left behind, whatever the stream: also those of shards before a
        whole run, and those of whole runs and of other numbers of shards before a shard's. None of
        them can be at work now.
        """
        name, found = f"bulk-{_digest(account)}-*.json", []
        for path in sorted(p for folder in _folders(state_dir) for p in folder.glob(name)):
            journal = cls(path)
            with suppress(FileNotFoundError):  # another shard has seen its end by now
                journal._read()
                found.append(journal)
        return found

    def begin(self) -> None:
        """From now on requests may be on their way."""
        self.batches, self.sending = [], True
        self._write()

    def queued(self, batch_id: str) -> None:
        """This batch was taken."""
        self.batches.append(batch_id)
        self._write()

    def sent(self) -> None:
        """All that was sent has been answered with its id."""
        self.sending = False
        self._write()

    def close(self) -> None:
        """Nothing is under way any more."""
        self.batches, self.sending = [], False
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        content = _Content(self.batches, self.sending)
        try:
            write_atomically(self._path, msgspec.json.encode(content))
        except OSError as error:
            raise BulkJournalError(f"state_dir: no journal of imports: {error.strerror}") from None

    def _read(self) -> None:
        """One that can't be read says that anything may be under way."""
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_Content)
        except FileNotFoundError:
            raise
        except (OSError, msgspec.DecodeError):  # a ValidationError is one of these
            content = _Content([], sending=True)
        self.batches, self.sending = content.batches, content.sending


def _folders(state_dir: Path) -> list[Path]:
    """This one, and those of runs that the lock keeps apart from this one's."""
    shard = Shard.of_folder(state_dir.name)
    shared = state_dir.parent if shard else state_dir
    others = {path: Shard.of_folder(path.name) for path in shared.glob("shard-*")}
    elsewhere = [p for p, of in others.items() if of and (not shard or of.count != shard.count)]
    return [state_dir, *([shared] if shard else []), *elsewhere]


def _digest(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:16]
