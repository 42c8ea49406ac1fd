"""Plans and guards at their edges: nothing to do, half done, moved in between, withdrawn, and keys
that are addresses.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import accounts_support
import pytest
from destinations import test_provenance as provenance
from destinations.conftest import MakeTarget
from destinations.test_lists_and_tags import (
    BASE,
    COLUMNS,
    TEXT,
    YES,
    deliver,
    person,
    seed,
    status_of,
    with_lists,
)
from destinations_support import WarmTarget, contact_of, seeded_fields
from simulators_support import Simulator
from target_support import record, schema, state

GONE = {"_sdc_deleted_at": "2026-05-01T00:00:00Z"}
NO = {**YES, "consent": "unsubscribed"}
HEAD = schema(**COLUMNS, _sdc_deleted_at=TEXT, erase={"type": ["boolean", "null"]})
ERASURES: dict[str, Any] = {"on_delete": "delete", "erasure_column": "erase", "max_deletes": 1}


def plan_of(target: WarmTarget) -> dict[str, Any]:
    """The plan file."""
    plan: dict[str, Any] = json.loads((target.home / "plan.json").read_text())
    return plan


def planning(target: WarmTarget) -> WarmTarget:
    """The target, with a place for plans."""
    target.config["plan_file"] = str(target.home / "plan.json")
    return target


def test_a_plan_of_nothing_is_written_and_moves_no_state(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """What is to be looked at is never the plan of a run before; STATE waits for a run."""
    seed(sim, person(1))
    target = planning(make_target(streams=with_lists()))
    deliver(target, record(1, given_name="New", **YES), mode="plan")
    assert plan_of(target)["number"] == 1
    run = deliver(target, mode="plan")
    assert (run.code, run.states) == (0, [])
    assert plan_of(target)["number"] == 0


def test_a_plan_of_nothing_is_checked_when_it_is_applied(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """Nothing to do is no reason to take any file for a plan."""
    seed(sim)
    target = planning(make_target(streams=with_lists()))
    run = deliver(target, mode="apply")
    assert run.code == 2


def test_erasures_above_their_limit_hold_no_withdrawal_back(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """S2-5: max_deletes stops the stream; who has withdrawn consent is unsubscribed even so."""
    seed(sim, *(person(key, lists={"News": 1}) for key in (1, 2, 3)))
    target = make_target(streams=with_lists(**ERASURES))
    rows = [record(key, erase=True, **GONE, **YES) for key in (1, 2)]
    run = target.run([HEAD, *rows, record(3, **NO), state(3)])
    assert (run.code, run.states) == (4, [])
    assert [status_of(sim, key) for key in (1, 2, 3)] == ["1", "1", "2"]


def test_a_plan_shows_erasures_above_their_limit(make_target: MakeTarget, sim: Simulator) -> None:
    """Whoever is to be erased is there to be looked at, with the limit that would stop the run."""
    seed(sim, *(person(key, lists={"News": 1}) for key in (1, 2)))
    target = planning(make_target(streams=with_lists(**ERASURES)))
    rows = [record(key, erase=True, **GONE, **YES) for key in (1, 2)]
    run = target.run([HEAD, *rows, state(2)], mode="plan")
    assert (run.code, sim.requests(writes=True)) == (0, [])
    plan = plan_of(target)
    assert plan["header"]["streams"]["contacts"] == {"delete": 2}
    assert "max_deletes" in str(plan["header"]["guards"])


def test_a_guard_of_one_stream_holds_no_withdrawal_of_another_back(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """Streams after the one that is stopped are not written, but for withdrawn consent."""
    seed(sim, *(person(key, lists={"News": 1}) for key in (1, 2)))
    one = with_lists()["contacts"]
    target = make_target(streams={"a": one, "b": one}, guards={"max_updates": 0})
    heads = [{**schema(**COLUMNS), "stream": name} for name in "ab"]
    rows = [
        {**record(1, given_name="New", **YES), "stream": "a"},
        {**record(2, given_name="New", **NO), "stream": "b"},
    ]
    run = target.run([*heads, *rows, state(2)])
    assert (run.code, run.states) == (4, [])
    assert status_of(sim, 2) == "2"
    assert contact_of(sim, "person2@example.com")["firstName"] == ""


def test_withdrawals_alone_trip_no_guard(make_target: MakeTarget, sim: Simulator) -> None:
    """A contact that changes in nothing but consent withdrawn is none of `max_updates`."""
    seed(sim, person(1, lists={"News": 1}))
    target = make_target(streams=with_lists(), guards={"max_updates": 0})
    assert deliver(target, record(1, **NO)).code == 0
    assert status_of(sim, 1) == "2"


def test_a_tripped_guard_says_what_was_written(make_target: MakeTarget, sim: Simulator) -> None:
    """Where somebody was unsubscribed before the stop, the message does not deny it."""
    seed(sim, *(person(key, lists={"News": 1}) for key in (1, 2)))
    target = make_target(streams=with_lists(), guards={"max_updates": 0})
    run = deliver(target, record(1, **NO), record(2, given_name="New", **YES))
    assert run.code == 4
    assert "but withdrawals of consent" in run.stderr.splitlines()[-1]


def test_who_is_off_the_list_already_is_no_line_of_a_plan(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """A rejected row that withdraws what ended long ago takes nobody off anything."""
    seed(sim, person(1, lists={"News": 2}))
    target = planning(make_target(streams=with_lists()))
    rows = [record(1, given_name="A", **NO), record(1, given_name="B", **NO)]
    deliver(target, *rows, mode="plan")
    entries = plan_of(target)["entries"]
    assert [one["action"] for one in entries] == ["reject", "reject"]


def test_a_note_of_a_due_tag_is_an_item(make_target: MakeTarget, sim: Simulator) -> None:
    """A run that died between tag and note: emptying the note is planned, shown and bound."""
    fields = {"BUBSCTTID": "1", "BUBSTAGDUE": "person_account"}
    provenance.seed(sim, provenance.known(1, fieldValues=fields, tags=[provenance.CREATED]))
    target = planning(make_target(streams=provenance.persons()))
    row = record(1, given_name="Before")
    planned = provenance.deliver(target, row, mode="plan")
    assert planned.stream["outcomes"]["applied"] == 1
    (entry,) = plan_of(target)["entries"]
    assert (entry["action"], [one["kind"] for one in entry["items"]]) == ("update", ["settle"])


def test_a_contact_moved_to_another_account_since_is_refused(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """Where a contact belongs now is part of what was approved."""
    contacts = {**BASE, "account": {"key": "org", "key_field": "BUBSACTID"}}
    target = planning(make_target(streams={**accounts_support.streams(), "contacts": contacts}))
    head = [accounts_support.schema(), schema(org=TEXT)]
    companies = [accounts_support.company(n, f"Company {n}") for n in (7, 8, 9)]
    target.run([*head, *companies, record(1, org="7"), state(4)])
    data = [*head, record(1, org="8"), state(5)]
    assert target.run(data, mode="plan").code == 0
    target.run([*head, record(1, org="9"), state(6)])
    run = target.run(data, mode="apply")
    (contacts_report,) = (s for s in run.report["streams"] if s["stream"] == "contacts")
    assert contacts_report["causes"] == {"rejected:update:plan_moved": 1}
    assert sim.contacts()["person1@example.com"]["account"] == "Company 9"


def test_keys_that_are_addresses_stay_out_of_plans(make_target: MakeTarget, sim: Simulator) -> None:
    """No personal data in plans: such a row is called by its hash."""
    seed(sim)
    stream = {**BASE, "key": "login", "key_type": "text"}
    target = planning(make_target(streams={"contacts": stream}))
    rows = [record(1, login="jane@example.com"), record(2, login="<script>x")]
    target.run([schema(login=TEXT), *rows, state(2)], mode="plan")
    for suffix in ("", ".txt", ".html"):
        text = Path(f"{target.home / 'plan.json'}{suffix}").read_text()
        assert "jane@example" not in text
        if suffix == ".html":
            assert "<script>" not in text


@pytest.mark.parametrize("mode", ["run", "plan"])
def test_a_report_that_cannot_be_written_hides_no_guard(
    make_target: MakeTarget, sim: Simulator, mode: str
) -> None:
    """Exit code and last line are those of what stopped the run."""
    seed(sim, person(1))
    target = planning(make_target(streams=with_lists(), guards={"max_updates": 0}))
    run = deliver(
        target, record(1, given_name="New", **YES), mode=mode, report_html="/proc/nowhere/r.html"
    )
    assert run.code == (4 if mode == "run" else 2), run.stderr


def test_guards_of_an_applied_plan_count_what_it_holds(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """Rows that have moved are refused, so they stop no others."""
    seed(sim, *(person(key, lists={"News": 1}) for key in (1, 2, 3, 4)))
    target = planning(make_target(streams=with_lists(), guards={"max_updates": 2}))
    rows = [record(key, given_name="New", **YES) for key in (1, 2)]
    assert deliver(target, *rows, mode="plan").code == 0
    more = [record(key, given_name="New", **YES) for key in (3, 4)]
    run = deliver(target, *rows, *more, mode="apply")
    assert (run.code, run.outcomes) == (0, {"applied": 2, "rejected": 2}), run.stderr


def test_a_plan_of_another_state_directory_refuses_no_row(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """Its hashes are of another key: one line says so, and no row is kept as one that has moved."""
    seed(sim, person(1))
    rows = [record(1, given_name="New", **YES)]
    there = planning(make_target("there", streams=with_lists()))
    assert deliver(there, *rows, mode="plan").code == 0
    here = make_target("here", streams=with_lists(), plan_file=there.config["plan_file"])
    run = deliver(here, *rows, mode="apply")
    assert (run.code, sim.requests(writes=True)) == (2, [])
    assert "another state_dir" in run.stderr.splitlines()[-1]
    assert not (here.home / "state" / "rejects" / "contacts.jsonl").exists()


def test_the_report_of_a_plan_claims_nothing_that_was_not_done(
    make_target: MakeTarget, sim: Simulator
) -> None:
    """It says that nothing was written; no file of rejects, no budget, nothing verified."""
    seed(sim, person(1))
    page = "report.html"
    target = planning(make_target(streams=with_lists(), report_html=page))
    rows = [record(1, given_name="New", **YES), record(2, email="nobody at all", **YES)]
    run = deliver(target, *rows, mode="plan")
    assert run.outcomes == {"applied": 1, "rejected": 1}
    assert "nothing was written" in run.stderr
    assert (run.stream["rejects_file"], run.stream["details"]) == ("", {})
    shown = (target.home / page).read_text()
    assert "nothing was written" in shown
    assert "allowed" not in shown


@pytest.mark.parametrize("there", [99, 100])
def test_shares_of_new_contacts_are_of_the_account(
    make_target: MakeTarget, sim: Simulator, there: int
) -> None:
    """A small run makes many of an account that has `min_population` contacts, or none too many."""
    seed(sim, *(person(key) for key in range(1, there + 1)))
    target = make_target(streams=with_lists(), guards={"max_creates_pct": 1})
    run = deliver(target, *(record(key, **YES) for key in (1001, 1002)))
    assert run.code == (4 if there == 100 else 0), run.stderr


@pytest.mark.parametrize("again", [5, 6], ids=["the same list", "another list"])
def test_nobody_joins_another_list_that_is_called_so_by_now(
    make_target: MakeTarget, sim: Simulator, again: int
) -> None:
    """What was approved is this list; names of lists are changed by people."""
    target = planning(make_target(streams=with_lists()))
    row = record(1, **YES)
    sim.seed({"fields": seeded_fields(), "lists": [{"name": "News", "id": 5}],
              "contacts": [person(1)]})  # fmt: skip
    assert deliver(target, row, mode="plan").code == 0
    sim.reset()
    sim.seed({"fields": seeded_fields(), "lists": [{"name": "News", "id": again}],
              "contacts": [person(1)]})  # fmt: skip
    run = deliver(target, row, mode="apply")
    assert run.outcomes == ({"applied": 1} if again == 5 else {"rejected": 1})
    assert status_of(sim, 1) == ("1" if again == 5 else None)
