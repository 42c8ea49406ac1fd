"""Who is on which list and carries which tag, whatever people and others do at the destination."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, seeded_fields, sums_close
from simulators_support import Simulator
from target_support import Run, record, schema, state

LAST_YEAR = (datetime.now(UTC) - timedelta(days=365)).isoformat()
LAST_MONTH = (datetime.now(UTC) - timedelta(days=30)).isoformat()
TEXT = {"type": ["string", "null"]}
NAMES = ("consent", "consent_at", "proof", "wants_news", "interests", "consent_for")
COLUMNS = dict.fromkeys(NAMES, TEXT)
CONSENT = {"column": "consent", "granted_at": "consent_at", "evidence": "proof", "purpose": "ads"}
NEWS = {"News": {"when": "wants_news", "consent": "ads"}}
BASE: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {"email": "email", "firstName": "given_name"},
}
YES = {"consent": "confirmed", "consent_at": LAST_MONTH, "proof": "form 7", "wants_news": "true"}


def with_lists(**more: Any) -> dict[str, Any]:
    """The stream with the list News, and other options."""
    return {"contacts": {**BASE, "consent": CONSENT, "lists": NEWS, **more}}


def with_tags(**tags: Any) -> dict[str, Any]:
    """The stream with tags only."""
    return {"contacts": {**BASE, "tags": tags}}


@pytest.fixture
def news(make_target: Any) -> WarmTarget:
    """A target that manages one list."""
    made: WarmTarget = make_target(streams=with_lists())
    return made


def deliver(target: WarmTarget, *rows: dict[str, Any], **more: Any) -> Run:
    """Deliver rows with the columns of consent."""
    return target.run([schema(**COLUMNS), *rows, state(len(rows))], **more)


def person(key: int, **more: Any) -> dict[str, Any]:
    """A contact as the account has it already."""
    return {
        "email": f"person{key}@example.com",
        "fieldValues": {"BUBSCTTID": str(key)},
        "cdate": "2019-01-01",
        **more,
    }


def status_of(sim: Simulator, key: int = 1, name: str = "News") -> str | None:
    """A person's status on a list, None when they are not on it."""
    ids = {entry["name"]: entry["id"] for entry in sim.state()["lists"]}
    status: str | None = contact_of(sim, f"person{key}@example.com")["lists"].get(ids[name])
    return status


def seed(sim: Simulator, *contacts: dict[str, Any], **more: Any) -> None:
    """The lists News and Foreign, and these contacts."""
    lists = ["News", {"name": "Foreign", "id": 70}]
    sim.seed({"fields": seeded_fields(), "lists": lists, "contacts": list(contacts), **more})


def posts(sim: Simulator, path: str) -> list[dict[str, Any]]:
    """The writes to a route."""
    return [r for r in sim.requests(writes=True) if r["path"].endswith(path)]


READS = pytest.mark.parametrize("reads", ["crawl", "point"])
INCLUDE = pytest.mark.parametrize("include", [True, False])


@READS
@INCLUDE
def test_only_intended_changes_are_sent_and_a_second_run_writes_nothing(
    sim: Simulator, make_target: Any, reads: str, include: bool
) -> None:
    """S0-34, X3, X5: one new, one joining, one leaving, one as wanted; foreign lists are the same
    before and after, however the memberships are read.
    """
    seed(
        sim,
        person(2, lists={"Foreign": 1}),
        person(3, lists={"News": 1, "Foreign": 2}),
        person(4, lists={"News": 1, "Foreign": 3}),
    )
    sim.switches(include_supported=include)
    target = make_target(streams=with_lists(), reads=reads)
    foreign = [row for row in sim.state()["contactLists"] if row["list"] == "70"]
    rows = [record(key, **{**YES, "wants_news": str(key != 3).lower()}) for key in (1, 2, 3, 4)]
    run = deliver(target, *rows)
    assert (run.code, run.outcomes) == (0, {"applied": 3, "unchanged": 1})
    assert [status_of(sim, key) for key in (1, 2, 3, 4)] == ["1", "1", "2", "1"]
    assert len(posts(sim, "/contactLists")) == 3
    assert [r for r in sim.state()["contactLists"] if r["list"] == "70"] == foreign
    before = sim.state()
    sim.forget_requests()
    again = deliver(target, *rows)
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 4}, 0)
    assert sim.state() == before


def test_memberships_and_tags_come_with_the_crawl(sim: Simulator, make_target: Any) -> None:
    """S0-16: 250 contacts in agreement cost their pages, lists and tags included, and no more."""
    seed(
        sim,
        *(person(k, lists={"News": 1}, tags=["vip"]) for k in range(1, 251)),
        tags=["vip"],
    )
    target = make_target(streams=with_lists(tags={"add": ["vip"]}), reads="crawl")
    run = deliver(target, *(record(key, **YES) for key in range(1, 251)))
    assert run.outcomes == {"unchanged": 250}
    reads = {name: n for name, n in run.report["calls"].items() if "contact" in name}
    assert sum(reads.values()) == 1 + 4  # the number of contacts, three pages, an empty one


@pytest.mark.parametrize("consent", [None, "", "none", "pending", "false", "unsubscribed"])
def test_who_has_no_consent_is_taken_off_and_never_put_on(
    sim: Simulator, news: WarmTarget, consent: str | None
) -> None:
    """S2-11, X2: unknown counts as no; being wanted on the list changes nothing."""
    seed(sim, person(1, lists={"News": 1}), person(2))
    rows = [record(key, **{**YES, "consent": consent}) for key in (1, 2)]
    assert deliver(news, *rows).code == 0
    assert (status_of(sim, 1), status_of(sim, 2)) == ("2", None)


@pytest.mark.parametrize("lacking", ["consent_at", "proof"])
def test_consent_without_date_or_proof_is_none(
    sim: Simulator, news: WarmTarget, lacking: str
) -> None:
    """S2-11, X2: what can't be shown doesn't count."""
    seed(sim)
    run = deliver(news, record(1, **{**YES, lacking: None}))
    assert (status_of(sim), run.causes) == (None, {"no_consent": 1})


@pytest.mark.parametrize("status", ["0", "1", "2", "3"])
def test_an_unsaid_wish_changes_nothing_for_who_has_consent(
    sim: Simulator, news: WarmTarget, status: str
) -> None:
    """X5: a blank column neither subscribes nor unsubscribes."""
    seed(sim, person(1, lists={"News": status}))
    run = deliver(news, record(1, **{**YES, "wants_news": None}))
    assert (run.report["writes"], status_of(sim)) == (0, status)


@pytest.mark.parametrize("event", ["unsubscribe", "bounce"])
def test_who_leaves_between_two_runs_stays_away(
    sim: Simulator, news: WarmTarget, event: str
) -> None:
    """X2, X3: the source still says yes; nothing is written, the report says why."""
    seed(sim)
    deliver(news, record(1, **YES))
    sim.event(event, email="person1@example.com")
    sim.forget_requests()
    run = deliver(news, record(1, **YES))
    assert (status_of(sim), run.report["writes"]) == ({"unsubscribe": "2", "bounce": "3"}[event], 0)
    assert list(run.causes) == [
        {"unsubscribe": "unsubscribed_there", "bounce": "bounced_there"}[event]
    ]


@pytest.mark.parametrize(("status", "granted", "expected"), [
    ("2", LAST_MONTH, "1"), ("2", LAST_YEAR, "2"), ("3", LAST_MONTH, "1"), ("3", LAST_YEAR, "3"),
], ids=["left, newer", "left, older", "bounced, newer", "bounced, older"])  # fmt: skip
def test_only_newer_evidence_brings_back_who_left(
    sim: Simulator, news: WarmTarget, status: str, granted: str, expected: str
) -> None:
    """S2-11, X2: a confirmation after the unsubscription or bounce counts, one before does not."""
    sim.clock(now=(datetime.now(UTC) - timedelta(days=100)).isoformat())
    seed(sim, person(1, lists={"News": 1}))
    sim.event({"2": "unsubscribe", "3": "bounce"}[status], email="person1@example.com")
    sim.clock(real=True)
    rows = [record(1, **{**YES, "consent_at": granted})]
    assert deliver(news, *rows).code == 0
    assert status_of(sim) == expected
    assert deliver(news, *rows).report["writes"] == 0


def test_who_bounced_on_another_list_is_not_subscribed(sim: Simulator, news: WarmTarget) -> None:
    """X2: a bounce belongs to the address, not to the list it happened on."""
    seed(sim, person(1, lists={"Foreign": 1}))
    sim.event("bounce", email="person1@example.com")
    run = deliver(news, record(1, **YES))
    assert (status_of(sim), run.causes) == (None, {"bounced_there": 1})


def test_withdrawals_are_the_first_writes_of_a_run(sim: Simulator, news: WarmTarget) -> None:
    """X2: whoever withdrew is unsubscribed before anybody is created, changed or subscribed."""
    seed(sim, person(8, lists={"News": 1}), person(9, lists={"News": 1}))
    gone = {**YES, "consent": "unsubscribed"}
    run = deliver(news, record(1, **YES), record(8, given_name="New", **gone), record(9, **gone))
    assert run.outcomes == {"applied": 3}
    writes = [(r["method"], r["path"].rpartition("/")[2]) for r in sim.requests(writes=True)]
    assert writes[:2] == [("POST", "contactLists")] * 2
    assert (status_of(sim, 8), status_of(sim, 9)) == ("2", "2")
    assert ("POST", "contacts") in writes[2:]


def test_withdrawals_know_no_budget(sim: Simulator, make_target: Any) -> None:
    """S0-56, X2: a run that ends over its budget in the first step has heard every withdrawal."""
    seed(sim, person(9, lists={"News": 1}))
    target = make_target(streams=with_lists(), max_errors=0)
    bad = [record(key, "no address", **YES) for key in (1, 2, 3)]
    run = deliver(target, *bad, record(9, **{**YES, "consent": "objected"}))
    assert (run.code, status_of(sim, 9)) == (4, "2")
    assert sums_close(run)


@pytest.mark.parametrize("fault", ["unreadable", "contradicting", "sharing", "ambiguous"])
def test_a_rejected_row_still_withdraws(sim: Simulator, news: WarmTarget, fault: str) -> None:
    """S0-9, S0-25, X2: a row that can't be delivered as a whole is heard in what it takes away."""
    seed(sim, person(1, lists={"News": 1}))
    gone = {**YES, "consent": "complained"}
    rows = {
        "unreadable": [record(1, given_name="x" * 300, **gone)],
        "contradicting": [record(1, **gone), record(1, given_name="Other", **YES)],
        "sharing": [record(1, **YES), record(None, "person1@example.com", **gone)],
        "ambiguous": [record(2, "person1@example.com", **gone)],
    }[fault]
    run = deliver(news, *rows)
    assert run.outcomes.get("rejected")
    assert status_of(sim) == "2"


def test_an_unreadable_row_counts_for_its_address(sim: Simulator, news: WarmTarget) -> None:
    """X2: its withdrawal keeps another row of this run from subscribing the same new address."""
    seed(sim)
    gone = {**YES, "consent": "unsubscribed", "given_name": "x" * 300}
    deliver(news, record(1, "shared@example.com", **YES), record(2, "shared@example.com", **gone))
    assert contact_of(sim, "shared@example.com")["lists"] == {}


@pytest.mark.parametrize(("gone", "outcomes"), [
    ("insert", {"applied": 1}), ("reject", {"rejected": 1}),
])  # fmt: skip
def test_who_is_deleted_there_before_the_last_look_is_treated_as_configured(
    sim: Simulator, make_target: Any, gone: str, outcomes: dict[str, int]
) -> None:
    """S0-37: also when the look before a withdrawal is what finds it."""
    seed(sim, person(1, lists={"News": 1}))
    happening = {"type": "delete_contact", "email": "person1@example.com"}
    action = {"type": "event", "event": happening, "when": "before"}
    sim.faults([{"match": {"path": "/contacts/\\d+$"}, "nth": 1, "action": action}])
    streams = with_lists(on_contact_gone=gone)
    target = make_target(streams=streams, reads="crawl")
    run = deliver(target, record(1, "new1@example.com", **YES))
    assert sim.faults()[0]["fired"] == 1
    assert (run.code, run.outcomes) == (0, outcomes)
    assert len(sim.contacts()) == (gone == "insert")


def test_of_persons_sharing_an_address_the_most_restrictive_counts(
    sim: Simulator, news: WarmTarget
) -> None:
    """X2: one said yes, one no to mail at the same address: nobody there is subscribed."""
    seed(sim)
    shared = "shared@example.com"
    run = deliver(
        news, record(1, shared, **YES), record(2, shared, **{**YES, "consent": "unsubscribed"})
    )
    assert run.outcomes == {"applied": 1, "rejected": 1}
    assert contact_of(sim, shared)["lists"] == {}


@pytest.mark.parametrize("event", ["unsubscribe", "bounce"])
@pytest.mark.parametrize("where", ["/contacts/\\d+$", "/contactLists$"])
def test_who_leaves_between_look_and_write_is_not_active_afterwards(
    sim: Simulator, make_target: Any, event: str, where: str
) -> None:
    """X2: leaving right before the last look is seen; leaving right before the write itself shows
    in its answer, and is put right at once.
    """
    seed(sim, person(1, lists={"News": 0}))
    target = make_target(streams=with_lists(), reads="crawl")
    happening = {"type": event, "email": "person1@example.com"}
    action = {"type": "event", "event": happening, "when": "before"}
    sim.faults([{"match": {"path": where}, "nth": 1, "action": action}])
    run = deliver(target, record(1, **YES))
    assert sim.faults()[0]["fired"] == 1
    assert run.code == 0
    assert status_of(sim) in ("2", "3")
    assert deliver(target, record(1, **YES)).report["writes"] == 0
    assert status_of(sim) in ("2", "3")


@pytest.mark.parametrize("action", ["apply_then_reset", "reset", {"type": "apply_then_status"}])
def test_a_subscription_without_answer_is_looked_up_before_it_is_repeated(
    sim: Simulator, news: WarmTarget, action: Any
) -> None:
    """X2: repeated blindly, it would bring back who unsubscribed in between."""
    seed(sim, person(1))
    sim.faults(
        [{"match": {"path": "/contactLists$", "method": "POST"}, "nth": 1, "action": action}]
    )
    run = deliver(news, record(1, **YES))
    assert (run.outcomes, status_of(sim)) == ({"applied": 1}, "1")
    assert len(posts(sim, "/contactLists")) == (2 if action == "reset" else 1)


def test_who_leaves_after_a_subscription_without_answer_stays_away(
    sim: Simulator, news: WarmTarget
) -> None:
    """X2: applied, answer lost, unsubscribed: the look before the repetition sees it."""
    seed(sim, person(1))
    happening = {"type": "unsubscribe", "email": "person1@example.com"}
    leaving = {"type": "event", "event": happening, "when": "before"}
    sim.faults([
        {"match": {"path": "/contactLists$"}, "nth": 1, "action": "apply_then_reset"},
        {"match": {"path": "/contacts/\\d+$", "method": "GET"}, "nth": 2, "action": leaving},
    ])  # fmt: skip
    run = deliver(news, record(1, **YES))
    assert [fault["fired"] for fault in sim.faults()] == [1, 1]
    assert (run.code, status_of(sim)) == (0, "2")
    assert len(posts(sim, "/contactLists")) == 1


@pytest.mark.parametrize("applied", [False, True])
def test_wherever_a_run_ends_nobody_is_active_who_must_not_be(
    sim: Simulator, make_target: Any, applied: bool
) -> None:
    """S2-11, S2-17, X2, X3: the run is ended at each of its writes in turn, applied or not; the
    withdrawn are out before anybody comes in, and the next run completes.
    """
    people = [
        person(1, lists={"News": 1}),
        person(2, lists={"News": 2}),
        person(3, lists={"News": 1}),
    ]
    rows = [
        record(4, given_name="New", **YES),
        record(1, given_name="Left", **{**YES, "consent": "objected"}),
        record(2, **YES, given_name="Unsubscribed there"),
        record(3, "renamed3@example.com", **YES),
    ]
    cut, number = True, 0
    while cut:
        number += 1
        sim.reset()
        seed(sim, *people)
        target = make_target(f"cut-{applied}-{number}", streams=with_lists(tags={"add": ["crm"]}))
        sim.event("unsubscribe", email="person2@example.com")
        kind = "apply_then_status" if applied else "status"
        match = {"method": "POST|PUT|DELETE"}
        sim.faults([{"match": match, "nth": number, "action": {"type": kind, "status": 402}}])
        run = deliver(target, *rows)
        cut = sim.faults()[0]["fired"] == 1
        assert run.code == (3 if cut else 0)
        contacts = sim.state()["contacts"]
        active = {c["email"] for c in contacts if "1" in c["lists"].values()}
        assert "person2@example.com" not in active
        assert "renamed3@example.com" not in active
        if "person4@example.com" in active:
            assert active == {"person4@example.com"}
        sim.faults([])
        deliver(target, *rows)
        final = {c["email"]: set(c["lists"].values()) for c in sim.state()["contacts"]}
        assert {email for email, held in final.items() if "1" in held} == {"person4@example.com"}
        assert deliver(target, *rows).report["writes"] == 0
    assert number > 6


def test_a_new_address_is_active_only_with_evidence_of_its_own(
    sim: Simulator, make_target: Any
) -> None:
    """S2-11, X2: set inactive before the address changes; evidence that names the new one keeps
    the membership, and a change of letter case is no new address.
    """
    seed(sim, *(person(key, lists={"News": 1}) for key in (1, 2, 3)))
    said = with_lists(consent={**CONSENT, "address": "consent_for"})
    new = "new2@example.com"
    run = deliver(
        make_target(streams=said),
        record(1, "new1@example.com", **YES, consent_for="person1@example.com"),
        record(2, new, **YES, consent_for="New2@Example.com"),
        record(3, "Person3@Example.com", **YES, consent_for="person3@example.com"),
    )
    assert run.code == 0
    assert contact_of(sim, "new1@example.com")["lists"] == {"1": "2"}
    assert contact_of(sim, new)["lists"] == {"1": "1"}
    assert contact_of(sim, "person3@example.com")["lists"] == {"1": "1"}
    writes = [(r["method"], r["path"].partition("/api/3")[2]) for r in sim.requests(writes=True)]
    assert writes[0] == ("POST", "/contactLists")


def test_who_unsubscribed_is_not_subscribed_under_a_new_address(
    sim: Simulator, news: WarmTarget, make_target: Any
) -> None:
    """S2-18, S2-19, X2: neither with evidence that names no address nor with older one that does;
    with newer one for the new address they are.
    """
    seed(sim, person(1, lists={"News": 1}), person(2, lists={"News": 1}))
    sim.clock(now=(datetime.now(UTC) - timedelta(days=100)).isoformat())
    for key in (1, 2):
        sim.event("unsubscribe", email=f"person{key}@example.com")
    sim.clock(real=True)
    old = {**YES, "consent_at": LAST_YEAR}
    assert deliver(news, record(1, "new1@example.com", **old)).code == 0
    assert contact_of(sim, "new1@example.com")["lists"] == {"1": "2"}
    said = make_target("said", streams=with_lists(consent={**CONSENT, "address": "consent_for"}))
    row = {**old, "consent_for": "new2@example.com"}
    assert deliver(said, record(2, "new2@example.com", **row)).code == 0
    assert contact_of(sim, "new2@example.com")["lists"] == {"1": "2"}
    row = {**YES, "consent_for": "new2@example.com"}
    assert deliver(said, record(2, "new2@example.com", **row)).code == 0
    assert contact_of(sim, "new2@example.com")["lists"] == {"1": "1"}


SWITCHES = [
    ("contactlists_new_row_status", 200), ("contactlists_unknown_list", 422),
    ("resubscribe_requires_sourceid", True), ("bounced_resubscribe", False),
    ("tag_duplicate_status", 409), ("tag_duplicate_status", 200), ("echo_types", False),
    ("account_timezone", "Australia/Sydney"), ("account_timezone", "UTC"),
    ("include_supported", False), ("idle_update_bumps_udate", False),
]  # fmt: skip


@pytest.mark.parametrize(("switch", "value"), SWITCHES)
def test_a_flipped_guess_makes_nobody_active_who_must_not_be(
    sim: Simulator, make_target: Any, switch: str, value: Any
) -> None:
    """X2, X3, X5: every guess of the contract about lists and tags, turned: who may be active is,
    who may not is not, and an idle run writes nothing.
    """
    sim.switches(**{switch: value})
    seed(
        sim,
        person(1, lists={"News": 1, "Foreign": 1}, tags=["vip"]),
        person(2, lists={"News": 1}),
        person(3, lists={"News": 1}),
        person(5, lists={"News": 1}),
        tags=["vip"],
    )
    sim.clock(now=(datetime.now(UTC) - timedelta(days=100)).isoformat())
    sim.event("unsubscribe", email="person2@example.com")
    sim.event("unsubscribe", email="person3@example.com")
    sim.clock(real=True)
    target = make_target(streams=with_lists(tags={"add": ["crm"], "remove": ["gone"]}))
    rows = [
        record(1, **YES),
        record(2, **YES),
        record(3, **{**YES, "consent_at": LAST_YEAR}),
        record(4, **YES),
        record(5, **{**YES, "consent": "objected"}),
    ]
    assert deliver(target, *rows).code == 0
    assert [status_of(sim, key) for key in (1, 2, 3, 4, 5)] == ["1", "1", "2", "1", "2"]
    assert status_of(sim, 1, "Foreign") == "1"
    assert contact_of(sim, "person1@example.com")["tags"] == ["crm", "vip"]
    assert deliver(target, *rows).report["writes"] == 0


def test_evidence_that_names_no_address_does_not_move_to_a_new_one(
    sim: Simulator, news: WarmTarget
) -> None:
    """S2-11: without a column for it, evidence counts for the address that is there already."""
    seed(sim, person(1, lists={"News": 1}))
    rows = [record(1, "new1@example.com", **YES)]
    assert deliver(news, *rows).code == 0
    assert contact_of(sim, "new1@example.com")["lists"] == {"1": "2"}
    assert deliver(news, *rows).report["writes"] == 0


def test_a_row_without_address_keeps_nobody_active(sim: Simulator, news: WarmTarget) -> None:
    """X2: the source has no address for which the consent could be."""
    seed(sim, person(1, lists={"News": 1}))
    row = record(1, **YES)
    row["record"]["email"] = None
    assert deliver(news, row).code == 0
    assert status_of(sim) == "2"


def test_a_time_told_of_somebody_who_just_joined_is_no_leaving(
    sim: Simulator, news: WarmTarget
) -> None:
    """S0-34, X2: where the vendor tells the last change of any kind, who joins for the first time
    stays; whoever was on the list before could have left, and is unsubscribed.
    """
    sim.switches(membership_udate="any_change")
    sim.clock(now=(datetime.now(UTC) - timedelta(days=100)).isoformat())
    seed(sim, person(2, lists={"News": 2}))
    sim.clock(real=True)
    rows = [record(1, **YES), record(2, **YES)]
    run = deliver(news, *rows)
    assert (status_of(sim, 1), status_of(sim, 2)) == ("1", "2")
    assert run.causes == {"left_meanwhile": 1}
    assert deliver(news, *rows).report["writes"] == 0


@pytest.mark.parametrize("switch", ["sourceid", "bounced"])
def test_a_subscription_quietly_not_made_is_noticed(
    sim: Simulator, news: WarmTarget, switch: str
) -> None:
    """X4: re-subscriptions carry what the vendor asks for; one it ignores is a named reject."""
    sim.switches(resubscribe_requires_sourceid=True, bounced_resubscribe=False)
    sim.clock(now=(datetime.now(UTC) - timedelta(days=100)).isoformat())
    seed(sim, person(1, lists={"News": 1}))
    event = {"sourceid": "unsubscribe", "bounced": "bounce"}[switch]
    sim.event(event, email="person1@example.com")
    sim.clock(real=True)
    run = deliver(news, record(1, **YES))
    if switch == "sourceid":
        assert (run.outcomes, status_of(sim)) == ({"applied": 1}, "1")
    else:
        assert (run.outcomes, status_of(sim)) == ({"rejected": 1}, "3")
        assert run.stream["errors_by_step"] == {"lists": 1}
        assert run.causes == {"not_subscribed": 1}


def test_lists_are_found_by_name_or_id_before_anything_is_written(
    sim: Simulator, make_target: Any
) -> None:
    """S0-14, S0-16: beyond the first page too; every list that does not fit is named at once."""
    more = [f"List {number}" for number in range(120)]
    sim.seed({"fields": seeded_fields(), "lists": [*more, "Twice", "Twice"]})
    sim.seed({"lists": [{"name": "Texts", "channel": "sms"}]})
    rule = {"when": True, "consent": "ads"}
    names = ("List 119", "120", "Nowhere", "Twice", "Texts")
    wrong = make_target("wrong", streams=with_lists(lists=dict.fromkeys(names, rule)))
    run = deliver(wrong, record(1, **YES))
    assert (run.code, sim.requests(writes=True)) == (2, [])
    for words in ("lists.Nowhere", "lists.Twice: 2 lists", "lists.Texts: is a list for sms",
                  "two entries name the same list"):  # fmt: skip
        assert words in run.stderr
    right = make_target("right", streams=with_lists(lists={"List 118": rule, "120": rule}))
    assert deliver(right, record(1, **YES)).code == 0
    assert contact_of(sim, "person1@example.com")["lists"] == {"119": "1", "120": "1"}


@pytest.mark.parametrize("column", ["consent", "consent_at", "wants_news"])
def test_a_word_that_cannot_be_read_moves_nobody(
    sim: Simulator, news: WarmTarget, column: str
) -> None:
    """S0-10, S0-60: the row is a named reject of the first step, and no membership changes."""
    seed(sim, person(1, lists={"News": 1}), person(2))
    run = deliver(news, *(record(key, **{**YES, column: "perhaps"}) for key in (1, 2)))
    assert run.stream["errors_by_step"] == {"check": 2}
    assert {r["field"] for r in news.rejects} == {column}
    assert (status_of(sim, 1), status_of(sim, 2)) == ("1", None)


def test_each_step_has_its_own_budget(sim: Simulator, make_target: Any) -> None:
    """S0-28, S0-56, S0-60: lists and tags fail within theirs, contacts are delivered; one more
    error ends the run.
    """
    seed(sim, tags=["crm"])
    refused = {
        "type": "status",
        "status": 422,
        "body": '{"errors":[]}',
        "content_type": "application/json",
    }
    sim.faults([
        {"match": {"method": "POST", "path": "/contactLists$"}, "action": refused},
        {"match": {"method": "POST", "path": "/contactTags$"}, "action": refused},
    ])  # fmt: skip
    streams = with_lists(tags={"add": ["crm"]})
    rows = [record(key, **YES) for key in (1, 2)]
    rows += [record(3, **{**YES, "consent": None})]
    target = make_target(streams=streams, max_errors=2)
    run = deliver(target, *rows)
    assert run.code == 0
    assert run.stream["errors_by_step"] == {"lists": 2, "tags": 1}
    assert len(sim.contacts()) == 3
    assert {r["step"] for r in target.rejects} == {"lists", "tags"}
    assert deliver(make_target("strict", streams=streams, max_errors=1), *rows).code == 4


@READS
def test_tags_are_added_and_removed_only_as_intended(
    sim: Simulator, make_target: Any, reads: str
) -> None:
    """S4-22, X3, X5: what is neither named nor owned stays, and a second run writes nothing."""
    held = ["vip", "old", "crm-golf", "crm-chess", "CRM-upper", "crmless"]
    seed(sim, person(1, tags=held), person(2, tags=held), tags=held)
    rule = {"add": ["customer"], "remove": ["Old"], "from": "interests", "owned_prefixes": ["crm-"]}
    target = make_target(streams=with_tags(**rule), reads=reads)
    rows = [record(1, interests="crm-golf; crm-sailing"), record(2, interests=None), record(3)]
    run = deliver(target, *rows)
    assert (run.code, run.outcomes) == (0, {"applied": 3})
    tags = {key: contact_of(sim, f"person{key}@example.com")["tags"] for key in (1, 2, 3)}
    assert tags[1] == ["crm-golf", "crm-sailing", "crmless", "customer", "vip"]
    assert sorted(tags[2]) == sorted({*held, "customer"} - {"old"})
    assert tags[3] == ["customer"]
    sim.forget_requests()
    before = sim.state()
    assert deliver(target, *rows).report["writes"] == 0
    assert sim.state() == before


def test_an_empty_column_removes_owned_tags_and_null_leaves_them(
    sim: Simulator, make_target: Any
) -> None:
    """S4-22: nothing named is said; nothing said is not."""
    seed(sim, person(1, tags=["crm-a"]), person(2, tags=["crm-a"]), tags=["crm-a"])
    rule = {"from": "interests", "owned_prefixes": ["crm-"]}
    target = make_target(streams=with_tags(**rule))
    deliver(target, record(1, interests=""), record(2, interests=None))
    assert contact_of(sim, "person1@example.com")["tags"] == []
    assert contact_of(sim, "person2@example.com")["tags"] == ["crm-a"]


def test_a_missing_tag_is_created_once_and_letter_case_makes_no_other(
    sim: Simulator, make_target: Any
) -> None:
    """S4-21: one creation for all persons; a tag that exists in other letters is used."""
    seed(sim, tags=["Customer"])
    target = make_target(streams=with_tags(add=["customer", "fresh"]))
    deliver(target, *(record(key) for key in (1, 2, 3)))
    assert len(posts(sim, "/tags")) == 1
    assert contact_of(sim, "person3@example.com")["tags"] == ["Customer", "fresh"]


@pytest.mark.parametrize("action", ["apply_then_reset", "reset"])
@pytest.mark.parametrize("route", ["/tags$", "/contactTags$"])
def test_tags_survive_lost_answers(
    sim: Simulator, make_target: Any, action: str, route: str
) -> None:
    """S4-21: a lost answer makes no second tag; what is not settled comes with the next run."""
    seed(sim)
    target = make_target(streams=with_tags(add=["fresh"]))
    sim.faults([{"match": {"method": "POST", "path": route}, "nth": 1, "action": action}])
    deliver(target, record(1))
    deliver(target, record(1))
    assert contact_of(sim, "person1@example.com")["tags"] == ["fresh"]
    assert [tag["tag"] for tag in sim.state()["tags"]] == ["fresh"]
    assert deliver(target, record(1)).report["writes"] == 0


@INCLUDE
def test_more_than_a_hundred_tags_are_all_seen(
    sim: Simulator, make_target: Any, include: bool
) -> None:
    """S0-16: of the account and of one contact; the last of them is found and not written again."""
    many = [f"tag {number:03}" for number in range(260)]
    seed(sim, person(1, tags=many), tags=many)
    sim.switches(include_supported=include)
    target = make_target(streams=with_tags(add=["tag 259", "tag 000"], remove=["tag 130"]))
    assert deliver(target, record(1)).outcomes == {"applied": 1}
    assert contact_of(sim, "person1@example.com")["tags"] == sorted({*many} - {"tag 130"})
    assert (len(posts(sim, "/tags")), len(posts(sim, "/contactTags"))) == (0, 0)
    assert deliver(target, record(1)).report["writes"] == 0


def test_a_tag_of_the_column_that_nobody_owns_is_a_reject(sim: Simulator, make_target: Any) -> None:
    """S4-22, S0-60: it is not set; the person and the tags that are ours are."""
    seed(sim)
    rule = {"from": "interests", "owned_prefixes": ["crm-"]}
    target = make_target(streams=with_tags(**rule))
    run = deliver(target, record(1, interests="crm-golf,vip"))
    assert run.stream["errors_by_step"] == {"tags": 1}
    assert run.causes == {"tag_not_owned": 1}
    assert contact_of(sim, "person1@example.com")["tags"] == ["crm-golf"]


def test_a_failed_creation_gets_no_tag(sim: Simulator, make_target: Any) -> None:
    """S4-21: the tag is set after success only."""
    seed(sim, tags=["crm"])
    sim.switches(email_validation="strict")
    target = make_target(streams=with_tags(add=["crm"]))
    run = deliver(target, record(1, "p@bücher.example.com"))
    assert (run.outcomes, posts(sim, "/contactTags")) == ({"rejected": 1}, [])
