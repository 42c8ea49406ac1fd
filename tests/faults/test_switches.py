"""Every guess about ActiveCampaign that this target depends on, flipped: the promises hold, or the
target refuses in words. `FAULTS=all pytest tests/faults -m switches -s` prints the whole table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from faults import scene
from faults.support import Zygote
from faults.switches import Case, Table, cases, settle
from simulators_support import Simulator
from target_support import Run, Target, record, schema, state

Build = Callable[..., Target]
SHARE = 16

#: Values of switches that take any, chosen to bite in the scene below.
VALUES: dict[str, tuple[Any, ...]] = {
    "forbidden": ("contacts", "fields", "fieldValues", "users"),
    "rate_limit_per_second": (1, 20),
    "retry_after": ("", "2"),
    "account_timezone": ("Australia/Sydney", "UTC"),
    "contact_limit": (7,),
    "ids_filter_max": (1, 2),
    "search_lag_seconds": (0.5,),
    "max_value_length": (3, 5),
}
#: Switches (by how they begin) of what a stream without lists, tags and deletions never asks for,
#: and of what `test_untrue_answers` is about.
ELSEWHERE = (
    "bad_token_", "contactlists_", "resubscribe_", "bounced_", "tag_", "plan_", "api_subscription",
    "membership_", "repeated_", "contact_parts_", "deleted_contact_", "delete_quota",
    "field_options_", "excluded_", "untrue_", "automation_", "bulk_",
)  # fmt: skip
#: Others that have to stand for a switch to show.
TOGETHER: dict[str, dict[str, Any]] = {
    "rate_limit_per_second": {"rate_limit": True},
    "rate_limit_status": {"rate_limit": True},
    "ratelimit_headers": {"rate_limit": True},
    "too_many_requests_body": {"rate_limit": True},
    "retry_after": {"rate_limit": True},
    "contact_limit_status": {"contact_limit": 7},
}
SEED_PEOPLE = [
    {"email": "one@example.com", "firstName": "One", "fieldValues": {"BUBSCTTID": "1"}},
    {"email": "two@example.com", "firstName": "Two", "fieldValues": {"BUBSCTTID": "2"}},
    {"email": "Three@Example.com", "firstName": "Three"},
    {"email": "foreign@example.com", "firstName": "Foreign", "fieldValues": {"LAND": "FR"}},
]


def first_load() -> list[dict[str, Any]]:
    return [
        record(1, "one@example.com", given_name="One", org_country="DE"),
        record(2, "two@example.com", given_name="Second", work_phone="+49 1"),
        record(3, "three@example.com", given_name="Three", mobile_phone="+49 30 12345"),
        record(4, "Four@example.com", given_name="Four", date_created="2020-02-29"),
        record(5, "five@example.com", given_name="Five", org_country="Deutschland"),
        record(6, "six@example.com", family_name="Six", language_code="de"),
    ]


def changed() -> list[dict[str, Any]]:
    """A rename of a known, one of a new contact, a change of values, a conflict, one more."""
    rows = first_load()
    rows[0]["record"] |= {"email": "first@example.com", "org_country": "AT"}
    rows[3]["record"] |= {"email": "fourth@example.com"}
    rows[4]["record"] |= {"given_name": "Fifth", "org_country": None, "language_code": "en"}
    rows[5]["record"] |= {"email": "foreign@example.com"}  # taken by somebody without a key
    return [*rows, record(7, "seven@example.com", given_name="Seven", org_country="CH")]


def run_once(zygote: Zygote, sim: Simulator, target: Target, rows: list[dict[str, Any]]) -> Run:
    run = zygote.run(target, [schema(), *rows, state(len(rows))], seconds=120)
    contacts = sim.state()["contacts"]
    scene.assert_unique(contacts)
    assert run.code in (0, 2, 3, 4, 7), run.stderr
    assert "Traceback" not in run.stderr
    if run.report["streams"]:
        stream = run.stream
        assert sum(stream["outcomes"].values()) == stream["received"] + stream["reoffered"]
    if run.code:
        said = run.stderr.splitlines()[-1]
        assert said.startswith("target-activecampaign: "), run.stderr
        assert run.states == []
        return run
    refused = {reject["record"]["ctt_id"] for reject in target.rejects}
    assert_there(contacts, [row for row in rows if row["record"]["ctt_id"] not in refused])
    assert run.last_state == len(rows)
    return run


def assert_there(contacts: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    """Whom the run calls delivered is there with everything the backoffice says of them."""
    held = {c["fieldValues"].get("BUBSCTTID"): c for c in contacts}
    for row in rows:
        wanted = row["record"]
        contact = held[str(wanted["ctt_id"])]
        assert contact["email"].lower() == wanted["email"].lower()
        for column, name in (("given_name", "firstName"), ("family_name", "lastName"),
                             ("work_phone", "phone")):  # fmt: skip
            if wanted.get(column):
                assert contact[name] == wanted[column], (column, contact)
        for column, name in (("org_country", "LAND"), ("language_code", "SPRACHE"),
                             ("mobile_phone", "MOBIL")):  # fmt: skip
            if wanted.get(column):
                assert contact["fieldValues"].get(name) == wanted[column], (column, contact)


def verdict(sim: Simulator, target: Target, runs: list[Run], usual: int) -> str:
    """What the target does under this guess, in words; asserts what must hold."""
    if runs[-1].code:
        said = runs[-1].stderr.splitlines()[-1].removeprefix("target-activecampaign: ")
        return f"refuses: {said[:120]} (run {len(runs)}, exit {runs[-1].code})"
    causes = sorted({reject["cause"] for reject in target.rejects})
    writes = len(sim.requests(writes=True))
    assert writes <= len(target.rejects), "an idle run writes nothing but what is still refused"
    if len(target.rejects) == usual:
        assert writes == 0, sim.requests(writes=True)
        return "promises hold"
    return (
        f"promises hold, {len(target.rejects)} named rejects ({', '.join(causes)}), "
        f"{writes} tried again"
    )


@pytest.mark.switches
@pytest.mark.parametrize(
    "case", cases(VALUES, ELSEWHERE, SHARE), ids=lambda case: "-".join(map(str, case))
)
def test_a_flipped_guess_breaks_no_promise(
    zygote: Zygote, sim: Simulator, target_at: Build, switch_table: Table, case: Case
) -> None:
    """S0-34 S0-43 S0-52: first load, change with renames and a conflict, idle run: one contact a
    person, closed sums, no write when nothing changed; or a refusal with text and exit code.
    """
    name, value, reads = case
    sim.seed({"fields": scene.FIELDS, "contacts": SEED_PEOPLE})
    sim.switches(**{**TOGETHER.get(name, {}), name: value})
    # The rate switches bite in the first load only: seven requests a second, five allowed.
    limited = name == "rate_limit" or "rate_limit" in TOGETHER.get(name, {})
    target = target_at(sim.url, create_fields=False, reads=reads, deadline_seconds=100)
    runs, calls = [], 0
    for rows in (first_load(), changed(), changed()):
        settle(sim)
        sim.forget_requests()
        target.config["requests_per_second"] = 7 if limited and not runs else 5000
        runs.append(run_once(zygote, sim, target, rows))
        calls += sim.summary()["total"]
        if runs[-1].code:
            break
        if limited:
            sim.switches(rate_limit=False)
    switch_table.add(case, "contacts", verdict(sim, target, runs, usual=1), calls)


@pytest.mark.switches
def test_without_a_flip_all_promises_hold_for_both_ways_of_reading(
    zygote: Zygote, sim: Simulator, target_at: Build, switch_table: Table
) -> None:
    """S0-34: the scene itself, so that a flip has something to be compared with."""
    for reads in ("crawl", "point"):
        sim.reset()
        sim.seed({"fields": scene.FIELDS, "contacts": SEED_PEOPLE})
        target = target_at(sim.url, reads, create_fields=False, reads=reads)
        runs, calls = [], 0
        for rows in (first_load(), changed(), changed()):
            sim.forget_requests()
            runs.append(run_once(zygote, sim, target, rows))
            calls += sim.summary()["total"]
        words = verdict(sim, target, runs, usual=1)
        assert words == "promises hold"
        switch_table.add_usual("contacts", words, calls)
        assert [reject["cause"] for reject in target.rejects] == ["address_taken"]
