"""The identity ledger: the same promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_support import NOON, Place, day, interval, person
from target_kit.ledger import Ended, Finding, Ledger, LedgerError
from target_kit.ledger_entries import succeed


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with place.open() as opened:
        yield opened


def test_what_is_recorded_comes_back_as_it_was(place: Place) -> None:
    """Another run reads the same persons: bytes, microseconds, and moments in UTC."""
    tokyo = timezone(timedelta(hours=9))
    given = [
        person(1, seen_at=NOON.astimezone(tokyo)),
        person(2, provenance="ctt", fingerprint=b"", address_key="jörg'\"%s:x?@example.com"),
        person(3, fingerprint=bytes(range(256)), who="key:\N{SNOWMAN} \\0"),
    ]
    with place.open() as ledger:
        ledger.record(people=given, now=NOON)
    with place.open() as ledger:
        found = ledger.people([p.who for p in given] + ["key:unknown"])
    assert found == {p.who: p for p in given}
    assert {p.seen_at.utcoffset() for p in found.values()} == {timedelta(0)}


@pytest.mark.parametrize(
    ("provenance", "confidence"), [("cfd", "proven"), ("new", "reported"), ("ctt", "inferred")]
)
def test_confidence_follows_from_how_a_person_was_matched(provenance: str, confidence: str) -> None:
    """A key field proves, an insert's reply reports, an address only suggests."""
    assert person(1, provenance=provenance).confidence == confidence


def test_any_number_of_persons_is_found_in_order(ledger: Ledger) -> None:
    """More than one question takes and more than one batch holds, each person once."""
    people = [person(n) for n in range(2100)]
    ledger.record(people=people, now=NOON)
    assert ledger.people([p.who for p in people] * 2) == {p.who: p for p in people}
    batches = list(ledger.all_people())
    assert [len(batch) for batch in batches] == [1000, 1000, 100]
    assert [p for batch in batches for p in batch] == sorted(people, key=lambda p: p.who)
    assert ledger.people([]) == {}


def test_texts_are_ordered_by_code_point(ledger: Ledger) -> None:
    """The server's language has no say in what comes first."""
    whos = ["key:a", "key:B", "key:_", "key:ä", "key:Z", "key:10", "key:9"]
    ledger.record(people=[person(1, who=who) for who in whos], now=NOON)
    assert [p.who for batch in ledger.all_people() for p in batch] == sorted(whos)


def test_a_person_recorded_again_is_replaced(ledger: Ledger) -> None:
    """One row a person; the last of two in one batch counts."""
    ledger.record(people=[person(1)], now=NOON)
    newer = person(1, contact_id="7", seen_at=day(1))
    ledger.record(people=[person(1, contact_id="6"), newer], now=day(1))
    assert ledger.people(["key:1"]) == {"key:1": newer}
    assert ledger.of_contact("1001") == []
    assert ledger.of_contact("7") == [newer]


def test_two_persons_of_one_contact_are_both_shown(ledger: Ledger) -> None:
    """S0-24: a conflict can be told, since nobody takes the other's place."""
    ledger.record(people=[person(2, contact_id="7"), person(1, contact_id="7")], now=NOON)
    assert [p.who for p in ledger.of_contact("7")] == ["key:1", "key:2"]


def test_the_ledger_can_be_written_between_batches(ledger: Ledger) -> None:
    """Who walks through everybody may record, forget and ask while walking."""
    ledger.record(people=[person(n) for n in range(1500)], now=NOON)
    seen = 0
    for batch in ledger.all_people():
        seen += len(batch)
        ledger.record(people=[person(n, contact_id="7") for n in range(1500)], now=day(1))
        ledger.forget(p.who for p in batch[:10])
    assert seen == 1500
    assert len(ledger.of_contact("7")) == 1490  # those of the first batch were recorded again


# --- dated addresses ---


def test_an_address_ends_when_the_next_begins(ledger: Ledger) -> None:
    """S2-14: since when until when somebody was written to, for each address."""
    ledger.record(intervals=[interval("key:1", "old", 0)], now=day(0))
    ledger.record(intervals=[interval("key:1", "new", 5, change="domain")], now=day(5))
    expected = [interval("key:1", "old", 0, 5), interval("key:1", "new", 5, change="domain")]
    assert ledger.addresses("key:1") == expected
    assert ledger.since(["key:1", "key:2"]) == {"key:1": expected[1]}


def test_the_same_address_again_is_no_change(ledger: Ledger) -> None:
    """S2-14: a run that changes nothing dates nothing anew."""
    ledger.record(intervals=[interval("key:1", "same", 0)], now=day(0))
    ledger.record(intervals=[interval("key:1", "same", 3, change="case")], now=day(3))
    assert ledger.addresses("key:1") == [interval("key:1", "same", 0)]


def test_an_address_that_was_passed_over_is_kept_once(ledger: Ledger) -> None:
    """S2-26: A→B→C before one run is one change to C; B is told, however often it is recorded."""
    ledger.record(intervals=[interval("key:1", "a", 0)], now=day(0))
    for _ in range(2):
        passed = [interval("key:1", "b", 1, 2), interval("key:1", "c", 2)]
        ledger.record(intervals=passed, now=day(2))
    shown = [(i.address_key[0], i.until) for i in ledger.addresses("key:1")]
    assert shown == [("a", day(2)), ("b", day(2)), ("c", None)]


def test_several_changes_in_one_batch_follow_each_other(ledger: Ledger) -> None:
    """S2-27: there and back again, even within one moment, leaves one open address."""
    names = [("a", 0), ("b", 1), ("c", 2), ("a", 3), ("b", 3), ("a", 3)]
    ledger.record(intervals=[interval("key:1", name, on) for name, on in names], now=day(3))
    shown = [(i.address_key[0], i.since, i.until) for i in ledger.addresses("key:1")]
    assert [s for s in shown if s[1] != s[2]] == [
        ("a", day(0), day(1)),
        ("b", day(1), day(2)),
        ("c", day(2), day(3)),
        ("a", day(3), None),
    ]


def test_an_address_leads_to_who_had_it_at_that_moment(ledger: Ledger) -> None:
    """S2-8: a bounce that comes back by address belongs to whoever had it when it happened."""
    ledger.record(intervals=[interval("key:1", "shop", 0), interval("key:2", "x", 0)], now=day(0))
    # Person 1 moves on, and person 2 takes the address over (S2-28).
    ledger.record(intervals=[interval("key:1", "own", 4), interval("key:2", "shop", 6)], now=day(6))

    def at(number: int | None) -> list[str]:
        moment = None if number is None else day(number)
        return [i.who for i in ledger.whose("shop@example.com", moment)]

    assert [at(n) for n in (-1, 0, 3, 4, 5, 6, 99)] == [
        [], ["key:1"], ["key:1"], [], [], ["key:2"], ["key:2"],
    ]  # fmt: skip
    assert at(None) == ["key:1", "key:2"]
    assert ledger.whose("nobody@example.com") == []


def test_former_addresses_are_those_that_the_person_has_no_more(ledger: Ledger) -> None:
    """S2-4: the search for victims starts from addresses that the person has no more."""
    ledger.record(
        people=[person(3, address_key="kept@example.com")],
        intervals=[
            *(interval("key:1", name, on) for name, on in (("a", 0), ("b", 1), ("a", 2))),
            *(interval("key:2", name, on) for name, on in (("a", 0), ("c", 1))),
            *(interval("key:3", name, on) for name, on in (("kept", 0), ("d", 1))),
        ],
        now=day(2),
    )
    found = [(i.who, i.address_key) for batch in ledger.former() for i in batch]
    assert found == [("key:1", "b@example.com"), ("key:2", "a@example.com")]


def test_former_addresses_of_many_come_in_batches(ledger: Ledger) -> None:
    """Each ended interval once, in an order that a batch can go on from."""
    names = [f"{chr(97 + n % 26)}{n}" for n in range(601)]
    for on in range(3):
        dated = [interval(f"key:{n % 300}", f"{name}{on}", on) for n, name in enumerate(names)]
        ledger.record(intervals=dated, now=day(on))
    batches = list(ledger.former())
    found = [(i.who, i.since, i.address_key) for batch in batches for i in batch]
    assert len(found) == len(set(found)) == 3 * 601 - 300
    assert found == sorted(found)
    assert [len(batch) for batch in batches] == [1000, 503]


_CHANGES = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 9)), max_size=8)


@given(known=_CHANGES, new=_CHANGES)
def test_nobody_ever_has_two_addresses(
    known: list[tuple[str, int]], new: list[tuple[str, int]]
) -> None:
    """S2-14: whatever the order and the clock, one address is open, the last one that was told."""
    _, before = succeed({}, [interval("key:1", name, on) for name, on in known])
    current = {i.who: i for i in before}
    ended, opened = succeed(current, [interval("key:1", name, on) for name, on in new])
    left = opened or before
    told = [f"{name}@example.com" for name, _ in [*known, *new]]
    assert [i.address_key for i in left] == told[-1:]
    assert all(i.until is None for i in left)
    assert all(i.until is not None and i.until >= i.since for i in ended)
    assert len(ended) >= len(before) * len(opened), "what was open before has ended"


# --- worklist, approvals, facts ---


def test_a_finding_is_opened_once_and_seen_again(ledger: Ledger) -> None:
    """When it was found first stays, when last and how often moves on; words follow the newest."""
    ledger.record(findings=[Finding("key:1", "taken", "old words", "merge")], now=day(0))
    ledger.record(findings=[Finding("key:2", "taken", "other", "merge")], now=day(1))
    ledger.record(findings=[Finding("key:1", "taken", "words", "hold")], now=day(2))
    first, second = ledger.worklist()
    assert (first.who, first.message, first.repair) == ("key:1", "words", "hold")
    assert (first.first_seen, first.last_seen, first.times) == (day(0), day(2), 2)
    assert ledger.worklist("key:2") == [second]
    assert second.times == 1


def test_settled_items_go_and_what_is_found_again_stays(ledger: Ledger) -> None:
    """One kind of one person goes, others stay as they are; what is found again keeps its age."""
    findings = [Finding("key:1", kind, "", "") for kind in ("taken", "gone", "held")]
    ledger.record(findings=[*findings, Finding("key:2", "gone", "", "")], now=day(0))
    settled = [("key:1", "taken"), ("key:1", "gone"), ("key:3", "gone")]
    ledger.record(settled=settled, findings=findings[1:2], now=day(1))
    assert [(i.who, i.kind, i.first_seen, i.last_seen, i.times) for i in ledger.worklist()] == [
        ("key:1", "gone", day(0), day(1), 2),
        ("key:1", "held", day(0), day(0), 1),
        ("key:2", "gone", day(0), day(0), 1),
    ]


def test_an_approval_is_for_one_person_and_one_address(ledger: Ledger) -> None:
    """S2-12: leave for one change is leave for no other; given twice it is the same."""
    for now in (day(0), day(1)):
        ledger.approve("key:1", "new@example.com", now)
    ledger.approve("key:1", "other@example.com", day(1))
    ledger.approve("key:2", "new@example.com", day(1))
    assert ledger.approved(["key:1", "key:3"]) == {
        "key:1": {"new@example.com", "other@example.com"}
    }


def test_an_end_noted_again_is_replaced(ledger: Ledger) -> None:
    """S2-18: one end for each membership, those of a contact given up before included."""
    early, late = "2026-11-20T10:00:00+00:00", "2026-11-21T10:00:00+00:00"
    ledger.note_ended([Ended("key:1", "7", "3", early), Ended("key:1", "7", "4", early)])
    ledger.note_ended([Ended("key:1", "7", "3", late), Ended("key:1", "8", "3", late)])
    assert sorted(ledger.ended("key:1"), key=lambda e: (e.contact_id, e.list_id)) == [
        Ended("key:1", "7", "3", late),
        Ended("key:1", "7", "4", early),
        Ended("key:1", "8", "3", late),
    ]


def test_a_fact_is_what_was_noted_last(ledger: Ledger) -> None:
    """Nothing, then a value, then another."""
    assert ledger.fact("full_read") is None
    for value in ("2026-11-20", ""):
        ledger.set_fact("full_read", value)
        assert ledger.fact("full_read") == value


# --- scopes, forgetting, transactions ---


def content(ledger: Ledger) -> list[object]:
    """Everything that can be asked."""
    return [
        list(ledger.all_people()),
        ledger.people(["key:1"]),
        ledger.of_contact("1001"),
        ledger.addresses("key:1"),
        ledger.since(["key:1"]),
        ledger.whose("b@example.com"),
        list(ledger.former()),
        ledger.worklist(),
        ledger.approved(["key:1"]),
        ledger.ended("key:1"),
        ledger.fact("full_read"),
    ]


def fill(ledger: Ledger) -> None:
    ledger.record(
        people=[person(1)],
        intervals=[interval("key:1", "a", 0), interval("key:1", "b", 1)],
        findings=[Finding("key:1", "taken", "words", "repair")],
        now=NOON,
    )
    ledger.approve("key:1", "b@example.com", NOON)
    ledger.note_ended([Ended("key:1", "1001", "3", "2026-11-20T10:00:00+00:00")])
    ledger.set_fact("full_read", "now")


def test_accounts_and_streams_do_not_see_each_other(place: Place) -> None:
    """The same key is another person elsewhere: nothing is shown, replaced or removed there."""
    with place.open("one") as one, place.open("two") as two:
        empty = content(two)
        fill(one)
        filled = content(one)
        assert all(filled), "each question has an answer"
        assert content(two) == empty
        fill(two)
        two.forget(["key:1"])
        two.clear()
        assert content(one) == filled
        assert content(two) == empty


def test_a_forgotten_person_is_nowhere(ledger: Ledger) -> None:
    """Erasure reaches persons, addresses, worklist and approvals; others stay."""
    fill(ledger)
    ledger.record(people=[person(2)], findings=[Finding("key:2", "gone", "", "")], now=NOON)
    ledger.forget(["key:1", "key:unknown"])
    assert [p.who for batch in ledger.all_people() for p in batch] == ["key:2"]
    assert [item.who for item in ledger.worklist()] == ["key:2"]
    assert ledger.addresses("key:1") == ledger.whose("a@example.com") == []
    assert (ledger.approved(["key:1"]), ledger.ended("key:1")) == ({}, [])


def test_a_batch_that_fails_leaves_nothing(ledger: Ledger) -> None:
    """X8: all of a batch or none of it; the ledger goes on after a refusal."""
    fill(ledger)
    before = content(ledger)
    with pytest.raises(LedgerError) as caught:
        ledger.record(
            people=[person(1, contact_id="7"), person(2)],
            intervals=[interval("key:1", "c", 2)],
            settled=[("key:1", "taken")],
            findings=[Finding("key:2", "gone", "", "")],
            now=datetime(2026, 11, 20),  # noqa: DTZ001 - without a zone it is no moment
        )
    assert "ValueError" in str(caught.value)
    assert content(ledger) == before
    assert ledger.people(["key:2"]) == {}


def test_the_shelf_does_not_load_the_database_library() -> None:
    """Targets without a ledger, and rooms that decide, start without SQLAlchemy."""
    code = (
        "import sys, target_kit.cli, target_kit.singer, target_kit.ledger_entries as _;"
        "print([m for m in sys.modules if m.split('.')[0] in ('sqlalchemy', 'psycopg')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
