"""What all strategies do to one list: clear it, fill it, count it, put its old content back.

Every step is written down in the journal before the next begins. Nothing here is called before the
intent is on disk; a signal waits for its time of grace (`StopSignal.hold`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from optimizely_soap.faults import SoapFault
from target_kit.clock import Clock
from target_kit.errors import (
    CallFailed,
    CallRefused,
    GuardTripped,
    OutcomeUnknown,
    VendorUnavailable,
)
from target_kit.limits import pause
from target_kit.outcome import Outcome, Result, Step
from target_kit.signals import StopSignal

from target_optimizely.checks import check_at_rest
from target_optimizely.client import Campaign
from target_optimizely.guards import is_enough
from target_optimizely.journal import Journal
from target_optimizely.model import Intent, Phase
from target_optimizely.rows import Rows
from target_optimizely.sender import AllRefused, Sender, Verdict
from target_optimizely.settings import MAX_BATCH, ListSettings
from target_optimizely.snapshot import ListReader

CLEAR_TRIES = 3
#: How long a list may take to become empty, or to show what was added: clear may be asynchronous.
SETTLE_SECONDS = 300.0
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0

NOT_STORED = Result(
    Outcome.FAILED, Step.INSERT, "not_stored", "the vendor took it twice and does not show it"
)

FORGOTTEN = Result(Outcome.SUPPRESSED, Step.CHECK, "forgotten", "was erased by the command forget")

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
Settled = Callable[[Sequence[Verdict]], None]
#: Asked with an address, names of attributes and their values.
IsForgotten = Callable[[str, Sequence[str], Sequence[str | None]], bool]


class Incomplete(GuardTripped):
    """The list does not hold what was put into it; its intent stays open."""


@dataclass
class ListWork:
    """One list's tools. `settled` is told the verdicts of a chunk once they are durable;
    `is_forgotten` says who was erased here and is never put back.
    """

    settings: ListSettings
    batch: int
    max_errors: int
    check_mailings: bool
    campaign: Campaign
    journal: Journal
    sender: Sender
    reader: ListReader
    clock: Clock
    stop: StopSignal
    is_forgotten: IsForgotten

    def count(self) -> int:
        """Recipients now in the list, by the vendor's count."""
        return self.campaign.count(self.settings.list_id)

    def now(self) -> str:
        """The time for the journal."""
        return self.clock.now().isoformat(timespec="seconds")

    def check_at_rest(self) -> None:
        """Refuse to change the list while a mailing to it is on its way, if that is asked (S1-27).

        Raises LockedError or GuardTripped.
        """
        if self.check_mailings:
            check_at_rest(self.campaign, self.settings)

    def suppress(self, rows: Rows, settled: Settled) -> None:
        """Settle everybody the vendor must not be given; asked again right before each chunk."""
        after = 0
        while page := rows.open(after, MAX_BATCH):
            self.stop.check()
            after = page[-1].pos
            verdicts = list(self.sender.suppression.of(page).items())
            rows.settle(verdicts)
            settled(verdicts)

    def some_left(self, rows: Rows) -> bool:
        """Whether somebody who was put in is unsubscribed, blocked or bounced out by now."""
        after = 0
        while page := rows.put_in(after, MAX_BATCH):
            self.stop.check()
            after = page[-1].pos
            if self.sender.suppression.of(page):
                return True
        return False

    def clear(self) -> None:
        """Empty the list and see it empty; clearing twice is the same as once.

        Raises `VendorUnavailable` when it does not become empty.
        """
        for _ in range(CLEAR_TRIES):
            try:
                self.campaign.clear(self.settings.list_id)
            except (SoapFault, CallRefused, OutcomeUnknown, CallFailed) as error:
                logger.warning("list %s: clear: %s", self.settings.name, error)
                if self.count() == 0:  # it may have cleared before it failed
                    return
            else:
                if self._settles(lambda size: size == 0, patient=True):
                    return
        raise VendorUnavailable(
            f"list {self.settings.name} ({self.settings.list_id}) does not become empty; the next "
            "run goes on from here"
        )

    def fill(
        self, rows: Rows, names: Sequence[str], settled: Settled, *, sent_before: bool = False
    ) -> None:
        """Send every row that has no outcome yet, chunk by chunk, each durable before the next.

        Raises `AllRefused`, what `settled` raises, and `VendorUnavailable`.
        """
        while chunk := rows.next_chunk(self.batch):
            self.stop.check()
            verdicts = self.sender.send(chunk, names, sent_before=sent_before)
            rows.settle(verdicts)
            settled(verdicts)

    def check(self, rows: Rows, names: Sequence[str], settled: Settled) -> int:
        """Compare the list with what was put into it; returns its size (S1-24).

        Rows that are missing are sent once more. What the vendor then still lacks is told as
        failed, if it is little; raises `Incomplete` if it is more than `max_errors` rows.
        """
        if (size := self._size_as_expected(rows)) is not None:
            return size
        if lost := self.missing(rows):
            logger.warning("list %s: %d rows are not there; again", self.settings.name, len(lost))
            rows.reopen_at(lost)
            self.fill(rows, names, settled, sent_before=True)
            if (size := self._size_as_expected(rows)) is not None:
                return size
            lost = self.missing(rows)
        size = self.count()
        if len(lost) > self.max_errors:
            raise Incomplete(
                f"list {self.settings.name} ({self.settings.list_id}) holds {size} recipients; "
                f"{len(lost)} that the vendor took are not there. The next run fills it anew"
            )
        verdicts = [(pos, NOT_STORED) for pos in lost]
        rows.settle(verdicts)
        settled(verdicts)
        return size

    def remove(self, ids: Sequence[str]) -> None:
        """Take these out of the list; gone already is as good. Raises VendorUnavailable."""
        for part in parts(ids, self.batch):
            self.stop.check()
            try:
                self.campaign.remove_all(self.settings.list_id, part)
            except (SoapFault, CallRefused, OutcomeUnknown, CallFailed) as error:
                raise VendorUnavailable(
                    f"list {self.settings.name}: removing: {error}; the next run goes on"
                ) from None

    def check_enough(self, intent: Intent) -> None:
        """See that refusals, row by row, have not brought the list below its floor.

        Raises `AllRefused`: what is left would be no better than an empty list.
        """
        wanted, good = self.journal.wanted, self.journal.last_good()
        taken = wanted.count(Outcome.APPLIED) + wanted.count(Outcome.UNCHANGED)
        good = intent.snapshot_rows if good is None else good
        if not is_enough(self.settings, taken, good):
            raise AllRefused(
                f"only {taken} of {wanted.total()} rows may be in the list, fewer than min_rows "
                f"and min_ratio allow after {good}"
            )

    def missing(self, rows: Rows) -> list[int]:
        """Places of rows that were put in but are not there.

        Whether ids are folded to lower case is not documented (5.7): another spelling counts as
        there, unless it is itself a row of ours.
        """
        present, rows_in = self.reader.ids(), rows.ids_in_list()
        foreign = {key.lower() for key in present - {key for _, key in rows_in}}
        return [p for p, key in rows_in if key not in present and key.lower() not in foreign]

    def restore(self, intent: Intent) -> int:
        """Put the list's old content back, suppression asked anew; returns its size (S1-23)."""
        if not self.journal.stored.is_intact(intent.snapshot_digest):
            raise Incomplete(
                f"list {self.settings.name}: its snapshot in {self.journal.path} is damaged; move "
                "the file away, the next complete run fills the list anew"
            )
        self.journal.move(intent, Phase.RESTORING)
        self.journal.stored.reopen_all()
        self.leave_forgotten_out(intent)
        self.clear()
        try:
            self.fill(self.journal.stored, intent.snapshot_names, _nothing, sent_before=True)
        except AllRefused as error:
            raise VendorUnavailable(str(error)) from None
        size = self.check(self.journal.stored, intent.snapshot_names, _nothing)
        self.journal.finish(intent, Phase.RESTORED, self.now(), size)
        return size

    def leave_forgotten_out(self, intent: Intent) -> None:
        """The vendor knows nothing of who was erased here, and the old content still has them."""
        stored, names = self.journal.stored, intent.snapshot_names
        gone = [
            row.pos for row in stored.all() if self.is_forgotten(row.address, names, row.values)
        ]
        stored.settle((pos, FORGOTTEN) for pos in gone)

    def _size_as_expected(self, rows: Rows) -> int | None:
        """The size, once it lies between what was taken and what may have been stored besides."""
        least = rows.count(Outcome.APPLIED) + rows.count(Outcome.UNCHANGED)
        most = least + rows.count_refused()
        size = self.count()
        if size < least and self._settles(lambda now: now >= least, patient=False):
            size = self.count()
        return size if least <= size <= most else None

    def _settles(self, holds: Callable[[int], bool], *, patient: bool) -> bool:
        """Wait until the count is as wanted: `patient` for minutes, else as long as it moves."""
        wait, before = _FIRST_WAIT_SECONDS, -1
        ends_at = self.clock.monotonic() + SETTLE_SECONDS
        while not holds(now := self.count()):
            stuck = now == before and wait >= _LONGEST_WAIT_SECONDS and not patient
            if stuck or self.clock.monotonic() >= ends_at:
                return False
            before = now
            pause(wait, self.clock, self.stop)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        return True


def _nothing(verdicts: Sequence[Verdict]) -> None:
    """The old content is not counted against this run's budgets."""


def parts(values: Sequence[_T], size: int) -> Iterator[list[_T]]:
    """So many at a time."""
    for start in range(0, len(values), size):
        yield list(values[start : start + size])
