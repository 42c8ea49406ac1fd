"""What a record says of consent, lists and tags, and what has to change because of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_activecampaign.list_settings import ConsentColumns, ListRule, TagRule
from target_activecampaign.memberships import (
    ManagedList,
    plan_lists,
    plan_tags,
    subscriptions,
    withdrawals,
)
from target_activecampaign.model import Contact, Existing, ListChange, Membership
from target_activecampaign.past import Past, ended, ended_by
from target_activecampaign.settings import read_settings
from target_activecampaign.states import membership_of, state_of
from target_activecampaign.wishes import consents_of, tags_of, wants_of
from target_kit.address import Address
from target_kit.consent import Consent, Method, State, Status
from target_kit.errors import ConfigurationError, RowError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
GIVEN = NOW - timedelta(days=10)
HERE = "a@example.com"
LISTS = {"News": ManagedList("1", "ads"), "Offers": ManagedList("2", "ads")}
FOR_NEW = {"ads": Consent(Status.CONFIRMED, GIVEN, HERE)}
SOURCE = {"ads": ConsentColumns("c", "at", "proof", "for")}


def contact(**more: Any) -> Contact:
    data: dict[str, Any] = {
        "identity": "key:1",
        "key": "1",
        "key_text": "1",
        "email": Address(HERE, HERE),
        "attributes": {},
        "values": {},
        "consents": {"ads": Consent(Status.CONFIRMED, GIVEN)},
        "wants": {"News": True},
    }
    return Contact(**{**data, **more})


def existing(**more: Any) -> Existing:
    data: dict[str, Any] = {"id": "10", "email": HERE, "attributes": {}, "values": {}, "lists": {}}
    return Existing(**{**data, **more})


def planned(one: Contact, there: Existing | None, mailed: str | None = HERE) -> list[ListChange]:
    return list(plan_lists(one, there, LISTS, {}, NOW, mailed=mailed)[0])


@pytest.mark.parametrize(("code", "state"), [
    ("0", State.UNCONFIRMED), ("1", State.ACTIVE), ("2", State.UNSUBSCRIBED),
    ("3", State.BOUNCED), ("91", State.UNSUBSCRIBED), ("", State.UNSUBSCRIBED),
])  # fmt: skip
def test_a_code_nobody_knows_counts_as_unsubscribed(code: str, state: State) -> None:
    """X2: such as 91, which a v1 call leaves behind."""
    assert state_of(existing(lists={"1": Membership(code)}), "1") == (state, None)


@pytest.mark.parametrize("code", ["0", "2", "3", None])
def test_a_hard_bounce_counts_on_every_list_but_an_active_one(code: str | None) -> None:
    """X2: and ends at the last moment its day has anywhere on earth."""
    lists = {"1": Membership(code, GIVEN)} if code else {}
    there = existing(lists=lists, bounces=1, bounced_on="2026-02-01")
    over = datetime(2026, 2, 2, 12, tzinfo=UTC)
    assert state_of(there, "1") == (State.BOUNCED, max(over, GIVEN) if code == "2" else over)
    active = existing(lists={"1": Membership("1")}, bounces=1)
    assert state_of(active, "1")[0] is State.ACTIVE


@pytest.mark.parametrize("day", ["", "0000-00-00", "soon"])
def test_a_bounce_of_an_unknown_day_is_never_over(day: str) -> None:
    """X2: unknown counts as unsafe."""
    there = existing(lists={"1": Membership("2", GIVEN)}, bounces=1, bounced_on=day)
    assert state_of(there, "1") == (State.BOUNCED, None)
    assert planned(contact(), there) == []


@pytest.mark.parametrize(("text", "ended"), [
    ("2026-01-01T05:00:00-05:00", datetime(2026, 1, 1, 10, 0, 1, tzinfo=UTC)),
    ("2026-01-01T05:00:00", None), ("", None), ("0000-00-00 00:00:00", None), ("None", None),
])  # fmt: skip
def test_the_moment_somebody_left_is_rounded_up_or_unknown(
    text: str, ended: datetime | None
) -> None:
    """X2: the vendor shows whole seconds; a time without zone is no moment."""
    assert membership_of("2", text) == Membership("2", ended)


def test_withdrawals_are_planned_before_subscriptions() -> None:
    """X2: and can be carried out apart from them."""
    one = contact(wants={"News": True, "Offers": False})
    changes = tuple(planned(one, existing(lists={"2": Membership("1")})))
    leave, enter = ListChange("2", Method.UNSUBSCRIBE), ListChange("1", Method.SUBSCRIBE)
    assert changes == (leave, enter)
    assert (withdrawals(changes), subscriptions(changes)) == ((leave,), (enter,))


def test_a_list_that_is_not_configured_is_never_planned() -> None:
    """X5: whatever its status, and although consent is withdrawn."""
    lists = {str(code + 70): Membership(str(code)) for code in range(4)}
    one = contact(consents={"ads": Consent(Status.COMPLAINED)})
    assert planned(one, existing(lists=lists)) == []


@pytest.mark.parametrize(("given_for", "there", "mailed", "subscribed"), [
    (None, HERE, HERE, True),  # unsaid, and the same address there
    (HERE, "old@example.com", HERE, True),  # said to be for the new one
    ("old@example.com", "old@example.com", HERE, False),
    ("old@example.com", HERE, HERE, False),  # said to be for another, whatever the row's is
    (HERE, "old@example.com", "old@example.com", False),  # the address there is kept
    (None, "A@Example.com", HERE, True),  # letter case is no other address
])  # fmt: skip
def test_evidence_counts_for_its_own_address(
    given_for: str | None, there: str, mailed: str, subscribed: bool
) -> None:
    """S2-11, X2: it never moves from one address to another."""
    one = contact(consents={"ads": Consent(Status.CONFIRMED, GIVEN, given_for)})
    enters = planned(one, existing(email=there), mailed)
    assert enters == ([ListChange("1", Method.SUBSCRIBE)] if subscribed else [])


@pytest.mark.parametrize(("given_for", "subscribed"), [
    (None, True), (HERE, True), ("old@example.com", False),
])  # fmt: skip
def test_a_new_contact_enters_by_evidence_for_its_address(
    given_for: str | None, subscribed: bool
) -> None:
    """S2-11: unsaid, it is the row's own; so it is where no membership was read."""
    one = contact(consents={"ads": Consent(Status.CONFIRMED, GIVEN, given_for)})
    expected = [ListChange("1", Method.SUBSCRIBE)] if subscribed else []
    assert planned(one, None) == expected
    assert planned(one, existing(lists=None)) == expected


def test_a_row_without_address_proves_nothing_for_the_one_there() -> None:
    """S2-11: evidence that names no address is for that of its row, and this one has none."""
    changes, kept = plan_lists(contact(email=None), existing(), LISTS, {}, NOW, mailed=HERE)
    assert (changes, kept) == ((), "no_evidence_for_address")


@pytest.mark.parametrize(("there", "past"), [
    (existing(), Past()),
    (existing(email="old@example.com"), Past()),
    (existing(), Past(GIVEN + timedelta(days=1))),
    (existing(), Past(None, (existing(id="9"),))),
])  # fmt: skip
@pytest.mark.parametrize("given_for", [None, "other@example.com"])
def test_where_no_address_is_asked_for_evidence_counts_for_any(
    there: Existing, past: Past, given_for: str | None
) -> None:
    """S2-13: by an explicit word; consent itself is needed all the same."""
    one = contact(consents={"ads": Consent(Status.CONFIRMED, GIVEN, given_for)})
    changes, kept = plan_lists(one, there, LISTS, {}, NOW, mailed=None, past=past)
    assert (changes, kept) == ((ListChange("1", Method.SUBSCRIBE),), "")
    undated = contact(consents={"ads": Consent(Status.CONFIRMED, None, given_for)})
    changes, kept = plan_lists(undated, there, LISTS, {}, NOW, mailed=None, past=past)
    assert (changes, kept) == ((), "no_consent")


def test_who_came_back_stays_where_no_address_is_asked_for() -> None:
    """S2-13: nothing moves then, so that what ended before has been made good already."""
    back = existing(email="old@example.com", lists={"1": Membership("1", GIVEN)})
    assert planned(contact(), back, None) == []


@pytest.mark.parametrize("code", ["2", "3"])
def test_who_had_left_has_left_whatever_the_address_will_be(code: str) -> None:
    """S2-27: the reason is what they said, not that their address changes."""
    lists = {"1": Membership(code, GIVEN + timedelta(days=1))}
    there = existing(email="old@example.com", lists=lists, bounced_on="2026-02-25")
    changes, kept = plan_lists(contact(consents=FOR_NEW), there, LISTS, {}, NOW, mailed=HERE)
    assert (changes, kept) == ((), {"2": "unsubscribed_there", "3": "bounced_there"}[code])


@pytest.mark.parametrize("code", [None, "0", "1"])
def test_a_change_of_address_without_proof_ends_what_is_wanted(code: str | None) -> None:
    """S2-11, X8: unsaid, and about to change: the destination itself remembers that this address
    never signed up, whatever happens to our memory.
    """
    there = existing(email="old@example.com", lists={"1": Membership(code)} if code else {})
    changes, kept = plan_lists(contact(), there, LISTS, {}, NOW, mailed=HERE)
    assert (changes, kept) == (
        (ListChange("1", Method.UNSUBSCRIBE),),
        "no_evidence_for_address",
    )


@pytest.mark.parametrize("past", [
    {"lists": {"1": Membership("1", GIVEN)}},
    {"lists": {"1": Membership("1")}, "bounces": 1, "bounced_on": "2026-02-19"},
])  # fmt: skip
@pytest.mark.parametrize(("days", "ends"), [(-9, True), (0, True), (3, False)])
def test_who_had_left_moves_only_with_evidence_newer_than_that(
    past: dict[str, Any], days: int, ends: bool
) -> None:
    """S2-27, X2: who left, came back under another address and returns to the first is not active
    there on what was proven before they left; where they are, they stay.
    """
    given_at = GIVEN + timedelta(days=days)
    one = contact(consents={"ads": Consent(Status.CONFIRMED, given_at, HERE)})
    moving = existing(email="b@example.com", **past)
    changes, kept = plan_lists(one, moving, LISTS, {}, NOW, mailed=HERE)
    assert changes == ((ListChange("1", Method.UNSUBSCRIBE),) if ends else ())
    assert kept == ("no_evidence_for_address" if ends else "")
    assert planned(one, existing(**past)) == []


def test_a_list_nobody_wants_is_not_ended_for_a_change_of_address() -> None:
    """X5: there is nothing to remember about a list that the person was never meant for."""
    there = existing(email="old@example.com")
    assert planned(contact(wants={}), there) == []
    assert planned(contact(wants={"News": False}), there) == []


@pytest.mark.parametrize(("since", "subscribed"), [
    (GIVEN - timedelta(days=1), True), (GIVEN, True), (GIVEN + timedelta(seconds=1), False),
    (None, True),
])  # fmt: skip
def test_evidence_older_than_the_address_is_for_another(
    since: datetime | None, subscribed: bool
) -> None:
    """S2-11, S2-14: where it names no address, the dated history tells which one it was for."""
    changes, kept = plan_lists(contact(), existing(), LISTS, {}, NOW, mailed=HERE, past=Past(since))
    assert changes == ((ListChange("1", Method.SUBSCRIBE),) if subscribed else ())
    assert kept == ("" if subscribed else "no_evidence_for_address")
    gone = plan_lists(contact(), None, LISTS, {}, NOW, mailed=HERE, past=Past(since))
    assert gone == (changes, kept)
    named = contact(consents={"ads": Consent(Status.CONFIRMED, GIVEN, HERE)})
    changes, _ = plan_lists(named, existing(), LISTS, {}, NOW, mailed=HERE, past=Past(since))
    assert changes == (ListChange("1", Method.SUBSCRIBE),)


def test_a_list_that_keeps_its_people_asks_for_no_new_proof() -> None:
    """S2-13, S2-15: by an explicit word for this list; nobody enters it that way."""
    keeps = {"News": ManagedList("1", "ads", keeps=True)}
    active = existing(email="old@example.com", lists={"1": Membership("1")})
    assert plan_lists(contact(), active, keeps, {}, NOW, mailed=HERE) == ((), "")
    back = existing(email="old@example.com", lists={"1": Membership("1", NOW)})
    assert plan_lists(contact(), back, keeps, {}, NOW, mailed=HERE) == ((), "")
    withdrawn = contact(consents={"ads": Consent(Status.UNSUBSCRIBED)})
    changes, _ = plan_lists(withdrawn, active, keeps, {}, NOW, mailed=HERE)
    assert changes == (ListChange("1", Method.UNSUBSCRIBE),)
    left = existing(email="old@example.com", lists={"1": Membership("2", GIVEN)})
    assert plan_lists(contact(), left, keeps, {}, NOW, mailed=HERE)[0] == ()


def former(status: str, ended_at: datetime | None = None, **more: Any) -> Existing:
    """A contact that was given up for another address."""
    lists = {"1": Membership(status, ended_at)}
    return existing(id="9", email="old@example.com", lists=lists, **more)


@pytest.mark.parametrize(("there", "enters"), [
    (former("1"), True),  # still active there: not what the person said
    (former("0"), True),
    (former("3"), True),  # a bounce is the old address's own (S2-9)
    (former("2", GIVEN - timedelta(days=1)), True),  # left, and came back since with the new one
    (former("2", GIVEN + timedelta(days=1)), False),
    (former("2"), False),  # nobody knows when
    (former("91"), False),
])  # fmt: skip
def test_who_left_under_a_former_address_has_left(there: Existing, enters: bool) -> None:
    """S2-19, S2-9, X2: unless the proof for the new address is newer than that."""
    one = contact(consents=FOR_NEW)
    past = Past(None, (there,))
    changes, kept = plan_lists(one, existing(), LISTS, {}, NOW, mailed=HERE, past=past)
    assert bool(subscriptions(changes)) is enters
    assert kept == ("" if enters else "unsubscribed_before")


def test_of_several_former_contacts_the_last_word_counts() -> None:
    """S2-19: one that nobody knows the time of is the last one."""
    one = contact(consents=FOR_NEW)
    old = former("2", GIVEN - timedelta(days=1))
    for formers, enters in (
        ((old, old), True),
        ((old, former("2", GIVEN + timedelta(days=1))), False),
        ((former("2"), old), False),
    ):
        past = Past(None, formers)
        changes, _ = plan_lists(one, existing(), LISTS, {}, NOW, mailed=HERE, past=past)
        assert bool(changes) is enters


def test_what_this_target_ended_itself_is_no_word_of_the_person() -> None:
    """S2-16, S2-17: signed off because of the new address, so the new one may be signed on; a later
    end, or one without a time, is not ours.
    """
    one = contact(consents=FOR_NEW)
    signed_off = former("2", NOW)
    carried = frozenset({ended(signed_off, "1")})
    for there, enters in (
        (signed_off, True),
        (former("2", NOW + timedelta(seconds=1)), False),
        (former("2"), False),
    ):
        past = Past(None, (there,), carried | {ended(former("2"), "1")})
        changes, _ = plan_lists(one, existing(), LISTS, {}, NOW, mailed=HERE, past=past)
        assert bool(changes) is enters


@pytest.mark.parametrize("code", [None, "0", "1", "2", "3"])
@pytest.mark.parametrize(("left_at", "counts"), [
    (GIVEN - timedelta(days=1), True), (GIVEN + timedelta(days=1), False), (None, False),
])  # fmt: skip
def test_what_was_said_under_an_address_holds_for_whoever_has_it_next(
    code: str | None, left_at: datetime | None, counts: bool
) -> None:
    """S2-28, X2: somebody else left the list there: proof for that address must be newer, to come
    in and to stay in.
    """
    one = contact(consents=FOR_NEW)
    lists = {"1": Membership(code, GIVEN - timedelta(days=9) if code == "2" else None)}
    there = existing(lists=lists if code else {}, bounced_on="2026-02-01")
    other = existing(id="11", lists={"1": Membership("2", left_at)})
    past = Past(others=(existing(id="12", lists={"1": Membership("1")}), other))
    changes, _ = plan_lists(one, there, LISTS, {}, NOW, mailed=HERE, past=past)
    if code == "1":
        assert changes == (() if counts else (ListChange("1", Method.UNSUBSCRIBE),))
    elif code == "3":
        assert changes == ((ListChange("1", Method.RESUBSCRIBE),) if counts else ())
    else:
        assert changes == ((ListChange("1", Method.RESUBSCRIBE),) if counts else ())
    bounced = existing(id="11", lists={}, bounces=1, bounced_on="2027-01-01")
    again = Past(others=(bounced,))
    changes, _ = plan_lists(one, there, LISTS, {}, NOW, mailed=HERE, past=again)
    assert subscriptions(changes) == ()


def test_a_list_that_keeps_its_people_keeps_them_there_as_well() -> None:
    """S2-13: by an explicit word; nobody enters by it."""
    keeps = {"News": ManagedList("1", "ads", keeps=True)}
    past = Past(others=(existing(id="11", lists={"1": Membership("2")}),))
    active = existing(lists={"1": Membership("1")})
    assert plan_lists(contact(), active, keeps, {}, NOW, mailed=HERE, past=past) == ((), "")
    assert plan_lists(contact(), existing(), keeps, {}, NOW, mailed=HERE, past=past)[0] == ()


def test_only_what_ended_under_the_address_is_remembered_of_it() -> None:
    """S2-9, S2-28: what a contact left, or bounced from, after it had moved on is not of there."""
    moved = NOW - timedelta(days=5)
    lists = {
        "1": Membership("2", moved - timedelta(days=1)),
        "2": Membership("2", moved + timedelta(days=1)),
        "3": Membership("91"),
        "4": Membership("1"),
    }
    then = ended_by(existing(lists=lists, bounces=1, bounced_on="2027-01-01"), moved)
    assert sorted(then.lists or {}) == ["1", "3", "4"]
    assert then.bounces == 0
    own = frozenset({ended(existing(lists=lists), "1")})
    assert sorted(ended_by(existing(lists=lists), moved, own).lists or {}) == ["3", "4"]
    assert ended_by(existing(bounces=2, bounced_on="2026-01-01"), moved).bounces == 2
    assert ended_by(existing(bounces=2), moved).bounces == 2


def test_where_there_is_a_former_contact_evidence_must_name_its_address() -> None:
    """S2-11: when the address changed is not remembered; after it was given, for all we know."""
    past = Past(None, (former("1"),))
    assert plan_lists(contact(), existing(), LISTS, {}, NOW, mailed=HERE, past=past) == (
        (),
        "no_evidence_for_address",
    )
    dated = Past(GIVEN, (former("1"),))
    changes, _ = plan_lists(contact(), existing(), LISTS, {}, NOW, mailed=HERE, past=dated)
    assert changes == (ListChange("1", Method.SUBSCRIBE),)


def test_what_others_say_of_the_address_counts() -> None:
    """X2: the most restrictive of all facts about one address holds."""
    changes, kept = plan_lists(
        contact(), existing(), LISTS, {"ads": Status.PENDING}, NOW, mailed=HERE
    )
    assert (changes, kept) == ((), "no_consent")


@pytest.mark.parametrize(("value", "status"), [
    (True, Status.CONFIRMED), ("Yes", Status.CONFIRMED), (1, Status.CONFIRMED),
    (False, Status.NONE), ("", Status.NONE), (None, Status.NONE), ("0", Status.NONE),
    (" Soft_Opt_In ", Status.SOFT_OPT_IN), ("COMPLAINED", Status.COMPLAINED),
])  # fmt: skip
def test_consent_is_read_from_words(value: Any, status: Status) -> None:
    """X2: any letter case; a blank is none."""
    assert consents_of({"c": value}, SOURCE)["ads"] == Consent(status, None, "")


@pytest.mark.parametrize(("value", "moment"), [
    ("2026-01-01T00:00:00Z", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01T02:00:00+02:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01T14:00:00", datetime(2026, 1, 1, tzinfo=UTC)),
    ("2026-01-01", datetime(2025, 12, 31, 10, tzinfo=UTC)),
])  # fmt: skip
def test_evidence_without_zone_is_as_old_as_it_can_be(value: str, moment: datetime) -> None:
    """X2: so that it is never taken for newer than an unsubscription it came before."""
    record = {"c": "confirmed", "at": value, "proof": "x", "for": " A@Example.com "}
    assert consents_of(record, SOURCE)["ads"] == Consent(Status.CONFIRMED, moment, HERE)
    assert consents_of({**record, "proof": " "}, SOURCE)["ads"].evidence_at is None


@pytest.mark.parametrize("column", ["c", "at"])
def test_what_cannot_be_read_is_a_fault_of_the_row(column: str) -> None:
    """S0-10: never a guess, in either direction."""
    with pytest.raises(RowError) as caught:
        consents_of({"c": "confirmed", "at": "2026-01-01", column: "perhaps"}, SOURCE)
    assert (caught.value.cause, caught.value.field) == ("consent_unreadable", column)
    assert "perhaps" not in caught.value.message


def test_wishes_are_true_false_or_unsaid() -> None:
    """S0-10: true for everybody needs no column."""
    rules = {"All": ListRule(None, "ads"), "Some": ListRule("w", "ads")}
    assert wants_of({"w": "no"}, rules) == {"All": True, "Some": False}
    assert wants_of({"w": " "}, rules) == {"All": True}
    with pytest.raises(RowError, match="w is neither"):
        wants_of({"w": "maybe"}, rules)


@pytest.mark.parametrize(("value", "tags"), [
    (None, None), ("", ()), ([], ()), ("a; b,,a", ("a", "b")), (["a, b", "c"], ("a, b", "c")),
])  # fmt: skip
def test_tags_are_read_from_a_list_or_a_text(value: Any, tags: tuple[str, ...] | None) -> None:
    """S4-22: null says nothing, empty says none."""
    assert tags_of({"t": value}, TagRule(column="t", owned_prefixes=("x",))) == tags
    assert tags_of({"t": value}, TagRule(add=("x",))) is None


names = st.sampled_from(["crm-a", "CRM-b", "crm-c", "vip", "Old", "old-x", "other"])


@given(
    st.sets(names, max_size=7),
    st.none() | st.lists(names, max_size=4),
    st.sets(st.sampled_from(["crm-a", "new"])),
    st.booleans(),
)
def test_tags_that_nobody_owns_are_never_touched(
    held: set[str], listed: list[str] | None, add: set[str], remove: bool
) -> None:
    """S4-22, X3, X5: any tags held, any tags listed: only named and owned ones change, and a
    second plan after the first is empty.
    """
    rule = TagRule(tuple(sorted(add)), ("old",) if remove else (), "t", ("crm-",))
    account = {str(i): name for i, name in enumerate(sorted(held))}
    one = contact(tags=None if listed is None else tuple(dict.fromkeys(listed)))
    change, _ = plan_tags(one, existing(tags={i: f"r{i}" for i in account}), rule, account)
    removed = {account[i] for i in change.remove}
    ours = {name for name in held if name.lower().startswith("crm-")}
    assert removed <= ours | ({"Old"} if remove else set())
    assert all(tag.lower().startswith("crm-") or tag in add for tag in change.add)
    left = [name for i, name in account.items() if i not in change.remove] + list(change.add)
    after = {str(i): name for i, name in enumerate(left)}
    again, _ = plan_tags(one, existing(tags={i: f"r{i}" for i in after}), rule, after)
    assert (again.add, again.remove) == ((), ())


def test_all_faults_of_lists_and_tags_are_named_at_once() -> None:
    """S0-14: nothing is guessed, and one look at the message is enough."""
    stream = {
        "fields": {"email": "email"},
        "consent": [
            {"column": "c", "granted_at": "at", "evidence": "p", "purpose": "ads"},
            {"column": "c", "granted_at": "at", "evidence": "p", "purpose": "ads"},
            {"column": "c", "purpose": "survey"},
        ],
        "lists": {
            "A": {"when": False, "consent": "ads"},
            "B": {"when": True},
            "C": {"when": "w", "consent": "other"},
        },
        "tags": {"add": ["x", " "], "remove": ["X"], "from": "t"},
    }
    with pytest.raises(ConfigurationError) as caught:
        read_settings({"api_url": "http://127.0.0.1:1", "api_key": "k", "streams": {"s": stream}})
    said = str(caught.value)
    for words in (
        "s.consent: purpose ads is declared twice",
        "s.consent: needs granted_at, evidence",
        "s.lists.A.when: a column, or true",
        "s.lists.B.consent: names the purpose",
        "s.lists.C.consent: no purpose other",
        "s.tags: x can't be both added and removed",
        "s.tags.add: holds a blank",
        "s.tags.from: needs owned_prefixes",
    ):
        assert words in said


@pytest.mark.parametrize(("options", "words"), [
    ({"consent": {"column": "c", "granted_at": "a", "evidence": "p", "purpose": "x"}},
     "serves nothing without lists"),
    ({"tags": {"owned_prefixes": ["x"]}}, "needs from"),
])  # fmt: skip
def test_an_option_without_effect_is_a_fault(options: dict[str, Any], words: str) -> None:
    """S0-14: it was meant to have one."""
    stream = {"fields": {"email": "email"}, **options}
    with pytest.raises(ConfigurationError, match=words):
        read_settings({"api_url": "http://127.0.0.1:1", "api_key": "k", "streams": {"s": stream}})


def test_every_named_column_has_to_be_in_the_schema() -> None:
    """S0-39, X2: a column missing by a slip must not read as nobody having consent."""
    stream = {
        "key": "id",
        "fields": {"email": "email"},
        "consent": {"column": "c", "granted_at": "a", "evidence": "p", "purpose": "x"},
        "lists": {"A": {"when": "w", "consent": "x"}},
        "tags": {"from": "t", "owned_prefixes": ["x"]},
    }
    config = {"api_url": "http://127.0.0.1:1", "api_key": "k", "streams": {"s": stream}}
    columns = read_settings(config).streams["s"].columns
    assert set(columns) == {"id", "email", "c", "a", "p", "w", "t"}
