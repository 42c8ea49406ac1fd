"""Addresses that move, keys that repeat, rows that contradict: named conflicts, no duplicates."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from destinations_support import (
    WarmTarget,
    contact_of,
    keys_are_unique,
    seeded_fields,
    sums_close,
)
from simulators_support import Simulator
from target_support import record, schema, state


def streams(**more: Any) -> dict[str, Any]:
    """The default mapping with other options."""
    return {
        "contacts": {
            "key": "ctt_id",
            "key_field": "BUBSCTTID",
            "fields": {"email": "email", "firstName": "given_name", "cdate": "date_created"},
            "custom_fields": {"LAND": "org_country"},
            **more,
        }
    }


def test_a_taken_address_is_a_conflict_and_writes_nothing(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-36, S0-60: one error, named, nothing of the row is written."""
    target.deliver([record(1, "a@example.com"), record(2, "b@example.com")])
    before = sim.state()
    sim.forget_requests()
    run = target.deliver([record(1, "B@example.com", given_name="Neu")])
    assert (run.code, run.outcomes) == (0, {"rejected": 1})
    assert run.stream["errors_by_step"] == {"update": 1}
    (reject,) = target.rejects
    assert (reject["cause"], reject["field"], reject["key"]) == ("address_taken", "email", "1")
    assert sim.state() == before
    assert sim.requests(writes=True) == []


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_an_address_given_up_can_be_taken_in_the_same_run(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S0-6, S0-27, S0-35, X1: A moves to y and new B takes x, in either order of rows."""
    for number, order in enumerate(permutations((0, 1))):
        sim.reset()
        target = make_target(f"order{number}", reads=reads)
        target.deliver([record(1, "x@example.com")])
        rows = [record(1, "y@example.com"), record(2, "x@example.com")]
        run = target.deliver([rows[i] for i in order])
        assert run.outcomes == {"applied": 2}
        keys = {email: c["fieldValues"]["BUBSCTTID"] for email, c in sim.contacts().items()}
        assert keys == {"y@example.com": "1", "x@example.com": "2"}


def test_a_chain_of_moves_is_settled_in_one_run_in_any_order(
    sim: Simulator, make_target: Any
) -> None:
    """S0-27, S0-35, X1: each takes the address of the next, whatever the order of rows."""
    moves = [record(i, f"p{i + 1}@example.com") for i in (1, 2, 3, 4)]
    for number, order in enumerate(([0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2])):
        sim.reset()
        target = make_target(f"order{number}")
        target.deliver([record(i, f"p{i}@example.com") for i in (1, 2, 3, 4)])
        run = target.deliver([moves[i] for i in order])
        assert run.outcomes == {"applied": 4}
        keys = {c["fieldValues"]["BUBSCTTID"]: c["email"] for c in sim.contacts().values()}
        assert keys == {str(i): f"p{i + 1}@example.com" for i in (1, 2, 3, 4)}


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_an_address_of_somebody_who_keeps_it_is_a_named_conflict(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S0-36, X1: it is not free, so nothing is written and nobody doubled."""
    target = make_target(reads=reads)
    target.deliver([record(1, "a@example.com"), record(2, "b@example.com")])
    before = sim.state()
    run = target.deliver([record(1, "b@example.com")])
    assert run.outcomes == {"rejected": 1}
    assert run.causes == {"address_taken": 1}
    assert sim.state() == before


def test_identical_rows_are_one(sim: Simulator, target: WarmTarget) -> None:
    """S0-3: repeated rows collapse before anything is sent, wherever they stand."""
    rows = [record(1, given_name="A"), record(2), record(1, given_name="A"), record(1, " " * 0)]
    rows[3] = record(1, given_name=" A ")
    run = target.deliver(rows)
    assert run.outcomes == {"applied": 2, "unchanged": 2}
    assert run.causes == {"repeated_row": 2}
    assert len(sim.contacts()) == 2
    assert sums_close(run)


def test_contradicting_rows_of_one_key_are_never_settled_by_chance(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-9: both are rejected by name, in this run and when they are offered again."""
    rows = [record(1, given_name="A"), record(1, given_name="B"), record(2)]
    run = target.deliver(rows)
    assert run.outcomes == {"applied": 1, "rejected": 2}
    assert run.causes == {"contradicting_rows": 2}
    assert list(sim.contacts()) == ["person2@example.com"]
    assert {reject["tries"] for reject in target.rejects} == {1}
    again = target.run([schema(), state(1)])  # nothing new came: only the rejects
    assert "applied" not in again.outcomes
    assert list(sim.contacts()) == ["person2@example.com"]
    settled = target.deliver([record(1, given_name="C")])
    assert settled.outcomes == {"applied": 1}
    assert contact_of(sim, "person1@example.com")["firstName"] == "C"
    assert target.rejects == []


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (9, 10),
        ("2026-01-02", "2026-01-10"),
        ("2026-03-29T02:30:00+02:00", "2026-03-29T01:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z"),
    ],
)
def test_a_version_column_orders_rows_of_one_person(
    sim: Simulator, make_target: Any, older: Any, newer: Any
) -> None:
    """S0-9: the newest version wins, by number or moment and not by spelling; the others are
    suppressed by name.
    """
    target = make_target(streams=streams(version_column="rev"))
    rows = [
        record(1, given_name="new", rev=newer),
        record(1, given_name="old", rev=older),
    ]
    kind = {"rev": {"type": ["integer", "string", "null"]}}
    run = target.run([schema(**kind), *rows])
    assert run.outcomes == {"applied": 1, "suppressed": 1}
    assert run.causes == {"older_version": 1}
    assert contact_of(sim, "person1@example.com")["firstName"] == "new"


@pytest.mark.parametrize(
    ("rule", "applied", "winner"), [("first", 1, "1"), ("newest", 1, "2"), ("reject", 0, None)]
)
def test_two_persons_sharing_an_address_follow_the_rule(
    sim: Simulator, make_target: Any, rule: str, applied: int, winner: str | None
) -> None:
    """S0-8, S0-26: after canonicalisation, never two inserts; the losers are listed and stay
    listed when they are offered again.
    """
    target = make_target(streams=streams(on_duplicate_email=rule, version_column="rev"))
    rows = [
        record(1, "Shared@example.com", rev=1, given_name="One"),
        record(2, "shared@EXAMPLE.com ", rev=2, given_name="Two"),
    ]
    kind = schema(rev={"type": "integer"})
    first = target.run([kind, *rows, state(1)])
    rejected = 2 - applied
    assert {n: first.outcomes.get(n, 0) for n in ("applied", "rejected")} == {
        "applied": applied,
        "rejected": rejected,
    }
    for again in (target.run([kind, *rows]), target.run([kind, state(2)])):
        assert again.outcomes.get("applied", 0) == 0
        assert again.report["writes"] == 0
        assert len(target.rejects) == rejected
        assert {reject["field"] for reject in target.rejects} == {"email"}
    found = [c["fieldValues"]["BUBSCTTID"] for c in sim.contacts().values()]
    assert found == ([winner] if winner else [])


def test_a_row_without_key_never_overwrites_the_person_with_the_key(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-8, S0-18: it loses the shared address, also when it comes again alone."""
    keyed = record(1, "shared@example.com", given_name="Keyed")
    keyless = record(None, "shared@example.com", given_name="Keyless")
    run = target.deliver([keyless, keyed])
    assert run.outcomes == {"applied": 1, "rejected": 1}
    again = target.run([schema(), state(2)])
    assert again.outcomes == {"rejected": 1}
    assert contact_of(sim, "shared@example.com")["firstName"] == "Keyed"


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_two_contacts_with_one_key_are_left_alone_and_listed(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S0-24: ambiguous, so neither is updated and nobody is inserted."""
    target = make_target(reads=reads)
    sim.seed(
        {
            "fields": seeded_fields(),
            "contacts": [
                {"email": "a@example.com", "fieldValues": {"BUBSCTTID": "1"}},
                {"email": "b@example.com", "fieldValues": {"BUBSCTTID": "1"}},
            ],
        }
    )
    before = sim.state()
    run = target.deliver([record(1, "a@example.com", given_name="A"), record(1, "c@example.com")])
    assert run.outcomes == {"rejected": 2}
    run = target.deliver([record(1, "c@example.com")])
    assert run.causes == {"ambiguous_key": 1}
    assert run.report["writes"] == 0
    assert sim.state() == before
    assert target.rejects[0]["cause"] == "ambiguous_key"


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_a_contact_that_carries_another_key_is_a_reported_mismatch(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S0-19, S0-25: by address A, by key field B: the key field wins and A is listed."""
    target = make_target(reads=reads)
    sim.seed(
        {
            "fields": seeded_fields(),
            "contacts": [{"email": "a@example.com", "fieldValues": {"BUBSCTTID": "2"}}],
        }
    )
    only_a = target.deliver([record(1, "a@example.com", given_name="A")])
    assert only_a.causes == {"address_of_other_key": 1}
    assert contact_of(sim, "a@example.com")["firstName"] == ""
    both = target.deliver(
        [record(1, "a@example.com", given_name="A"), record(2, "a@example.com", given_name="B")]
    )
    assert both.outcomes == {"applied": 1, "rejected": 1}
    assert contact_of(sim, "a@example.com")["firstName"] == "B"
    assert len(sim.contacts()) == 1


SPELLINGS = ["123", "0123", " 123 ", "123.0"]


@pytest.mark.parametrize("reads", ["crawl", "point"])
@pytest.mark.parametrize("stored", SPELLINGS)
def test_number_keys_match_in_any_spelling(
    sim: Simulator, make_target: Any, reads: str, stored: str
) -> None:
    """S0-22: 123 finds the stored text in each spelling, though the address changed too, and
    leaves the spelling as it is.
    """
    target = make_target(reads=reads)
    sim.seed(
        {
            "fields": seeded_fields(),
            "contacts": [{"email": "old@example.com", "fieldValues": {"BUBSCTTID": stored}}],
        }
    )
    run = target.deliver([record(123, "new@example.com")])
    assert (run.outcomes, run.stream["matched_by"]) == ({"applied": 1}, {"cfd": 1})
    (contact,) = sim.state()["contacts"]
    assert contact["email"] == "new@example.com"
    assert contact["fieldValues"]["BUBSCTTID"] == stored
    assert target.deliver([record(123, "new@example.com")]).report["writes"] == 0


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_text_keys_match_as_text(sim: Simulator, make_target: Any, reads: str) -> None:
    """S0-22: with key_type text, "0123" and "123" are two persons."""
    target = make_target(reads=reads, streams=streams(key_type="text"))
    text = schema(ctt_id={"type": "string"})
    rows = [record(None, f"p{i}@example.com") for i in range(2)]
    rows[0]["record"]["ctt_id"], rows[1]["record"]["ctt_id"] = "0123", "123"
    assert target.run([text, *rows]).outcomes == {"applied": 2}
    assert target.run([text, *rows]).outcomes == {"unchanged": 2}
    found = sorted(c["fieldValues"]["BUBSCTTID"] for c in sim.contacts().values())
    assert found == ["0123", "123"]


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_junk_in_the_key_field_is_a_finding_and_no_crash(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S0-22: a value that is no number is reported; the junk is not overwritten."""
    target = make_target(reads=reads)
    sim.seed(
        {
            "fields": seeded_fields(),
            "contacts": [
                {"email": "junk@example.com", "fieldValues": {"BUBSCTTID": "n/a"}},
                {"email": "other@example.com", "fieldValues": {"BUBSCTTID": "∞"}},
            ],
        }
    )
    run = target.deliver([record(1, "junk@example.com", given_name="A"), record(2)])
    assert run.outcomes == {"applied": 1, "rejected": 1}
    assert run.causes == {"key_field_unreadable": 1}
    assert contact_of(sim, "junk@example.com")["fieldValues"]["BUBSCTTID"] == "n/a"


def test_source_rows_that_cannot_be_right_are_stopped_before_any_call(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-10, S0-22: address syntax, length, control characters and keys are checked first."""
    rows = [
        record(1, "no address"),
        record(2, given_name="x" * 256),
        record(3, given_name="a\x00b"),
        record(4, given_name="a\u202eb"),
        record(5),
    ]
    run = target.deliver(rows)
    assert run.outcomes == {"applied": 1, "rejected": 4}
    assert run.causes == {"email_syntax": 1, "field_length": 1, "control_characters": 2}
    assert list(sim.contacts()) == ["person5@example.com"]
    assert keys_are_unique(sim)
    assert {reject["step"] for reject in target.rejects} == {"check"}
