"""Rows deleted in the source: who is unsubscribed, tagged or erased, and who never comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, routes, seeded_fields, sums_close
from simulators_support import Simulator
from target_activecampaign.settings import DEFAULT_STREAMS
from target_support import record, schema, state

GONE = "2026-03-01T00:00:00Z"
TAG = "backoffice-deleted"
ERASURE = {"on_delete": "delete", "erasure_column": "erase"}
REFUSED = {"type": "status", "body": "{}", "content_type": "application/json"}
MakeTarget = Callable[..., WarmTarget]


def stream(**options: Any) -> dict[str, Any]:
    return {"contacts": {**DEFAULT_STREAMS["contacts"], **options}}


def deleted(ctt_id: int | None, email: str | None = None, **more: Any) -> dict[str, Any]:
    return record(ctt_id, email, _sdc_deleted_at=GONE, **more)


def messages(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema(erase={"type": ["boolean", "string", "null"]}), *rows, state(len(rows))]


@pytest.fixture
def known(sim: Simulator) -> Simulator:
    """Four contacts; the first three carry keys, all are on lists in every status."""
    sim.seed(
        {
            "fields": seeded_fields(),
            "lists": ["News", "Offers", "Left", "Bounced", "Pending"],
            "tags": ["vip"],
            "contacts": [
                {
                    "email": f"person{n}@example.com",
                    "fieldValues": {"BUBSCTTID": str(n)} if n < 4 else {},
                    "lists": {"News": 1, "Offers": 1, "Left": 2, "Bounced": 3, "Pending": 0},
                    "tags": ["vip"],
                }
                for n in range(1, 5)
            ],
        }
    )
    return sim


def standing(sim: Simulator, email: str) -> dict[str, str]:
    """Status by the name of the list."""
    names = {row["id"]: row["name"] for row in sim.state()["lists"]}
    return {names[i]: status for i, status in contact_of(sim, email)["lists"].items()}


WITHDRAWN = {"News": "2", "Offers": "2", "Left": "2", "Bounced": "3", "Pending": "0"}
UNTOUCHED = {"News": "1", "Offers": "1", "Left": "2", "Bounced": "3", "Pending": "0"}


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_a_deleted_person_is_unsubscribed_everywhere_and_tagged(
    known: Simulator, make_target: MakeTarget, reads: str
) -> None:
    """X2, X3, X5: every active membership ends, no other changes, nothing else of the contact is
    touched; strangers are named; the second run writes nothing.
    """
    target = make_target(reads=reads)
    rows = [deleted(1), deleted(9), record(2)]
    before = contact_of(known, "person1@example.com")
    run = target.run(messages(*rows))
    assert (run.code, run.outcomes) == (0, {"applied": 1, "unchanged": 1, "suppressed": 1})
    assert run.causes == {"deleted_in_source": 1}
    assert sums_close(run)
    after = contact_of(known, "person1@example.com")
    assert standing(known, "person1@example.com") == WITHDRAWN
    assert after["tags"] == [TAG, "vip"]
    same = ("id", "email", "firstName", "fieldValues", "account")
    assert [after[name] for name in same] == [before[name] for name in same]
    assert standing(known, "person2@example.com") == UNTOUCHED
    assert len(known.contacts()) == 4
    again = target.run(messages(*rows))
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 2, "suppressed": 1}, 0)


def test_a_person_without_key_is_found_by_address(known: Simulator, target: WarmTarget) -> None:
    """S0-18: the contact whose key field is empty is the row's, by its address."""
    assert target.run(messages(deleted(4))).outcomes == {"applied": 1}
    assert standing(known, "person4@example.com") == WITHDRAWN


@pytest.mark.parametrize("living", ["person4@example.com", "PERSON4@example.com"])
def test_an_address_that_somebody_living_has_deletes_nobody(
    known: Simulator, target: WarmTarget, living: str
) -> None:
    """S0-18: a deleted person's address that a living one took over says nothing of its contact."""
    run = target.run(messages(deleted(40, "person4@example.com"), record(41, living)))
    assert run.outcomes == {"applied": 1, "suppressed": 1}
    assert standing(known, "person4@example.com") == UNTOUCHED
    assert contact_of(known, "person4@example.com")["fieldValues"]["BUBSCTTID"] == "41"


def test_a_contact_with_the_key_of_somebody_else_is_left_alone(
    known: Simulator, target: WarmTarget
) -> None:
    """S0-25: the address says A, the key field B; B was not deleted."""
    run = target.run(messages(deleted(50, "person1@example.com")))
    assert (run.outcomes, run.causes) == ({"suppressed": 1}, {"deleted_in_source": 1})
    assert standing(known, "person1@example.com") == UNTOUCHED
    assert known.requests(writes=True) == []


def test_two_contacts_with_the_key_are_a_reject(known: Simulator, target: WarmTarget) -> None:
    """S0-24: neither is touched; the row stays on the worklist, in its own step."""
    known.event("edit_contact", email="person2@example.com", fieldValues={"BUBSCTTID": "1"})
    run = target.run(messages(deleted(1)))
    assert (run.outcomes, run.causes) == ({"rejected": 1}, {"ambiguous_key": 1})
    assert run.stream["errors_by_step"] == {"delete": 1}
    assert standing(known, "person1@example.com") == UNTOUCHED


def test_tag_alone_leaves_the_lists(known: Simulator, make_target: MakeTarget) -> None:
    """X5: `on_delete: tag` with a tag of one's own, found whatever its case; one write."""
    known.seed({"tags": ["Gone"]})
    target = make_target(streams=stream(on_delete="tag", deleted_tag="gone"))
    assert target.run(messages(deleted(1))).outcomes == {"applied": 1}
    assert contact_of(known, "person1@example.com")["tags"] == ["Gone", "vip"]
    assert standing(known, "person1@example.com") == UNTOUCHED
    assert routes(known) == {("POST", "/contactTags"): 1}


def test_a_row_merely_absent_deletes_nobody(known: Simulator, target: WarmTarget) -> None:
    """S0-29: a source that sends one person says nothing about the others."""
    target.run(messages(record(1)))
    assert standing(known, "person2@example.com") == UNTOUCHED
    assert len(known.contacts()) == 4


@pytest.mark.parametrize("email", ["deleted", "", "x@y@z"])
def test_an_address_made_unreadable_does_not_hold_the_deletion_back(
    known: Simulator, target: WarmTarget, email: str
) -> None:
    """S0-18: the key is enough to know whom it is about."""
    row = deleted(1, given_name="\x01")
    row["record"]["email"] = email
    assert target.run(messages(row)).outcomes == {"applied": 1}
    assert standing(known, "person1@example.com") == WITHDRAWN


def test_more_lists_and_tags_than_a_page_holds(sim: Simulator, target: WarmTarget) -> None:
    """S0-16: 130 memberships end, and the tag is found behind 130 others."""
    names = [f"List {n}" for n in range(130)]
    others = [f"tag {n}" for n in range(130)]
    sim.seed(
        {
            "fields": seeded_fields(),
            "lists": names,
            "tags": [*others, TAG],
            "contacts": [
                {"email": "person1@example.com", "fieldValues": {"BUBSCTTID": "1"},
                 "lists": dict.fromkeys(names, 1), "tags": others},
            ],
        }
    )  # fmt: skip
    assert target.run(messages(deleted(1))).outcomes == {"applied": 1}
    assert set(standing(sim, "person1@example.com").values()) == {"2"}
    assert TAG in contact_of(sim, "person1@example.com")["tags"]
    again = target.run(messages(deleted(1)))
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0)


# Hard deletes


def test_only_the_erasure_flag_deletes_for_good(known: Simulator, make_target: MakeTarget) -> None:
    """X3, X6: the flagged contact is gone, the other is unsubscribed and tagged, a flag that is
    neither yes nor no is a reject; the second run writes nothing.
    """
    target = make_target(streams=stream(**ERASURE))
    rows = [deleted(1, erase=True), deleted(2, erase=False), deleted(3, erase="2026-01-01")]
    run = target.run(messages(*rows))
    assert run.outcomes == {"applied": 2, "rejected": 1}
    assert run.causes == {"erasure_flag": 1}
    assert sorted(known.contacts()) == [f"person{n}@example.com" for n in (2, 3, 4)]
    assert standing(known, "person2@example.com") == WITHDRAWN
    assert standing(known, "person3@example.com") == UNTOUCHED
    assert routes(known)["DELETE", "/contacts/{id}"] == 1
    again = target.run(messages(*rows))
    assert again.outcomes == {"suppressed": 1, "unchanged": 1, "rejected": 1}
    assert again.report["writes"] == 0


def test_the_flag_alone_deletes_nobody(known: Simulator, make_target: MakeTarget) -> None:
    """X6: a living row with the flag is a living row."""
    target = make_target(streams=stream(**ERASURE))
    target.run(messages(record(1, erase=True)))
    assert "person1@example.com" in known.contacts()


@pytest.mark.parametrize(("most", "code"), [(2, 4), (3, 0)])
def test_more_erasures_than_allowed_stop_the_run_before_the_first(
    known: Simulator, make_target: MakeTarget, most: int, code: int
) -> None:
    """X6: the guard counts the contacts that are really there; at the limit all are deleted."""
    target = make_target(streams=stream(**ERASURE, max_deletes=most))
    rows = [deleted(n, erase=True) for n in (1, 2, 3, 77, 78)]
    run = target.run(messages(*rows, record(4, given_name="New")))
    assert run.code == code
    if code:
        assert "3 contacts would be deleted for good, max_deletes is 2" in run.stderr
        assert known.requests(writes=True) == []
        assert run.states == []
    else:
        assert list(known.contacts()) == ["person4@example.com"]


def test_the_tombstone_is_there_before_the_call(known: Simulator, make_target: MakeTarget) -> None:
    """X6, X7: the call fails for good, the deletion is noted all the same, without a word about
    the person; once the vendor is well again the contact goes.
    """
    target = make_target(streams=stream(**ERASURE))
    broken = {
        "match": {"method": "DELETE"},
        "times": 99,
        "action": {**REFUSED, "status": 400},
    }
    known.faults([broken])
    run = target.run(messages(deleted(1, erase=True)))
    assert run.stream["errors_by_step"] == {"delete": 1}
    kept = b"".join(p.read_bytes() for p in (target.home / "state").glob("tombstones*"))
    assert kept
    assert b"person1" not in kept
    known.faults([])
    late = target.run(messages(record(1, given_name="Late")))
    assert late.causes == {"deleted_before": 1}
    assert target.run(messages(deleted(1, erase=True))).outcomes == {"applied": 1}
    assert "person1@example.com" not in known.contacts()


def test_a_deletion_that_was_not_done_is_noticed(known: Simulator, make_target: MakeTarget) -> None:
    """X4, X6: a 200 proves nothing; who is still there is read back and stays on the worklist."""
    known.faults([{"match": {"method": "DELETE"}, "times": 9, "action": "empty_200"}])
    target = make_target(streams=stream(**ERASURE))
    run = target.run(messages(deleted(1, erase=True)))
    assert (run.outcomes, run.causes) == ({"rejected": 1}, {"still_there": 1})
    known.faults([])
    settled = target.run(messages())
    assert (settled.outcomes, target.rejects) == ({"applied": 1}, [])
    assert "person1@example.com" not in known.contacts()


@pytest.mark.parametrize("status", [403, 422])
def test_nobody_is_mailed_whose_deletion_is_refused(
    known: Simulator, make_target: MakeTarget, status: int
) -> None:
    """X2, X6: every active membership ends before the deletion is tried; the row stays on the
    worklist, or the run ends in words, and a later run deletes.
    """
    known.event("delete_contact", email="person3@example.com")
    known.switches(delete_quota=1, delete_quota_status=status)
    target = make_target(streams=stream(**ERASURE))
    run = target.run(messages(deleted(1, erase=True)))
    assert run.code == (3 if status == 403 else 0)
    assert standing(known, "person1@example.com") == WITHDRAWN
    known.switches(delete_quota=0)
    assert target.run(messages(deleted(1, erase=True))).outcomes == {"applied": 1}
    assert "person1@example.com" not in known.contacts()


# Unknown outcomes

STEPS = {
    "unsubscribe": ("POST", "contactLists$"),
    "create the tag": ("POST", "/tags$"),
    "tag": ("POST", "contactTags$"),
    "delete": ("DELETE", "contacts/\\d+$"),
}


@pytest.mark.parametrize("action", ["apply_then_reset", "apply_then_status", "reset", "truncate"])
@pytest.mark.parametrize("step", STEPS)
def test_one_lost_answer_is_made_good_within_the_run(
    known: Simulator, make_target: MakeTarget, step: str, action: str
) -> None:
    """X3, X4: whether the write happened is read, not guessed; nothing is done twice."""
    method, path = STEPS[step]
    known.faults([{"match": {"method": method, "path": path}, "nth": 1, "action": action}])
    target = make_target(streams=stream(**ERASURE))
    rows = [deleted(1, erase=True), deleted(2)]
    run = target.run(messages(*rows))
    assert (run.code, run.outcomes) == (0, {"applied": 2}), run.stderr
    assert_done(known)
    again = target.run(messages(*rows))
    assert again.report["writes"] == 0


@pytest.mark.parametrize("action", ["apply_then_reset", "reset"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_whose_answer_never_comes_is_settled_by_the_next_run(
    known: Simulator, make_target: MakeTarget, step: str, action: str
) -> None:
    """X2, X3, X4: closed sums whatever the end, nobody active again, and the next run converges."""
    method, path = STEPS[step]
    match = {"method": method, "path": path}
    known.faults([{"match": match, "times": 99, "action": action}])
    target = make_target(streams=stream(**ERASURE))
    rows = [deleted(1, erase=True), deleted(2)]
    run = target.run(messages(*rows))
    assert run.code in (0, 7), run.stderr
    assert sums_close(run)
    known.faults([])
    assert target.run(messages(*rows)).code == 0
    assert_done(known)
    again = target.run(messages(*rows))
    assert (again.outcomes, again.report["writes"]) == ({"suppressed": 1, "unchanged": 1}, 0)


def assert_done(sim: Simulator) -> None:
    """The first is gone, the second withdrawn, and the tag exists once."""
    assert "person1@example.com" not in sim.contacts()
    assert standing(sim, "person2@example.com") == WITHDRAWN
    assert contact_of(sim, "person2@example.com")["tags"] == [TAG, "vip"]
    assert [tag["tag"] for tag in sim.state()["tags"]].count(TAG) == 1


def test_a_contact_gone_in_between_is_what_was_wanted(
    known: Simulator, make_target: MakeTarget
) -> None:
    """S0-37: 404 is no error, of a deletion or of a withdrawal."""
    delete = {"type": "event", "event": {"type": "delete_contact", "contact": "1"}}
    reading = {"method": "GET", "path": "contactLists"}
    known.faults([{"match": reading, "nth": 1, "action": delete}])
    run = make_target().run(messages(deleted(1)))
    assert (run.outcomes, run.causes) == ({"unchanged": 1}, {"gone_already": 1})
    known.faults(
        [{"match": {"method": "DELETE"}, "nth": 1,
          "action": {"type": "event", "event": {"type": "delete_contact", "contact": "2"}}}]
    )  # fmt: skip
    erasing = make_target("erasing", streams=stream(**ERASURE))
    assert erasing.run(messages(deleted(2, erase=True))).code == 0
    assert "person2@example.com" not in known.contacts()
    assert erasing.rejects == []


@pytest.mark.parametrize(
    "switches",
    [
        {"tag_duplicate_status": 409},
        {"tag_duplicate_status": 200},
        {"contactlists_new_row_status": 200},
        {"include_supported": False},
        {"search_lag_seconds": 0.3},
        {"email_filter_ignores_case": False},
    ],
    ids=str,
)
def test_deletions_hold_on_both_sides_of_every_guess(
    known: Simulator, make_target: MakeTarget, switches: dict[str, Any]
) -> None:
    """X2, X3: what the contract leaves open changes nothing."""
    known.switches(**switches)
    known.clock(advance=5)  # what was seeded is visible to searches
    target = make_target(streams=stream(**ERASURE))
    rows = [deleted(1, erase=True), deleted(2)]
    assert target.run(messages(*rows)).outcomes == {"applied": 2}
    assert_done(known)


def test_the_step_has_a_budget_of_its_own(sim: Simulator, make_target: MakeTarget) -> None:
    """S0-56: as many refused deletions as max_errors go on, one more stops the run."""
    sim.seed(
        {
            "fields": seeded_fields(),
            "lists": ["News"],
            "contacts": [
                {"email": f"person{n}@example.com", "fieldValues": {"BUBSCTTID": str(n)},
                 "lists": {"News": 1}}
                for n in range(1, 5)
            ],
        }
    )  # fmt: skip
    refuse = {"match": {"method": "POST", "path": "contactLists"}, "times": 99,
              "action": {**REFUSED, "status": 422}}  # fmt: skip
    sim.faults([refuse])
    rows = [deleted(n) for n in range(1, 5)]
    within = make_target("within", max_errors=4).run(messages(*rows, record(9)))
    assert (within.code, within.outcomes) == (0, {"rejected": 4, "applied": 1})
    assert within.stream["errors_by_step"] == {"delete": 4}
    beyond = make_target("beyond", max_errors=3).run(messages(*rows))
    assert beyond.code == 4
    assert "step delete" in beyond.stderr


# Tombstones

VERSIONED = {"version_column": "updated_at"}


def late(ctt_id: int | None, email: str | None = None, at: str | None = None) -> dict[str, Any]:
    return record(ctt_id, email, given_name="Late", updated_at=at)


@pytest.mark.parametrize(
    ("at", "outcome"),
    [
        ("2026-02-01T00:00:00Z", "suppressed"),
        ("2026-02-28T23:59:59Z", "suppressed"),
        (None, "suppressed"),
        ("2026-03-02T00:00:00Z", "applied"),
    ],
)
@pytest.mark.parametrize("policy", [{}, ERASURE, {"on_delete": "tag"}], ids=str)
def test_a_late_record_brings_nobody_back_a_newer_one_does(
    known: Simulator, make_target: MakeTarget, policy: dict[str, Any], at: str, outcome: str
) -> None:
    """S0-9, X2: older than the deletion, or without evidence: suppressed by name; newer: delivered.
    Nobody is subscribed again by it.
    """
    target = make_target(streams=stream(**VERSIONED, **policy))
    gone = deleted(1, erase=True, updated_at="2026-01-15T00:00:00Z")
    assert target.run(messages(gone)).outcomes == {"applied": 1}
    known.forget_requests()
    run = target.run(messages(late(1, at=at)))
    assert run.outcomes == {outcome: 1}
    if outcome == "suppressed":
        assert run.causes == {"deleted_before": 1}
        assert known.requests(writes=True) == []
    if policy != {"on_delete": "tag"} and "person1@example.com" in known.contacts():
        assert "1" not in contact_of(known, "person1@example.com")["lists"].values()


def test_an_unknown_deleted_person_is_remembered_too(sim: Simulator, target: WarmTarget) -> None:
    """X2: the deletion came first, the record late; nobody is created, by key or by address."""
    sim.seed({"fields": seeded_fields()})
    target.run(messages(deleted(7, "seven@example.com")))
    run = target.run(messages(late(7, "other@example.com"), late(None, "Seven@example.com")))
    assert (run.outcomes, run.causes) == ({"suppressed": 2}, {"deleted_before": 2})
    assert sim.contacts() == {}


def test_the_address_the_contact_had_is_remembered(
    known: Simulator, make_target: MakeTarget
) -> None:
    """X2: the source no longer told the address; a late row without key is known all the same."""
    target = make_target(streams=stream(**ERASURE))
    row = deleted(1, erase=True)
    row["record"]["email"] = None
    target.run(messages(row))
    run = target.run(messages(late(None, "person1@example.com")))
    assert run.causes == {"deleted_before": 1}
    assert "person1@example.com" not in known.contacts()


def test_another_person_may_have_the_address_of_a_deleted_one(
    known: Simulator, make_target: MakeTarget
) -> None:
    """S0-18: a key of its own makes another person; a tombstone stops only whom it names."""
    target = make_target(streams=stream(**ERASURE))
    target.run(messages(deleted(1, erase=True)))
    assert target.run(messages(record(100, "person1@example.com"))).outcomes == {"applied": 1}
    assert contact_of(known, "person1@example.com")["fieldValues"]["BUBSCTTID"] == "100"


def test_ignore_counts_and_remembers_nothing(known: Simulator, make_target: MakeTarget) -> None:
    """X5: no call, no tombstone: the row that comes back is delivered."""
    target = make_target(streams=stream(on_delete="ignore"))
    run = target.run(messages(deleted(1)))
    assert (run.outcomes, run.causes) == ({"suppressed": 1}, {"deleted_in_source": 1})
    assert not list((target.home / "state").glob("tombstones*"))
    assert target.run(messages(record(1, given_name="Back"))).outcomes == {"applied": 1}


@pytest.mark.parametrize("lost", ["tombstones.key", "tombstones.sqlite"])
def test_a_damaged_memory_of_deletions_stops_before_any_write(
    known: Simulator, target: WarmTarget, lost: str
) -> None:
    """X6: without its key no note would ever match again: the run says so and writes nothing."""
    target.run(messages(deleted(1)))
    path = target.home / "state" / lost
    path.write_bytes(b"damaged")
    known.forget_requests()
    run = target.run(messages(record(2, given_name="New")))
    assert run.code == 1
    assert "tombstones" in run.stderr
    assert "Traceback" not in run.stderr
    assert known.requests(writes=True) == []
