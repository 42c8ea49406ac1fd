"""The vendor late, wrong, cut or gone at any call: one contact a person, sums that close."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
from edge_support import FaultServer, reply
from faults import scene
from faults.support import Proxy, Seen, Zygote, eventually
from simulators_support import Simulator
from target_kit.http import OUTAGE_CALLS_OF_ROUTE
from target_support import Run, Target, lines, record, schema, state

Build = Callable[..., Target]
PEOPLE = 12
KNOWN = 4


def people() -> list[dict[str, Any]]:
    """Four that get a new name, two of them a new address, and eight new ones."""
    known = [
        record(n, f"{'moved' if n < 3 else 'known'}{n}@example.com", given_name="New",
               org_country="AT")
        for n in range(1, KNOWN + 1)
    ]  # fmt: skip
    fresh = [
        record(n, f"fresh{n}@example.com", given_name="New", org_country="AT")
        for n in range(KNOWN + 1, PEOPLE + 1)
    ]
    return [row for pair in zip(known, fresh[:KNOWN], strict=True) for row in pair] + fresh[KNOWN:]


def seed() -> dict[str, Any]:
    return {
        "fields": scene.FIELDS,
        "contacts": [
            {"email": f"known{n}@example.com", "fieldValues": {"BUBSCTTID": str(n)}}
            for n in range(1, KNOWN + 1)
        ],
    }


def messages() -> list[dict[str, Any]]:
    return [schema(), *people(), state(PEOPLE)]


def assert_delivered(sim: Simulator) -> None:
    """Everybody is there once, as the backoffice wants them."""
    contacts = sim.state()["contacts"]
    scene.assert_unique(contacts)
    held = {c["email"]: (c["firstName"], c["fieldValues"].get("LAND")) for c in contacts}
    assert held == {row["record"]["email"]: ("New", "AT") for row in people()}


def assert_sums(run: Run) -> None:
    """Each record has one outcome (X4)."""
    stream = run.stream
    assert sum(stream["outcomes"].values()) == stream["received"] + stream["reoffered"]


def assert_converges(zygote: Zygote, sim: Simulator, target: Target) -> None:
    """Without the faults the next run finishes the job and the one after has nothing to do."""
    sim.faults([])
    again = zygote.run(target, messages())
    assert again.code == 0, again.stderr
    assert_sums(again)
    assert_delivered(sim)
    sim.forget_requests()
    assert zygote.run(target, messages()).code == 0
    assert sim.requests(writes=True) == []


@pytest.fixture
def target(sim: Simulator, target_at: Build) -> Target:
    sim.seed(seed())
    return target_at(sim.url, create_fields=False, timeout_seconds=0.6)


WRITES = {"match": {"method": "POST|PUT", "path": "contacts"}}
POSTS = {"match": {"method": "POST", "path": "contacts$"}}
READS = {"match": {"method": "GET", "path": "contacts"}}

#: One spoiled call in the middle of the run: the same run repairs it.
HEALED: dict[str, dict[str, Any]] = {
    "503 before an update": {"match": {"method": "PUT"}, "nth": 2, "action": "status"},
    "503 before an insert": {**POSTS, "nth": 2, "action": "status"},
    "502 after an update": {"match": {"method": "PUT"}, "nth": 2, "action": "apply_then_status"},
    "502 after an insert": {**POSTS, "nth": 3, "action": "apply_then_status"},
    "reset before an update": {"match": {"method": "PUT"}, "nth": 1, "action": "reset"},
    "reset before an insert": {**POSTS, "nth": 1, "action": "reset"},
    "reset after an update": {"match": {"method": "PUT"}, "nth": 1, "action": "apply_then_reset"},
    "reset after an insert": {**POSTS, "nth": 1, "action": "apply_then_reset"},
    "no answer to an update": {"match": {"method": "PUT"}, "nth": 3, "action": "apply_then_hang"},
    "no answer to an insert": {**POSTS, "nth": 4, "action": "apply_then_hang"},
    "an insert that never arrived": {**POSTS, "nth": 4, "action": "hang"},
    "half an answer to an insert": {**POSTS, "nth": 2, "action": "truncate"},
    "half an answer without length": {
        **POSTS, "nth": 2, "action": {"type": "truncate", "content_length": False},
    },
    "an empty answer to an insert": {**POSTS, "nth": 2, "action": "empty_200"},
    "an empty answer to an update": {
        "match": {"method": "PUT"}, "nth": 2, "action": "empty_200",
    },
    "half a page of contacts": {**READS, "nth": 2, "action": "truncate"},
    "half a page without length": {
        **READS, "nth": 2, "action": {"type": "truncate", "content_length": False},
    },
    "a dripping page": {
        **READS, "nth": 2, "action": {"type": "drip", "bytes": 40, "seconds": 0.05},
    },
    "503 on a read": {**READS, "nth": 2, "action": "status"},
    "every second write answered 502 after the deed": {
        **WRITES, "every": 2, "action": "apply_then_status",
    },
    "connections closed behind each answer": {"match": {}, "every": 1, "action": "close_after"},
    "everything slow": {"match": {}, "every": 1, "action": {"type": "latency", "seconds": 0.1}},
    "429 for one second": {
        **WRITES, "nth": 3, "action": {"type": "retry_after", "value": "1"},
    },
    "429 with a negative wait": {
        **WRITES, "nth": 3, "action": {"type": "retry_after", "value": "-5"},
    },
    "429 until a date long past": {
        **WRITES, "nth": 3,
        "action": {"type": "retry_after", "value": "Wed, 21 Oct 2015 07:28:00 GMT"},
    },
    "429 with a wait that is no number": {
        **WRITES, "nth": 3, "action": {"type": "retry_after", "value": "soon"},
    },
    "429 without a wait": {**WRITES, "nth": 3, "action": {"type": "status", "status": 429}},
    "deleted before the update": {
        "match": {"method": "PUT", "path": "contacts/3$"}, "nth": 1,
        "action": {"type": "event", "event": {"type": "delete_contact", "contact": "3"}},
    },
    "somebody else inserts first": {
        "match": {"method": "POST", "body": "fresh7@"}, "nth": 1,
        "action": {"type": "event", "event": {"type": "create_contact",
                                              "values": {"email": "Fresh7@example.com"}}},
    },
}  # fmt: skip


@pytest.mark.parametrize("what", HEALED)
def test_one_spoiled_call_is_healed_in_the_same_run(
    zygote: Zygote, sim: Simulator, target: Target, what: str
) -> None:
    """S0-44 S0-43 S0-37: unknown fates are looked up, nobody is written twice, and the next run
    finds nothing to do.
    """
    sim.faults([HEALED[what]])
    run = zygote.run(target, messages())
    assert run.code == 0, run.stderr
    assert sim.faults()[0]["fired"] >= 1
    assert_sums(run)
    assert run.outcomes.get("applied", 0) + run.outcomes.get("unchanged", 0) == PEOPLE, run.causes
    assert run.last_state == PEOPLE
    assert sim.summary()["total"] <= 1.2 * 18 + 3 * sim.faults()[0]["fired"] + 2
    contacts = {c["email"].lower(): c for c in sim.state()["contacts"]}
    sim.faults([])
    scene.assert_unique(list(contacts.values()))
    assert set(contacts) == {row["record"]["email"] for row in people()}
    sim.forget_requests()
    assert zygote.run(target, messages()).code == 0
    assert sim.requests(writes=True) == []


#: What ends the run: fault, exit code, words of the last line.
FATAL: dict[str, tuple[dict[str, Any], int, str]] = {
    "the key is revoked": (
        {**WRITES, "nth": 3, "action": {"type": "event", "event": {"type": "revoke_key",
                                                                   "key": "sim-key"}}},
        3, "answered 403",
    ),
    "401": ({**WRITES, "nth": 3, "times": 99, "action": {"type": "status", "status": 401,
                                                         "body": "{}"}}, 3, "answered 401"),
    "the account is unpaid": (
        {**WRITES, "nth": 3, "times": 99, "action": {"type": "status", "status": 402,
                                                     "body": "{}"}}, 3, "answered 402",
    ),
    "a firewall's page": (
        {**WRITES, "nth": 3, "times": 99, "action": {"type": "status", "status": 403}},
        3, "web page",
    ),
    "maintenance with 200 on a write": (
        {**WRITES, "nth": 3, "times": 99, "action": "html_200"}, 7, "web page",
    ),
    "maintenance with 200 on a read": (
        {**READS, "nth": 2, "times": 99, "action": "html_200"}, 7, "web page",
    ),
    "maintenance at once": (
        {"match": {"path": "users/me"}, "action": "html_200"}, 7, "web page",
    ),
    "an endless wait": (
        {**WRITES, "nth": 3, "action": {"type": "retry_after", "value": "1000000000"}},
        7, "deadline_seconds",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FATAL)
def test_trouble_of_the_whole_system_stops_at_once_and_uses_no_row_budget(
    zygote: Zygote, sim: Simulator, target: Target, what: str
) -> None:
    """S0-61: one line, the code, no STATE beyond, no storm of calls; the next run finishes."""
    fault, code, words = FATAL[what]
    sim.faults([fault])
    run = zygote.run(target, messages(), max_errors=0, deadline_seconds=10)
    assert run.code == code, run.stderr
    assert words in run.stderr.splitlines()[-1]
    assert run.states == []
    assert sim.summary()["total"] <= 18
    if run.report["streams"]:
        assert_sums(run)
        assert run.stream["errors_by_step"] == {}
    sim.seed({"api_keys": ["sim-key"]})
    assert_converges(zygote, sim, target)


def test_constant_503_ends_after_bounded_tries(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """One layer repeats calls: five tries for the first call, then the run ends with 7."""
    sim.faults([{"match": {}, "action": "status"}])
    run = zygote.run(target, messages())
    assert run.code == 7, run.stderr
    assert sim.summary()["total"] == 5
    assert_converges(zygote, sim, target)


def test_a_vendor_that_fails_in_the_middle_ends_the_run_not_the_rows(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """S0-61: when every insert is answered 503 the run stops after a few, not after the budget."""
    sim.faults([{**POSTS, "action": "status"}])
    run = zygote.run(target, messages())
    assert run.code == 7, run.stderr
    assert len(sim.requests(writes=True)) <= 4 + OUTAGE_CALLS_OF_ROUTE
    assert run.outcomes.get("unknown", 0) <= OUTAGE_CALLS_OF_ROUTE / 2
    assert_sums(run)
    assert_converges(zygote, sim, target)


def test_a_rate_limit_below_the_setting_is_obeyed(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """The vendor allows five a second, the target is told a thousand: slower, but complete."""
    sim.switches(rate_limit=True)
    run = zygote.run(target, messages(), requests_per_second=1000)
    assert run.code == 0, run.stderr
    assert run.outcomes == {"applied": PEOPLE}
    assert_delivered(sim)
    statuses = sim.summary()["statuses"]
    assert statuses["429"] <= 8


def test_every_held_call_waits_for_the_time_the_vendor_names(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """After `Retry-After: 2` no call arrives for two seconds."""
    sim.faults([{**WRITES, "nth": 2, "action": {"type": "retry_after", "value": "2"}}])
    assert zygote.run(target, messages()).code == 0
    seen = sim.requests()
    (refused,) = [n for n, one in enumerate(seen) if one["status"] == 429]
    assert seen[refused + 1]["time"] - seen[refused]["time"] >= 2
    assert_delivered(sim)


def test_a_redirect_to_another_host_is_refused_and_carries_no_key(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """Neither before nor after the first success is a redirect followed."""
    with FaultServer([reply()]) as stranger:
        elsewhere = {"type": "redirect", "location": stranger.url}
        sim.faults([{"match": {}, "action": elsewhere}])
        run = zygote.run(target, messages())
        assert (run.code, run.states) == (2, [])
        sim.faults([{**WRITES, "nth": 3, "times": 99, "action": elsewhere}])
        run = zygote.run(target, messages())
        assert (run.code, run.states) == (7, [])
        assert stranger.connections == 0
    assert_converges(zygote, sim, target)


def test_one_poisoned_record_is_rejected_and_the_others_go_on(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """S0-57 S0-58: a permanent 422 for one body is one reject; fail_on_rejects makes it a 4."""
    sim.faults([{"match": {"method": "POST", "body": "fresh9@"},
                 "action": {"type": "status", "status": 422, "body": "{}"}}])  # fmt: skip
    run = zygote.run(target, messages(), fail_on_rejects=True)
    assert run.code == 4, run.stderr
    assert run.outcomes == {"applied": PEOPLE - 1, "rejected": 1}
    assert [r["record"]["ctt_id"] for r in target.rejects] == [9]
    assert run.last_state == PEOPLE
    assert_converges(zygote, sim, target)
    assert target.rejects == []


def test_when_everything_is_poison_the_budget_stops_the_run(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """S0-56 S0-28: the third error of a step with `max_errors: 2` ends the run, unread by STATE."""
    sim.faults([{**POSTS, "action": {"type": "status", "status": 422, "body": "{}"}}])
    run = zygote.run(target, messages(), max_errors=2)
    assert run.code == 4, run.stderr
    assert run.states == []
    assert run.stream["errors_by_step"] == {"insert": 3}
    # Each row is tried with its values and, since one of them may be the poison, without.
    assert len([1 for one in sim.requests() if one["method"] == "POST"]) == 6
    assert len(target.rejects) == 3
    assert_sums(run)
    assert_converges(zygote, sim, target)


def test_a_lagging_search_never_makes_a_second_contact(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """S0-44: an insert of unknown fate that search does not show yet stays one contact."""
    began = sim.clock()["seconds"]
    eventually(lambda: sim.clock()["seconds"] > began + 1.1, "the seed is visible")
    sim.switches(search_lag_seconds=1)
    sim.faults([{**POSTS, "nth": 2, "action": "apply_then_reset"}])
    run = zygote.run(target, messages())
    assert run.code == 0, run.stderr
    assert_sums(run)
    scene.assert_unique(sim.state()["contacts"])
    sim.faults([])
    eventually(lambda: sim.clock()["seconds"] > sim.requests()[-1]["time"] + 1, "the lag is over")
    assert_converges(zygote, sim, target)


def test_cuts_at_every_request_by_a_proxy_keep_everybody_single(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target_at: Build
) -> None:
    """Every fourth connection breaks, before or after the vendor has acted."""
    sim.seed(seed())
    target = target_at(proxy.url, create_fields=False)

    def cut(seen: Seen) -> bool:
        return seen.number % 4 != 0

    for phase in ("before", "after"):
        proxy.forget()
        setattr(proxy, phase, cut)
        run = zygote.run(target, messages())
        assert run.code == 0, run.stderr
        assert_sums(run)
        scene.assert_unique(sim.state()["contacts"])
    proxy.forget()
    assert_converges(zygote, sim, target)


def test_two_runs_at_once_one_proceeds_the_other_says_so(
    zygote: Zygote, sim: Simulator, proxy: Proxy, target_at: Build
) -> None:
    """Exit 5 for the second, at once and without a call; the first is not disturbed."""
    sim.seed(seed())
    target = target_at(proxy.url, create_fields=False)
    second = target_at(sim.url + "/", "second", state_dir=str(target.home / "state"))
    second.config["api_url"] = target.config["api_url"]
    done: list[Run] = []

    def hook(seen: Seen) -> None:
        if seen.number == 5 and not done:
            done.append(zygote.run(second, messages()))

    proxy.before = hook
    first = zygote.run(target, messages())
    assert done[0].code == 5
    assert "another run" in done[0].stderr.splitlines()[-1]
    assert done[0].states == []
    assert first.code == 0, first.stderr
    assert first.last_state == PEOPLE
    assert_delivered(sim)


def test_fifty_runs_at_once_and_after_each_other_write_once(
    zygote: Zygote, sim: Simulator, target: Target, target_at: Build
) -> None:
    """An orchestrator that starts a job again and again: each ends with 0 or 5, one does it all."""
    codes = []
    for wave in range(10):
        batch = []
        for number in range(5):
            one = target_at(sim.url, f"{wave}-{number}", create_fields=False)
            one.config["state_dir"] = target.config["state_dir"]
            batch.append(zygote.start(one, lines(messages())))
        codes += [one.end().code for one in batch]
    assert set(codes) <= {0, 5}, codes
    assert codes.count(0) >= 10
    assert_delivered(sim)
    assert len(sim.requests(writes=True)) == PEOPLE


def test_nobody_reading_stdout_is_an_error_and_the_next_run_repeats(
    zygote: Zygote, sim: Simulator, target: Target
) -> None:
    """A STATE that can't be handed over is not handed over: exit 1, one line."""
    reading, writing = os.pipe()
    os.close(reading)
    run = zygote.start(target, lines(messages()), stdout=writing).end()
    os.close(writing)
    assert run.code == 1
    assert run.stderr.splitlines()[-1] == (
        "target-activecampaign: stdout is closed: STATE can't be handed over"
    )
    assert_converges(zygote, sim, target)


def test_a_run_has_a_deadline(zygote: Zygote, sim: Simulator, target: Target) -> None:
    """`deadline_seconds` ends the run with 7; what was not done comes with the next one."""
    began = time.monotonic()
    run = zygote.run(target, messages(), requests_per_second=2, deadline_seconds=3)
    assert run.code == 7, run.stderr
    assert time.monotonic() - began < 8
    assert_sums(run)
    assert_converges(zygote, sim, target)
