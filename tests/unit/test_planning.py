"""What has to change."""

from __future__ import annotations

from typing import Any

import pytest
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.mapping import to_contact
from target_activecampaign.model import Contact, Existing, Field, KeyType, Rule
from target_activecampaign.planning import (
    AddressPlan,
    choose_reads,
    plan_address,
    plan_create,
    plan_update,
)
from target_activecampaign.settings import read_settings
from target_kit.address import Address, parse_address
from target_kit.errors import RowError

FIELDS = {
    "BUBSCTTID": Field("1", "BUBSCTTID", "hidden"),
    "LAND": Field("2", "LAND", "text"),
    "BIRTHDAY": Field("3", "BIRTHDAY", "date"),
}


def stream(
    on_email_change: Any = None, null_semantics: str = "omit", **rules: str
) -> ContactStream:
    streams = {
        "contacts": {
            "key": "ctt_id",
            "fields": {"email": "email", "firstName": "g", "phone": "p", "cdate": "d"},
            "custom_fields": {"LAND": "c", "BIRTHDAY": "b"},
            "rules": rules,
            "on_email_change": on_email_change,
            "null_semantics": null_semantics,
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
    change = plan_update(wanted(), existing(), stream(), FIELDS)
    assert change.empty


def test_only_what_differs_is_written() -> None:
    """S0-31, S0-34, S0-53: one changed name, one attribute in the call."""
    change = plan_update(
        wanted(attributes={"firstName": "Grace", "phone": "1", "cdate": "2021-01-01"}),
        existing(),
        stream(),
        FIELDS,
    )
    assert (change.contact_id, change.attributes, change.values) == (
        "10",
        {"firstName": "Grace"},
        {},
    )


def changing(
    to: str,
    was: str = "a@example.com",
    policies: Any = None,
    holder: str | None = None,
    **more: bool,
) -> AddressPlan:
    """What becomes of the address of contact 10."""
    chosen = stream(**{"on_email_change": policies} if policies else {})
    one = wanted(email=parse_address(to))
    return plan_address(one, existing(email=was), chosen, holder=holder, **more)


def test_a_changed_address_of_a_known_contact_is_changed_in_place() -> None:
    """S0-35: the same id gets the new address when it is free, or its own already."""
    new = parse_address("b@example.com")
    assert changing("b@example.com") == AddressPlan(rename=new)
    assert changing("b@example.com", holder="10") == AddressPlan(rename=new)
    change = plan_update(wanted(email=new), existing(), stream(), FIELDS, AddressPlan(rename=new))
    assert (change.contact_id, change.email) == ("10", new)


@pytest.mark.parametrize("policy", ["rename", "resubscribe"])
def test_an_address_of_somebody_else_is_a_typed_conflict(policy: str) -> None:
    """S0-36, S2-29: nothing is overwritten."""
    with pytest.raises(RowError) as caught:
        changing("b@example.com", policies=policy, holder="11", free=False)
    assert (caught.value.cause, caught.value.field) == ("address_taken", "email")


def test_a_contact_of_nobodys_is_only_taken_over_by_one_that_begins_anew() -> None:
    """S2-29: two contacts are never made one in place, but a new beginning may be where it is."""
    begins = changing("b@example.com", policies="resubscribe", holder="11")
    assert begins == AddressPlan(retire=True)
    with pytest.raises(RowError):
        changing("b@example.com", policies="rename", holder="11", free=True)


@pytest.mark.parametrize(
    ("was", "to", "kind"),
    [
        ("max@example.com", "m@example.com", "local_part"),
        ("max@example.com", "max@example.org", "domain"),
        ("info@example.com", "max@example.com", "role_to_personal"),
    ],
)
@pytest.mark.parametrize("policy", ["rename", "resubscribe", "hold"])
def test_each_kind_of_change_follows_its_policy(was: str, to: str, kind: str, policy: str) -> None:
    """S2-2, S2-15: one word a kind; approval or proof lets what is held be renamed."""
    plan = changing(to, was, {kind: policy})
    assert (plan.rename is not None, plan.retire, plan.held) == (
        policy == "rename",
        policy == "resubscribe",
        policy == "hold",
    )
    if policy == "hold":
        assert changing(to, was, {kind: policy}, leave=True).rename == parse_address(to)


def test_by_default_a_role_mailbox_hands_nothing_on() -> None:
    """S2-2, S2-11: info@ was signed up by nobody in particular."""
    assert changing("max@example.com", "info@example.com").held


def test_another_spelling_is_no_change() -> None:
    """S0-26, S2-2, X3: one mailbox; its form there stays, so that a vendor with a spelling of its
    own is not written to each night.
    """
    assert changing("A@example.com", "a@example.com") == AddressPlan()
    assert changing("A@example.com", "a@example.com", {"case_only": "hold"}).held


@pytest.mark.parametrize("policy", ["rename", "resubscribe", "hold"])
def test_the_same_address_is_no_change_by_any_policy(policy: str) -> None:
    """X3: whoever has it, blanks around it as well."""
    for was in ("a@example.com", " a@example.com "):
        assert changing("a@example.com", was, policy, holder="11") == AddressPlan()


def test_an_address_that_no_rule_feeds_is_left_alone() -> None:
    """S0-31: on_create says that nothing follows, and a row without address changes none."""
    fixed = stream(email="on_create")
    one = wanted(email=parse_address("b@example.com"))
    assert plan_address(one, existing(), fixed, holder=None) == AddressPlan()
    assert plan_address(wanted(email=None), existing(), stream(), holder=None) == AddressPlan()


def test_a_contact_that_stepped_aside_goes_on_whatever_the_policy() -> None:
    """S2-28: the swap was decided before; a crash in the middle must not leave it parked."""
    plan = changing("b@example.com", "parked-10@address-change.invalid", "hold")
    assert plan.rename == parse_address("b@example.com")


def test_a_contact_taken_back_gets_its_key_again() -> None:
    """S2-27: back at a former address, the contact that was given up is the person's once more."""
    there = existing(values={"1": "former:1", "2": "DE"})
    assert plan_update(wanted(), there, stream(), FIELDS).values == {"1": "1"}


def test_the_key_goes_into_a_blank_key_field() -> None:
    """S0-49, S0-52: a contact found by address gets the key, so the next run finds it by key."""
    change = plan_update(wanted(), existing(values={"2": "DE"}), stream(), FIELDS)
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
    change = plan_update(contact, existing(attributes={"phone": before}), chosen, FIELDS)
    assert ("phone" in change.attributes) is written


TRANSITIONS = [("", "Neu"), ("Alt", "Neu"), ("Alt", "")]
DUE = {
    "always": (True, True, True),
    "if_empty": (True, False, False),
    "on_create": (False, False, False),
    "never": (False, False, False),
}


@pytest.mark.parametrize("rule", sorted(DUE))
@pytest.mark.parametrize("field", ["phone", "LAND"])
def test_each_rule_is_kept_for_each_transition(rule: str, field: str) -> None:
    """S4-7, S4-8: created, blank to value, value to another, value to blank; `always` when nothing
    is said; only `never` leaves a new contact without the value.
    """
    chosen = stream(**{field: rule}, null_semantics="clear")
    default = stream(null_semantics="clear")
    assert default.rule(field) is Rule.ALWAYS
    for (before, after), due in zip(TRANSITIONS, DUE[rule], strict=True):
        row = {"ctt_id": 1, "email": "a@example.com", "p": None, "c": None}
        row["p" if field == "phone" else "c"] = after or None
        one = to_contact(row, chosen, KeyType.NUMBER)
        there = existing(
            attributes={"phone": before if field == "phone" else ""},
            values={"1": "1", "2": before if field == "LAND" else ""},
        )
        change = plan_update(one, there, chosen, FIELDS)
        written = change.attributes.get("phone") if field == "phone" else change.values.get("2")
        assert written == (after if due else None), (rule, before, after)
        made = plan_create(one, chosen, FIELDS)
        new = made.attributes.get("phone") if field == "phone" else made.values.get("2")
        assert new == (after if rule != "never" and after else None)


@pytest.mark.parametrize(
    ("rule", "before", "written"),
    [("if_empty", "", True), ("if_empty", "FR", False), ("on_create", "", False)],
)
def test_rules_hold_for_custom_fields_too(rule: str, before: str, written: bool) -> None:
    """S0-51: further fields follow the same pattern."""
    change = plan_update(
        wanted(), existing(values={"1": "1", "2": before}), stream(LAND=rule), FIELDS
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
