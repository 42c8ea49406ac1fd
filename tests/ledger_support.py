"""Ledgers on SQLite and PostgreSQL, and people to put in; as a program: a run that is killed."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from target_kit.ledger import Interval, Ledger, Person, open_ledger

SCOPE = "example.api-us1.com contacts"
NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, UTC)


def day(number: int) -> datetime:
    """Noon of that day, counted from the first."""
    return NOON + timedelta(days=number)


@dataclass(frozen=True)
class Place:
    """Where a ledger is kept; `url` is None for SQLite."""

    state_dir: Path
    url: str | None

    def open(self, scope: str = SCOPE, **more: float) -> AbstractContextManager[Ledger]:
        """Open it as a run does."""
        return open_ledger(self.state_dir, self.url, scope, **more)

    @property
    def file(self) -> Path:
        """SQLite's file."""
        return self.state_dir / "ledger.sqlite"


def person(number: int, **more: object) -> Person:
    """Person `number`, known by the key field."""
    values: dict[str, object] = {
        "who": f"key:{number}",
        "contact_id": str(1000 + number),
        "address_key": f"person{number}@example.com",
        "provenance": "cfd",
        "fingerprint": hashlib.sha256(str(number).encode()).digest(),
        "seen_at": NOON,
    }
    return Person(**{**values, **more})  # type: ignore[arg-type]


def interval(
    who: str, name: str, since: int, until: int | None = None, change: str = "first"
) -> Interval:
    """`who` was written to at name@example.com from day to day."""
    end = None if until is None else day(until)
    return Interval(who, f"{name}@example.com", day(since), end, change, "rename")


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def record_for_ever(place: Place, batch: int) -> None:
    """Record whole batches and say so, until somebody ends it."""
    with place.open() as ledger:
        number = 0
        while True:
            people = [person(n) for n in range(number * batch, (number + 1) * batch)]
            dated = [Interval(p.who, p.address_key, NOON, None, "first", "") for p in people]
            ledger.record(people=people, intervals=dated, now=NOON)
            number += 1
            print(number, flush=True)


if __name__ == "__main__":
    record_for_ever(Place(Path(sys.argv[1]), sys.argv[2] or None), int(sys.argv[3]))
