"""The vendor's queue of imports: requests at its pace, and waiting until nothing is in it any more.

An import is applied some time after it was taken. Whatever is written meanwhile it would write
over, so nobody goes on before it is known to be over: the batches by their status, and one whose
answer was lost by the account's whole queue being empty.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from target_kit.clock import Clock
from target_kit.errors import CallFailed, OutcomeUnknown, VendorUnavailable

from target_activecampaign.bulk_client import ImportInfo, Invalid, Queued, TooFast
from target_activecampaign.bulk_journal import BulkJournal
from target_activecampaign.bulk_planning import ImportRow

PER_MINUTE, SINGLE_PER_MINUTE = 100, 20  # developers.activecampaign.com bulk-import-contacts
_WINDOW_SECONDS = 62.0  # a minute, and what requests may arrive closer together than they left
RATE_PAUSE_SECONDS = 10.0  # where others of the account use up the rate
PATIENCE_SECONDS = 900.0
PATIENCE_PER_BATCH_SECONDS = 30.0
_FIRST_LOOK_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 30.0
_EMPTY_SECONDS = 3.0  # between the two looks at an empty queue: what is taken may be listed later
_UNKNOWN_LOOKS = 4  # how often a batch may be unknown before the queue is asked


class Imports(Protocol):
    """What carries imports out: the account, or the picture of it that a rehearsal has."""

    def submit(self, rows: Sequence[ImportRow]) -> Queued | Invalid | TooFast:
        """See ImportEndpoints."""
        ...

    def info(self, batch_id: str) -> ImportInfo:
        """See ImportEndpoints."""
        ...

    def outstanding(self) -> int:
        """See ImportEndpoints."""
        ...

    def newest_id(self) -> int:
        """See ImportEndpoints."""
        ...


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody knows whether the batch was taken."""


@dataclass
class Done:
    """What the batches of an import came to: ids of created contacts, how many addresses the vendor
    says it did not apply, and whether all else of all batches was (`whole`).
    """

    created: list[str] = field(default_factory=list)
    failures: int = 0
    whole: bool = True


class ImportQueue:
    """One import at a time: `begin`, `submit` batches, `finish`. `pause` ends for signals and the
    deadline.
    """

    def __init__(
        self,
        imports: Imports,
        journal: BulkJournal,
        clock: Clock,
        pause: Callable[[float], None],
    ) -> None:
        self._imports = imports
        self._journal = journal
        self._clock = clock
        self._pause = pause
        self._starts: dict[int, deque[float]] = {PER_MINUTE: deque(), SINGLE_PER_MINUTE: deque()}
        self._lost = False

    def begin(self) -> None:
        """Before the first batch."""
        self._lost = False
        self._journal.begin()

    def submit(self, rows: Sequence[ImportRow]) -> Queued | Invalid | Lost | None:
        """Send a batch as soon as the rate allows; None where it failed and was not taken."""
        started = self._clock.monotonic()
        while True:
            self._keep_pace(len(rows))
            try:
                answer = self._imports.submit(rows)
            except CallFailed:
                return None
            except OutcomeUnknown:
                self._lost = True
                return Lost()
            if isinstance(answer, Queued):
                self._journal.queued(answer.batch_id)
            if not isinstance(answer, TooFast):
                return answer
            if self._clock.monotonic() - started > PATIENCE_SECONDS:
                raise VendorUnavailable(
                    "POST import/bulk_import: others use up the rate of imports; "
                    "run again later, or set strategy to single"
                )
            self._pause(RATE_PAUSE_SECONDS)

    def finish(self) -> Done:
        """Wait until nothing of the import is under way any more, and close its journal.

        Raises VendorUnavailable when patience is over; the journal stays.
        """
        if not self._lost:
            self._journal.sent()
        done = self.wait_for(self._journal, lost=self._lost)
        self._journal.close()
        return done

    def wait_for(self, journal: BulkJournal, *, lost: bool) -> Done:
        """Wait for all batches of a journal, the newest first: then the others mostly are done."""
        done = Done(whole=not lost)
        patience = PATIENCE_SECONDS + PATIENCE_PER_BATCH_SECONDS * len(journal.batches)
        for number, batch_id in enumerate(reversed(journal.batches)):
            if number == 0:
                self._pause(_FIRST_LOOK_SECONDS)
            info = self._until_done(batch_id, patience)
            done.created += info.created
            done.failures += info.failures
            done.whole = done.whole and info.completed
        if lost:
            self._until_empty(patience)
        return done

    def _keep_pace(self, rows: int) -> None:
        limits = [PER_MINUTE] if rows > 1 else [PER_MINUTE, SINGLE_PER_MINUTE]
        for most in limits:
            starts = self._starts[most]
            if len(starts) == most:
                left = starts[0] + _WINDOW_SECONDS - self._clock.monotonic()
                if left > 0:
                    self._pause(left)
                starts.popleft()
        for most in limits:
            self._starts[most].append(self._clock.monotonic())

    def _until_done(self, batch_id: str, patience: float) -> ImportInfo:
        unknown = 0
        for _ in self._looks(patience):
            info = self._imports.info(batch_id)
            if info.done:
                return info
            unknown = 0 if info.status else unknown + 1
            if unknown >= _UNKNOWN_LOOKS and self._imports.outstanding() == 0:
                return info  # nobody knows of it, and nothing is left that it could be
        raise _over()

    def _until_empty(self, patience: float) -> None:
        empty = 0
        for _ in self._looks(patience):
            if self._imports.outstanding():
                empty = 0
                continue
            empty += 1
            if empty > 1:
                return
            self._pause(_EMPTY_SECONDS)
        raise _over()

    def _looks(self, patience: float) -> Iterator[None]:
        """Now, and after longer and longer pauses until patience is over."""
        ends, seconds = self._clock.monotonic() + patience, _FIRST_LOOK_SECONDS
        while True:
            yield
            if self._clock.monotonic() >= ends:
                return
            seconds = min(seconds * 2, _LONGEST_PAUSE_SECONDS)
            self._pause(seconds)


def finish_left_open(
    state_dir: Path,
    account: str,
    imports: Imports,
    clock: Clock,
    pause: Callable[[float], None],
) -> None:
    """Wait for the imports of runs that did not see their end, before anything is read.

    Raises VendorUnavailable when patience is over: what they apply later would be missed.
    """
    for journal in BulkJournal.left_open(state_dir, account):
        ImportQueue(imports, journal, clock, pause).wait_for(journal, lost=journal.sending)
        journal.close()


def _over() -> VendorUnavailable:
    return VendorUnavailable(
        "a bulk import is still under way at ActiveCampaign and would write over what is written "
        "now; run again when it is done; if ActiveCampaign shows none under way, remove "
        "bulk-*.json from state_dir"
    )
