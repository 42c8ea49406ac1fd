"""The consent firewall: its algebra, its claims, and every cell of its table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_kit import consent as firewall
from target_kit.consent import (
    ALLOWED,
    GRANTS,
    PERSONAL,
    WITHDRAWALS,
    Claim,
    Consent,
    Listing,
    Method,
    State,
    Status,
    claim,
    decide,
    join,
    status_of,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GIVEN = NOW - timedelta(days=10)
HERE, ELSEWHERE = "a@example.com", "b@example.com"
statuses = st.sampled_from(Status)
moments = st.none() | st.datetimes(
    NOW.replace(tzinfo=None) - timedelta(60),
    NOW.replace(tzinfo=None) + timedelta(30),
    timezones=st.just(UTC),
)
addresses = st.sampled_from([None, HERE, ELSEWHERE])
consents = st.builds(Consent, statuses, moments, addresses)

#: The table once more, written from the rules and not read off the code: one line a destination
#: state, the columns withdrawn, absent, moved, granted, renewed; s, r, u name the only method and
#: - none.
GOLDEN = """
none          - - u s s
unconfirmed   u - u s s
active        u u u u u
unsubscribed  - - - - r
bounced       - - - - r
"""
EVERY_WISH = list(product(State, Claim, [True, False, None]))
LETTERS = {"-": None, "s": Method.SUBSCRIBE, "r": Method.RESUBSCRIBE, "u": Method.UNSUBSCRIBE}


def golden() -> dict[tuple[State, Claim], Method | None]:
    """The table by state and claim."""
    rows = [line.split() for line in GOLDEN.strip().splitlines()]
    claims = (Claim.WITHDRAWN, Claim.ABSENT, Claim.MOVED, Claim.GRANTED, Claim.RENEWED)
    return {
        (State(state), claimed): LETTERS[letter]
        for state, *letters in rows
        for claimed, letter in zip(claims, letters, strict=True)
    }


@pytest.mark.parametrize(("state", "claimed"), list(product(State, Claim)))
def test_each_cell_of_the_table_allows_what_is_written_down(state: State, claimed: Claim) -> None:
    """S2-11, X2: twenty-five cells, each with the one method that may be called, or none."""
    assert ALLOWED[Listing.MANAGED, state, claimed] is golden()[state, claimed]


def test_the_table_that_people_read_is_the_one_that_decides() -> None:
    """X2: column for column and word for word, as it stands above the code."""
    lines = iter((firewall.__doc__ or "").splitlines())
    _, *claims = next(line for line in lines if line.split()[:1] == ["destination"]).split()
    assert claims == [str(claimed) for claimed in Claim]
    rows = [line.split() for _, line in zip(range(len(State) + 1), lines, strict=False)][1:]
    told = {
        (state, claimed): word.rstrip("*")
        for state, *words in rows
        for claimed, word in zip(claims, words, strict=True)
    }
    assert told == {
        (str(state), str(claimed)): str(ALLOWED[Listing.MANAGED, state, claimed] or "-")
        for state, claimed in product(State, Claim)
    }


@pytest.mark.parametrize(("state", "claimed", "wanted"), EVERY_WISH)
def test_a_foreign_list_is_never_called(state: State, claimed: Claim, wanted: bool | None) -> None:
    """X5: whatever consent says, a list that the configuration does not name is left alone."""
    assert decide(Listing.FOREIGN, state, claimed, wanted=wanted) is None


@pytest.mark.parametrize(("state", "claimed", "wanted"), EVERY_WISH)
def test_each_decision_stays_inside_the_table(
    state: State, claimed: Claim, wanted: bool | None
) -> None:
    """S2-11, X2: a call is the cell's method or none; consent only keeps people where they are
    wanted, its absence removes them wanted or not, and nobody enters a list unasked.
    """
    method = decide(Listing.MANAGED, state, claimed, wanted=wanted)
    cell = golden()[state, claimed]
    consented = claimed in (Claim.GRANTED, Claim.RENEWED)
    expected: Method | None
    if cell is Method.UNSUBSCRIBE:
        expected = None if consented and wanted is not False else cell
    else:
        expected = cell if wanted is True else None
    assert method is expected


@pytest.mark.parametrize(("status", "state"), list(product(Status, State)))
def test_nobody_becomes_active_without_evidence_for_that_address(
    status: Status, state: State
) -> None:
    """S2-11, X2: every source fact against every destination state, list and method: who
    enters has dated proof for this address, and who left or bounced has newer proof than that.
    """
    given_ats = (None, GIVEN, NOW + timedelta(days=1))
    ends = (None, GIVEN - timedelta(days=1), GIVEN, GIVEN + timedelta(days=1))
    for given_at, given_for, ended_at, listing in product(
        given_ats, (None, HERE, ELSEWHERE), ends, Listing
    ):
        consent = Consent(status, given_at, given_for)
        claimed = claim(status, consent, mailed=HERE, ended_at=ended_at, now=NOW)
        method = decide(listing, state, claimed, wanted=True)
        proven = status in GRANTS and given_at == GIVEN and given_for == HERE
        newer = proven and ended_at is not None and ended_at < GIVEN
        expected = {
            State.NONE: Method.SUBSCRIBE if proven else None,
            State.UNCONFIRMED: Method.SUBSCRIBE if proven else None,
            State.ACTIVE: None if proven else Method.UNSUBSCRIBE,
            State.UNSUBSCRIBED: Method.RESUBSCRIBE if newer else None,
            State.BOUNCED: Method.RESUBSCRIBE if newer else None,
        }[state]
        if state is State.UNCONFIRMED and status in WITHDRAWALS:
            expected = Method.UNSUBSCRIBE
        assert method is (expected if listing is Listing.MANAGED else None)


@given(statuses, statuses, statuses)
def test_join_is_a_semilattice(a: Status, b: Status, c: Status) -> None:
    """X2: commutative, associative, idempotent: the order of facts does not matter."""
    assert join(a, b) is join(b, a)
    assert join(a, join(b, c)) is join(join(a, b), c) is join(a, b, c)
    assert join(a, a) is a
    assert join(a, b) in (a, b)


@given(st.lists(statuses, min_size=1), statuses)
def test_a_withdrawal_wins_over_any_facts(facts: list[Status], more: Status) -> None:
    """X2: another fact never raises a status, and one withdrawal among any is a withdrawal."""
    before, after = join(*facts), join(*facts, more)
    order = list(Status)
    assert order.index(after) <= order.index(before)
    if WITHDRAWALS & {*facts, more}:
        assert after in WITHDRAWALS
    if after in GRANTS:
        assert {*facts, more} <= GRANTS


@given(consents, st.lists(statuses), moments, st.sampled_from(State), st.booleans())
def test_more_facts_never_make_anybody_active(
    consent: Consent, said: list[Status], ended_at: datetime | None, state: State, wanted: bool
) -> None:
    """X2: what may be called with more facts known is what could be called without them, or it
    takes the person off the list.
    """

    def method(status: Status) -> Method | None:
        claimed = claim(status, consent, mailed=HERE, ended_at=ended_at, now=NOW)
        return decide(Listing.MANAGED, state, claimed, wanted=wanted)

    alone = method(status_of("news", {"news": consent}))
    together = method(status_of("news", {"news": consent}, said))
    assert together in (alone, None, Method.UNSUBSCRIBE)


@given(statuses, statuses)
def test_a_persons_objection_holds_for_every_purpose(own: Status, other: Status) -> None:
    """X2: complaints and objections end all purposes; an unsubscription ends its own only."""
    consents = {"news": Consent(own), "offers": Consent(other)}
    expected = join(own, other) if other in PERSONAL else own
    assert status_of("news", consents) is expected


@given(statuses, st.lists(statuses))
def test_what_others_say_of_the_same_address_is_joined(own: Status, said: list[Status]) -> None:
    """X2: whatever their number and order."""
    assert status_of("news", {"news": Consent(own)}, said) is join(own, *said)


def test_what_nobody_spoke_of_is_no_consent() -> None:
    """X2: an unknown purpose is none, and none is worth nothing."""
    status = status_of("news", {})
    assert status is Status.NONE
    assert claim(status, None, mailed=HERE, ended_at=None, now=NOW) is Claim.ABSENT


def test_evidence_of_the_same_moment_is_not_newer() -> None:
    """X2: a membership ended at the moment of the evidence stays ended."""
    consent = Consent(Status.CONFIRMED, GIVEN, HERE)

    def claimed(ended_at: datetime) -> Claim:
        return claim(Status.CONFIRMED, consent, mailed=HERE, ended_at=ended_at, now=NOW)

    assert claimed(GIVEN) is Claim.GRANTED
    assert claimed(GIVEN - timedelta(microseconds=1)) is Claim.RENEWED


def test_evidence_dated_in_the_future_proves_nothing() -> None:
    """X2: or one wrong date would undo every later unsubscription; a skewed clock is forgiven."""
    skewed = Consent(Status.CONFIRMED, NOW + timedelta(minutes=5), HERE)
    future = Consent(Status.CONFIRMED, NOW + timedelta(minutes=5, seconds=1), HERE)
    assert claim(Status.CONFIRMED, skewed, mailed=HERE, ended_at=None, now=NOW) is Claim.GRANTED
    assert claim(Status.CONFIRMED, future, mailed=HERE, ended_at=None, now=NOW) is Claim.ABSENT
