"""Calls that fail, sessions that end, answers that lie: the list is complete, or declared open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.lists_untouched import (
    PEOPLE,
    assert_untouched,
    fill,
    last_line,
    open_phases,
    rows,
    shown,
)
from faults.support import EVERYTHING, Zygote
from lists_support import STREAM, ListTarget, ids, recipients, row, selection
from simulators_support import Simulator
from target_support import Run, lines

Build = Callable[..., ListTarget]
DATA = lines(selection(rows()))
COMPLETE = ids(range(1, PEOPLE + 1))
OLD = ids(range(101, 101 + PEOPLE))


@pytest.fixture
def target(campaign: Simulator, lists_at: Build) -> ListTarget:
    fill(campaign)
    return lists_at(campaign.url, batch_size_records=100, timeout_seconds=5)


def plan(operation: str, action: Any, **when: Any) -> list[dict[str, Any]]:
    """A fault plan for the calls of one SOAP operation."""
    return [{"match": {"body": f":{operation}[ >]"}, "action": action, **when}]


def go(zygote: Zygote, target: ListTarget, data: bytes = DATA, **more: Any) -> Run:
    return zygote.start(target, data, **more).end(200)


def assert_complete(campaign: Simulator, target: ListTarget, run: Run) -> None:
    assert run.code == 0, run.stderr
    assert recipients(campaign).keys() == COMPLETE
    assert run.outcomes["applied"] + run.outcomes.get("unchanged", 0) == PEOPLE
    assert len(run.states) == 1
    assert open_phases(target) == []


def assert_open(campaign: Simulator, target: ListTarget, run: Run, code: int) -> None:
    assert run.code == code, run.stderr
    assert run.states == []
    last_line(run)
    assert len(open_phases(target)) == 1


def expiry() -> dict[str, Any]:
    return {"type": "event", "event": {"type": "expire_sessions"}, "when": "before"}


def test_a_session_that_ends_before_any_call_is_renewed(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget
) -> None:
    """S1-25: at call 1, 2, 3 … until none is left; each time one more login and a whole list."""
    number = 0
    while True:
        number += 1 if EVERYTHING else 7
        campaign.reset()
        fill(campaign)
        campaign.faults([{"match": {}, "nth": number, "action": expiry()}])
        assert_complete(campaign, target, go(list_zygote, target))
        if not campaign.faults()[0]["fired"]:
            break
        logins = campaign.summary()["operations"]["RpcSession.login"]
        last = campaign.summary()["total"] - 1
        # Before the first login there was none to lose, and after the logout none is needed.
        assert logins == 2 or number in {1, 2, last, last + 1}
    assert number > 30


def test_sessions_that_end_before_every_call_end_the_run(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget
) -> None:
    """S1-25: exit 7, and no endless loop of logins."""
    campaign.faults([{"match": {"body": "sessionId|in0"}, "action": expiry()}])
    whole = shown(campaign)
    run = go(list_zygote, target)
    assert_untouched(campaign, target, run, whole, 7)
    assert campaign.summary()["total"] < 30


@pytest.mark.parametrize("operation", ["clear", "addAll3"])
def test_sessions_that_end_before_every_write_leave_an_open_intent(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, operation: str
) -> None:
    """S1-25 S1-23: exit 7 in the middle; the next run heals."""
    campaign.faults(plan(operation, expiry()))
    assert_open(campaign, target, go(list_zygote, target), 7)
    campaign.faults([])
    assert_complete(campaign, target, go(list_zygote, target))


AFTER_APPLYING = ["apply_then_status", "apply_then_reset", "apply_then_hang", "truncate"]
WRITING = {
    "addAll3": "clear_and_refill", "clear": "clear_and_refill",
    "removeAll": "reconcile", "setAttributesInBatchFlat": "reconcile",
}  # fmt: skip


@pytest.mark.parametrize("action", AFTER_APPLYING)
@pytest.mark.parametrize("operation", WRITING)
def test_a_write_that_was_applied_and_seemed_to_fail_loses_and_doubles_nobody(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, operation: str, action: str
) -> None:
    """S1-26: 502, reset, no answer in time, half an answer; code 5 then counts as success."""
    target.config["lists"][STREAM]["strategy"] = WRITING[operation]
    campaign.faults(plan(operation, action, nth=1))
    run = go(list_zygote, target, timeout_seconds=2)
    assert campaign.faults()[0]["fired"] == 1
    assert_complete(campaign, target, run)
    if operation == "addAll3":
        assert run.causes["confirmed_by_repeating"] == 100


READ = ["login", "getAllIds", "getAttributeNames", "getDataSet", "getCount", "containsAll",
        "areBlacklisted", "getAllRecipientResponseCounts2", "getIdsInStatus",
        "getAllAdvanced"]  # fmt: skip
BROKEN: dict[str, Any] = {
    "html": "html_200", "cut": "truncate", "empty": "empty_200", "malformed": {
        "type": "status", "status": 200, "content_type": "text/xml", "body": "<a><b></a>"},
}  # fmt: skip


@pytest.mark.parametrize("answer", BROKEN)
@pytest.mark.parametrize("operation", [*READ, "clear", "addAll3"])
def test_a_broken_answer_is_never_taken_for_success(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, operation: str, answer: str
) -> None:
    """X5: a web page with 200, malformed XML, half an answer, nothing: once, then all is well."""
    campaign.faults(plan(operation, BROKEN[answer], nth=1))
    run = go(list_zygote, target)
    assert campaign.faults()[0]["fired"] == 1
    assert_complete(campaign, target, run)


def test_a_fault_on_a_clear_that_cleared_is_seen(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget
) -> None:
    """S1-22: the count tells that the list is empty; nothing is cleared twice for it."""
    body = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
        "<soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>Internal error"
        "</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    fault = {"type": "apply_then_status", "status": 500, "body": body, "content_type": "text/xml"}
    campaign.faults(plan("clear", fault, nth=1))
    assert_complete(campaign, target, go(list_zygote, target))
    assert campaign.summary()["operations"]["RpcRecipient.clear"] == 1


@pytest.mark.parametrize("shape", ["shorter", "longer"])
def test_codes_of_the_wrong_number_for_ever_leave_an_open_intent(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, shape: str
) -> None:
    """S1-26: nobody guesses whose code is whose; exit 7, and healed when answers are right."""
    campaign.switches(result_array=shape)
    assert_open(campaign, target, go(list_zygote, target), 7)
    campaign.switches(result_array="normal")
    assert_complete(campaign, target, go(list_zygote, target))


def test_unknown_codes_reject_the_row_by_name(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget
) -> None:
    """S1-16: code 99 is no success; everybody else is in the list."""
    campaign.switches(unknown_result_code_for="person(7|8)@", multiref_order="scrambled")
    run = go(list_zygote, target)
    assert run.code == 0, run.stderr
    assert recipients(campaign).keys() == COMPLETE - ids([7, 8])
    assert (run.outcomes["rejected"], run.causes["unknown_code"]) == (2, 2)
    assert {one["entity_id"] for one in target.left_out} == {"7", "8"}


@pytest.mark.parametrize("mode", ["after_polls", "after_seconds"])
def test_a_clear_that_comes_late_is_waited_for(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, mode: str
) -> None:
    """S1-22: nothing is sent into a list that still is to be emptied."""
    campaign.switches(clear_mode=mode, clear_seconds=1.0, clear_polls=3)
    assert_complete(campaign, target, go(list_zygote, target))


def test_when_every_row_is_refused_after_the_clear_the_old_content_comes_back(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget
) -> None:
    """S1-23: exit 4, the intent closed as restored, and the next run with good data works."""
    bad = [row(key, given_name=f"Bad{key}") for key in range(1, PEOPLE + 1)]
    action = {
        "type": "status", "status": 500, "content_type": "text/xml",
        "body": '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
        "<soapenv:Body><soapenv:Fault><faultcode>soapenv:Server</faultcode><faultstring>no value"
        "</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>",
    }  # fmt: skip
    campaign.faults([{"match": {"body": ":addAll3[ >](?s:.*)>Bad"}, "action": action}])
    run = go(list_zygote, target, lines(selection(bad)))
    assert (run.code, run.states) == (4, []), run.stderr
    assert "put back" in last_line(run)
    assert recipients(campaign).keys() == OLD
    assert open_phases(target) == []
    assert_complete(campaign, target, go(list_zygote, target))


def test_more_row_errors_than_allowed_in_mid_refill_bring_the_old_content_back(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget
) -> None:
    """S1-23: exit 4 with the budget named; good data fill the list the next time."""
    campaign.switches(code_override="person2[0-9][0-9]@=1")
    bad = lines(selection([row(key) for key in range(1, PEOPLE + 1)]))
    run = go(list_zygote, target, bad, max_errors=50)
    assert (run.code, run.states) == (4, []), run.stderr
    assert "max_errors" in last_line(run)
    # What the vendor refuses by id it refuses on the way back, too.
    assert recipients(campaign).keys() == OLD - ids(range(200, 300))
    assert open_phases(target) == []
    campaign.switches(code_override="")
    assert_complete(campaign, target, go(list_zygote, target))


@pytest.mark.parametrize("nth", [1, 3])
def test_a_vendor_that_goes_down_for_good_in_mid_refill_leaves_an_open_intent(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, nth: int
) -> None:
    """S1-23: exit 7; without input the next start heals, and again nothing is to be done."""
    down = {"type": "status", "status": 503}
    campaign.faults([*plan("addAll3", down, nth=nth, times=9999), *plan("login", down, nth=2)])
    assert_open(campaign, target, go(list_zygote, target, deadline_seconds=20), 7)
    assert len(recipients(campaign)) == 100 * (nth - 1)
    campaign.faults([])
    run = go(list_zygote, target, b"", command=("recover",))
    assert (run.code, run.states) == (0, []), run.stderr
    assert recipients(campaign).keys() == COMPLETE
    assert_complete(campaign, target, go(list_zygote, target))


@pytest.mark.parametrize("size", [20_000, 60_000, 110_000, 150_000, 200_000])
def test_a_full_disk_stops_before_the_clear_or_leaves_an_open_intent(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, size: int
) -> None:
    """X6: exit 1 with one line, no STATE; with room again the next run is whole."""
    whole = shown(campaign)
    run = go(list_zygote, target, file_bytes=size)
    if run.code == 0:
        assert size >= 150_000
        return
    assert run.states == []
    assert run.code in {1, 2}, run.stderr
    last_line(run)
    if shown(campaign) != whole:
        assert len(open_phases(target)) == 1
    assert_complete(campaign, target, go(list_zygote, target))


# ---- a damaged journal


@pytest.fixture
def stopped(list_zygote: Zygote, campaign: Simulator, target: ListTarget) -> Path:
    """The journal of a refill that stopped after the first chunk."""
    campaign.faults(plan("addAll3", {"type": "status", "status": 503}, nth=2, times=9999))
    assert_open(campaign, target, go(list_zygote, target, deadline_seconds=15), 7)
    campaign.faults([])
    (journal,) = (target.home / "state" / "lists").glob("*.sqlite")
    return journal


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.99])
def test_a_journal_cut_short_is_said_and_changes_nothing(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, stopped: Path, share: float
) -> None:
    """S1-23: exit 1 or 2 with the file's name, or a whole list; never a list called complete."""
    data = stopped.read_bytes()
    stopped.write_bytes(data[: int(len(data) * share)])
    now = shown(campaign)
    run = go(list_zygote, target)
    if run.code == 0:  # empty it is no journal; with the snapshot still whole it was healed by that
        assert_complete(campaign, target, run)
        return
    assert run.code in {1, 2}, run.stderr
    assert run.states == []
    assert stopped.name in last_line(run)
    assert shown(campaign) == now
    stopped.unlink()
    run = go(list_zygote, target)
    assert_complete(campaign, target, run)


def damage(journal: Path, table: str, column: str) -> None:
    """Flip one bit of one value, as a failing disk would."""
    connection = sqlite3.connect(journal)
    where = f"WHERE pos = (SELECT max(pos) FROM {table})"
    ((value,),) = connection.execute(f"SELECT {column} FROM {table} {where}")
    raw = value.encode() if isinstance(value, str) else bytes(value)
    flipped = bytes([raw[0] ^ 0x80]) + raw[1:]
    kind = "TEXT" if isinstance(value, str) else "BLOB"
    connection.execute(f"UPDATE {table} SET {column} = CAST(? AS {kind}) {where}", (flipped,))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("column", ["vals", "address", "recipient_id"])
def test_damaged_wanted_rows_bring_the_old_content_back(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, stopped: Path, column: str
) -> None:
    """S1-23: what is no longer what was meant is never sent."""
    damage(stopped, "wanted", column)
    run = go(list_zygote, target, b"", command=("recover",))
    assert (run.code, run.states) == (0, []), run.stderr
    assert recipients(campaign).keys() == OLD
    assert open_phases(target) == []
    assert_complete(campaign, target, go(list_zygote, target))


@pytest.mark.parametrize("column", ["vals", "address", "recipient_id"])
def test_damage_in_both_is_said_in_words(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, stopped: Path, column: str
) -> None:
    """S1-23: neither new nor old content is to be had: exit 4 or 1, the file named, still open."""
    damage(stopped, "wanted", column)
    damage(stopped, "stored", column)
    now = shown(campaign)
    run = go(list_zygote, target, b"")
    assert run.code in {1, 4}, run.stderr
    assert stopped.name in last_line(run)
    assert shown(campaign) == now
    assert len(open_phases(target)) == 1
    stopped.unlink()
    assert_complete(campaign, target, go(list_zygote, target))


def test_a_journal_of_another_account_is_refused(
    list_zygote: Zygote, campaign: Simulator, target: ListTarget, stopped: Path
) -> None:
    """S1-6: a file that was copied from another client's directory: exit 2, nothing happens."""
    connection = sqlite3.connect(stopped)
    connection.execute("UPDATE about SET value = 'another' WHERE name = 'account'")
    connection.commit()
    connection.close()
    now = shown(campaign)
    run = go(list_zygote, target)
    assert (run.code, run.states) == (2, []), run.stderr
    assert "another account" in last_line(run)
    assert shown(campaign) == now
