"""Accounts and the contacts in them in one run: order, moves, and runs that end in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from accounts_support import STREAM, accounts, company, make_account, meta
from accounts_support import schema as company_schema
from destinations_support import WarmTarget, routes, sums_close
from simulators_api import Api
from simulators_support import Simulator
from target_support import Run, record, schema, state

MakeTarget = Callable[..., WarmTarget]
CONTACTS: dict[str, Any] = {
    "key": "ctt_id",
    "fields": {"email": "email", "firstName": "given_name"},
    "account": {"key": "act_id", "key_field": "BUBSACTID"},
}
STREAMS = {"contacts": CONTACTS, "companies": STREAM}
HEADS = [schema(act_id={"type": ["integer", "null"]}), company_schema()]


@pytest.fixture
def api(sim: Simulator) -> Iterator[Api]:
    client = Api(sim)
    with closing(client.session):
        yield client


def outcomes(run: Run) -> dict[str, dict[str, int]]:
    """By stream, in the order they were worked off."""
    return {s["stream"]: {n: k for n, k in s["outcomes"].items() if k}
            for s in run.report["streams"]}  # fmt: skip


def places(sim: Simulator) -> dict[str, str | None]:
    """The name of each contact's account by its address."""
    return {email: contact["account"] for email, contact in sim.contacts().items()}


@pytest.mark.parametrize("lag", [0, 3600])
@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_a_contact_finds_the_account_that_the_same_run_has_made(
    sim: Simulator, make_target: MakeTarget, reads: str, lag: int
) -> None:
    """S0-2, S0-23: accounts first, whatever the order of the messages, and whether lists show them
    yet or not; the second run writes nothing.
    """
    sim.switches(search_lag_seconds=lag)
    target = make_target(streams=STREAMS, reads=reads)
    messages = [*HEADS, record(1, act_id=7), record(2, act_id=8), record(3, act_id=None),
                company(7), company(8), state(1)]  # fmt: skip
    run = target.run(messages)
    assert (run.code, run.last_state) == (0, 1), run.stderr
    assert list(outcomes(run)) == ["companies", "contacts"]
    assert places(sim) == {
        "person1@example.com": "Company 7", "person2@example.com": "Company 8",
        "person3@example.com": None,
    }  # fmt: skip
    sim.clock(advance=7200)
    again = target.run(messages)
    assert again.report["writes"] == 0
    assert sums_close(again)


def test_an_account_adopted_or_renamed_in_this_run_is_found_by_its_key(
    sim: Simulator, api: Api, make_target: MakeTarget
) -> None:
    """S0-23: the key that this run wrote counts, under whatever name."""
    make_account(api, "Company 7")
    make_account(api, "Old", {meta(api, "BUBSACTID"): "8"})
    target = make_target(streams=STREAMS)
    rows = [company(7), company(8, "New"), record(1, act_id=7), record(2, act_id=8)]
    assert target.run([*HEADS, *rows, state(1)]).code == 0
    assert list(places(sim).values()) == ["Company 7", "New"]


def test_a_rejected_account_leaves_its_contacts_where_they_are(
    sim: Simulator, api: Api, make_target: MakeTarget
) -> None:
    """S0-4, S0-38: the contact is written, its account is not touched, and it comes right with the
    next row of the contact.
    """
    make_account(api, "Company 7", {meta(api, "BUBSACTID"): "9"})
    target = make_target(streams=STREAMS)
    run = target.run([*HEADS, company(7), record(1, act_id=7), state(1)])
    assert outcomes(run) == {"companies": {"rejected": 1}, "contacts": {"applied": 1}}
    assert places(sim) == {"person1@example.com": None}


def test_accounts_alone_read_no_contacts_and_contacts_alone_no_accounts(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-16: what a run has no rows for costs nothing."""
    plain = {key: value for key, value in CONTACTS.items() if key != "account"}
    target = make_target(streams={"contacts": plain, "companies": STREAM})
    target.run([*HEADS, company(7), state(1)])
    assert not any("contacts" in path or "/fields" in path for _, path in routes(sim, writes=False))
    sim.forget_requests()
    target.run([*HEADS, record(1), state(2)])
    assert not any("account" in path for _, path in routes(sim, writes=False))


def test_the_field_of_the_key_is_made_once_for_both(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-14: what a stream of accounts makes is no longer missing for contacts."""
    target = make_target(streams=STREAMS)
    assert target.run([*HEADS, company(7), record(1, act_id=7), state(1)]).code == 0
    assert [m["fieldLabel"] for m in sim.state()["accountCustomFieldMeta"]] == ["BUBSACTID"]


def test_a_missing_field_of_contacts_accounts_stops_before_any_account_is_written(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-14: all is checked before the first write, of both kinds of streams."""
    contacts = {**CONTACTS, "account": {"key": "act_id", "key_field": "OTHER"}}
    target = make_target(streams={"contacts": contacts, "companies": STREAM})
    run = target.run([*HEADS, company(7), record(1, act_id=7), state(1)])
    assert run.code == 2
    assert "streams.contacts.account.key_field" in run.stderr
    assert sim.requests(writes=True) == []


@pytest.mark.parametrize("action", ["reset", "apply_then_reset", "apply_then_status"])
@pytest.mark.parametrize("call", ["DELETE", "POST"])
def test_a_move_that_was_cut_is_completed_by_the_next_run(
    sim: Simulator, make_target: MakeTarget, call: str, action: str
) -> None:
    """S0-2, S0-44: a move is two calls; whichever of them fails for good, the contact is in at most
    one account at any time and in the right one in the end.
    """
    target = make_target(streams=STREAMS)
    target.run([*HEADS, company(7), company(8), record(1, act_id=7), state(1)])
    match = {"method": call, "path": "/accountContacts"}
    sim.faults([{"match": match, "times": 9, "action": action}])
    cut = target.run([*HEADS, record(1, act_id=8), state(2)])
    assert sums_close(cut)
    assert len(sim.state()["accountContacts"]) <= 1
    sim.faults([])
    assert target.run([*HEADS, record(1, act_id=8), state(2)]).code == 0
    assert places(sim) == {"person1@example.com": "Company 8"}
    assert target.run([*HEADS, record(1, act_id=8), state(2)]).report["writes"] == 0
    assert list(accounts(sim)) == ["Company 7", "Company 8"]
