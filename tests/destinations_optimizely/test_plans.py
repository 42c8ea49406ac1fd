"""A plan says what a transfer would do and does nothing; applied, it does that and nothing else."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lists_support import REGULAR, STREAM, ListTarget, ids, recipients, row, the_list
from simulators_support import Simulator
from target_support import Run
from warm_lists import attributes, closes, content, operations, said, written

MakeTarget = Callable[..., ListTarget]
Planner = Callable[..., ListTarget]
STRATEGIES = ["clear_and_refill", "reconcile"]


@pytest.fixture
def make_planner(make_target: MakeTarget) -> Planner:
    """A target with a `plan_file` of its own."""

    def make(strategy: str = "reconcile", **config: Any) -> ListTarget:
        one = {"strategy": strategy, "min_ratio": 0, **config.pop("list", {})}
        target = make_target(list=one, **config)
        target.config["plan_file"] = str(target.home / "plan.json")
        return target

    return make


def plan_of(target: ListTarget) -> dict[str, Any]:
    """The plan file."""
    plan: dict[str, Any] = json.loads((target.home / "plan.json").read_text())
    return plan


def items(target: ListTarget) -> dict[str, list[str]]:
    """What would be written, by the backoffice's key; who needs nothing has no entry."""
    found: dict[str, list[str]] = {}
    for entry in plan_of(target)["entries"]:
        words = [f"{item['kind']} {item['name']}" for item in entry["items"]]
        found.setdefault(entry["key"], []).extend(words)
    return {key: words for key, words in found.items() if words}


def files_of(target: ListTarget) -> dict[str, bytes]:
    """What a run keeps: journals are scratch paper while nothing is open."""
    kept = ("left_out", "evidence")
    folder = target.home / "state"
    return {str(p): p.read_bytes() for name in kept for p in sorted((folder / name).glob("*"))}


def before() -> list[dict[str, Any]]:
    """Six recipients."""
    return [row(n) for n in range(1, 7)]


def after() -> list[dict[str, Any]]:
    """1 agrees, 2 changes, 3 is unsubscribed meanwhile, 4 goes, 7 is new, 8 can't be read."""
    return [
        row(1),
        row(2, given_name="Other", org_country=None),
        row(3),
        row(5),
        row(6),
        row(7),
        row(8, email="nobody at all"),
    ]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_plan_names_every_change_and_its_rule_and_nothing_is_written(
    sim: Simulator, make_planner: Planner, strategy: str
) -> None:
    """S1-4 S1-19: keys, actions, attributes, rules; no write, no STATE, no evidence, no file."""
    target = make_planner(strategy)
    assert target.transfer(before()).code == 0
    sim.event("unsubscribe", id="person3@example.com")
    held, kept = content(sim), files_of(target)
    sim.forget_requests()
    run = target.transfer(after(), mode="plan")
    assert (run.code, run.states) == (0, []), run.stderr
    assert not written(sim)
    assert content(sim) == held
    assert files_of(target) == kept
    assert items(target) == {
        "contact 2": ["set Vorname", "clear Land"],
        "contact 3": [f"remove {STREAM}"],
        "contact 4": [f"remove {STREAM}"],
        "contact 7": [f"add {STREAM}"],
    }
    plan = plan_of(target)
    assert plan["header"]["streams"] == {
        STREAM: {"nothing": 3, "update": 1, "suppress": 1, "add": 1, "reject": 1, "remove": 2}
    }
    rules = {item["rule"] for entry in plan["entries"] for item in entry["items"]}
    where = f"lists.{STREAM}"
    assert rules == {
        f"{where}.attributes.Vorname",
        f"{where}.attributes.Land",
        f"{where}.selection",
        f"{where}.selection: not wanted any more",
        "suppression: unsubscribed",
    }
    causes = {entry["key"]: entry["cause"] for entry in plan["entries"] if entry["cause"]}
    assert causes == {"contact 3": "unsubscribed", "contact 8": "email_syntax"}
    assert any("4 stay, 1 join, 2 leave" in note for note in plan["header"]["notes"])
    assert closes(run)


def test_a_plan_holds_no_address_and_no_value(sim: Simulator, make_planner: Planner) -> None:
    """Hashes stand for people and values, whatever is in the list; only their owner can read."""
    canary = "canary@example.org"
    seeded = {"list": REGULAR, "id": canary, "attributes": {"entity-id": canary, "Vorname": "Zoe"}}
    sim.seed({"recipients": [seeded]})
    target = make_planner()
    run = target.transfer([row(1, given_name="Canary")], mode="plan")
    assert run.code == 0, run.stderr
    for suffix in ("", ".txt", ".html"):
        path = Path(f"{target.home / 'plan.json'}{suffix}")
        text = path.read_text()
        assert "remove" in text or "taken off" in text
        assert not [word for word in ("@example", "Canary", "Zoe") if word in text]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_applying_a_plan_does_what_it_says_and_the_next_plan_is_empty(
    sim: Simulator, make_planner: Planner, strategy: str
) -> None:
    """S1-4 X3: plan, apply, plan: nothing is left to be written."""
    target = make_planner(strategy)
    assert target.transfer(before()).code == 0
    sim.event("unsubscribe", id="person3@example.com")
    assert target.transfer(after(), mode="plan").code == 0
    run = target.transfer(after(), mode="apply")
    assert run.code == 0, run.stderr
    assert run.states
    assert set(recipients(sim)) == ids([1, 2, 5, 6, 7])
    assert attributes(sim, "person2@example.com")["Vorname"] == "Other"
    assert "plan_moved" not in run.causes
    assert target.transfer(after(), mode="plan").code == 0
    assert items(target) == {}


def vendor_edits(sim: Simulator, key: int) -> None:
    """Somebody edits a recipient in the vendor's user interface."""
    sim.event("edit_recipient", list=REGULAR, id=f"person{key}@example.com",
              attributes={"Vorname": "Edited"})  # fmt: skip


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_moved_since_the_plan_is_refused_and_no_more(
    sim: Simulator, make_planner: Planner, strategy: str
) -> None:
    """Edited there, changed here, added by hand, gone from the selection: those keep their state;
    whatever else the plan holds is done, and a new plan has them.
    """
    sim.event("add_attribute", list=REGULAR, attribute="Segment")
    target = make_planner(strategy)
    assert target.transfer(before()).code == 0
    assert target.transfer(after(), mode="plan").code == 0
    vendor_edits(sim, 2)  # the plan would set Vorname from Given2
    sim.event("add_recipient", list=REGULAR, id="person7@example.com",
              attributes={"Vorname": "By hand", "Segment": "S7"})  # fmt: skip
    sim.event("add_recipient", list=REGULAR, id="stranger@example.org",
              attributes={"Nachname": "Stranger", "Segment": "S"})  # fmt: skip
    moved = [one for one in after() if one["record"]["ctt_id"] != 5]
    moved[0] = row(1, family_name="Married")
    run = target.transfer([*moved, row(9)], mode="apply")
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 2, 3, 5, 6, 7]) | {"stranger@example.org"}
    names = {key: attributes(sim, key) for key in recipients(sim)}
    assert names["person1@example.com"]["Nachname"] == "Family1"
    assert names["person2@example.com"]["Vorname"] == "Edited"
    assert names["person2@example.com"]["Land"] == "CH"
    assert names["person5@example.com"]["Vorname"] == "Given5"
    assert names["person7@example.com"]["Vorname"] == "By hand"
    assert names["person7@example.com"]["Segment"] == "S7"
    assert names["stranger@example.org"]["Nachname"] == "Stranger"
    assert names["stranger@example.org"]["Segment"] == "S"
    assert run.causes == {"plan_moved": 4, "email_syntax": 1}
    assert closes(run)
    refused = {one["entity_id"] for one in target.left_out if one["cause"] == "plan_moved"}
    assert refused == {"1", "2", "7", "9"}
    details = run.stream["details"]
    assert (details["plan_moved"], details["stay"]) == (4, 2)
    assert target.transfer([*moved, row(9)], mode="plan").code == 0
    assert set(items(target)) == {"contact 1", "contact 2", "contact 5", "contact 7", "contact 9",
                                  None}  # fmt: skip


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_withdrawal_newer_than_the_plan_is_heard(
    sim: Simulator, make_planner: Planner, strategy: str
) -> None:
    """S1-10 S1-31: unsubscribed at the vendor, deleted or withdrawn in the backoffice since the
    plan: off the list, also whom the plan would have kept and who merely stayed.
    """
    target = make_planner(strategy, list={"on_wrong_consent": "reject"})
    assert target.transfer(before()).code == 0
    assert target.transfer([row(n) for n in range(1, 8)], mode="plan").code == 0
    sim.event("unsubscribe", id="person2@example.com")
    sim.event("unsubscribe", id="person5@example.com")
    rows = [
        row(1, given_name="Moved"),
        row(2, given_name="Moved"),
        row(3, consent="none"),
        row(4, _sdc_deleted_at="2026-01-01T00:00:00Z"),
        row(7),
    ]
    run = target.run(with_deletions(rows), mode="apply")
    assert run.code == 0, run.stderr
    # 5 and 6 are gone from the selection, which the plan does not hold; 5 is unsubscribed.
    assert set(recipients(sim)) == ids([1, 6, 7])
    assert attributes(sim, "person1@example.com")["Vorname"] == "Given1"
    assert run.causes == {"plan_moved": 1, "unsubscribed": 1, "wrong_consent": 1,
                          "deleted_in_source": 1}  # fmt: skip


def with_deletions(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A whole input whose SCHEMA has the column of deletions."""
    from lists_support import selection

    return selection(rows, _sdc_deleted_at={"type": ["string", "null"]})


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"plan_file": "nowhere.json"}, "plan_file: No such file"),
        ({"mandator_id": 4321}, "another client"),
        ({"list": {"attributes": {"Vorname": "given_name"}}}, "settings of the lists"),
    ],
)
def test_a_plan_that_is_not_for_this_run_is_not_applied(
    sim: Simulator, make_planner: Planner, more: dict[str, Any], says: str
) -> None:
    """Missing, for another client, made with other settings: exit 2, one line, no write."""
    target = make_planner()
    assert target.transfer(before(), mode="plan").code == 0
    changed = dict(more)
    if "list" in changed:
        changed = {"lists": {STREAM: {**target.config["lists"][STREAM], **changed["list"]}}}
    run = target.transfer(before(), mode="apply", **changed)
    assert (run.code, run.states) == (2, []), run.stderr
    assert not written(sim)
    assert says in said(run)


def test_a_plan_of_another_state_directory_keeps_nobody_as_they_are(
    sim: Simulator, make_planner: Planner, tmp_path: Path
) -> None:
    """Its hashes are of another key: one line says so, and the list is left as it was."""
    target = make_planner()
    assert target.transfer(before(), mode="plan").code == 0
    run = target.transfer(before(), mode="apply", state_dir=str(tmp_path / "elsewhere"))
    assert (run.code, run.states) == (2, []), run.stderr
    assert "another state_dir" in said(run)
    assert not written(sim)


def test_a_plan_of_nothing_takes_the_place_of_the_one_before(make_planner: Planner) -> None:
    """Where no record of any list came: nobody takes an old plan for what would be done now."""
    target = make_planner(on_unknown_stream="ignore")
    assert target.transfer(before(), mode="plan").code == 0
    assert plan_of(target)["number"] == 6
    text = {"type": "object", "properties": {"id": {"type": "string"}}}
    stranger = {"type": "SCHEMA", "stream": "others", "schema": text, "key_properties": []}
    marker = {"type": "STATE", "value": {"sync_complete": {"counts": {}}}}
    run = target.run([stranger, marker], mode="plan")
    assert (run.code, run.states) == (0, []), run.stderr
    assert plan_of(target)["number"] == 0


def test_nothing_is_planned_while_a_change_is_open(sim: Simulator, make_planner: Planner) -> None:
    """S1-23: the rows that heal the list are left alone; the next run brings it to its end."""
    target = make_planner("clear_and_refill")
    sim.faults([{"match": {"body": "addAll3"}, "action": {"type": "status", "status": 503}}])
    assert target.transfer(before(), timeout_seconds=2, deadline_seconds=3).code == 7
    sim.faults([])
    sim.forget_requests()
    planned = target.transfer(after(), mode="plan")
    assert (planned.code, planned.states) == (4, [])
    assert "left open" in said(planned)
    assert not written(sim)
    healed = target.transfer(before())
    assert healed.code == 0
    assert [one["ended"] for one in healed.report["recovered"]] == ["done"]


def test_what_would_refuse_the_run_is_in_the_plan(sim: Simulator, make_planner: Planner) -> None:
    """S1-20 S1-27: too few rows and a mailing on its way are told, and the plan is made."""
    target = make_planner(list={"min_ratio": 0.5})
    assert target.transfer([row(n) for n in range(10)]).code == 0
    sim.event("mailing", id=7, status="SENDING", lists=[REGULAR])
    run = target.transfer([row(1)], mode="plan", guards={"max_list_removals": 8})
    assert run.code == 0, run.stderr
    named = [one["name"] for one in plan_of(target)["header"]["guards"]]
    assert set(named) == {"floor", "at_rest", "list_removals"}
    text = (target.home / "plan.json.txt").read_text()
    assert "guards.max_list_removals is 8" in text


def test_the_snapshot_of_the_last_change_outlives_a_plan(
    sim: Simulator, make_planner: Planner
) -> None:
    """S1-23: `recover --restore` still has what it had: a plan reads the list beside it."""
    target = make_planner()
    assert target.transfer(before()).code == 0
    assert target.transfer(after()).code == 0
    assert target.transfer([row(1)], mode="plan").code == 0
    run = target.recover("--restore", STREAM)
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids(range(1, 7))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_whoever_keeps_their_state_has_it_after_a_crash_too(
    sim: Simulator, make_planner: Planner, strategy: str
) -> None:
    """S1-23: a plan that is cut off in the middle: the next run's healing puts those back whom the
    plan does not move, with all that the list had of them.
    """
    sim.event("add_attribute", list=REGULAR, attribute="Segment")
    target = make_planner(strategy, batch_size_records=2)
    assert target.transfer([row(n) for n in range(10)]).code == 0
    wanted = [row(n) for n in range(4, 16)]
    assert target.transfer(wanted, mode="plan").code == 0
    for n in (5, 12):
        key = f"person{n}@example.com"
        sim.event("add_recipient" if n == 12 else "edit_recipient", list=REGULAR, id=key,
                  attributes={"Segment": f"S{n}", "Vorname": "Edited"})  # fmt: skip
    sim.event("add_recipient", list=REGULAR, id="stranger@example.org",
              attributes={"Segment": "S", "Vorname": "Stranger"})  # fmt: skip
    sim.faults([{"match": {"body": "addAll3"}, "nth": 2, "times": 99,
                 "action": {"type": "status", "status": 503}}])  # fmt: skip
    cut = target.transfer(wanted, mode="apply", timeout_seconds=2, deadline_seconds=4)
    assert cut.code == 7, cut.stderr
    sim.faults([])
    assert target.recover().code == 0
    assert set(recipients(sim)) == ids(range(4, 16)) | {"stranger@example.org"}
    found = {key: attributes(sim, key) for key in recipients(sim)}
    kept = [found[f"person{n}@example.com"] for n in (5, 12)] + [found["stranger@example.org"]]
    assert [one["Segment"] for one in kept] == ["S5", "S12", "S"]
    assert [one["Vorname"] for one in kept] == ["Edited", "Edited", "Stranger"]


@pytest.mark.parametrize("null_values", ["omit", "empty"])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_plan_knows_what_is_done_with_values_that_are_none(
    sim: Simulator, make_planner: Planner, strategy: str, null_values: str
) -> None:
    """S1-4: left out, a value stays where differences are written and is gone after a refill."""
    target = make_planner(strategy, list={"null_values": null_values})
    assert target.transfer([row(1), row(2, given_name=None), row(3)]).code == 0
    wanted = [row(1, given_name=None), row(2, given_name=None), row(3)]
    assert target.transfer(wanted, mode="plan").code == 0
    stays = (strategy, null_values) == ("reconcile", "omit")
    assert items(target) == ({} if stays else {"contact 1": ["clear Vorname"]})
    sim.event("edit_recipient", list=REGULAR, id="person3@example.com",
              attributes={"Nachname": "Edited"})  # fmt: skip
    run = target.transfer(wanted, mode="apply")
    assert run.causes == {"plan_moved": 1}
    assert (attributes(sim, "person1@example.com").get("Vorname") or "") == "Given1" * stays
    assert attributes(sim, "person3@example.com")["Nachname"] == "Edited"
    assert attributes(sim, "person3@example.com")["Vorname"] == "Given3"


def test_a_refill_names_what_it_empties_besides(sim: Simulator, make_planner: Planner) -> None:
    """X5 S1-19: an attribute that nobody maps is gone with the clear, and the plan says so."""
    sim.event("add_attribute", list=REGULAR, attribute="Segment")
    target = make_planner("clear_and_refill")
    assert target.transfer(before()).code == 0
    sim.event("edit_recipient", list=REGULAR, id="person3@example.com",
              attributes={"Segment": "S3"})  # fmt: skip
    run = target.transfer(before(), mode="plan", guards={"max_blank_outs": 0})
    assert run.code == 0, run.stderr
    assert items(target) == {"contact 3": ["clear Segment"]}
    assert [one["name"] for one in plan_of(target)["header"]["guards"]] == ["blank_outs"]
    rules = [one["rule"] for entry in plan_of(target)["entries"] for one in entry["items"]]
    assert rules == [f"lists.{STREAM}.strategy: clear_and_refill"]


def test_more_refusals_than_the_budget_leave_the_list_as_it_was(
    sim: Simulator, make_planner: Planner
) -> None:
    """S0-56: a plan most of which has moved is no plan any more: 4, nothing is written."""
    target = make_planner("clear_and_refill")
    assert target.transfer(before()).code == 0
    assert target.transfer(before(), mode="plan").code == 0
    held = content(sim)
    sim.forget_requests()
    rows = [row(n, given_name="Other") for n in range(1, 7)]
    run = target.transfer(rows, mode="apply", max_errors=5)
    assert (run.code, run.states) == (4, []), run.stderr
    assert content(sim) == held
    assert not written(sim)


def test_the_page_shows_a_plan_and_its_run(sim: Simulator, make_planner: Planner) -> None:
    """report_html: the list's numbers, the mode, what was refused; no address."""
    target = make_planner()
    page = target.home / "page.html"
    target.config["report_html"] = str(page)
    assert target.transfer(before(), mode="plan").code == 0
    assert "mode plan" in page.read_text()
    run = target.transfer([*before(), row(9)], mode="apply")
    assert run.code == 0, run.stderr
    text = page.read_text()
    assert "mode apply" in text
    assert STREAM in text
    assert "Plan and account no longer agree about this row" in text
    assert "@example" not in text


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("number", [260])
def test_the_forecast_of_a_plan_is_what_its_run_takes(
    sim: Simulator, make_planner: Planner, strategy: str, number: int
) -> None:
    """Calls by operation as the simulator counts them, within 5 %, for either strategy."""
    target = make_planner(strategy, batch_size_records=50)
    assert target.transfer([row(n) for n in range(number)]).code == 0
    sim.seed({"unsubscribes": [{"id": f"person{n}@example.com"} for n in (3, 130)]})
    rows = [row(n, org_country="AT" if n % 7 == 0 else "CH") for n in range(90, number + 75)]
    sim.forget_requests()
    planned = target.transfer(rows, mode="plan")
    assert planned.code == 0, planned.stderr
    asked = operations(sim)
    assert sum(asked.values()) == sum(planned.report["calls"].values())
    forecast = plan_of(target)["header"]["forecast"]
    sim.forget_requests()
    run = target.transfer(rows, mode="apply")
    assert run.code == 0, run.stderr
    taken, writes = sum(operations(sim).values()), sum(written(sim).values())
    assert abs(sum(forecast["calls"].values()) - taken) <= 0.05 * taken, (forecast, run.report)
    assert abs(forecast["writes"] - writes) <= 0.05 * writes
    assert forecast["seconds"] > 0
    assert outcomes(planned) == outcomes(run)
    assert len(the_list(sim)["recipients"]) == number + 75 - 90 - 1


def outcomes(run: Run) -> tuple[Any, Any]:
    """A rehearsal comes to the same end as the run."""
    return run.outcomes, run.causes


def test_a_plan_has_all_lists_of_a_stream_and_whom_none_takes(
    sim: Simulator, make_planner: Planner
) -> None:
    """S1-7: one stream, two lists by a selection; the rest is counted under the stream's name."""
    twin = 120000000012
    sim.seed({"lists": [{"id": twin, "name": "Twin"}]})
    target = make_planner()
    one = target.config["lists"][STREAM]
    choose = {"selection_column": "org_country", "stream": STREAM}
    target.config["lists"] = {
        STREAM: {**one, **choose, "selection": "CH"},
        "twin": {**one, **choose, "selection": "AT", "list_id": twin},
    }
    countries = ["CH", "CH", "AT", "DE", "DE", "DE"]
    rows = [row(n, org_country=country) for n, country in enumerate(countries)]
    planned = target.transfer(rows, mode="plan")
    assert planned.code == 0, planned.stderr
    assert plan_of(target)["header"]["streams"] == {
        STREAM: {"add": 2, "suppress": 3},
        "twin": {"add": 1},
    }
    run = target.transfer(rows, mode="apply")
    assert run.code == 0, run.stderr
    assert (set(recipients(sim)), set(recipients(sim, twin))) == (ids([0, 1]), ids([2]))
