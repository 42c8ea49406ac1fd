"""What each status of consent is worth, by its word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from target_kit.consent import Claim, Consent, Status, claim, join, status_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GIVEN = NOW - timedelta(days=10)
HERE = "a@example.com"

#: The words that records may hold, the most restrictive first, and what each can claim.
WORTH = {
    "complained": Claim.WITHDRAWN,
    "objected": Claim.WITHDRAWN,
    "unsubscribed": Claim.WITHDRAWN,
    "hard_bounced": Claim.WITHDRAWN,
    "pending": Claim.ABSENT,
    "none": Claim.ABSENT,
    "soft_opt_in": Claim.GRANTED,
    "confirmed": Claim.GRANTED,
}


def claimed(status: Status, mailed: str | None = HERE, given_for: str | None = HERE) -> Claim:
    consent = Consent(status, GIVEN, given_for)
    return claim(status, consent, mailed=mailed, ended_at=None, now=NOW)


def test_every_status_has_its_word() -> None:
    """X2: no word but these is known."""
    assert [str(status) for status in Status] == list(WORTH)


@pytest.mark.parametrize("word", WORTH)
def test_a_status_claims_no_more_than_it_is_worth(word: str) -> None:
    """X2: even with dated evidence for this very address."""
    assert claimed(Status(word)) is WORTH[word]


@pytest.mark.parametrize(("first", "second"), list(combinations(WORTH, 2)))
def test_of_two_statuses_the_more_restrictive_holds(first: str, second: str) -> None:
    """X2: complaint before objection before all that was given."""
    assert join(Status(second), Status(first)) is Status(first)


@pytest.mark.parametrize("word", WORTH)
def test_only_complaints_and_objections_are_of_the_person(word: str) -> None:
    """X2: any other status is of the purpose that it was said of."""
    consents = {"news": Consent(Status.CONFIRMED), "offers": Consent(Status(word))}
    personal = word in ("complained", "objected")
    assert status_of("news", consents) is (Status(word) if personal else Status.CONFIRMED)


@pytest.mark.parametrize("word", ["soft_opt_in", "confirmed"])
def test_a_status_without_evidence_grants_nothing(word: str) -> None:
    """X2: it takes a date, whoever says the word."""
    status = Status(word)
    assert claim(status, None, mailed=HERE, ended_at=None, now=NOW) is Claim.ABSENT
    undated = Consent(status, None, HERE)
    assert claim(status, undated, mailed=HERE, ended_at=None, now=NOW) is Claim.ABSENT


def test_whatever_the_address_asks_for_evidence_alone() -> None:
    """S2-11: only who asks for no address in particular gets an answer without one."""
    assert claimed(Status.CONFIRMED, mailed=None, given_for="b@example.com") is Claim.GRANTED
    assert claimed(Status.CONFIRMED, mailed=None, given_for=None) is Claim.GRANTED
    assert claimed(Status.CONFIRMED, mailed=HERE, given_for=None) is Claim.ABSENT
