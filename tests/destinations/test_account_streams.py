"""Accounts as objects: by key, else by name; only differences; no name and no key twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from accounts_support import (
    ALLOWED_WRITES,
    accounts,
    company,
    deliver,
    make_account,
    meta,
    rejects,
    streams,
)
from destinations_support import WarmTarget, routes, sums_close
from simulators_api import Api
from simulators_support import Simulator
from target_support import Run

MakeTarget = Callable[..., WarmTarget]


@pytest.fixture
def api(sim: Simulator) -> Iterator[Api]:
    client = Api(sim)
    with closing(client.session):
        yield client


@pytest.fixture
def key_id(api: Api) -> int:
    return meta(api, "BUBSACTID")


def quiet(run: Run) -> bool:
    """Whether a run wrote nothing."""
    return run.code == 0 and run.report["writes"] == 0 and sums_close(run)


# Known and new


def test_accounts_are_made_once_and_known_by_their_key(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-23, S0-34, X3: key, name and website in one call each; the second run writes nothing."""
    target = make_target(streams=streams())
    rows = [company(n, website=f"https://company{n}.example.com") for n in (1, 2)]
    run = deliver(target, *rows)
    assert (run.code, run.outcomes) == (0, {"applied": 2}), run.stderr
    assert run.stream["matched_by"] == {"new": 2}
    held = accounts(sim)
    assert held["Company 1"]["values"] == {"BUBSACTID": "1"}
    assert held["Company 2"]["url"] == "https://company2.example.com"
    assert routes(sim) == {("POST", "/accountCustomFieldMeta"): 1, ("POST", "/accounts"): 2}
    sim.forget_requests()
    again = deliver(target, *rows)
    assert again.outcomes == {"unchanged": 2}
    assert again.stream["matched_by"] == {"cfd": 2}
    assert quiet(again)
    assert again.stream["reads"]["strategy"] == "crawl"


def test_a_key_is_one_key_in_every_spelling(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """S0-22, S0-23: " 007 " is 7; what others wrote is not written over."""
    make_account(api, "Old name", {key_id: " 007 "})
    target = make_target(streams=streams())
    assert deliver(target, company(7, "New name")).outcomes == {"applied": 1}
    assert accounts(sim) == {"New name": {"id": "1", "url": None, "values": {"BUBSACTID": " 007 "}}}
    assert quiet(deliver(target, company(7, "New name")))


def test_an_account_without_key_is_adopted_by_its_name(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """S0-18, S0-20, S0-52: by name in run 1, by key in run 2, whatever becomes of the name."""
    number = make_account(api, "example  LTD")
    target = make_target(streams=streams())
    run = deliver(target, company(7, "Example Ltd"))
    assert run.stream["matched_by"] == {"name": 1}
    renamed = deliver(target, company(7, "Example Group"))
    assert (renamed.outcomes, renamed.stream["matched_by"]) == ({"applied": 1}, {"cfd": 1})
    expected = {"id": number, "url": None, "values": {"BUBSACTID": "7"}}
    assert accounts(sim) == {"Example Group": expected}


def test_a_stream_without_key_has_names_alone(
    sim: Simulator, api: Api, make_target: MakeTarget
) -> None:
    """S0-23: known by name whatever other fields say; no value is read where none is mapped."""
    make_account(api, "Example Ltd", {meta(api, "BUBSACTID"): "7"})
    stream = {"object": "account", "fields": {"name": "org_name", "accountUrl": "website"}}
    target = make_target(streams={"companies": stream})
    sim.forget_requests()
    run = deliver(target, company(None, "Example Ltd", website="example.com"), company(None, "New"))
    assert run.outcomes == {"applied": 2}
    assert accounts(sim)["Example Ltd"]["url"] == "example.com"
    assert ("GET", "/accountCustomFieldData") not in routes(sim, writes=False)


# Never a pick, never a second one


def test_two_accounts_with_one_key_are_never_picked_from(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """S0-24: ambiguous, a named reject; neither is touched."""
    make_account(api, "Example Ltd", {key_id: "7"})
    make_account(api, "Example Inc", {key_id: "07"})
    before = accounts(sim)
    target = make_target(streams=streams())
    run = deliver(target, company(7, "Example Ltd", website="example.com"))
    assert run.causes == {"ambiguous_key": 1}
    assert accounts(sim) == before
    assert quiet(run)


def test_two_accounts_of_one_name_are_never_picked_from(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """S0-24: where the vendor minds case, two may differ in nothing else."""
    sim.switches(account_name_ignores_case=False)
    make_account(api, "Example Ltd")
    make_account(api, "EXAMPLE LTD")
    run = deliver(make_target(streams=streams()), company(7, "Example Ltd"))
    assert run.causes == {"ambiguous_name": 1}
    assert quiet(run)


def test_the_account_of_another_key_keeps_its_name(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """S0-25: a name that another key has is a reject, and no second account is made."""
    make_account(api, "Example Ltd", {key_id: "8"})
    run = deliver(make_target(streams=streams()), company(7, "example ltd"))
    assert run.causes == {"name_of_other_key": 1}
    assert list(accounts(sim)) == ["Example Ltd"]
    assert quiet(run)


def test_a_key_field_that_cannot_be_read_is_a_finding(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """S0-22: it is neither blank nor a match."""
    make_account(api, "Example Ltd", {key_id: "see file"})
    run = deliver(make_target(streams=streams()), company(7, "Example Ltd"))
    assert run.causes == {"key_field_unreadable": 1}
    assert accounts(sim)["Example Ltd"]["values"] == {"BUBSACTID": "see file"}


def test_a_taken_name_leaves_the_account_as_it_is(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """S0-36 for names: a typed conflict, and nothing else of the row is written."""
    make_account(api, "Example Ltd", {key_id: "7"})
    make_account(api, "Example Inc", {key_id: "8"})
    before = accounts(sim)
    target = make_target(streams=streams())
    run = deliver(target, company(7, "Example Inc", website="example.com"))
    assert run.causes == {"name_taken": 1}
    assert accounts(sim) == before
    (reject,) = rejects(target)
    assert (reject["key"], reject["step"], reject["field"]) == ("7", "update", "name")


def test_names_are_handed_on_whatever_the_order_of_rows(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-27: a name that another row frees is free, for known accounts and for new ones."""
    target = make_target(streams=streams())
    deliver(target, company(1, "A"), company(2, "B"), company(3, "C"))
    run = deliver(target, company(4, "A"), company(1, "B"), company(2, "C"), company(3, "D"))
    assert run.outcomes == {"applied": 4}
    keys = {name: account["values"]["BUBSACTID"] for name, account in accounts(sim).items()}
    assert keys == {"A": "4", "B": "1", "C": "2", "D": "3"}


def test_a_name_that_lists_did_not_show_is_looked_up_and_adopted(
    sim: Simulator, make_target: MakeTarget, api: Api, key_id: int
) -> None:
    """S0-43: others made it between our look and our call; without key it is taken over."""
    for search in ("contains", "equals", "ignored"):
        sim.switches(account_search=search)
        name = f"Example {search}"
        event = {"type": "event", "event": {"type": "create_account", "values": {"name": name}}}
        sim.faults([{"match": {"method": "POST", "path": "/accounts$"}, "nth": 1, "action": event}])
        run = deliver(make_target(search, streams=streams()), company(len(search), name))
        assert (run.code, run.outcomes) == (0, {"applied": 1})
        assert accounts(sim)[name]["values"] == {"BUBSACTID": str(len(search))}
        assert len([n for n in accounts(sim) if n == name]) == 1


def test_a_name_that_another_took_meanwhile_is_a_reject(
    sim: Simulator, make_target: MakeTarget, api: Api, key_id: int
) -> None:
    """S0-43: with another's key it is theirs."""
    values = {"name": "Example Ltd", "fields": {"BUBSACTID": "8"}}
    event = {"type": "event", "event": {"type": "create_account", "values": values}}
    sim.faults([{"match": {"method": "POST", "path": "/accounts$"}, "nth": 1, "action": event}])
    run = deliver(make_target(streams=streams()), company(7, "Example Ltd"))
    assert run.causes == {"name_of_other_key": 1}
    assert accounts(sim)["Example Ltd"]["values"] == {"BUBSACTID": "8"}


def test_a_name_that_is_said_to_exist_but_not_shown_is_a_reject(
    sim: Simulator, make_target: MakeTarget, api: Api, key_id: int
) -> None:
    """S0-43: what can't be seen yet is neither made twice nor given up; the next run takes it."""
    target = make_target(streams=streams())
    event = {
        "type": "event",
        "event": {"type": "create_account", "values": {"name": "Example Ltd"}},
    }
    sim.faults([{"match": {"method": "POST", "path": "/accounts$"}, "nth": 1, "action": event}])
    sim.switches(search_lag_seconds=3600)
    assert deliver(target, company(7, "Example Ltd")).causes == {"name_reserved": 1}
    sim.switches(search_lag_seconds=0)
    assert deliver(target).outcomes == {"applied": 1}
    assert accounts(sim)["Example Ltd"]["values"] == {"BUBSACTID": "7"}
    assert rejects(target) == []


# Answers that get lost


@pytest.mark.parametrize("action", ["apply_then_reset", "apply_then_status", "reset", "truncate"])
@pytest.mark.parametrize("lag", [0, 3600])
def test_a_lost_answer_never_makes_a_second_account(
    sim: Simulator, make_target: MakeTarget, action: str, lag: int
) -> None:
    """S0-44: look, then repeat once at most; names are unique, so that nothing doubles."""
    target = make_target(streams=streams())
    deliver(target, company(1))
    sim.switches(search_lag_seconds=lag)
    sim.clock(advance=7200)
    sim.faults([{"match": {"method": "POST", "path": "/accounts$"}, "nth": 1, "action": action}])
    run = deliver(target, company(1), company(2))
    assert run.code == 0
    assert sums_close(run)
    sim.clock(advance=7200)
    assert deliver(target, company(1), company(2)).code == 0
    held = accounts(sim)
    assert {n: a["values"]["BUBSACTID"] for n, a in held.items()} == {
        "Company 1": "1", "Company 2": "2",
    }  # fmt: skip
    assert quiet(deliver(target, company(1), company(2)))


@pytest.mark.parametrize("action", ["apply_then_reset", "apply_then_status", "reset"])
def test_a_change_whose_answer_was_lost_is_seen(
    sim: Simulator, make_target: MakeTarget, action: str
) -> None:
    """S0-44: a change may be repeated; after that it is read back."""
    target = make_target(streams=streams())
    deliver(target, company(1))
    match = {"method": "PUT", "path": "/accounts/"}
    sim.faults([{"match": match, "nth": 1, "times": 2, "action": action}])
    assert deliver(target, company(1, "Renamed")).outcomes == {"applied": 1}
    assert list(accounts(sim)) == ["Renamed"]


@pytest.mark.parametrize(("gone", "made"), [("insert", 1), ("reject", 0)])
def test_an_account_deleted_meanwhile_is_made_again_or_reported(
    sim: Simulator, make_target: MakeTarget, gone: str, made: int
) -> None:
    """S0-37: by option; what is still there is not gone, whatever an answer says."""
    target = make_target(streams=streams(on_account_gone=gone))
    deliver(target, company(1, website="example.com"))
    said = {"type": "status", "status": 404, "body": "{}", "content_type": "application/json"}
    match = {"method": "PUT", "path": "/accounts/"}
    sim.faults([{"match": match, "nth": 1, "action": said}])
    assert deliver(target, company(1, website="example.org")).causes == {"refused_404": 1}
    event = {"type": "event", "event": {"type": "delete_account", "name": "Company 1"}}
    sim.faults([{"match": match, "nth": 1, "action": event}])
    sim.forget_requests()
    run = deliver(target, company(1, website="example.net"))
    assert run.causes == ({"account_gone": 1} if gone == "reject" else {})
    assert routes(sim)[("POST", "/accounts")] == made


# Rows


def test_a_deleted_row_is_suppressed_and_nothing_is_ever_deleted(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-63: accounts stay, whoever belongs to them; the row has its named outcome."""
    target = make_target(streams=streams(on_delete="ignore"))
    deliver(target, company(1), company(2))
    before = accounts(sim)
    gone = company(1, "", _sdc_deleted_at="2026-11-01T00:00:00Z")
    unknown = company(9, _sdc_deleted_at="2026-11-01T00:00:00Z")
    run = deliver(target, gone, unknown, company(2))
    assert run.outcomes == {"suppressed": 2, "unchanged": 1}
    assert run.causes == {"deleted_in_source": 2}
    assert accounts(sim) == before
    assert set(routes(sim)) <= ALLOWED_WRITES


def test_a_row_without_name_updates_what_is_known_and_inserts_nothing(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-7 for accounts: a named skip."""
    target = make_target(streams=streams(null_semantics="clear"))
    deliver(target, company(1, website="example.com"))
    run = deliver(target, company(1, "", website="example.org"), company(2, " "))
    assert (run.outcomes, run.causes) == ({"applied": 1, "suppressed": 1}, {"no_name": 1})
    assert {n: a["url"] for n, a in accounts(sim).items()} == {"Company 1": "example.org"}


def test_rows_of_one_name_and_rows_of_one_key_are_told_apart(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-3, S0-8, S0-9: identical rows are one, contradicting ones none, a name has one account."""
    rows = [
        company(1), company(1), company(2, "Two"), company(2, "Too"), company(3, "Same"),
        company(None, "same"), company(4, "Other", website="a\u0000b"), company(5, "x" * 256),
    ]  # fmt: skip
    run = deliver(make_target(streams=streams()), *rows)
    assert sums_close(run)
    assert run.causes == {
        "repeated_row": 1, "contradicting_rows": 2, "name_shared": 1, "control_characters": 1,
        "field_length": 1,
    }  # fmt: skip
    assert set(accounts(sim)) == {"Company 1", "Same"}


def test_the_newest_of_rows_that_share_a_name_has_it(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-8: by rule; and of one account the newest row counts."""
    options = {"on_duplicate_name": "newest", "version_column": "v"}
    rows = [company(1, "Same", v=1), company(2, "Same", v=2), company(3, v=1, website="a.example"),
            company(3, v=2, website="b.example")]  # fmt: skip
    run = deliver(make_target(streams=streams(**options)), *rows, v={"type": "integer"})
    assert run.causes == {"name_shared": 1, "older_version": 1}
    held = accounts(sim)
    assert held["Same"]["values"]["BUBSACTID"] == "2"
    assert held["Company 3"]["url"] == "b.example"


def test_rejects_are_offered_again_and_budgets_hold(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """S0-56, S0-59: 2 errors of a step are tolerated, the third stops; STATE never passes them."""
    numbers = [make_account(api, f"Company {n}", {key_id: "9"}) for n in (1, 2, 3)]
    target = make_target(streams=streams(), max_errors=2)
    run = deliver(target, *(company(n) for n in (1, 2)), company(4))
    assert run.outcomes == {"rejected": 2, "applied": 1}
    assert len(run.states) == 1
    stopped = deliver(target, company(3), company(5))
    assert stopped.code == 4
    assert stopped.outcomes == {"rejected": 3, "applied": 1}
    assert stopped.states == []
    for number in numbers:
        api.delete(f"accounts/{number}")
    healed = deliver(target, company(3), company(5))
    assert (healed.code, healed.outcomes) == (0, {"applied": 3, "unchanged": 1})
    assert rejects(target) == []


def test_only_differences_are_written_and_a_website_may_be_completed(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-34, X3: a scheme that the vendor adds is no difference, another scheme is one."""
    sim.switches(account_url="completed")
    target = make_target(streams=streams())
    deliver(target, company(1, website="Example.com/"))
    assert accounts(sim)["Company 1"]["url"] == "http://Example.com/"
    assert quiet(deliver(target, company(1, website="example.com")))
    assert quiet(deliver(target, company(1, website="http://example.com")))
    assert quiet(deliver(target, company(1, website=None)))
    run = deliver(target, company(1, website="https://example.com"))
    assert run.report["writes"] == 1
    assert accounts(sim)["Company 1"]["url"] == "https://example.com"


def test_what_others_keep_is_left_alone(
    sim: Simulator, api: Api, key_id: int, make_target: MakeTarget
) -> None:
    """X5: accounts that no row names, fields that no setting names, the owner."""
    other = meta(api, "Others")
    make_account(api, "Foreign", {other: "x"}, accountUrl="https://example.net")
    make_account(api, "Company 1", {other: "y"}, owner=3)
    before = accounts(sim)
    target = make_target(streams=streams())
    deliver(target, company(1, website="example.com"))
    after = accounts(sim)
    assert after["Foreign"] == before["Foreign"]
    assert after["Company 1"]["values"] == {"Others": "y", "BUBSACTID": "1"}
    assert api.get("accounts/2").json()["account"]["owner"] == "3"


@pytest.mark.parametrize("number", [99, 100, 101, 250])
def test_any_number_of_accounts_pages(
    sim: Simulator, api: Api, make_target: MakeTarget, number: int
) -> None:
    """S0-16, X3: the last is found as the first, by key and by name; one more is one call more."""
    names = [f"Company {n}" for n in range(number)]
    sim.seed(
        {
            "accountFields": [*(f"F{n}" for n in range(number)), "BUBSACTID"],
            "accounts": [
                {"name": name, "fields": {"F0": "x"} | ({"BUBSACTID": str(n)} if n % 2 else {})}
                for n, name in enumerate(names)
            ],
        }
    )
    custom = {f"F{number - 1}": "f"}
    target = make_target(streams=streams(custom), create_fields=False)
    rows = [company(n) for n in range(1, number, 2)]
    run = deliver(target, *rows, company(number, f="new"), f={"type": "string"})
    assert run.outcomes == {"unchanged": len(rows), "applied": 1}
    assert run.report["writes"] == 1
    adopted = deliver(target, *(company(n) for n in range(0, number, 2)), f={"type": "string"})
    assert adopted.stream["matched_by"] == {"name": len(range(0, number, 2))}
    assert len(accounts(sim)) == number + 1


# The plan, and what has to be there


@pytest.mark.parametrize("switch", [{"plan_accounts": False}, {"forbidden": "accounts"}])
def test_without_accounts_in_the_plan_one_message_says_so(
    sim: Simulator, make_target: MakeTarget, switch: dict[str, object]
) -> None:
    """S0-61: exit code 3, nothing written, no row blamed; the plan is named."""
    sim.seed({"accountFields": ["BUBSACTID"]})
    sim.switches(**switch)
    run = deliver(make_target(streams=streams()), company(1))
    assert run.code == 3
    assert "plans with CRM" in run.stderr.splitlines()[-1]
    assert sim.requests(writes=True) == []
    assert run.states == []


def test_all_that_is_missing_is_named_before_the_first_write(
    sim: Simulator, api: Api, make_target: MakeTarget
) -> None:
    """S0-14, S4-9: fields, types, options and labels that are there twice, in one message."""
    meta(api, "Twice")
    meta(api, "Twice")
    meta(api, "Born", "datetime")
    meta(api, "Branch", "dropdown", fieldOptions=["IT"])
    custom = {
        "Twice": "a",
        "Born": "born",
        "Branch": {"column": "a", "type": "dropdown", "options": ["IT", "Trade"]},
        "Revenue": {"column": "a", "type": "currency", "currency": "EUR"},
    }
    target = make_target(streams=streams(custom), create_fields=False)
    born = {"type": "string", "format": "date"}
    run = deliver(target, company(1), a={"type": "string"}, born=born)
    assert run.code == 2
    for part in ("no account custom field BUBSACTID", "has 2 account custom fields Twice",
                 "born (date) can't go into Born (datetime)", "lacks the option Trade",
                 "no account custom field Revenue"):  # fmt: skip
        assert part in run.stderr, part
    assert "set create_fields" not in run.stderr.partition("Trade")[2][:30]
    assert sim.state()["accounts"] == []
