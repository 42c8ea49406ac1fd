"""Who is who."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from target_activecampaign.identity import Match, resolve
from target_activecampaign.model import Contact
from target_kit.address import Address
from target_kit.errors import RowError


@dataclass(frozen=True)
class Held:
    id: str
    key: str | None


def contact(key: str | None = "1", email: str | None = "a@example.com") -> Contact:
    address = Address(email, email) if email else None
    return Contact("i", key, key, address, {}, {})


def test_the_key_field_comes_first() -> None:
    """S0-17, S0-19: the custom field match wins over the address match."""
    match = resolve(contact(), [Held("10", "1")], [Held("20", None)])
    assert match == Match("10", "cfd")


def test_the_address_matches_a_contact_without_key() -> None:
    """S0-18, S0-20: address equality serves contacts the first source does not cover."""
    assert resolve(contact(), [], [Held("20", None)]) == Match("20", "ctt")


def test_nobody_found_is_new() -> None:
    """S0-4: a row without mapping stays, its reference is empty."""
    assert resolve(contact(), [], []) == Match(None, "new")


def test_two_contacts_with_one_key_are_never_picked_from() -> None:
    """S0-24: ambiguous, no update of either."""
    with pytest.raises(RowError) as caught:
        resolve(contact(), [Held("10", "1"), Held("11", "1")], [])
    assert caught.value.cause == "ambiguous_key"


def test_an_address_held_under_another_key_is_a_mismatch() -> None:
    """S0-25: the custom field says B, so a row of A is not written there."""
    with pytest.raises(RowError) as caught:
        resolve(contact(key="1"), [], [Held("20", "2")])
    assert (caught.value.cause, caught.value.field) == ("address_of_other_key", "email")


def test_an_unreadable_key_field_is_named() -> None:
    """S0-22: a non-numeric value is a finding."""
    with pytest.raises(RowError) as caught:
        resolve(contact(), [], [Held("20", "?abc")])
    assert caught.value.cause == "key_field_unreadable"


def test_two_contacts_with_one_address_are_never_picked_from() -> None:
    """S0-24: the same holds for addresses, should the vendor ever show two."""
    with pytest.raises(RowError) as caught:
        resolve(contact(), [], [Held("20", None), Held("21", None)])
    assert caught.value.cause == "ambiguous_address"


def test_a_row_without_key_matches_by_address_only() -> None:
    """S0-49: a null key never matches a blank key field."""
    assert resolve(contact(key=None), [Held("9", None)], []) == Match(None, "new")
    held = [Held("20", "2")]
    assert resolve(contact(key=None), [], held, has_key_column=False) == Match("20", "ctt")


def test_a_null_key_does_not_take_over_the_contact_of_a_key() -> None:
    """S0-18: where the stream has keys, an address serves only contacts without one."""
    with pytest.raises(RowError) as caught:
        resolve(contact(key=None), [], [Held("20", "2")])
    assert caught.value.cause == "address_of_other_key"


def test_a_contact_given_up_for_another_address_is_taken_back_by_its_own_person() -> None:
    """S2-27: back at the former address it is the same contact again, never a new one."""
    assert resolve(contact(), [], [Held("20", "former:1")]) == Match("20", "ctt")


@pytest.mark.parametrize("key", ["2", None])
def test_a_contact_given_up_is_nobody_elses(key: str | None) -> None:
    """S2-28: its history is somebody's; what becomes of it is for people to decide."""
    with pytest.raises(RowError) as caught:
        resolve(contact(key), [], [Held("20", "former:1")])
    assert (caught.value.cause, caught.value.field) == ("address_of_former_contact", "email")
