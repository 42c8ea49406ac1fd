"""Why somebody who is wanted on a list is not on it, in one word for the report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from target_activecampaign.memberships import ManagedList, plan_lists
from target_activecampaign.model import Contact, Existing, Membership
from target_kit.address import Address
from target_kit.consent import Consent, Status

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GIVEN = NOW - timedelta(days=10)
SINCE = NOW - timedelta(days=5)
HERE = "a@example.com"
LISTS = {"News": ManagedList("1", "ads"), "Offers": ManagedList("2", "offers")}


def why(
    statuses: dict[str, Status], wants: dict[str, bool], codes: dict[str, str], bounces: int = 0
) -> str:
    """For consents by purpose, wishes by list, and the vendor's codes by list id."""
    consents = {purpose: Consent(status, GIVEN, HERE) for purpose, status in statuses.items()}
    one = Contact("key:1", "1", "1", Address(HERE, HERE), {}, {}, consents=consents, wants=wants)
    lists = {list_id: Membership(code, SINCE) for list_id, code in codes.items()}
    there = Existing("10", HERE, {}, {}, lists=lists, bounces=bounces, bounced_on="2026-02-25")
    return plan_lists(one, there, LISTS, {}, NOW, mailed=HERE)[1]


@pytest.mark.parametrize("status", [Status.PENDING, Status.NONE, Status.UNSUBSCRIBED])
def test_without_consent_that_is_the_reason(status: Status) -> None:
    """S2-11, X2: whatever the destination holds, unless it takes the person off."""
    for codes in ({}, {"1": "2"}, {"1": "3"}):
        assert why({"ads": status}, {"News": True}, codes) == "no_consent"
    assert why({"ads": status}, {"News": True}, {"1": "1"}) == ""


@pytest.mark.parametrize(
    ("codes", "bounces", "reason"),
    [
        ({"1": "2"}, 0, "unsubscribed_there"),
        ({"1": "91"}, 0, "unsubscribed_there"),
        ({"1": "3"}, 0, "bounced_there"),
        ({}, 1, "bounced_there"),
        ({"1": "1"}, 0, ""),  # is there
        ({"1": "0"}, 0, ""),  # is subscribed
        ({}, 0, ""),
    ],
)
def test_with_consent_the_state_there_is_the_reason(
    codes: dict[str, str], bounces: int, reason: str
) -> None:
    """X2: left or bounced after the consent was given."""
    assert why({"ads": Status.CONFIRMED}, {"News": True}, codes, bounces) == reason


def test_who_is_not_wanted_needs_no_reason() -> None:
    """X5: said or unsaid, and on lists that nobody configured even less."""
    for wants in ({}, {"News": False}):
        assert why({"ads": Status.NONE}, wants, {"1": "2", "9": "2"}) == ""


def test_the_first_list_with_a_reason_gives_it() -> None:
    """In the order of the settings, whatever comes after."""
    wants = {"News": True, "Offers": True}
    granted = {"ads": Status.CONFIRMED, "offers": Status.CONFIRMED}
    assert why(granted, wants, {"1": "2", "2": "3"}) == "unsubscribed_there"
    assert why(granted, wants, {"1": "1", "2": "3"}) == "bounced_there"
    assert why(granted, wants, {"1": "2", "2": "1"}) == "unsubscribed_there"
