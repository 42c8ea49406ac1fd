"""The vendor's queue of imports, waited for on a clock that costs no time."""

from __future__ import annotations

import stat
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fake_clock import FakeClock
from target_activecampaign.bulk_client import ImportInfo, Invalid, Queued, TooFast
from target_activecampaign.bulk_journal import BulkJournal, BulkJournalError
from target_activecampaign.bulk_planning import ImportRow
from target_activecampaign.bulk_queue import Done, ImportQueue, Lost, finish_left_open
from target_activecampaign.model import Change, Contact
from target_kit.errors import CallFailed, OutcomeUnknown, VendorUnavailable

ROW = ImportRow(
    1, Contact("key:1", "1", "1", None, {}, {}), Change(None, None, {}, {}), b"{}", single_calls=1
)


class Queue:
    """A vendor that applies a batch `seconds` after it was taken, and answers `script` before that
    where there is something in it: an answer, or an error to raise.
    """

    def __init__(self, clock: FakeClock, seconds: float = 5.0, *script: Any) -> None:
        self.clock = clock
        self.seconds = seconds
        self.script = deque(script)
        self.taken: dict[str, float] = {}
        self.sent: list[tuple[float, int]] = []
        self.looks: list[str] = []
        self.known = True

    def submit(self, rows: Sequence[ImportRow]) -> Queued | Invalid | TooFast:
        self.sent.append((self.clock.monotonic(), len(rows)))
        told: Queued | Invalid | TooFast | Exception | None
        told = self.script.popleft() if self.script else None
        if isinstance(told, CallFailed | Invalid | TooFast):
            if isinstance(told, CallFailed):
                raise told
            return told
        batch_id = f"batch-{len(self.taken) + 1}"
        self.taken[batch_id] = self.clock.monotonic() + self.seconds
        if isinstance(told, OutcomeUnknown):
            raise told
        return Queued(batch_id)

    def info(self, batch_id: str) -> ImportInfo:
        self.looks.append(batch_id)
        if not self.known:
            return ImportInfo("")
        done = self.taken[batch_id] <= self.clock.monotonic()
        return ImportInfo("completed" if done else "active", (batch_id,) if done else ())

    def outstanding(self) -> int:
        self.looks.append("outstanding")
        return sum(due > self.clock.monotonic() for due in self.taken.values())

    def newest_id(self) -> int:
        raise AssertionError("nobody asked for contacts")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def journal(tmp_path: Path) -> BulkJournal:
    return BulkJournal.of(tmp_path, "account", "contacts")


def queue_of(vendor: Queue, journal: BulkJournal) -> ImportQueue:
    return ImportQueue(vendor, journal, vendor.clock, vendor.clock.sleep)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("bulk-*"))


def test_the_newest_batch_is_waited_for_and_the_others_looked_at_once(
    clock: FakeClock, journal: BulkJournal, tmp_path: Path
) -> None:
    """One status for each batch and two more for waiting five seconds."""
    vendor = Queue(clock)
    queue = queue_of(vendor, journal)
    queue.begin()
    for _ in range(20):
        assert isinstance(queue.submit([ROW, ROW]), Queued)
    assert queue.finish().created == [f"batch-{number}" for number in range(20, 0, -1)]
    assert len(vendor.looks) == 22
    assert files(tmp_path) == []


def test_imports_keep_the_rates_of_their_own(clock: FakeClock, journal: BulkJournal) -> None:
    """100 in any minute, 20 of a single contact."""
    vendor = Queue(clock)
    queue = queue_of(vendor, journal)
    queue.begin()
    for number in range(260):
        queue.submit([ROW] if number % 5 == 0 else [ROW, ROW])
        clock.advance(0.1)
    for start, _ in vendor.sent:
        minute = [rows for at, rows in vendor.sent if start <= at < start + 60]
        assert len(minute) <= 100
        assert minute.count(1) <= 20


def test_a_rate_used_up_by_others_is_waited_for(clock: FakeClock, journal: BulkJournal) -> None:
    """The rows are not to blame."""
    vendor = Queue(clock, 5.0, TooFast(), TooFast())
    queue = queue_of(vendor, journal)
    queue.begin()
    assert isinstance(queue.submit([ROW]), Queued)
    assert [at for at, _ in vendor.sent] == [0, 10, 20]
    vendor.script.extend([TooFast()] * 1000)
    with pytest.raises(VendorUnavailable, match="strategy"):
        queue.submit([ROW])


def test_a_lost_answer_is_waited_for_by_the_whole_queue(
    clock: FakeClock, journal: BulkJournal
) -> None:
    """S0-44: never sent again, and nobody goes on before the account has nothing outstanding."""
    vendor = Queue(clock, 60.0, OutcomeUnknown("cut"))
    queue = queue_of(vendor, journal)
    queue.begin()
    assert isinstance(queue.submit([ROW]), Lost)
    assert queue.finish() == Done(whole=False)
    assert len(vendor.sent) == 1
    assert clock.monotonic() > 60


def test_a_call_that_failed_leaves_nothing_to_wait_for(
    clock: FakeClock, journal: BulkJournal
) -> None:
    """It is known not to have been applied."""
    vendor = Queue(clock, 60.0, CallFailed("521"), Invalid((3,)))
    queue = queue_of(vendor, journal)
    queue.begin()
    assert queue.submit([ROW]) is None
    assert queue.submit([ROW]) == Invalid((3,))
    assert queue.finish() == Done()
    assert vendor.looks == []


def test_a_batch_that_nobody_knows_is_over_when_the_queue_is_empty(
    clock: FakeClock, journal: BulkJournal
) -> None:
    """Not before: what an unknown batch is answered with is not documented."""
    vendor = Queue(clock, 100.0)
    queue = queue_of(vendor, journal)
    queue.begin()
    queue.submit([ROW])
    vendor.known = False
    assert queue.finish() == Done(whole=False)
    assert clock.monotonic() > 100


@pytest.mark.parametrize("known", [True, False])
def test_patience_ends_the_run_and_the_journal_stays(
    clock: FakeClock, journal: BulkJournal, tmp_path: Path, known: bool
) -> None:
    """Nothing may be written that the import would write over later."""
    vendor = Queue(clock, 100_000.0)
    vendor.known = known
    queue = queue_of(vendor, journal)
    queue.begin()
    queue.submit([ROW])
    with pytest.raises(VendorUnavailable, match="still under way"):
        queue.finish()
    assert clock.monotonic() < 1100
    (left,) = BulkJournal.left_open(tmp_path, "account")
    assert (left.batches, left.sending) == (["batch-1"], False)


def test_imports_left_open_are_waited_for_before_anything_else(
    clock: FakeClock, journal: BulkJournal, tmp_path: Path
) -> None:
    """S0-52: batches by their ids; one whose answer never came by the whole queue."""
    vendor = Queue(clock, 50.0, None, OutcomeUnknown("killed"))
    queue = queue_of(vendor, journal)
    queue.begin()
    queue.submit([ROW])
    clock.advance(30)
    queue.submit([ROW])
    (left,) = files(tmp_path)
    assert stat.S_IMODE(left.stat().st_mode) == 0o600
    finish_left_open(tmp_path, "another", vendor, clock, clock.sleep)
    assert vendor.looks == []
    finish_left_open(tmp_path, "account", vendor, clock, clock.sleep)
    assert clock.monotonic() > 80
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("left", "begins", "waits"),
    [
        ("shard-1-of-2", "", True),
        ("shard-1-of-2", "shard-1-of-2", True),
        ("shard-1-of-2", "shard-0-of-2", False),
        ("shard-1-of-2", "shard-0-of-4", True),
        ("", "shard-0-of-2", True),
        ("shardings", "", False),
    ],
)
def test_who_changes_the_shards_waits_for_what_the_others_left(
    clock: FakeClock, tmp_path: Path, left: str, begins: str, waits: bool
) -> None:
    """S0-52: a shard that was killed may be followed by a whole run, or by another number of
    shards; beside it other shards of its number are at work, and none of their business is over.
    """
    for name in (left, begins):
        (tmp_path / name).mkdir(exist_ok=True)
    vendor = Queue(clock, 50.0)
    queue = queue_of(vendor, BulkJournal.of(tmp_path / left, "account", "contacts"))
    queue.begin()
    queue.submit([ROW])
    finish_left_open(tmp_path / begins, "account", vendor, clock, clock.sleep)
    assert bool(vendor.looks) is waits
    assert bool(files(tmp_path / left)) is not waits


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"batches": 1, "sending": 0}'])
def test_a_journal_that_can_not_be_read_says_that_anything_may_be_under_way(
    journal: BulkJournal, tmp_path: Path, content: bytes
) -> None:
    """It is there, so something was begun."""
    journal.begin()
    files(tmp_path)[0].write_bytes(content)
    (left,) = BulkJournal.left_open(tmp_path, "account")
    assert (left.batches, left.sending) == ([], True)


def test_no_journal_no_import(tmp_path: Path) -> None:
    """Where the disk takes no journal the run ends before the first request."""
    journal = BulkJournal.of(tmp_path, "account", "x" * 300)
    with pytest.raises(BulkJournalError, match="state_dir"):
        journal.begin()
