"""Which values are due on a contact: blanks, rules, clearing, and what can't be encoded."""

from __future__ import annotations

from typing import Any

import pytest
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.model import Change, Contact, Existing, Field
from target_activecampaign.planning import plan_create, plan_update
from target_activecampaign.settings import read_settings
from target_kit.address import Address

KEY = {"1": "7"}
FIELDS = {
    "BUBSCTTID": Field("1", "BUBSCTTID", "hidden"),
    "LAND": Field("2", "LAND", "text"),
    "BIRTHDAY": Field("3", "BIRTHDAY", "date"),
    "NEWS": Field("4", "NEWS", "checkbox", (("yes", "Yes"),)),
}


def stream(null_semantics: str = "omit", **rules: str) -> ContactStream:
    contacts = {
        "key": "ctt_id",
        "fields": {"email": "email", "phone": "p"},
        "custom_fields": {"LAND": "c", "BIRTHDAY": "b", "NEWS": "n"},
        "rules": rules,
        "null_semantics": null_semantics,
    }
    config = {"api_url": "http://127.0.0.1:1", "api_key": "k", "streams": {"contacts": contacts}}
    return read_settings(config).streams["contacts"]


def row(key: str | None = "7", phone: str | None = None, **values: Any) -> Contact:
    attributes = {} if phone is None else {"phone": phone}
    address = Address("a@example.com", "a@example.com")
    return Contact("key:7", key, key, address, attributes, values)


def known(phone: str | None = None, values: dict[str, str] | None = None) -> Existing:
    attributes = {} if phone is None else {"phone": phone}
    return Existing("10", "a@example.com", attributes, KEY if values is None else values)


def updated(one: Contact, there: Existing, chosen: ContactStream | None = None) -> Change:
    return plan_update(one, there, chosen or stream(), FIELDS)


def test_blanks_around_an_attribute_are_no_difference() -> None:
    """X3: or the same value would be written each night."""
    assert updated(row(phone="1"), known(phone=" 1 ")).empty


@pytest.mark.parametrize("there", [None, "", "  "])
def test_a_blank_attribute_is_empty(there: str | None) -> None:
    """S0-31: by `if_empty` it is filled, whether it is blank or not there at all."""
    change = updated(row(phone="1"), known(phone=there), stream(phone="if_empty"))
    assert change.attributes == {"phone": "1"}


def test_an_attribute_that_is_not_there_needs_no_clearing() -> None:
    """X3: nothing is nothing already."""
    assert updated(row(phone=""), known()).empty


def test_a_new_contact_is_sent_no_blank_attribute() -> None:
    """S0-50: there is nothing to clear."""
    assert plan_create(row(phone=""), stream(), FIELDS).attributes == {}


def test_a_row_without_key_leaves_the_key_field_alone() -> None:
    """S0-49: a null key is written nowhere."""
    assert updated(row(key=None), known(values={})).values == {}
    assert plan_create(row(key=None), stream(), FIELDS).values == {}


@pytest.mark.parametrize(("there", "values"), [("", KEY), ("  ", KEY), ("8", {})])
def test_only_a_blank_key_field_gets_the_key(there: str, values: dict[str, str]) -> None:
    """S0-49: the key of somebody else stays."""
    assert updated(row(), known(values={"1": there})).values == values


def test_what_is_only_for_new_contacts_is_given_to_them() -> None:
    """S0-31: and to nobody else."""
    only = stream(LAND="on_create")
    assert plan_create(row(LAND="DE"), only, FIELDS).values == {**KEY, "2": "DE"}
    assert updated(row(LAND="DE"), known(), only).empty


def test_one_value_that_is_not_due_does_not_stop_the_next() -> None:
    """S0-51: each field follows its own rule."""
    fills = stream(LAND="if_empty")
    change = updated(row(LAND="DE", NEWS=True), known(values={**KEY, "2": "FR"}), fills)
    assert change.values == {"4": "||yes||"}


def test_one_value_that_is_no_value_does_not_stop_the_next() -> None:
    """S0-54: it is named, the others are written."""
    change = updated(row(BIRTHDAY="soon", LAND="DE"), known())
    assert change.values == {"2": "DE"}
    assert [(one.perstag, one.cause) for one in change.problems] == [("BIRTHDAY", "field_date")]


@pytest.mark.parametrize(
    ("null_semantics", "there", "values"),
    [
        ("omit", {**KEY, "2": "DE"}, {}),
        ("clear", {**KEY, "2": "DE"}, {"2": ""}),
        ("clear", KEY, {}),
        ("clear", {**KEY, "2": ""}, {}),
    ],
)
def test_a_blank_clears_where_it_is_meant_to_and_something_is_there(
    null_semantics: str, there: dict[str, str], values: dict[str, str]
) -> None:
    """S0-50: by default null leaves alone; a new contact is never cleared."""
    chosen = stream(null_semantics)
    assert updated(row(LAND=""), known(values=there), chosen).values == values
    assert plan_create(row(LAND=""), chosen, FIELDS).values == KEY


def test_a_missing_date_of_the_vendor_is_blank() -> None:
    """S0-31, X3: it fills one by `if_empty`, and clears none."""
    there = known(values={**KEY, "3": "0000-00-00"})
    fills = stream(BIRTHDAY="if_empty")
    assert updated(row(BIRTHDAY="1990-01-02"), there, fills).values == {"3": "1990-01-02"}
    assert updated(row(BIRTHDAY=""), there, stream("clear")).empty


@pytest.mark.parametrize("null_semantics", ["omit", "clear"])
def test_a_box_no_longer_ticked_is_cleared(null_semantics: str) -> None:
    """S0-50: false is said, not missing."""
    chosen = stream(null_semantics)
    assert updated(row(NEWS=False), known(values={**KEY, "4": "||yes||"}), chosen).values == {
        "4": ""
    }
    assert updated(row(NEWS=False), known(), chosen).empty
    assert updated(row(NEWS=True), known(values={**KEY, "4": "||yes||"}), chosen).empty
