"""Who may write at the same time: on one machine by files, between machines by PostgreSQL."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from target_kit.errors import ConfigurationError, LockedError
from target_kit.ledger_database import lock_between_machines
from target_kit.lock import refuse_rejects_elsewhere
from target_kit.shards import Shard
from workers_support import ACCOUNT, holding, start_program, until

WHOLE = None
FIRST, SECOND, LAST = Shard(0, 4), Shard(1, 4), Shard(3, 4)


@pytest.fixture(params=["file", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """The kind of lock, and where it is."""
    kind: str = request.param
    if kind == "file":
        return kind, str(tmp_path)
    return kind, str(request.getfixturevalue("database_url"))


@pytest.mark.parametrize(
    ("held", "wanted", "goes"),
    [
        ([WHOLE], WHOLE, False),
        ([WHOLE], FIRST, False),
        ([FIRST], WHOLE, False),
        ([FIRST], FIRST, False),
        ([FIRST], SECOND, True),
        ([FIRST, SECOND], LAST, True),
        ([FIRST, SECOND], SECOND, False),
        ([FIRST, SECOND], WHOLE, False),
        ([FIRST], Shard(0, 2), False),
        ([FIRST], Shard(1, 2), False),
        ([Shard(0, 1)], WHOLE, False),
        ([Shard(0, 1)], FIRST, False),
    ],
)
def test_only_other_shards_of_one_count_may_work_beside(
    place: tuple[str, str], held: list[Shard | None], wanted: Shard | None, goes: bool
) -> None:
    """Item 7: never two of one shard, a shard beside a whole run, or shards of two counts; and
    when the others have ended, everybody can have it.
    """
    with ExitStack() as others:
        for shard in held:
            others.enter_context(holding(*place, shard))
        if goes:
            with holding(*place, wanted):
                pass
        else:
            with pytest.raises(LockedError, match="another run"), holding(*place, wanted):
                pass
        # Who was refused has left nothing behind.
        for shard in held:
            with pytest.raises(LockedError), holding(*place, shard):
                pass
    with holding(*place, wanted):
        pass


def test_the_last_of_several_shards_frees_the_lock(place: tuple[str, str]) -> None:
    """Whoever came first may leave first: the others keep a whole run out."""
    with ExitStack() as second:
        with holding(*place, FIRST):
            second.enter_context(holding(*place, SECOND))
        with pytest.raises(LockedError), holding(*place, WHOLE):
            pass
        with pytest.raises(LockedError), holding(*place, Shard(0, 2)):
            pass
        with holding(*place, LAST):
            pass
    with holding(*place, WHOLE):
        pass


@pytest.mark.parametrize("shard", [WHOLE, SECOND])
def test_a_killed_holders_lock_is_taken_over(place: tuple[str, str], shard: Shard | None) -> None:
    """Item 7: a stale lock needs nobody's hand: the kernel or the database frees it."""
    process = start_program("hold", *place, shard.folder if shard else "whole")
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "held\n"
        assert not can_take(place, shard)
        process.send_signal(signal.SIGSTOP)  # a machine that hangs is not dead
        assert not can_take(place, shard)
        process.kill()
        process.wait(30)
    until(lambda: can_take(place, shard), 10)
    until(lambda: can_take(place, WHOLE), 10)


def test_a_session_that_only_holds_a_lock_is_not_ended_for_it(database_url: str) -> None:
    """Item 7: a database that ends idle sessions would hand the lock on in the middle of a run."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET idle_session_timeout = 500')
    with lock_between_machines(database_url, f"{ACCOUNT}/contact", SECOND) as transaction:
        time.sleep(1.5)
        with transaction() as session:
            assert session.scalar(sa.text("SELECT 1")) == 1
        assert not can_take(("postgresql", database_url), SECOND)


def test_locks_of_accounts_are_apart(database_url: str, tmp_path: Path) -> None:
    """Two accounts may be written at the same time."""
    with holding("postgresql", database_url, WHOLE):
        with lock_between_machines(database_url, f"other-{ACCOUNT}/contact", WHOLE):
            pass
        with holding("file", str(tmp_path), WHOLE):
            pass


def can_take(place: tuple[str, str], shard: Shard | None) -> bool:
    """Whether the lock can be had now."""
    try:
        with holding(*place, shard):
            return True
    except LockedError:
        return False


@pytest.mark.parametrize(
    ("left", "next_one", "told"),
    [
        ("shard-1-of-4", FIRST, None),
        ("shard-1-of-4", SECOND, None),
        ("shard-1-of-4", Shard(1, 2), "shard-1-of-4"),
        ("shard-1-of-4", WHOLE, "shard-1-of-4"),
        ("", WHOLE, None),
        ("", FIRST, "a whole run"),
        ("shard-of-mine", WHOLE, None),
    ],
)
def test_rejects_of_another_number_of_shards_stop_a_run(
    tmp_path: Path, left: str, next_one: Shard | None, told: str | None
) -> None:
    """Item 7: nobody else would offer them again; those of the same count have their own run."""
    folder = tmp_path / left / "rejects"
    folder.mkdir(parents=True)
    file = folder / "contacts.jsonl"
    file.write_bytes(b"")
    refuse_rejects_elsewhere(tmp_path, next_one)
    file.write_bytes(b'{"identity": "key:1"}\n')
    if told is None:
        refuse_rejects_elsewhere(tmp_path, next_one)
        return
    with pytest.raises(ConfigurationError, match=f"rejects of {told} are open"):
        refuse_rejects_elsewhere(tmp_path, next_one)
