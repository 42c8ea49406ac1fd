"""What ActiveCampaign says and what is so: each difference is named, and none starts a loop."""

from __future__ import annotations

from typing import Any

import pytest
from destinations.conftest import MakeTarget
from destinations.test_lists_and_tags import YES, deliver, person, seed, status_of, with_lists
from destinations_support import WarmTarget, contact_of, keys_are_unique, routes, sums_close
from simulators_support import Simulator
from target_support import Run, record

WRITTEN = {"given_name": "Ann", "org_country": "Chile"}


@pytest.fixture
def loaded(sim: Simulator, target: WarmTarget) -> WarmTarget:
    """A target whose account has two contacts as the source wants them."""
    assert target.deliver([record(1, given_name="Old"), record(2)]).outcomes == {"applied": 2}
    sim.forget_requests()
    return target


def again(target: WarmTarget, **more: Any) -> Run:
    """One more run with the same rows: the first one changed, the second as it was."""
    run = target.deliver([record(1, **WRITTEN), record(2)], **more)
    assert run.code == 0, run.stderr
    assert sums_close(run)
    return run


def details(run: Run) -> dict[str, Any]:
    """What the report says of the stream beside outcomes."""
    return dict(run.stream["details"])


def writes(sim: Simulator) -> int:
    """Writes since the last look."""
    number = len(sim.requests(writes=True))
    sim.forget_requests()
    return number


# --- what an answer says ---


def test_an_answer_about_another_contact_is_not_believed_and_looked_into(
    loaded: WarmTarget, sim: Simulator
) -> None:
    """The write was done, as a look shows: it is applied, not repeated, and the answer counted."""
    sim.switches(untrue_echo="contacts")
    run = again(loaded)
    assert run.outcomes == {"applied": 1, "unchanged": 1}
    assert run.causes == {"confirmed_by_reading_back": 1}
    assert routes(sim) == {("PUT", "/contacts/{id}"): 1}
    assert run.report["answers_broken"] == {"PUT contacts/{id}": 1}
    assert "PUT contacts/{id}" in run.stderr
    assert contact_of(sim, "person1@example.com")["firstName"] == "Ann"


def test_a_new_contact_is_not_made_twice_where_the_answer_is_about_another(
    loaded: WarmTarget, sim: Simulator
) -> None:
    """Its address is looked for before anything is repeated (S0-44)."""
    sim.switches(untrue_echo="contacts,fieldValues")
    run = loaded.deliver([record(3, given_name="New")])
    assert run.outcomes == {"applied": 1}
    assert keys_are_unique(sim)
    assert contact_of(sim, "person3@example.com")["fieldValues"]["BUBSCTTID"] == "3"


@pytest.mark.parametrize("number", [1, 3])
def test_a_success_that_says_it_failed_is_a_reject_and_done_in_the_next_run(
    loaded: WarmTarget, sim: Simulator, number: int
) -> None:
    """`success: 0` in a 200: nothing was done; tried a few times by look and no more."""
    rows = [record(number, given_name="Ann")]
    sim.switches(untrue_failures="contacts")
    run = loaded.deliver(rows)
    assert run.outcomes == {"unknown": 1}
    assert sum(run.report["answers_broken"].values()) == writes(sim) <= 4
    assert run.last_state == 1
    sim.switches(untrue_failures="")
    assert loaded.deliver(rows).outcomes == {"applied": 1}
    assert contact_of(sim, f"person{number}@example.com")["firstName"] == "Ann"
    assert keys_are_unique(sim)


@pytest.mark.parametrize("fault", ["html_200", "empty_200"])
def test_a_page_or_nothing_with_status_200_is_no_success(
    loaded: WarmTarget, sim: Simulator, fault: str
) -> None:
    """A page ends the run in words; an empty answer is looked into, and the write done."""
    sim.faults([{"match": {"method": "PUT"}, "nth": 1, "action": fault}])
    run = loaded.deliver([record(1, **WRITTEN), record(2)])
    assert run.report["answers_broken"] == {"PUT contacts/{id}": 1}
    assert run.code == (7 if fault == "html_200" else 0)
    assert ("web page instead of JSON" in run.stderr) is (fault == "html_200")
    sim.faults([])
    again(loaded)
    assert contact_of(sim, "person1@example.com")["firstName"] == "Ann"
    assert keys_are_unique(sim)


def test_a_read_that_says_it_failed_is_not_taken_for_an_empty_account(
    loaded: WarmTarget, sim: Simulator
) -> None:
    """Nobody is inserted because a list of contacts did not come."""
    answer = {"type": "status", "status": 200, "body": '{"success": 0}'}
    sim.faults([{"match": {"method": "GET", "path": "/contacts\\?.*orders"}, "action": answer}])
    run = loaded.deliver([record(1, **WRITTEN)], reads="crawl")
    assert run.code == 7
    assert "without a list of contacts, and says success: 0" in run.stderr
    assert writes(sim) == 0


# --- what is so ---


def test_what_is_accepted_and_ignored_is_named_by_field(loaded: WarmTarget, sim: Simulator) -> None:
    """The answer shows everything as it was sent; reading back shows that nothing of it is there,
    and the next runs write it once each, and name it as never staying.
    """
    sim.switches(untrue_ignores="contacts,fieldValues")
    run = again(loaded)
    assert details(run)["verified"] == {"contacts": 1, "mismatches": 1, "mismatch_rate": 1.0}
    assert details(run)["mismatched_fields"] == {"LAND": 1, "firstName": 1}
    assert "contacts: 1 of 1 contacts that were read back are not as they were written" in (
        run.stderr
    )
    assert "LAND 1, firstName 1" in run.stderr
    assert "person1" not in run.stderr
    assert writes(sim) == 1
    run = again(loaded)
    assert details(run)["changes_back"] == {"LAND": 1, "firstName": 1}
    assert writes(sim) == 1


def test_a_contact_that_was_accepted_and_never_made_is_named(
    loaded: WarmTarget, sim: Simulator
) -> None:
    """The id of the answer leads nowhere."""
    sim.switches(untrue_ignores="contacts")
    run = loaded.deliver([record(3, given_name="New")])
    assert details(run)["mismatched_fields"] == {"the contact": 1}
    sim.switches(untrue_ignores="")
    assert loaded.deliver([record(3, given_name="New")]).outcomes == {"applied": 1}
    assert keys_are_unique(sim)


def test_nothing_written_means_nothing_read_back(loaded: WarmTarget, sim: Simulator) -> None:
    """S0-52: an idle run costs what it did before."""
    rows = [record(1, given_name="Old"), record(2)]
    calls = []
    for sample in (20, 0):
        sim.forget_requests()
        run = loaded.deliver(rows, verify_sample=sample)
        assert run.outcomes == {"unchanged": 2}
        assert "verified" not in details(run)
        calls.append(sim.summary()["total"])
    assert calls[0] == calls[1]


@pytest.mark.parametrize(("size", "read"), [(20, 12), (5, 5), (0, 0)])
def test_as_many_are_read_back_as_the_setting_says_in_one_call(
    target: WarmTarget, sim: Simulator, size: int, read: int
) -> None:
    """`verify_sample`: never more than were written, and none at all for 0."""
    run = target.deliver([record(i, given_name="Ann") for i in range(12)], verify_sample=size)
    assert details(run).get("verified", {"contacts": 0})["contacts"] == read
    last = sim.requests()[-1]
    assert (last["method"] == "GET" and "ids" in last["query"]) is bool(size)
    if size:
        assert details(run)["verified"]["mismatches"] == 0


# --- consent ---


@pytest.fixture
def news(make_target: MakeTarget, sim: Simulator) -> WarmTarget:
    """A target with a list that two people are on."""
    seed(sim, person(1, lists={"News": 1}), person(2, lists={"News": 1}))
    return make_target(streams=with_lists())


def leaves(target: WarmTarget, **more: Any) -> Run:
    """The first person has withdrawn consent, the second has not."""
    return deliver(
        target, record(1, **{**YES, "consent": "unsubscribed"}), record(2, **YES), **more
    )


def test_an_unsubscription_that_was_only_said_is_made_good_at_once(
    news: WarmTarget, sim: Simulator
) -> None:
    """X2: everybody who was taken off a list is read back, sample or not; here the first answer
    was untrue, and the second is true.
    """
    body = (
        '{"contactList": {"contact": "1", "list": "1", "status": "2", "id": "1"}, "contacts": []}'
    )
    untrue = {"type": "status", "status": 200, "body": body}
    match = {"method": "POST", "path": "/contactLists$"}
    sim.faults([{"match": match, "nth": 1, "action": untrue}])
    run = leaves(news, verify_sample=1)
    assert run.code == 0
    assert status_of(sim, 1) == "2"
    assert status_of(sim, 2) == "1"
    assert details(run)["unsubscribed_again"] == 1
    assert details(run)["mismatched_fields"] == {"lists.News": 1}
    assert "still_subscribed" not in details(run)
    assert leaves(news).outcomes == {"unchanged": 2}


def test_whom_the_vendor_keeps_active_is_an_error_by_name_for_as_long_as_that_is_so(
    news: WarmTarget, sim: Simulator
) -> None:
    """X2: taken off twice, active still: said as an error, and on the worklist until it is over."""
    sim.switches(untrue_ignores="contactLists")
    for _ in range(2):
        run = leaves(news)
        assert details(run)["still_subscribed"] == 1
        assert "1 ActiveCampaign keeps there" in run.stderr
        assert details(run)["worklist"] == {"still_subscribed": 1}
    assert "key:1  still_subscribed" in news.operate("worklist").stdout
    sim.switches(untrue_ignores="")
    leaves(news)
    assert status_of(sim, 1) == "2"
    assert "worklist" not in details(leaves(news))


@pytest.mark.parametrize("untrue", ["untrue_echo", "untrue_failures", "untrue_ignores"])
def test_no_untrue_answer_makes_anybody_active_who_must_not_be(
    news: WarmTarget, sim: Simulator, untrue: str
) -> None:
    """X2: a third person who had left stays away, whatever the vendor says of the others."""
    sim.seed({"contacts": [person(3, lists={"News": 1})]})
    sim.event("unsubscribe", email="person3@example.com", list=1)
    sim.switches(**{untrue: "contacts,contactLists,fieldValues"})
    rows = [record(1, **{**YES, "consent": "unsubscribed"}), record(3, **YES), record(4, **YES)]
    for _ in range(2):
        run = deliver(news, *rows)
        assert sums_close(run)
        assert keys_are_unique(sim)
        assert status_of(sim, 3) == "2"
    sim.switches(**{untrue: ""})
    deliver(news, *rows)
    assert status_of(sim, 1) == "2"


# --- what does not stay ---


def test_a_field_that_an_automation_overwrites_is_named_and_after_a_while_left_alone(
    loaded: WarmTarget, sim: Simulator
) -> None:
    """Written and changed back: named from the second run on, quarantined after three, by field
    and never by person.
    """
    sim.switches(automation_overwrites="LAND=Peru")
    assert details(again(loaded))["mismatched_fields"] == {"LAND": 1}
    run = again(loaded, quarantine_after=3)
    assert details(run)["changes_back"] == {"LAND": 1}
    assert "fields that do not keep what is written there: LAND 1 (contacts)" in run.stderr
    again(loaded, quarantine_after=3)
    assert writes(sim) == 3
    for _ in range(2):
        run = again(loaded, quarantine_after=3)
        assert run.outcomes == {"unchanged": 2}
        assert run.causes == {"changes_back": 1}
        assert details(run)["left_alone"] == {"LAND": 1}
        assert details(run)["worklist"] == {"changes_back": 1}
        assert writes(sim) == 0
    assert "field LAND  changes_back" in loaded.operate("worklist").stdout


@pytest.fixture
def quarantined(loaded: WarmTarget, sim: Simulator) -> WarmTarget:
    """A target that leaves LAND alone at one contact, after two runs."""
    loaded.config["quarantine_after"] = 2
    sim.switches(automation_overwrites="LAND=Peru")
    for _ in range(3):
        run = again(loaded)
    assert details(run)["left_alone"] == {"LAND": 1}
    sim.switches(automation_overwrites="")
    sim.forget_requests()
    return loaded


def test_another_value_in_the_source_is_written_again(
    quarantined: WarmTarget, sim: Simulator
) -> None:
    """What was left alone was that one value."""
    run = quarantined.deliver([record(1, **{**WRITTEN, "org_country": "Cuba"}), record(2)])
    assert run.outcomes == {"applied": 1, "unchanged": 1}
    assert contact_of(sim, "person1@example.com")["fieldValues"]["LAND"] == "Cuba"
    assert "worklist" not in details(run)


@pytest.mark.parametrize("after", [0, 3])
def test_another_number_of_runs_lets_the_field_be_written_again(
    quarantined: WarmTarget, sim: Simulator, after: int
) -> None:
    """`quarantine_after` raised, or switched off."""
    assert again(quarantined, quarantine_after=after).outcomes == {"applied": 1, "unchanged": 1}
    assert contact_of(sim, "person1@example.com")["fieldValues"]["LAND"] == "Chile"
    run = again(quarantined)
    assert run.outcomes == {"unchanged": 2}
    assert "worklist" not in details(run)


def test_a_field_that_agrees_again_is_forgotten(quarantined: WarmTarget, sim: Simulator) -> None:
    """Somebody put it right there: the next difference counts from the beginning."""
    sim.event("edit_contact", email="person1@example.com", fieldValues={"LAND": "Chile"})
    assert details(again(quarantined)) == {}
    sim.event("edit_contact", email="person1@example.com", fieldValues={"LAND": "Peru"})
    run = again(quarantined)
    assert run.outcomes == {"applied": 1, "unchanged": 1}
    assert "changes_back" not in details(run)


def test_other_fields_of_the_contact_are_written_while_one_is_left_alone(
    quarantined: WarmTarget, sim: Simulator
) -> None:
    """A quarantine is of one field at one contact."""
    run = quarantined.deliver([record(1, **{**WRITTEN, "given_name": "Anna"}), record(2)])
    assert run.causes == {"changes_back": 1}
    found = contact_of(sim, "person1@example.com")
    assert (found["firstName"], found["fieldValues"]["LAND"]) == ("Anna", "Peru")


def test_losing_the_ledger_begins_the_counting_anew_and_writes_nothing_wrong(
    quarantined: WarmTarget, sim: Simulator
) -> None:
    """X8: only the streak is lost."""
    (quarantined.home / "state" / "ledger.sqlite").unlink()
    assert again(quarantined).outcomes == {"applied": 1, "unchanged": 1}
    assert contact_of(sim, "person1@example.com")["fieldValues"]["LAND"] == "Chile"


def test_a_value_kept_in_another_form_is_written_once(loaded: WarmTarget, sim: Simulator) -> None:
    """The vendor normalises: it is named by the reading back, and then left as it is without any
    setting, until the source wants something else.
    """
    sim.switches(untrue_form="LAND=upper")
    run = again(loaded)
    assert details(run)["mismatched_fields"] == {"LAND": 1}
    assert writes(sim) == 1
    for _ in range(2):
        run = again(loaded)
        assert run.outcomes == {"unchanged": 2}
        assert details(run) == {"kept_in_another_form": {"LAND": 1}}
        assert writes(sim) == 0
    run = loaded.deliver([record(1, **{**WRITTEN, "org_country": "Cuba"}), record(2)])
    assert run.outcomes == {"applied": 1, "unchanged": 1}
    assert contact_of(sim, "person1@example.com")["fieldValues"]["LAND"] == "CUBA"


def test_a_value_that_is_cut_is_another_value_and_named(loaded: WarmTarget, sim: Simulator) -> None:
    """Not the same to a reader: written in each run, and said so."""
    sim.switches(untrue_form="LAND=cut")
    again(loaded)
    run = again(loaded)
    assert details(run)["changes_back"] == {"LAND": 1}
    assert details(run)["mismatched_fields"] == {"LAND": 1}


def test_a_plan_remembers_nothing_of_what_it_would_write(
    loaded: WarmTarget, sim: Simulator
) -> None:
    """Rehearsed twice, LAND is still what it is: to be written for the first time."""
    plan = {"mode": "plan", "plan_file": str(loaded.home / "plan.json")}
    for _ in range(2):
        loaded.deliver([record(1, **WRITTEN), record(2)], **plan)
    run = again(loaded, quarantine_after=1)
    assert run.outcomes == {"applied": 1, "unchanged": 1}
    assert "changes_back" not in details(run)
