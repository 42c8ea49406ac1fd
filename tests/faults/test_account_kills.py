"""Kills at every request of a run that makes, renames and adopts accounts and moves contacts."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from accounts_support import STREAM, accounts, company
from accounts_support import schema as company_schema
from faults.support import EVERYTHING, SEED, Proxy, Seen, Zygote
from simulators_support import Simulator
from target_support import Target, lines, record, schema, state

STREAMS: dict[str, Any] = {
    "companies": {**STREAM, "custom_fields": {"F": "f"}},
    "contacts": {
        "key": "ctt_id",
        "fields": {"email": "email"},
        "account": {"key": "act_id", "key_field": "BUBSACTID"},
    },
}
ROWS = [
    company(1, "Renamed", f="x"), company(2, "Adopted", f="y"), company(3, "New", f="z"),
    record(1, act_id=3), record(2, act_id=1), record(3, act_id=2),
]  # fmt: skip
MESSAGES = [
    schema(act_id={"type": "integer"}), company_schema(f={"type": "string"}), *ROWS, state(1),
]  # fmt: skip
SEEDED = {
    "fields": [{"perstag": "BUBSCTTID", "type": "hidden"}],
    "accountFields": ["BUBSACTID", "F"],
    "accounts": [{"name": "Old", "fields": {"BUBSACTID": "1", "F": "w"}}, "Adopted"],
    "contacts": [
        {"email": f"person{n}@example.com", "fieldValues": {"BUBSCTTID": str(n)}, "account": name}
        for n, name in ((1, "Old"), (2, "Adopted"))
    ],
}
REQUESTS = 25  # what the run takes
POINTS = [(n, when) for n in range(1, REQUESTS + 1) for when in ("before", "after", "answered")]
#: The account made but not known, and the move's contact between its two accounts.
ALWAYS = [(12, "after"), (20, "after"), (20, "answered"), (21, "after")]
SHARE = POINTS if EVERYTHING else ALWAYS + random.Random(SEED).sample(POINTS, 8)


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rate_limit=False) as started:
        yield started


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as started:
        yield started


@contextmanager
def watched(sim: Simulator) -> Iterator[None]:
    """What holds after any run, however it ended: no name, key or place twice."""
    yield
    held = accounts(sim)
    names = [name.casefold() for name in held]
    keys = [key for a in held.values() if (key := a["values"].get("BUBSACTID"))]
    contacts = [row["contact"] for row in sim.state()["accountContacts"]]
    for things in (names, keys, contacts):
        assert len(things) == len(set(things)), things


@pytest.mark.parametrize(("number", "when"), SHARE)
def test_a_run_killed_at_any_request_is_completed_by_the_next(
    sim: Simulator, zygote: Zygote, tmp_path: Path, number: int, when: str
) -> None:
    """S0-2, S0-44, X3: also between the two calls of a move; what is missing is added, nothing is
    made twice, and the run after that writes nothing.
    """
    sim.reset()
    sim.seed(SEEDED)
    with Proxy(sim.url) as proxy:
        target = Target(tmp_path, proxy.url, streams=STREAMS, create_fields=False)
        running = []

        def kill(seen: Seen) -> bool | None:
            if seen.number != number:
                return None
            os.kill(running[0].pid, signal.SIGKILL)
            return False

        setattr(proxy, when, kill)
        with watched(sim):
            started = zygote.start(target, None)
            running.append(started)
            started.stdin.write(lines(MESSAGES))
            assert started.end().code != 0
        proxy.forget()
        with watched(sim):
            assert zygote.run(target, MESSAGES).code == 0
        again = zygote.run(target, MESSAGES)
        assert (again.code, again.report["writes"]) == (0, 0)
    found = {name: account["values"] for name, account in accounts(sim).items()}
    assert found == {
        "Renamed": {"BUBSACTID": "1", "F": "x"},
        "Adopted": {"BUBSACTID": "2", "F": "y"},
        "New": {"BUBSACTID": "3", "F": "z"},
    }
    places = {email: contact["account"] for email, contact in sim.contacts().items()}
    assert list(places.values()) == ["New", "Renamed", "Adopted"]
