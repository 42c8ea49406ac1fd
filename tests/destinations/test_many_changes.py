"""Changed addresses without anybody's work: many at once, beside changes made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from destinations_support import contact_of, keys_are_unique, seeded_fields, sums_close
from simulators_support import Simulator
from target_support import record, schema, state

TEXT = {"type": ["string", "null"]}
COLUMNS = dict.fromkeys(("consent", "consent_at", "proof", "consent_for"), TEXT)
CONSENT = {"column": "consent", "granted_at": "consent_at", "evidence": "proof", "purpose": "ads"}
STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {"email": "email", "firstName": "given_name"},
    "consent": {**CONSENT, "address": "consent_for"},
    "lists": {"News": {"when": True, "consent": "ads"}},
}
OWN = {"email", "email_local", "email_domain", "udate", "updated_timestamp", "hash", "updated_by"}


def test_all_changed_addresses_of_a_night_are_one_run(sim: Simulator, make_target: Any) -> None:
    """S2-3, S2-7, S2-30: two hundred persons, half of them with another address, an address handed
    on among them; nothing is done by hand, and the next run has nothing to do.
    """
    contacts = [
        {"email": f"p{k}@example.com", "fieldValues": {"BUBSCTTID": str(k)}} for k in range(200)
    ]
    sim.seed({"fields": seeded_fields(), "lists": ["News"], "contacts": contacts})
    before = {c["fieldValues"]["BUBSCTTID"]: c["id"] for c in sim.contacts().values()}
    target = make_target(streams={"contacts": {k: STREAM[k] for k in ("key", "fields")}})
    rows = [
        record(k, f"p{k + 100}@example.com" if k < 100 else f"q{k}@example.org") for k in range(200)
    ]
    run = target.deliver(rows)
    assert run.outcomes == {"applied": 200}
    assert sums_close(run)
    after = {c["fieldValues"]["BUBSCTTID"]: c["id"] for c in sim.contacts().values()}
    assert after == before
    assert keys_are_unique(sim)
    assert target.deliver(rows).report["writes"] == 0


def test_all_that_was_gathered_of_a_contact_stays_with_it(sim: Simulator, make_target: Any) -> None:
    """S2-10: nothing of the contact changes but its address: lists, tags, values, dates."""
    contact = {
        "email": "old@example.com",
        "fieldValues": {"BUBSCTTID": "1", "LAND": "CH"},
        "lists": {"Foreign": 1},
        "tags": ["customer"],
        "cdate": "2019-01-01",
    }
    lists = ["News", "Foreign"]
    sim.seed(
        {"fields": seeded_fields(), "lists": lists, "contacts": [contact], "tags": ["customer"]}
    )
    before = sim.state()
    target = make_target(streams={"contacts": STREAM})
    target.run([schema(**COLUMNS), record(1, "new@example.com"), state(1)])
    after = sim.state()
    for name in before:
        if name != "contacts":
            assert after[name] == before[name]
    [was], [now] = before["contacts"], after["contacts"]
    changed = {name for name in was if was[name] != now[name]}
    assert "email" in changed
    assert changed <= OWN


def test_an_address_changed_by_hand_on_both_sides_ends_the_same(
    sim: Simulator, make_target: Any
) -> None:
    """S2-22: taken off the list, changed and signed up again by hand there, or left to the target:
    the same contact, active with the proof for its new address.
    """
    now = datetime.now(UTC)
    yes = {"consent": "confirmed", "proof": "form", "consent_for": "new@example.com"}
    ends = []
    for by_hand in (True, False):
        sim.reset()
        contact = {
            "email": "old@example.com",
            "fieldValues": {"BUBSCTTID": "1"},
            "lists": {"News": 1},
        }
        sim.seed({"fields": seeded_fields(), "lists": ["News"], "contacts": [contact]})
        if by_hand:
            sim.event("unsubscribe", email="old@example.com", list="1")
            sim.event("edit_contact", contact="1", newEmail="new@example.com")
        given = (now + timedelta(seconds=60)).isoformat()
        target = make_target(f"target{by_hand}", streams={"contacts": STREAM})
        row = record(1, "new@example.com", **yes, consent_at=given)
        run = target.run([schema(**COLUMNS), row, state(1)])
        assert run.outcomes == {"applied": 1}
        contact = contact_of(sim, "new@example.com")
        ends.append((contact["id"], contact["lists"], len(sim.contacts())))
    assert ends[0] == ends[1] == ("1", {"1": "1"}, 1)
