"""Plans: what a run would do, kept for people to read and for a later run to carry out.

A plan is collected on disk while a rehearsal walks through the records, then written as one JSON
file with a text and a page beside it. `read_plan` and `Approved` are the way back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from target_kit.clock import Clock
from target_kit.errors import ConfigurationError, StopRun
from target_kit.files import open_private, private_directory, replaced_atomically
from target_kit.plan_file import LAST_LINE, Approved, first_line, read_plan
from target_kit.plan_model import Entry, Forecast, Item, Overview, PlanHeader
from target_kit.plan_page import as_page
from target_kit.plan_text import as_text
from target_kit.redact import KeyHasher

__all__ = [
    "Approved",
    "Digests",
    "Entry",
    "Forecast",
    "Item",
    "PlanError",
    "PlanHeader",
    "PlanWriter",
    "check_place",
    "read_plan",
]

_DIGITS = 32  # hexadecimal: 128 bits


class PlanError(StopRun):
    """The plan can't be collected (full disk, missing rights)."""


class Digests:
    """Keyed hashes that stand for persons and for what would be written about them.

    `hasher` is a keyed hash into hexadecimal digits, such as `KeyHasher`.
    """

    def __init__(self, hasher: Callable[[str], str]) -> None:
        self._hash = hasher

    @classmethod
    def from_state_dir(cls, state_dir: Path, clock: Clock | None = None) -> Self:
        """With the key of `state_dir`; a plan is only known again where it was made."""
        return cls(KeyHasher.from_state_dir(state_dir, clock).long)

    @property
    def made_by(self) -> str:
        """Stands for the key itself, which all hashes of a plan are made with."""
        return self._hash("the key of this plan")

    def check_own(self, header: PlanHeader) -> None:
        """Raises ConfigurationError for a plan whose hashes are made with another key: every row of
        it would look as if it had moved.
        """
        if header.made_by != self.made_by:
            raise ConfigurationError(
                "plan_file: the plan was made with another state_dir, or by another shard, and can "
                "be applied only there; make a new plan"
            )

    def who(self, identity: str) -> str:
        """Stands for a person; begins as their name in the logs does."""
        return self._hash(identity)

    def item(
        self, identity: str, target_id: str, kind: str, name: str, before: str, after: str
    ) -> str:
        """Stands for one write: the same only for the same person, contact, thing and values.

        At least 128 bits. Each part is joined with its length, so none runs into the next.
        """
        parts = (identity, target_id, kind, name, before, after)
        message = "".join(f"{len(part)}:{part}" for part in parts)
        digits = ""
        while len(digits) < _DIGITS:  # a short hash is asked again, under a number
            digits += self._hash(f"{len(digits)};{message}")
        return digits[:_DIGITS]


class PlanWriter:
    """Collects the entries of one plan. Not thread-safe; the file has no name, so nothing stays.

    Memory does not grow with the entries: numbers, and the first of them for people.
    """

    def __init__(self, folder: Path) -> None:
        """Open the collection in `folder`, a private directory. Raises PlanError."""
        path = private_directory(folder) / f"plan-{os.getpid()}.part"
        try:
            path.unlink(missing_ok=True)
            self._file = os.fdopen(open_private(path, os.O_CREAT | os.O_EXCL | os.O_RDWR), "w+b")
            path.unlink()
        except OSError as error:
            raise _broken(error) from None
        self._encode = msgspec.json.Encoder().encode
        self._seen = Overview()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what could not be written is not needed either
            self._file.close()

    def add(self, entry: Entry) -> None:
        """One more entry, after the others. Raises PlanError."""
        try:
            self._file.write((b",\n" if self._seen.number else b"") + self._encode(entry))
        except OSError as error:
            raise _broken(error) from None
        self._seen.count(entry)

    def finish(self, path: Path, header: PlanHeader) -> None:
        """Write the plan to `path`, and for people `path`.txt and `path`.html (all 0600).

        All or none; the plan is renamed last. Raises ConfigurationError.
        """
        text, page = as_text(header, self._seen), as_page(header, self._seen)
        try:
            self._file.seek(0)
        except OSError as error:
            raise _broken(error) from None
        with _named(), ExitStack() as stack:
            check_place(path)
            ways = [path, *(path.with_name(f"{path.name}.{end}") for end in ("txt", "html"))]
            plan, *others = [stack.enter_context(replaced_atomically(way)) for way in ways]
            for file, words in zip(others, (text, page), strict=True):
                file.write(words.encode())
            plan.write(first_line(header, self._seen.number))
            shutil.copyfileobj(self._file, plan, 1024 * 1024)
            plan.write((b"\n" if self._seen.number else b"") + LAST_LINE)


def check_place(path: Path) -> None:
    """Prove that a plan can be written to `path`; its folder is made. Raises ConfigurationError.

    Before a long rehearsal, that is: afterwards it would have been in vain.
    """
    with _named():
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise ConfigurationError("plan_file: it is no regular file")
        probe = path.with_name(f"{path.name}.new")
        probe.unlink(missing_ok=True)
        os.close(open_private(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        probe.unlink()


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"plan_file: {error.strerror or type(error).__name__}") from None


def _broken(error: OSError) -> PlanError:
    return PlanError(f"state_dir: the plan can't be collected: {error.strerror}")
