"""What has to change."""

from __future__ import annotations

from typing import Any

import pytest
from target_activecampaign.model import Contact, Existing, Field
from target_activecampaign.planning import choose_reads, plan_create, plan_update
from target_activecampaign.settings import ContactStream, read_settings
from target_kit.address import Address
from target_kit.errors import RowError

FIELDS = {
    "BUBSCTTID": Field("1", "BUBSCTTID", "hidden"),
    "LAND": Field("2", "LAND", "text"),
    "BIRTHDAY": Field("3", "BIRTHDAY", "date"),
}


def stream(**rules: str) -> ContactStream:
    streams = {
        "contacts": {
            "key": "ctt_id",
            "fields": {"email": "email", "firstName": "g", "phone": "p", "cdate": "d"},
            "custom_fields": {"LAND": "c", "BIRTHDAY": "b"},
            "rules": rules,
        }
    }
    config = {"api_url": "http://127.0.0.1:1", "api_key": "k", "streams": streams}
    return read_settings(config).streams["contacts"]


def wanted(**more: Any) -> Contact:
    data: dict[str, Any] = {
        "identity": "key:1",
        "key": "1",
        "key_text": "1",
        "email": Address("a@example.com", "a@example.com"),
        "attributes": {"firstName": "Ada", "phone": "1", "cdate": "2020-01-01"},
        "values": {"LAND": "DE"},
    }
    return Contact(**{**data, **more})


def existing(**more: Any) -> Existing:
    data: dict[str, Any] = {
        "id": "10",
        "email": "A@example.com",
        "attributes": {"firstName": "Ada", "lastName": "", "phone": "1"},
        "values": {"1": "1", "2": "DE"},
    }
    return Existing(**{**data, **more})


def test_agreement_needs_nothing() -> None:
    """S0-32, S0-34: equal but for cdate and letter case of the address: no call."""
    change = plan_update(wanted(), existing(), stream(), FIELDS, address_holder="10")
    assert change.empty


def test_only_what_differs_is_written() -> None:
    """S0-31, S0-34, S0-53: one changed name, one attribute in the call."""
    change = plan_update(
        wanted(attributes={"firstName": "Grace", "phone": "1", "cdate": "2021-01-01"}),
        existing(),
        stream(),
        FIELDS,
        address_holder="10",
    )
    assert (change.contact_id, change.attributes, change.values) == (
        "10",
        {"firstName": "Grace"},
        {},
    )


def test_a_changed_address_of_a_known_contact_is_changed_in_place() -> None:
    """S0-35: the same id gets the new address when it is free."""
    email = Address("b@example.com", "b@example.com")
    change = plan_update(wanted(email=email), existing(), stream(), FIELDS, address_holder=None)
    assert (change.contact_id, change.email) == ("10", email)


def test_an_address_of_somebody_else_is_a_typed_conflict() -> None:
    """S0-36: nothing is overwritten."""
    with pytest.raises(RowError) as caught:
        plan_update(wanted(), existing(), stream(), FIELDS, address_holder="11")
    assert caught.value.cause == "address_taken"


def test_the_key_goes_into_a_blank_key_field() -> None:
    """S0-49, S0-52: a contact found by address gets the key, so the next run finds it by key."""
    change = plan_update(
        wanted(), existing(values={"2": "DE"}), stream(), FIELDS, address_holder="10"
    )
    assert change.values == {"1": "1"}


@pytest.mark.parametrize(
    ("rule", "before", "written"),
    [
        ("always", "", True),
        ("always", "2", True),
        ("if_empty", "", True),
        ("if_empty", "2", False),
        ("on_create", "", False),
        ("on_create", "2", False),
        ("never", "", False),
        ("never", "2", False),
    ],
)
def test_each_rule_decides_when_a_field_is_written(rule: str, before: str, written: bool) -> None:
    """S0-31: blank → value and value → other value under each rule."""
    chosen = stream(phone=rule)
    contact = wanted(attributes={"phone": "1"} if "phone" in chosen.fields else {})
    change = plan_update(
        contact, existing(attributes={"phone": before}), chosen, FIELDS, address_holder="10"
    )
    assert ("phone" in change.attributes) is written


@pytest.mark.parametrize(
    ("rule", "before", "written"),
    [("if_empty", "", True), ("if_empty", "FR", False), ("on_create", "", False)],
)
def test_rules_hold_for_custom_fields_too(rule: str, before: str, written: bool) -> None:
    """S0-51: further fields follow the same pattern."""
    change = plan_update(
        wanted(), existing(values={"1": "1", "2": before}), stream(LAND=rule), FIELDS,
        address_holder="10",
    )  # fmt: skip
    assert ("2" in change.values) is written


def test_a_new_contact_gets_everything_once() -> None:
    """S0-41, S0-49: cdate on the first write, key and values inline."""
    change = plan_create(wanted(), stream(), FIELDS)
    assert change.attributes["cdate"] == "2020-01-01"
    assert change.values == {"1": "1", "2": "DE"}


def test_a_bad_custom_value_does_not_stop_the_rest() -> None:
    """S0-27, S0-54: the problem is kept by name, the other values are planned."""
    change = plan_create(wanted(values={"LAND": "DE", "BIRTHDAY": "soon"}), stream(), FIELDS)
    assert change.values == {"1": "1", "2": "DE"}
    assert [(p.perstag, p.cause) for p in change.problems] == [("BIRTHDAY", "field_date")]


@pytest.mark.parametrize(
    ("setting", "records", "total", "expected"),
    [
        ("auto", 10, 100_000, "point"),
        ("auto", 2_000, 2_000, "crawl"),
        ("auto", 1, 0, "crawl"),
        ("auto", 100_000, 100_000, "crawl"),
        ("crawl", 1, 100_000, "crawl"),
        ("point", 100_000, 1, "point"),
    ],
)
def test_reads_are_chosen_by_cost(setting: str, records: int, total: int, expected: str) -> None:
    """S0-21: few records are looked up, many are found by a crawl; the report says why."""
    reads = choose_reads(setting, records, total)
    assert reads.strategy == expected
    assert str(records) in reads.because
