"""Random histories of consent, at the source and at the destination, with faults: nobody is active
without evidence newer than what ended the membership, and idle runs write nothing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from destinations_support import WarmTarget, Zygote, seeded_fields, sums_close
from simulators_support import Simulator
from target_support import record, schema, state

SEEDS = range(1, 9)
CI_SECONDS = 40.0
ROUNDS = 5
PEOPLE = 6
START = datetime.now(UTC) - timedelta(days=200)
TEXT = {"type": ["string", "null"]}
COLUMNS = dict.fromkeys(("consent", "consent_at", "proof", "wants", "consent_for"), TEXT)
CONSENT = {"column": "consent", "granted_at": "consent_at", "evidence": "proof",
           "address": "consent_for", "purpose": "ads"}  # fmt: skip
STREAMS = {
    "contacts": {
        "key": "ctt_id",
        "fields": {"email": "email", "firstName": "given_name"},
        "consent": CONSENT,
        "lists": {"News": {"when": "wants", "consent": "ads"}},
        "tags": {"add": ["crm"]},
    }
}
WORDS = ["confirmed", "soft_opt_in", "confirmed", "none", "unsubscribed", "objected", None]
FAULTS: list[dict[str, Any]] = [
    {"match": {"method": "POST", "path": "/contactLists$"}, "action": "apply_then_reset"},
    {"match": {"method": "POST", "path": "/contactLists$"}, "action": "reset"},
    {"match": {"method": "POST|PUT|DELETE"}, "action": {"type": "status", "status": 402}},
    {"match": {"method": "POST|PUT"}, "action": {"type": "apply_then_status", "status": 402}},
    {"match": {"method": "GET", "path": "/contacts/"}, "action": "reset"},
]  # fmt: skip


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as started:
        yield started


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(rate_limit=False) as started:
        yield started


class History:
    """Six persons, two days a step; `ended` is when each of them was last taken off the list."""

    def __init__(self, seed: int, sim: Simulator, zygote: Zygote, home: Path) -> None:
        self.rng = random.Random(seed)
        self.sim = sim
        self.now = START
        self.ended: dict[str, datetime] = {}
        sim.reset()
        sim.seed({"fields": seeded_fields(), "lists": ["News", {"name": "Foreign", "id": 70}]})
        reads = self.rng.choice(["crawl", "point"])
        self.target = WarmTarget(zygote, home, sim.url, streams=STREAMS, reads=reads)
        self.source = {str(key): self.said(key) for key in range(1, PEOPLE + 1)}

    def said(self, key: Any) -> dict[str, Any]:
        """What the backoffice says of a person from today on."""
        given = self.now - timedelta(days=self.rng.choice([0, 0, 1, 3, 8]), hours=2)
        email = self.rng.choice([f"p{key}@example.com"] * 2 + [f"q{key}@example.org"])
        return {
            "email": email,
            "consent": self.rng.choice(WORDS),
            "consent_at": self.rng.choice([given.isoformat()] * 5 + [None]),
            "proof": self.rng.choice(["form"] * 5 + [None]),
            "consent_for": self.rng.choice([email] * 5 + ["other@example.com"]),
            "wants": self.rng.choice(["true", "true", "true", "false", None]),
        }

    def contacts(self) -> dict[str, dict[str, Any]]:
        """Contacts by backoffice key."""
        return {c["fieldValues"].get("BUBSCTTID", ""): c for c in self.sim.state()["contacts"]}

    def live(self) -> None:
        """Two days in which people change their minds, here and there."""
        self.now += timedelta(days=2)
        self.sim.clock(now=self.now.isoformat())
        for key in self.rng.sample(sorted(self.source), 3):
            self.source[key] = self.said(key)
        for key, contact in self.contacts().items():
            if contact["lists"] and self.rng.random() < 0.25:
                kind = self.rng.choice(["unsubscribe", "unsubscribe", "bounce"])
                self.sim.event(kind, contact=contact["id"])
                self.ended[key] = self.now

    def run(self, fault: dict[str, Any] | None) -> None:
        """Deliver, and compare who is active with who was before and may be."""
        before = self.statuses()
        self.sim.faults([{**fault, "nth": self.rng.randint(1, 6)}] if fault else [])
        rows = [record(int(key), **said) for key, said in self.source.items()]
        run = self.target.run([schema(**COLUMNS), *rows, state(len(rows))])
        assert run.code in ((0, 3) if fault else (0,)), run.stderr
        assert not run.report["streams"] or sums_close(run)
        after = self.statuses()
        contacts = self.contacts()
        for key, status in after.items():
            if status == "1" and (before.get(key) != "1" or run.code == 0):
                self.assert_may_be_active(key, contacts[key], entered=before.get(key) != "1")
            if status == "2" and before.get(key) != "2":
                self.ended[key] = self.now

    def statuses(self) -> dict[str, str | None]:
        """Everybody's status on the list."""
        return {key: contact["lists"].get("1") for key, contact in self.contacts().items()}

    def assert_may_be_active(self, key: str, contact: dict[str, Any], *, entered: bool) -> None:
        said = self.source[key]
        words = f"person {key} is active; the source says {said}, left {self.ended.get(key)}"
        assert said["consent"] in ("confirmed", "soft_opt_in"), words
        assert said["proof"], words
        assert said["consent_at"], words
        assert said["consent_for"] == contact["email"], words
        assert said["wants"] != "false", words
        if entered and key in self.ended:
            assert datetime.fromisoformat(said["consent_at"]) > self.ended[key], words

    def idle(self) -> None:
        """The same once more: nothing is written, nothing moves."""
        self.run(None)
        before = self.sim.state()
        self.sim.forget_requests()
        self.run(None)
        assert self.sim.requests(writes=True) == []
        assert self.sim.state() == before


def test_nobody_is_active_without_newer_evidence_in_any_history(
    sim: Simulator, zygote: Zygote, tmp_path: Path
) -> None:
    """S2-11, X2, X3, X4: consents come, go and change address; people leave and bounce; calls fail
    and runs end: whoever enters has newer evidence for that address, whoever stays has consent.
    """
    began, entered = time.monotonic(), 0
    for seed in SEEDS:
        history = History(seed, sim, zygote, tmp_path / str(seed))
        print(f"seed {seed}")
        for _ in range(ROUNDS):
            history.run(history.rng.choice([None, *FAULTS]))
            history.idle()
            entered += "1" in history.statuses().values()
            history.live()
        if time.monotonic() - began > CI_SECONDS:
            break
    assert entered, "some history made somebody active"
