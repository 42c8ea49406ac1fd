"""What a destination's rows say of one membership, and which address it mails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from target_activecampaign.memberships import mailed_address
from target_activecampaign.model import Contact, Existing, Membership
from target_activecampaign.states import membership_of, state_of
from target_kit.address import Address
from target_kit.consent import State

ENDED = datetime(2026, 2, 10, tzinfo=UTC)
OVER = datetime(2026, 2, 2, 12, tzinfo=UTC)  # of 2026-02-01, everywhere on earth


def existing(**more: Any) -> Existing:
    data: dict[str, Any] = {"id": "10", "email": "Old@Example.com", "attributes": {}, "values": {}}
    return Existing(**{**data, **more})


def contact(email: str | None) -> Contact:
    return Contact("key:1", "1", "1", Address(email, email) if email else None, {}, {})


@pytest.mark.parametrize("there", [None, existing(), existing(lists={"2": Membership("1")})])
def test_without_a_row_there_is_no_membership(there: Existing | None) -> None:
    """X2: nobody there, nothing read, or on other lists only."""
    assert state_of(there, "1") == (State.NONE, None)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("0", (State.UNCONFIRMED, None)),
        ("1", (State.ACTIVE, None)),
        ("2", (State.UNSUBSCRIBED, ENDED)),
        ("91", (State.UNSUBSCRIBED, ENDED)),
    ],
)
def test_only_a_membership_that_has_ended_has_an_end(
    code: str, expected: tuple[State, datetime | None]
) -> None:
    """X2: a row may still carry the moment of an earlier end when it is active again."""
    assert state_of(existing(lists={"1": Membership(code, ENDED)}), "1") == expected


@pytest.mark.parametrize("day", ["2026-02-01", "2026-02-01 23:59:59", "2026-02-01T10:00:00-05:00"])
def test_a_bounce_is_dated_by_its_day(day: str) -> None:
    """X2: the row alone says that it bounced, the contact says when."""
    there = existing(lists={"1": Membership("3", ENDED)}, bounced_on=day)
    assert state_of(there, "1") == (State.BOUNCED, OVER)


def test_of_a_bounce_and_an_unsubscription_the_later_end_counts() -> None:
    """X2: evidence has to be newer than both."""
    there = existing(lists={"1": Membership("2", ENDED)}, bounces=1, bounced_on="2026-02-01")
    assert state_of(there, "1") == (State.BOUNCED, ENDED)
    later = existing(lists={"1": Membership("2", ENDED)}, bounces=2, bounced_on="2026-02-11")
    assert state_of(later, "1") == (State.BOUNCED, datetime(2026, 2, 12, 12, tzinfo=UTC))


def test_the_moment_of_an_end_is_kept_in_utc() -> None:
    """X2: whatever the account's zone is."""
    ended_at = membership_of("2", "2026-01-01T05:00:00-05:00").ended_at
    assert ended_at is not None
    assert ended_at.isoformat() == "2026-01-01T10:00:01+00:00"


@pytest.mark.parametrize(
    ("there", "renamed", "mailed"),
    [
        (None, False, "new@example.com"),
        (None, True, "new@example.com"),
        (existing(), True, "new@example.com"),
        (existing(), False, "old@example.com"),
    ],
)
def test_a_membership_mails_the_address_that_the_contact_ends_up_with(
    there: Existing | None, renamed: bool, mailed: str
) -> None:
    """S2-11: evidence has to be for that one."""
    assert mailed_address(contact("new@example.com"), there, renamed=renamed) == mailed


def test_where_no_address_is_mailed_no_evidence_fits() -> None:
    """S2-11: the empty key is nobody's."""
    assert mailed_address(contact(None), None, renamed=False) == ""
