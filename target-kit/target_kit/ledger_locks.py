"""Locks that machines with a ledger on one PostgreSQL hold against each other; see `lock`.

They are advisory locks of a session: PostgreSQL frees them when the session ends, so a killed run's
are free at once, those of a machine that vanished as soon as the server misses its answers
(`KEEPALIVE`). Taking one is one step, behind a gate that a transaction holds.

A whole run holds the name's lock alone. Shards share it, and with it one that stands for their
count; each has its own lock besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import sqlalchemy as sa

from target_kit.errors import LockedError
from target_kit.ledger_schema import number_of
from target_kit.shards import Shard

#: What a session asks of the server: to notice within 60 + 3 x 20 seconds that its client is gone
#: (https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-TCP-KEEPALIVES-IDLE).
KEEPALIVE = {
    "tcp_keepalives_idle": 60,
    "tcp_keepalives_interval": 20,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 120_000,
}
Transaction = Callable[[], AbstractContextManager[sa.Connection]]
_LOCKED = "another run works with this ledger and stream; wait for its end"


def take(connection: sa.Connection, name: str, shard: Shard | None) -> None:
    """Take the lock for the rest of the session; LockedError if it can't be had.

    Inside a transaction. After LockedError the session is to be closed.
    """
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number_of(f"gate {name}"))))
    free = _try(connection, "pg_try_advisory_lock", name)
    if shard is None:
        if not free:
            raise LockedError(_LOCKED)
        return
    ours = f"{name} in {shard.count}"
    # Nobody has this name in our count, yet somebody has it: a whole run, or another count.
    if not free and _try(connection, "pg_try_advisory_lock", ours):
        raise LockedError(_LOCKED)
    for shared in (name, ours):
        if not _try(connection, "pg_try_advisory_lock_shared", shared):
            raise LockedError(_LOCKED)
    if free:
        _try(connection, "pg_advisory_unlock", name)
    if not _try(connection, "pg_try_advisory_lock", f"{name} {shard}"):
        raise LockedError(_LOCKED)


@contextmanager
def alone(transaction: Transaction, name: str, wait: Callable[[], None]) -> Iterator[None]:
    """Hold `name` against all others who ask so, for what shards must not do at the same time;
    `wait` is called until it is free.
    """
    while not _asked(transaction, "pg_try_advisory_lock", name):
        wait()
    try:
        yield
    finally:
        _asked(transaction, "pg_advisory_unlock", name)


def _asked(transaction: Transaction, function: str, name: str) -> bool:
    with transaction() as connection:
        return _try(connection, function, name)


def _try(connection: sa.Connection, function: str, name: str) -> bool:
    return bool(connection.scalar(sa.select(getattr(sa.func, function)(number_of(name)))))
