"""What was written against what is there, and which contacts are looked at."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from target_activecampaign.itemising import Naming
from target_activecampaign.model import Change, Existing, Field, ListChange, Membership, TagChange
from target_activecampaign.settings import read_settings
from target_activecampaign.verification import (
    GONE,
    Sample,
    Written,
    active_in_spite,
    missing_in,
    written_by,
)
from target_kit.address import parse_address
from target_kit.consent import Method

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = {
    "5": Field("5", "LAND", "text"),
    "6": Field("6", "SINCE", "date"),
    "7": Field("7", "SIZE", "number"),
}
ALL = Written(
    frozenset({"firstName"}),
    frozenset(FIELDS),
    frozenset({"1"}),
    frozenset({"vip"}),
    frozenset({"22"}),
    address=True,
)


@pytest.fixture
def naming() -> Naming:
    """Names of the settings."""
    fields = {number: one.perstag for number, one in FIELDS.items()}
    config = {"api_url": "http://127.0.0.1:1", "api_key": "k"}
    stream = read_settings(config).streams["contacts"]
    return Naming(stream, fields, {"1": "News"}, {"21": "VIP", "22": "old"})


def contact(**more: Any) -> Existing:
    """A contact as it was written."""
    whole: dict[str, Any] = {
        "id": "9",
        "email": "ann@example.com",
        "attributes": {"firstName": "Ann", "lastName": "Lee"},
        "values": {"5": "Chile", "6": "2020-01-02", "7": "1.0"},
        "lists": {"1": Membership("1")},
        "tags": {"21": "300"},
        **more,
    }
    return Existing(**whole)


def missing(naming: Naming, live: Existing | None, written: Written = ALL) -> list[str]:
    """What of the contact is not as written."""
    return missing_in(live, contact(), written, FIELDS, naming, BEGAN)


def test_what_is_there_as_written_is_not_missing(naming: Naming) -> None:
    """Equal by meaning: a date with a time, a number without a point."""
    there = contact(
        email="Ann@Example.com",
        values={"5": "Chile", "6": "2020-01-02 00:00:00", "7": "1"},
        attributes={"firstName": " Ann ", "lastName": "changed by somebody"},
        tags={"21": "301", "23": "302"},
    )
    assert missing(naming, there) == []


@pytest.mark.parametrize(
    ("differs", "named"),
    [
        ({"attributes": {"firstName": "Anna"}}, ["firstName"]),
        ({"attributes": {"firstName": ""}}, ["firstName"]),
        ({"attributes": {}}, []),
        ({"email": "other@example.com"}, ["email"]),
        ({"values": {"5": "Peru", "6": "2020-01-02", "7": "1"}}, ["LAND"]),
        ({"values": {"5": "Chile", "6": "0000-00-00", "7": "1"}}, ["SINCE"]),
        ({"values": {}}, ["LAND", "SINCE", "SIZE"]),
        ({"lists": {}}, ["lists.News"]),
        ({"lists": {"1": Membership("2", BEGAN - timedelta(seconds=1))}}, ["lists.News"]),
        ({"lists": {"1": Membership("2", BEGAN)}}, []),
        ({"lists": {"1": Membership("2")}}, ["lists.News"]),
        ({"lists": None}, []),
        ({"tags": {}}, ["tags"]),
        ({"tags": {"21": "300", "22": "301"}}, ["tags"]),
        ({"tags": None}, []),
    ],
)
def test_each_difference_is_named_as_the_settings_name_it(
    naming: Naming, differs: dict[str, Any], named: list[str]
) -> None:
    """Never by its value; who left a list since the run began did so themselves."""
    assert missing(naming, contact(**differs)) == named


def test_what_was_not_written_is_not_looked_at(naming: Naming) -> None:
    """Others may change what they like."""
    other = contact(attributes={}, values={}, lists={}, tags={}, email="x@example.com")
    assert missing(naming, other, Written()) == []


def test_a_contact_that_is_not_there_is_one_difference(naming: Naming) -> None:
    """Whatever was written to it."""
    assert missing(naming, None) == [GONE]


def test_a_value_cleared_and_stored_as_no_date_is_blank(naming: Naming) -> None:
    """0000-00-00 is what the vendor writes for none."""
    believed = contact(values={"6": ""})
    live = contact(values={"6": "0000-00-00"})
    written = Written(values=frozenset({"6"}))
    assert missing_in(live, believed, written, FIELDS, naming, BEGAN) == []


@pytest.mark.parametrize(
    ("live", "believed", "found"),
    [("1", "2", ["1"]), ("2", "2", []), ("1", "1", []), ("2", "1", [])],
)
def test_who_is_active_in_spite_of_being_taken_off_is_found(
    live: str, believed: str, found: list[str]
) -> None:
    """Only that direction is about consent."""
    one, other = (contact(lists={"1": Membership(status)}) for status in (live, believed))
    assert active_in_spite(one, other, ALL) == found
    assert active_in_spite(None, other, ALL) == []


def test_all_that_a_change_writes_is_remembered() -> None:
    """By name and id, never by value."""
    change = Change(
        "9",
        parse_address("ann@example.com"),
        {"firstName": "Ann"},
        {"5": "Chile"},
        lists=(ListChange("1", Method.SUBSCRIBE),),
        tags=TagChange(add=("VIP",), remove=("22",), clean=("23",)),
    )
    written = written_by(change) | written_by(Change("9", None, {"phone": "1"}, {}))
    assert written == Written(
        frozenset({"firstName", "phone"}),
        frozenset({"5"}),
        frozenset({"1"}),
        frozenset({"vip"}),
        frozenset({"22", "23"}),
        address=True,
    )


@pytest.mark.parametrize("size", [0, 1, 5, 20])
def test_a_sample_has_no_more_than_its_size_and_all_where_there_are_fewer(size: int) -> None:
    """Ten contacts, each offered twice."""
    sample = Sample[int](size, "seed")
    for number in [*range(10), *range(10)]:
        sample.offer(str(number), number)
    assert len(sample.chosen) == min(size, 10)


def test_the_same_seed_chooses_the_same_and_another_one_others() -> None:
    """What was looked at can be looked up again by the moment the run began."""

    def chosen(seed: str) -> set[str]:
        sample = Sample[int](5, seed)
        for number in range(1000):
            sample.offer(str(number), number)
        return set(sample.chosen)

    assert chosen("contacts 1") == chosen("contacts 1") != chosen("contacts 2")


def test_every_contact_is_as_likely_as_any_other() -> None:
    """First, last and middle: each a quarter of the time, with room for chance (seeded)."""
    counts: Counter[str] = Counter()
    for seed in range(2000):
        sample = Sample[int](5, str(seed))
        for number in range(20):
            sample.offer(str(number), number)
        counts.update(list(sample.chosen))
    assert all(400 < number < 600 for number in counts.values())
    assert len(counts) == 20


def test_what_is_written_later_of_a_chosen_contact_takes_the_earlier_ones_place() -> None:
    """Several passes over one row are one contact."""
    sample = Sample[int](5, "seed")
    sample.offer("1", 1)
    sample.offer("1", 2)
    assert sample.chosen == {"1": 2}
