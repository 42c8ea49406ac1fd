"""What was said in the past of a person, or under an address, and since when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from target_activecampaign.model import Existing, Membership
from target_activecampaign.past import (
    NO_PAST,
    Ended,
    Past,
    ended,
    ended_by,
    left_before,
    left_by_others,
    under_others,
    with_formers,
)
from target_kit.consent import State

EARLY = datetime(2026, 2, 1, tzinfo=UTC)
LATE = datetime(2026, 2, 10, tzinfo=UTC)
BOUNCED_ON = "2026-02-05"
BOUNCE_OVER = datetime(2026, 2, 6, 12, tzinfo=UTC)  # everywhere on earth
FOREVER = datetime.max.replace(tzinfo=UTC)


def contact(status: str | None = None, ended_at: datetime | None = None, **more: Any) -> Existing:
    """A contact with a row on list 1, if a status is given."""
    lists = {"1": Membership(status, ended_at)} if status else {}
    data: dict[str, Any] = {"id": "9", "email": "a@example.com", "lists": lists}
    return Existing(attributes={}, values={}, **{**data, **more})


@pytest.mark.parametrize(
    ("formers", "expected"),
    [
        ((), (State.NONE, None)),
        ((contact(),), (State.NONE, None)),
        ((contact(lists=None),), (State.NONE, None)),
        ((contact("1"), contact("0"), contact("3", LATE)), (State.NONE, None)),
        ((contact("2", EARLY),), (State.UNSUBSCRIBED, EARLY)),
        ((contact("91", EARLY),), (State.UNSUBSCRIBED, EARLY)),
        ((contact("2", LATE), contact("2", EARLY)), (State.UNSUBSCRIBED, LATE)),
        ((contact("2", LATE), contact("2"), contact("1")), (State.UNSUBSCRIBED, None)),
    ],
)
def test_who_left_under_former_addresses_left_when_the_last_of_them_did(
    formers: tuple[Existing, ...], expected: tuple[State, datetime | None]
) -> None:
    """S2-19, S2-9: an end without a time is the last of all; a bounce is the address's own."""
    assert with_formers(contact(), "1", Past(None, formers)) == expected
    assert with_formers(None, "1", Past(None, formers)) == expected


@pytest.mark.parametrize("code", ["0", "1", "2", "3"])
def test_a_membership_that_is_there_speaks_for_itself(code: str) -> None:
    """S2-19: former contacts are asked where the present one says nothing."""
    there = contact(code, EARLY, bounced_on=BOUNCED_ON)
    past = Past(None, (contact("2", LATE),))
    assert with_formers(there, "1", past) == with_formers(there, "1", NO_PAST)


def test_what_this_target_ended_is_left_out_of_a_persons_words() -> None:
    """S2-16: by contact, list and moment, so that what came later still counts."""
    signed_off = contact("2", EARLY)
    ours = frozenset({ended(signed_off, "1")})
    assert with_formers(None, "1", Past(None, (signed_off,), ours)) == (State.NONE, None)
    for theirs in (contact("2", EARLY, id="8"), contact("2", LATE), contact("2")):
        carried = ours | {ended(contact("2"), "1")}
        state, _ = with_formers(None, "1", Past(None, (theirs,), carried))
        assert state is State.UNSUBSCRIBED


@pytest.mark.parametrize(
    ("others", "left"),
    [
        ((), None),
        ((contact(), contact("0"), contact("1", LATE)), None),
        ((contact("2", EARLY),), EARLY),
        ((contact("2", EARLY), contact("2", LATE), contact("1")), LATE),
        ((contact("2", LATE), contact("2", EARLY)), LATE),
        ((contact("2"), contact("2", EARLY)), FOREVER),
        ((contact("3", bounced_on=BOUNCED_ON), contact("2", EARLY)), BOUNCE_OVER),
        ((contact("3"),), FOREVER),
        ((contact(bounces=1, bounced_on=BOUNCED_ON),), BOUNCE_OVER),
    ],
)
def test_the_last_end_under_an_address_counts_whoever_left(
    others: tuple[Existing, ...], left: datetime | None
) -> None:
    """S2-28, X2: left or bounced, known or not; nobody's end is overruled by an earlier one."""
    assert left_by_others(others, "1") == left


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ((State.NONE, None, None), (State.UNSUBSCRIBED, LATE, None)),
        ((State.UNCONFIRMED, None, None), (State.UNSUBSCRIBED, LATE, None)),
        ((State.ACTIVE, None, None), (State.ACTIVE, None, LATE)),
        ((State.ACTIVE, None, EARLY), (State.ACTIVE, None, LATE)),
        ((State.ACTIVE, None, FOREVER), (State.ACTIVE, None, FOREVER)),
        ((State.UNSUBSCRIBED, EARLY, None), (State.UNSUBSCRIBED, LATE, None)),
        ((State.UNSUBSCRIBED, FOREVER, None), (State.UNSUBSCRIBED, FOREVER, None)),
        ((State.UNSUBSCRIBED, None, None), (State.UNSUBSCRIBED, None, None)),
        ((State.BOUNCED, EARLY, None), (State.BOUNCED, LATE, None)),
        ((State.BOUNCED, FOREVER, None), (State.BOUNCED, FOREVER, None)),
        ((State.BOUNCED, None, None), (State.BOUNCED, None, None)),
    ],
)
def test_an_address_that_somebody_else_left_is_left_until_there_is_newer_proof(
    there: tuple[State, datetime | None, datetime | None],
    expected: tuple[State, datetime | None, datetime | None],
) -> None:
    """S2-28, X2: of two ends the later one, and one without a time is never over."""
    assert under_others(*there, LATE) == expected


@pytest.mark.parametrize(
    ("there", "left"),
    [
        (contact("1"), None),
        (contact(), None),
        (contact(lists=None), None),
        (contact("1", EARLY), EARLY),
        (contact("1", EARLY, bounces=1, bounced_on=BOUNCED_ON), BOUNCE_OVER),
        (contact("1", LATE, bounces=2, bounced_on=BOUNCED_ON), LATE),
        (contact("1", bounces=1, bounced_on=BOUNCED_ON), BOUNCE_OVER),
        (contact("1", bounces=0, bounced_on=BOUNCED_ON), None),
        (contact("1", EARLY, bounces=1, bounced_on=""), EARLY),
        (contact("1", lists={"2": Membership("1", LATE)}), None),
    ],
)
def test_who_is_active_may_have_left_or_bounced_before(
    there: Existing, left: datetime | None
) -> None:
    """S2-27: the row still tells when, the later of both counts."""
    assert left_before(there, "1") == left


@pytest.mark.parametrize(("late", "kept"), [(-1, True), (0, True), (1, True), (2, False)])
def test_an_end_is_of_an_address_up_to_the_second_it_was_given_up(late: int, kept: bool) -> None:
    """S2-28: the vendor's whole seconds are rounded up, so one more counts, not two."""
    there = contact("2", LATE + timedelta(seconds=late))
    assert ended_by(there, LATE).lists == (there.lists if kept else {})


def test_an_end_without_a_time_is_of_every_address() -> None:
    """X2: unknown counts as unsafe."""
    for there in (contact("2"), contact("91"), contact("1")):
        assert ended_by(there, EARLY) == there
    unread = contact(lists=None, email="b@example.com")
    assert (ended_by(unread, EARLY).id, ended_by(unread, EARLY).lists) == ("9", {})


@pytest.mark.parametrize(
    ("moment", "bounces"),
    [
        (datetime(2026, 2, 4, 23, 59, 58, tzinfo=UTC), 0),
        (datetime(2026, 2, 4, 23, 59, 59, tzinfo=UTC), 3),
        (datetime(2026, 2, 5, 12, tzinfo=UTC), 3),
        (LATE, 3),
    ],
)
def test_a_bounce_is_of_the_address_from_its_day_on(moment: datetime, bounces: int) -> None:
    """S2-9: a day that had not begun when the address was given up is of another address."""
    assert ended_by(contact(bounces=3, bounced_on=BOUNCED_ON), moment).bounces == bounces


def test_a_bounce_of_an_unknown_day_is_of_every_address() -> None:
    """X2: unknown counts as unsafe; a day without a bounce is none."""
    assert ended_by(contact(bounces=2), EARLY).bounces == 2
    assert ended_by(contact(bounced_on=BOUNCED_ON), LATE).bounces == 0


def test_what_this_target_ended_is_no_word_about_the_address() -> None:
    """S2-16, S2-28: of all ends only that one is left out."""
    lists = {"1": Membership("2", EARLY), "2": Membership("2", EARLY)}
    there = contact(lists=lists)
    carried = frozenset({ended(there, "1")})
    assert ended_by(there, LATE, carried).lists == {"2": Membership("2", EARLY)}


def test_an_end_is_told_as_the_destination_tells_it() -> None:
    """S2-16: it is kept as text, and compared with what is read later."""
    assert ended(contact("2", EARLY), "1") == Ended("9", "1", "2026-02-01T00:00:00+00:00")
    for unknown in (contact("2"), contact(), contact(lists=None)):
        assert ended(unknown, "1") == Ended("9", "1", "")
