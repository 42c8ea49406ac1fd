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
from urllib.parse import urlsplit

import sqlalchemy as sa
from target_kit.ledger import Interval, Ledger, Person, open_ledger
from target_kit.ledger_schema import METADATA
from target_support import Target

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

    def lose(self, scope: str = SCOPE) -> None:
        """Lose all that is known of a scope: SQLite's file, PostgreSQL's rows."""
        if self.url:
            with self.open(scope) as ledger:
                ledger.clear()
        else:
            self.file.unlink(missing_ok=True)

    def text(self) -> str:
        """Every row of every table."""
        url = (self.url or f"sqlite:///{self.file}").replace("postgresql:", "postgresql+psycopg:")
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            tables = [connection.execute(table.select()) for table in METADATA.sorted_tables]
            return "\n".join(str(row) for rows in tables for row in rows)


def place_of(target: Target, stream: str = "contacts") -> tuple[Place, str]:
    """Where a target keeps its ledger, and the scope of one stream's."""
    config, url = target.config, urlsplit(target.config["api_url"])
    place = Place(Path(config["state_dir"]), config.get("ledger_url"))
    return place, f"{url.netloc}{url.path}/{stream}"


def lose_ledger(target: Target) -> None:
    """As if the stream of contacts had never been delivered; the rest of its state stays."""
    place, scope = place_of(target)
    place.lose(scope)


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
