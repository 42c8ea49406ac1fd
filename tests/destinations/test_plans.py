"""A plan says what a run would do and does nothing; applied, it does that and nothing else."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import accounts_support
import pytest
from destinations.conftest import MakeTarget
from destinations.test_lists_and_tags import BASE, TEXT, YES, deliver, person, seed, with_lists
from destinations_support import WarmTarget, contact_of, sums_close
from faults import whole_scene as scene
from simulators_support import Simulator
from target_support import Run, record, schema, state

Plan = dict[str, Any]


def plan_of(target: WarmTarget) -> Plan:
    """The plan file."""
    plan: Plan = json.loads((target.home / "plan.json").read_text())
    return plan


@pytest.fixture
def planner(make_target: MakeTarget, sim: Simulator) -> WarmTarget:
    """A target that manages a list and carries everything out, unless a run says otherwise."""
    seed(
        sim,
        person(1, lists={"News": 1}, firstName="Ann"),
        person(2, lists={"News": 1}),
        person(3, lists={"News": 1}),
    )
    target = make_target(streams=with_lists())
    target.config["plan_file"] = str(target.home / "plan.json")
    return target


def rows() -> list[dict[str, Any]]:
    """One that agrees, one changed, one who has withdrawn, one new, one that can't be read."""
    return [
        record(2, **YES),
        record(1, given_name="Anna", **YES),
        record(3, **{**YES, "consent": "unsubscribed"}),
        record(4, given_name="New", **YES),
        record(5, email="nobody at all", **YES),
    ]


def actions(plan: Plan) -> dict[str, list[str]]:
    """Kinds of items by key."""
    return {
        entry["key"]: [f"{item['kind']} {item['name']}".strip() for item in entry["items"]]
        for entry in plan["entries"]
    }


def test_a_plan_names_every_change_and_its_rule_and_nothing_is_written(
    planner: WarmTarget, sim: Simulator
) -> None:
    """Keys, actions, fields and rules; no write, no STATE, no reject, no ledger entry."""
    before = sim.state()["contacts"]
    run = deliver(planner, *rows(), mode="plan")
    assert (run.code, run.states) == (0, [])
    assert sim.requests(writes=True) == []
    assert sim.state()["contacts"] == before
    assert not (planner.home / "state" / "rejects" / "contacts.jsonl").exists()
    plan = plan_of(planner)
    assert actions(plan) == {
        "1": ["set firstName"],
        "3": ["unsubscribe News"],
        "4": ["create", "set firstName", "set BUBSCTTID", "subscribe News"],
        "5": [],
    }
    by_key = {entry["key"]: entry for entry in plan["entries"]}
    assert [by_key[key]["action"] for key in "1345"] == [
        "update",
        "unsubscribe",
        "create",
        "reject",
    ]
    assert by_key["1"]["items"][0]["rule"] == "rules.firstName: always"
    assert by_key["3"]["items"][0]["rule"] == "lists.News: consent withdrawn"
    assert by_key["5"]["cause"] == "email_syntax"
    assert plan["header"]["streams"]["contacts"] == {
        "update": 1, "unsubscribe": 1, "create": 1, "reject": 1, "nothing": 1,
    }  # fmt: skip


def test_a_plan_holds_no_address_and_no_value(planner: WarmTarget) -> None:
    """Hashes stand for people and values; only their owner can read the three files."""
    deliver(planner, *rows(), mode="plan")
    for suffix in ("", ".txt", ".html"):
        path = Path(f"{planner.home / 'plan.json'}{suffix}")
        text = path.read_text()
        assert "example.com" not in text
        assert "Anna" not in text
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_applying_a_plan_does_what_it_says_and_the_next_plan_is_empty(
    planner: WarmTarget, sim: Simulator
) -> None:
    """plan, apply, plan: the second one has nothing left but the row that can't be read."""
    deliver(planner, *rows(), mode="plan")
    run = deliver(planner, *rows(), mode="apply")
    assert run.code == 0
    assert sums_close(run)
    assert contact_of(sim, "person1@example.com")["firstName"] == "Anna"
    assert run.last_state == 5
    assert "person4@example.com" in sim.contacts()
    deliver(planner, *rows(), mode="plan")
    assert actions(plan_of(planner)) == {"5": []}


DRIFTS: dict[str, tuple[str, Any]] = {
    "a field that the plan would write": ("1", {"firstName": "Annette"}),
    "a person who was made meanwhile": ("4", None),
}


@pytest.mark.parametrize("what", DRIFTS)
def test_rows_whose_world_has_moved_are_refused_and_no_others(
    planner: WarmTarget, sim: Simulator, what: str
) -> None:
    """What changed between plan and apply is refused by name, and waits for a new plan."""
    key, change = DRIFTS[what]
    deliver(planner, *rows(), mode="plan")
    email = f"person{key}@example.com"
    if change is None:
        sim.event("create_contact", values={"email": email})
    else:
        sim.event("edit_contact", email=email, **change)
    run = deliver(planner, *rows(), mode="apply")
    assert run.causes == {"plan_moved": 1, "unsubscribed": 1, "email_syntax": 1}
    assert sums_close(run)
    assert run.outcomes == {"applied": 2, "unchanged": 1, "rejected": 2}
    refused = [one["key"] for one in planner.rejects if one["cause"] == "plan_moved"]
    assert refused == [key]
    if change:
        assert contact_of(sim, email)["firstName"] == "Annette"


def test_a_row_that_the_source_changed_since_the_plan_is_refused(
    planner: WarmTarget, sim: Simulator
) -> None:
    """An approval is for these very values."""
    deliver(planner, *rows(), mode="plan")
    changed = [*rows()[:1], record(1, given_name="Hanna", **YES), *rows()[2:]]
    run = deliver(planner, *changed, mode="apply")
    assert run.causes["plan_moved"] == 1
    assert contact_of(sim, "person1@example.com")["firstName"] == "Ann"


def test_consent_withdrawn_since_the_plan_is_heard(planner: WarmTarget, sim: Simulator) -> None:
    """A withdrawal waits for no plan; the rest of its row does."""
    deliver(planner, *rows(), mode="plan")
    withdrawn = {**YES, "consent": "unsubscribed"}
    run = deliver(planner, record(1, given_name="Hanna", **withdrawn), mode="apply")
    ids = {entry["name"]: entry["id"] for entry in sim.state()["lists"]}
    assert contact_of(sim, "person1@example.com")["lists"][ids["News"]] != "1"
    assert contact_of(sim, "person1@example.com")["firstName"] == "Ann"
    assert run.causes == {"plan_moved": 1}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"plan_file": "nowhere.json"}, "plan_file"),
        ({"streams": with_lists(rules={"firstName": "if_empty"})}, "settings of the streams"),
    ],
)
def test_a_plan_that_is_not_for_this_run_is_not_applied(
    planner: WarmTarget, sim: Simulator, more: dict[str, Any], said: str
) -> None:
    """Missing, or made with other settings: exit 2, one line, no write."""
    deliver(planner, *rows(), mode="plan")
    run = deliver(planner, *rows(), mode="apply", **more)
    assert (run.code, sim.requests(writes=True)) == (2, [])
    assert said in run.stderr.splitlines()[-1]


@pytest.mark.parametrize("reads", ["crawl", "point", "incremental"])
def test_the_forecast_of_a_plan_is_what_its_run_takes(
    make_target: MakeTarget, sim: Simulator, reads: str
) -> None:
    """With everything at work: calls by endpoint within 5 %, whichever way is read."""
    scene.seed(sim)
    target = make_target(streams={"contacts": scene.STREAM}, reads=reads, connections=1)
    target.config["plan_file"] = str(target.home / "plan.json")
    data = [scene.messages_schema(), *scene.records()]
    writes = len(sim.requests(writes=True))
    planned = target.run(data, mode="plan")
    assert (planned.code, len(sim.requests(writes=True))) == (0, writes)
    forecast = plan_of(target)["header"]["forecast"]
    run = target.run(data, mode="apply")
    assert "plan_moved" not in run.causes
    _alike(planned, run)
    assert scene.found(sim.state()) == scene.wanted()
    taken = sum(run.report["calls"].values())
    assert abs(sum(forecast["calls"].values()) - taken) <= 0.05 * taken, run.report["calls"]
    assert abs(forecast["writes"] - run.report["writes"]) <= 0.05 * run.report["writes"]


def _alike(planned: Run, run: Run) -> None:
    """A rehearsal comes to the same end as the run."""
    assert planned.stream["outcomes"] == run.stream["outcomes"]
    assert planned.stream["causes"] == run.stream["causes"]


def test_accounts_are_planned_and_bound_as_contacts_are(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """A new account and its contact in one plan; who moved meanwhile is refused."""
    companies = accounts_support.streams()
    contacts = {**BASE, "account": {"key": "org", "key_field": "BUBSACTID"}}
    target = make_target(streams={**companies, "contacts": contacts})
    path = target.config["plan_file"] = str(target.home / "plan.json")
    data = [
        accounts_support.schema(), accounts_support.company(7, "Example AG"),
        accounts_support.company(8, "Sample Ltd"), schema(org=TEXT), record(1, org="7"), state(3),
    ]  # fmt: skip
    planned = target.run(data, mode="plan")
    assert (planned.code, sim.requests(writes=True)) == (0, [])
    plan = json.loads(Path(path).read_text())
    assert plan["header"]["streams"] == {"companies": {"create": 2}, "contacts": {"create": 1}}
    assert "associate account" in actions(plan)["1"]
    sim.event("create_account", values={"name": "Sample Ltd"})
    run = target.run(data, mode="apply")
    by_stream = {stream["stream"]: stream for stream in run.report["streams"]}
    assert by_stream["companies"]["outcomes"]["applied"] == 1
    assert by_stream["companies"]["causes"] == {"rejected:update:plan_moved": 1}
    assert by_stream["contacts"]["outcomes"]["applied"] == 1
    target.run(data, mode="plan")
    again = json.loads(Path(path).read_text())["header"]["streams"]
    assert again == {"companies": {"nothing": 1, "update": 1}, "contacts": {"nothing": 1}}
