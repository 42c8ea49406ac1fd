"""`change-email`: one change of address now, by the rules of a run; never a second contact."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, seeded_fields
from scene_support import COLUMNS, STREAM, there
from simulators_support import Simulator
from target_support import record, schema, state

MakeTarget = Callable[..., WarmTarget]
OLD, NEW = "ada@example.com", "ada@example.org"


@pytest.fixture
def known(sim: Simulator, target: WarmTarget) -> WarmTarget:
    """Two persons after a run."""
    sim.seed({"fields": seeded_fields()})
    run = target.deliver([record(1, OLD, given_name="Ada"), record(2, "eve@example.com")])
    assert run.outcomes == {"applied": 2}
    sim.forget_requests()
    return target


def changed(target: WarmTarget, *options: str, to: str = NEW) -> tuple[int, str, str]:
    done = target.operate("change-email", "--to", to, *options)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.ledgers
def test_a_person_gets_the_address_at_once(sim: Simulator, make_target: MakeTarget) -> None:
    """S2-11, S2-14, S2-23: the same contact, nothing else of it touched, a line in the history."""
    sim.seed({"fields": seeded_fields()})
    target = make_target()
    target.deliver([record(1, OLD, given_name="Ada")])
    before = contact_of(sim, OLD)
    code, said, told = changed(target, "--key", "1")
    assert (code, said) == (0, "contacts  key:1  applied\n"), told
    assert "gives the old address back, unless the source" in told
    after = contact_of(sim, NEW)
    assert (after["id"], after["firstName"]) == (before["id"], "Ada")
    assert list(sim.contacts()) == [NEW]
    history = target.operate("history", "--key", "1").stdout.splitlines()
    assert [line.split("  ")[2] for line in history] == [OLD, NEW]
    assert changed(target, "--key", "1")[:2] == (0, "contacts  key:1  unchanged\n")
    (note, _) = (target.home / "state" / "operations.jsonl").read_text().splitlines()
    assert json.loads(note)["did"] == "change-email"
    assert NEW not in note


def test_the_person_is_found_by_the_address_they_have(sim: Simulator, known: WarmTarget) -> None:
    """S2-11: their contact tells the key; who has none, or is not there, is refused."""
    assert changed(known, "--from", OLD.upper())[0] == 0
    assert set(sim.contacts()) == {NEW, "eve@example.com"}
    sim.event("create_contact", values=there("nokey@example.com"))
    sim.forget_requests()
    for who in ("nokey@example.com", "nobody@example.com"):
        assert changed(known, "--from", who, to="x@example.org")[0] == 2
    assert sim.requests(writes=True) == []


def test_nobody_is_made_by_a_change(sim: Simulator, known: WarmTarget) -> None:
    """X1: a key that is not there is refused, not inserted; so are addresses that are none."""
    assert changed(known, "--key", "77")[0] == 2
    assert changed(known, "--key", "1", to="no address")[0] == 2
    assert changed(known)[0] == 2
    assert changed(known, "--key", "1", "--from", OLD)[0] == 2
    assert changed(known, "--key", "1", "--stream", "other")[0] == 2
    assert sim.requests(writes=True) == []
    assert set(sim.contacts()) == {OLD, "eve@example.com"}


def test_an_address_of_somebody_else_is_not_taken(sim: Simulator, known: WarmTarget) -> None:
    """S2-16: the same reject as of a run, and its exit code says that it was not done."""
    code, said, told = changed(known, "--key", "1", to="eve@example.com")
    assert (code, said) == (4, "contacts  key:1  rejected (address_taken)\n")
    assert "open reject" in told
    assert set(sim.contacts()) == {OLD, "eve@example.com"}
    assert sim.requests(writes=True) == []


def test_a_change_that_a_policy_holds_waits_for_approval(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S2-12: held, then approved, then carried out by the next run of the rejects."""
    sim.seed({"fields": seeded_fields()})
    target = make_target()
    target.deliver([record(1, "office@example.com")])
    code, said, _ = changed(target, "--key", "1")
    assert (code, said) == (4, "contacts  key:1  held (email_change_held)\n")
    assert target.operate("approve", "--key", "1").returncode == 0
    assert target.operate("rejects", "retry", "--key", "1").returncode == 0
    assert list(sim.contacts()) == [NEW]


def test_a_dry_run_says_what_would_be_done(sim: Simulator, known: WarmTarget) -> None:
    """By the items of a plan; nothing is written, and no address is printed."""
    code, said, _ = changed(known, "--key", "1", "--dry-run")
    assert code == 0
    assert said.startswith("contacts  would: update\n    change the address")
    assert "@" not in said
    assert sim.requests(writes=True) == []
    assert not (known.home / "state" / "operations.jsonl").exists()


def test_what_waits_for_the_person_is_delivered_with_it(sim: Simulator, known: WarmTarget) -> None:
    """S0-59: an open reject of theirs is not lost by the newer record."""
    sim.event("create_contact", values=there("taken@example.com", 9))
    run = known.deliver([record(1, "taken@example.com", given_name="Adele")])
    assert run.outcomes == {"rejected": 1}
    assert changed(known, "--key", "1")[0] == 0
    assert contact_of(sim, NEW)["firstName"] == "Adele"
    assert known.rejects == []


def test_consent_for_the_new_address_decides_who_stays_on_a_list(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """X2: the operator has to say what the source knows; without proof they leave the list."""
    stream = {k: v for k, v in STREAM.items() if k != "account"} | {"on_email_change": "rename"}
    people = [
        there(f"{name}@example.com", n, lists={"News": 1}) for n, name in ((1, "ada"), (2, "eve"))
    ]
    sim.seed({"fields": seeded_fields(), "lists": ["News"], "contacts": people})
    target = make_target(streams={"contacts": stream})
    target.run([schema(**COLUMNS), state(1)])
    code, _, told = changed(target, "--key", "1")
    assert (code, sim.requests(writes=True)) == (2, [])
    assert "consent, consent_at, proof, consent_for" in told
    now = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    proof = {"consent": "confirmed", "consent_at": now, "proof": "form 7", "consent_for": NEW}
    assert changed(target, "--key", "1", *_columns(proof))[0] == 0
    assert list(contact_of(sim, NEW)["lists"].values()) == ["1"]
    other = {**proof, "consent_for": "eve@example.com"}
    assert changed(target, "--key", "2", *_columns(other), to="eve@example.org")[0] == 0
    assert list(contact_of(sim, "eve@example.org")["lists"].values()) == ["2"]


def _columns(values: dict[str, Any]) -> list[str]:
    return [word for name, value in values.items() for word in ("--column", f"{name}={value}")]


def test_nobody_is_changed_by_a_blank_key_or_the_key_of_a_former_contact(
    sim: Simulator, known: WarmTarget
) -> None:
    """X1: a variable that is not set names nobody, nor does a contact that was given up; nothing is
    written and no reject is made.
    """
    former, cleared = there("former@example.com", "former:9"), there("cleared@example.com", "")
    for contact in (former, cleared):
        sim.event("create_contact", values=contact)
    sim.forget_requests()
    assert changed(known, "--key", "")[0] == 2
    assert changed(known, "--from", " ")[0] == 2
    assert changed(known, "--from", "former@example.com")[0] == 2
    assert changed(known, "--from", "cleared@example.com")[0] == 2
    assert known.operate("explain", "--key", " ").returncode == 2
    assert sim.requests(writes=True) == []
    assert known.rejects == []
    assert NEW not in sim.contacts()


def test_a_deletion_that_waits_is_not_carried_out_by_a_change(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """X6: nobody is deleted for good by a command that changes an address."""
    stream = {k: v for k, v in STREAM.items() if k not in ("account", "consent", "lists")}
    sim.seed({"fields": seeded_fields(), "contacts": [there(OLD, 1)]})
    target = make_target(
        streams={"contacts": {**stream, "on_delete": "delete", "erasure_column": "erase"}}
    )
    row = record(1, OLD, _sdc_deleted_at="2026-03-01", erase="perhaps")
    assert target.run([schema(**COLUMNS), row, state(1)]).outcomes == {"rejected": 1}
    sim.forget_requests()
    code, _, told = changed(target, "--key", "1", "--column", "erase=true")
    assert (code, sim.requests(writes=True)) == (2, [])
    assert "the source has deleted this person" in told
    assert list(sim.contacts()) == [OLD]
    assert len(target.rejects) == 1


def test_settings_that_only_plan_change_no_address(sim: Simulator, known: WarmTarget) -> None:
    """S4-33: a rehearsal with the production account in its settings writes nothing there."""
    known.config |= {"mode": "plan", "plan_file": str(known.home / "plan.json")}
    code, _, told = changed(known, "--key", "1")
    assert (code, sim.requests(writes=True)) == (2, [])
    assert "--dry-run" in told
    assert changed(known, "--key", "1", "--dry-run")[0] == 0
    assert sim.requests(writes=True) == []
