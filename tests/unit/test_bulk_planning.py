"""Which rows an import can take, as what, and when that is cheaper: without any call."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_activecampaign.bulk_planning import (
    MOST_BYTES,
    MOST_ROWS,
    ImportRow,
    Spellings,
    cut,
    import_row,
    pays,
    single_calls,
)
from target_activecampaign.model import (
    Change,
    Contact,
    Existing,
    FieldProblem,
    ListChange,
    Membership,
    Origin,
    TagChange,
)
from target_kit.address import Address, parse_address
from target_kit.consent import Method

HERE = "ada@example.com"
NEWS = ListChange("4", Method.SUBSCRIBE)


def contact(email: str | None = HERE, **more: Any) -> Contact:
    address = parse_address(email) if email else None
    data: dict[str, Any] = {"identity": "key:1", "key": "1", "key_text": "1", "email": address}
    return Contact(**{**data, "attributes": {}, "values": {}, **more})


def existing(**more: Any) -> Existing:
    data: dict[str, Any] = {"id": "10", "email": HERE, "attributes": {}, "values": {}, "lists": {}}
    return Existing(**{**data, **more})


def update(**more: Any) -> Change:
    data: dict[str, Any] = {"contact_id": "10", "email": None, "values": {"7": "x"}}
    return Change(**{**data, "attributes": {}, **more})


def create(**more: Any) -> Change:
    data: dict[str, Any] = {"contact_id": None, "email": Address(HERE, HERE), "values": {"7": "x"}}
    return Change(**{**data, "attributes": {}, **more})


def row(
    change: Change,
    there: Existing | None = None,
    one: Contact | None = None,
    *names: str,
    **options: Any,
) -> dict[str, Any] | None:
    """The row as the vendor gets it."""
    made = import_row(1, one or contact(), there, change, Spellings(names), **options)
    shown: dict[str, Any] | None = json.loads(made.body) if made else None
    return shown


def test_a_new_contact_goes_with_everything_it_gets() -> None:
    """The import's own names, numbers for ids, and values in the form of their fields."""
    change = create(
        attributes={"firstName": "Ada", "lastName": "L", "phone": "1"},
        values={"7": "||a||b||"},
        lists=(NEWS,),
        tags=TagChange(("vip",)),
    )
    assert row(change) == {
        "email": HERE,
        "first_name": "Ada",
        "last_name": "L",
        "phone": "1",
        "tags": ["vip"],
        "fields": [{"id": 7, "value": "||a||b||"}],
        "subscribe": [{"listid": 4}],
    }


def test_automations_are_excluded_in_each_contact() -> None:
    """Where the vendor's own example has the flag."""
    shown = row(create(), exclude_automations=True)
    assert shown is not None
    assert shown["exclude_automations"] is True


def test_a_known_contact_goes_by_the_address_that_is_stored() -> None:
    """Whether other letters are the same address is not promised."""
    there = existing(email="ADA@Example.com")
    assert row(update(), there) == {
        "email": "ADA@Example.com",
        "fields": [{"id": 7, "value": "x"}],
    }


def test_a_tag_is_written_as_the_account_has_it() -> None:
    """In any case, and in the same letters where the account has several; a new one as it came."""
    spellings = Spellings(["Vip", "VIP", "Old"])
    assert [spellings.of(name) for name in ("vip", "VIP", "old", "New", "new")] == [
        "Vip", "VIP", "Old", "New", "New",
    ]  # fmt: skip
    assert spellings.made == {"New"}


@pytest.mark.parametrize(
    "change",
    [
        update(email=Address("b@example.com", "b@example.com")),
        update(retire=True),
        update(held=True),
        update(suppressed=True),
        update(problems=(FieldProblem("X", "field_date", "no date"),)),
        update(values={"7": ""}),
        update(values={"7": "  "}),
        update(attributes={"firstName": ""}),
        update(attributes={"firstName": "Ada", "phone": " "}),
        update(lists=(NEWS, ListChange("5", Method.RESUBSCRIBE))),
        update(attributes={"cdate": "2020-01-01"}),
        update(tags=TagChange(remove=("3",))),
        update(tags=TagChange(clean=("3",))),
        update(tags=TagChange(add=("a",), settles=True)),
        update(lists=(ListChange("4", Method.UNSUBSCRIBE),)),
        update(lists=(ListChange("4", Method.RESUBSCRIBE),)),
        update(values={}, account_id="5"),
        update(values={}),
        update(values={"7": "\ud800"}),
        update(values={"7": "x" * MOST_BYTES}),
    ],
)
def test_what_an_import_can_not_do_goes_by_single_calls(change: Change) -> None:
    """No other address, nothing taken away or cleared, no faults, and no more than fits in."""
    assert row(update(), existing()) is not None
    assert row(change, existing()) is None


@pytest.mark.parametrize("status", ["0", "1", "2", "3"])
def test_nobody_who_was_ever_on_a_list_is_imported_to_it(status: str) -> None:
    """X2: whatever the vendor says it protects."""
    change = update(lists=(NEWS,))
    assert row(change, existing(lists={"9": Membership("2")})) is not None
    assert row(change, existing(lists={"4": Membership(status)})) is None
    assert row(change, existing(lists=None)) is None


@pytest.mark.parametrize(
    "one",
    [
        contact(None),
        contact("other@example.com"),
        contact(deleted=True),
        contact(origin=Origin("Lead")),
    ],
)
def test_whose_address_or_origin_matters_goes_by_single_calls(one: Contact) -> None:
    """An import knows people by their address alone."""
    assert row(update(), existing(), one) is None


@pytest.mark.parametrize(
    "change",
    [
        update(values={}, lists=(NEWS,)),
        update(values={}, tags=TagChange(("a",))),
        update(values={}, attributes={"phone": "1"}),
        update(),
    ],
)
def test_one_thing_to_add_is_enough(change: Change) -> None:
    """A membership, a tag, an attribute or a value."""
    assert row(change, existing()) is not None


def test_memberships_matter_to_those_who_join() -> None:
    """Where they were not read, everything else can still be imported."""
    assert row(update(), existing(lists=None)) is not None


def test_an_account_stays_for_the_pass_behind() -> None:
    """The rest of the row is imported."""
    assert row(update(account_id="5"), existing()) is not None


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        (create(), 1),
        (create(lists=(NEWS,), tags=TagChange(("a", "b"))), 4),
        (update(), 1),
        (update(lists=(NEWS,)), 3),
        (update(values={}, tags=TagChange(("a", "b"))), 3),
    ],
)
def test_single_calls_are_counted_as_the_executor_makes_them(change: Change, calls: int) -> None:
    """What is on lists and tags of a known contact is read before."""
    assert single_calls(change) == calls


def a_row(size: int = 20, calls: int = 1) -> ImportRow:
    return ImportRow(1, contact(), create(), b"x" * size, calls)


@given(st.lists(st.integers(30, 90_000), max_size=300))
def test_batches_hold_all_rows_in_order_and_fit(sizes: list[int]) -> None:
    """250 rows and 399,999 bytes of the whole request at most, and none could take one more."""
    rows = [replace(a_row(size), seq=number) for number, size in enumerate(sizes)]
    batches = list(cut(rows))
    assert all(batches)
    assert [one.seq for batch in batches for one in batch] == list(range(len(rows)))
    for number, batch in enumerate(batches):
        bodies = [one.body for one in batch]
        whole = len(b'{"contacts":[' + b",".join(bodies) + b"]}")
        assert len(batch) <= MOST_ROWS
        assert whole <= MOST_BYTES
        if number + 1 < len(batches) and len(batch) < MOST_ROWS:
            assert whole + 1 + len(batches[number + 1][0].body) > MOST_BYTES


@pytest.mark.parametrize(("more", "batches"), [(0, 1), (1, 2)])
def test_a_request_may_have_399_999_bytes(more: int, batches: int) -> None:
    """And not one more, with the brackets around and the comma between."""
    rows = [a_row(200_000), a_row(199_999 - len(b'{"contacts":[,]}') + more)]
    assert len(list(cut(rows))) == batches


def test_a_request_may_have_250_rows() -> None:
    """And not one more."""
    assert [len(batch) for batch in cut([a_row()] * 251)] == [250, 1]


def test_no_rows_are_no_batch() -> None:
    """Nothing is sent then."""
    assert list(cut([])) == []


def test_a_batch_is_cut_before_the_next_row_is_decided() -> None:
    """Memory stays flat: no more than one batch is ahead."""
    read: list[int] = []

    def rows() -> Any:
        for number in range(1000):
            read.append(number)
            yield a_row()

    assert len(next(cut(rows()))) == MOST_ROWS
    assert len(read) == MOST_ROWS + 1


@pytest.mark.parametrize(
    ("strategy", "rows", "calls", "first", "yes"),
    [
        ("single", 250, 3, True, False),
        ("bulk", 1, 1, True, True),
        ("auto", 9, 5, True, False),
        ("auto", 10, 1, True, True),
        ("auto", 3, 1, False, False),
        ("auto", 4, 1, False, True),
        ("auto", 1, 4, False, True),
    ],
)
def test_the_strategy_decides_by_calls(
    strategy: str, rows: int, calls: int, first: bool, yes: bool
) -> None:
    """Ten rows to begin with, and fewer calls than one by one; the settings may say otherwise."""
    batch = [a_row(calls=calls)] * rows
    assert pays(strategy, batch, first=first) is yes
