"""How many errors a step tolerates, what an analyst gets, and how rejects come again."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, seeded_fields, sums_close
from simulators_support import Simulator
from target_support import record, schema, state

SCORE = {"score": {"type": ["string", "null"]}}
STREAMS = {
    "contacts": {
        "key": "ctt_id",
        "key_field": "BUBSCTTID",
        "fields": {"email": "email", "firstName": "given_name"},
        "custom_fields": {"SCORE": "score"},
    }
}
STEPS = ("check", "update", "insert", "custom_fields")


def bad_rows(step: str, number: int) -> list[dict[str, Any]]:
    """Rows that each end as one error of `step`, in an account prepared by `prepare`."""
    start = 10_000 * (STEPS.index(step) + 1)
    keys = range(start, start + number)
    if step == "check":
        return [record(key, "no address") for key in keys]
    if step == "custom_fields":
        return [record(key, score="no number") for key in keys]
    # Written as an address can be, but refused by an account that takes ASCII only.
    return [record(key, f"p{key}@bücher.example.com") for key in keys]


def prepare(sim: Simulator, known: int = 0) -> None:
    """An account with a number field, `known` persons for step update, and strict addresses."""
    known_keys = range(20_000, 20_000 + known)
    contacts = [
        {"email": f"old{key}@example.com", "fieldValues": {"BUBSCTTID": str(key)}}
        for key in known_keys
    ]
    sim.seed(
        {"fields": seeded_fields({"perstag": "SCORE", "type": "number"}), "contacts": contacts}
    )
    sim.switches(email_validation="strict")


def test_five_hundred_errors_in_each_step_are_tolerated(sim: Simulator, make_target: Any) -> None:
    """S0-28, S0-55, S0-56, S0-57: 500 in all four steps at once: each has its own budget, good
    rows between and after them are delivered, the run ends as usable.
    """
    prepare(sim, known=500)
    target = make_target(streams=STREAMS)
    rows = [row for step in STEPS for row in bad_rows(step, 500)]
    rows += [record(1, score="7")]
    run = target.run([schema(**SCORE), *rows, state(2001)])
    assert run.code == 0
    assert run.outcomes == {"applied": 1, "rejected": 2000}
    assert run.stream["errors_by_step"] == dict.fromkeys(sorted(STEPS), 500)
    assert run.last_state == 2001
    assert contact_of(sim, "person1@example.com")["fieldValues"]["SCORE"] == "7"
    assert "completed with 2000 errors" in run.stderr
    assert len(target.rejects) == 2000
    assert sums_close(run)


@pytest.mark.parametrize("errors", [0, 1, 499, 500, 501])
def test_the_check_step_stops_at_the_501st_error(
    sim: Simulator, make_target: Any, errors: int
) -> None:
    """S0-10, S0-56, S0-58: 0, 499 and 500 go on, the 501st ends with exit code 4 and no STATE."""
    prepare(sim)
    run = make_target(streams=STREAMS).run(
        [schema(**SCORE), *bad_rows("check", errors), record(1), state(9)]
    )
    assert run.code == (4 if errors > 500 else 0)
    assert [s["bookmarks"]["contacts"]["replication_key_value"] for s in run.states] == (
        [] if errors > 500 else [9]
    )
    assert run.stream["errors_by_step"] == ({"check": errors} if errors else {})
    assert bool(sim.contacts()) is (errors <= 500)
    assert run.report["status"] == (
        "stopped" if errors > 500 else f"completed with {errors} errors" if errors else "done"
    )
    assert sums_close(run)


@pytest.mark.parametrize("step", ["update", "insert", "custom_fields"])
def test_the_501st_error_of_a_step_stops_the_run(
    sim: Simulator, make_target: Any, step: str
) -> None:
    """S0-28, S0-56, X4: exit code 4, the sums close, STATE is not beyond the stop, and what is
    rejected is on file.
    """
    prepare(sim, known=501 if step == "update" else 0)
    target = make_target(streams=STREAMS)
    rows = bad_rows(step, 501)
    messages = [schema(**SCORE), record(1), state(1), *rows, state(2), record(2), state(3)]
    run = target.run(messages)
    assert run.code == 4
    assert f"step {step}: 501 row errors" in run.stderr
    assert run.stream["errors_by_step"] == {step: 501}
    # What stops while updates are done stops before the pass that STATE follows.
    reached = [s["bookmarks"]["contacts"]["replication_key_value"] for s in run.states]
    assert reached in ([], [1])
    assert "person2@example.com" not in sim.contacts()
    assert len(target.rejects) == 501
    assert sums_close(run)


@pytest.mark.parametrize("max_errors", [0, 2])
def test_the_budget_is_a_setting(sim: Simulator, make_target: Any, max_errors: int) -> None:
    """S0-56: max_errors errors go on, one more stops."""
    prepare(sim)
    target = make_target(streams=STREAMS, max_errors=max_errors)
    enough = target.run([schema(**SCORE), *bad_rows("insert", max_errors), state(1)])
    assert (enough.code, enough.last_state) == (0, 1)
    one_more = target.run([schema(**SCORE), *bad_rows("insert", max_errors + 1), state(2)])
    assert (one_more.code, one_more.states) == (4, [])


def test_fail_on_rejects_gives_an_exit_status_of_its_own(sim: Simulator, make_target: Any) -> None:
    """S0-58: all is delivered that can be, STATE is written, the exit code is 4."""
    prepare(sim)
    rows = [*bad_rows("insert", 2), record(1)]
    messages = [schema(**SCORE), *rows, state(3)]
    lenient = make_target("lenient", streams=STREAMS).run(messages)
    strict = make_target("strict", streams=STREAMS, fail_on_rejects=True).run(messages)
    assert (lenient.code, strict.code) == (0, 4)
    assert lenient.report["status"] == strict.report["status"] == "completed with 2 errors"
    assert "completed with 2 errors" in lenient.stderr
    assert lenient.last_state == strict.last_state == 3
    assert "person1@example.com" in sim.contacts()


def test_a_reject_tells_an_analyst_what_to_do(sim: Simulator, make_target: Any) -> None:
    """S0-60, X7: key, step, field, cause in words, tries and the row, for the owner's eyes only;
    none of it in the log.
    """
    prepare(sim)
    target = make_target(streams=STREAMS)
    row = record(987654, "gisela@bücher.example.com", given_name="Gisela")
    for tries in (1, 2, 3):
        run = target.run([schema(**SCORE), row])
        (reject,) = target.rejects
        assert (reject["tries"], reject["key"], reject["step"]) == (tries, "987654", "insert")
    assert reject["field"] == "/data/attributes/email"
    assert reject["message"] == "Contact Email Address is not valid."
    assert reject["record"] == row["record"]
    path = Path(run.stream["rejects_file"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = run.stderr + json.dumps(run.report)
    for secret in ("987654", "gisela", "Gisela", "bücher", "sim-key"):
        assert secret not in text


def test_rejects_are_offered_again_by_themselves(sim: Simulator, make_target: Any) -> None:
    """S0-59, X4: once the reason is gone they are delivered without any command, delivered rows
    cost no call, and the source need not send them again.
    """
    prepare(sim)
    target = make_target(streams=STREAMS)
    rows = [*bad_rows("insert", 3), record(1), record(2)]
    first = target.run([schema(**SCORE), *rows, state(5)])
    assert first.outcomes == {"applied": 2, "rejected": 3}
    still = target.run([schema(**SCORE), state(6)])
    assert (still.outcomes, still.stream["reoffered"]) == ({"rejected": 3}, 3)
    assert sums_close(still)
    sim.switches(email_validation="none")
    sim.forget_requests()
    again = target.run([schema(**SCORE), *rows[3:], state(7)])
    assert again.outcomes == {"applied": 3, "unchanged": 2}
    assert (again.stream["received"], again.stream["reoffered"]) == (2, 3)
    assert len(sim.requests(writes=True)) == 3
    assert target.rejects == []
    assert target.run([schema(**SCORE), *rows]).outcomes == {"unchanged": 5}


def test_a_newer_record_wins_over_an_old_reject(sim: Simulator, make_target: Any) -> None:
    """S0-59: the corrected row is delivered, the rejected one never again."""
    prepare(sim)
    target = make_target(streams=STREAMS)
    target.run([schema(**SCORE), record(5, "p@bücher.example.com", given_name="Old")])
    sim.switches(email_validation="none")
    corrected = record(5, "p@example.com", given_name="New")
    run = target.run([schema(**SCORE), corrected])
    assert (run.outcomes, run.stream["reoffered"]) == ({"applied": 1}, 0)
    assert target.rejects == []
    assert target.run([schema(**SCORE), state(1)]).report["writes"] == 0
    (contact,) = sim.state()["contacts"]
    assert (contact["email"], contact["firstName"]) == ("p@example.com", "New")


def test_a_newer_record_that_is_rejected_too_replaces_the_old_reject(
    sim: Simulator, make_target: Any
) -> None:
    """S0-59, S0-60: one open reject a person, with the newest row and all tries counted."""
    prepare(sim)
    target = make_target(streams=STREAMS)
    target.run([schema(**SCORE), record(5, "p@bücher.example.com", given_name="Old")])
    run = target.run([schema(**SCORE), record(5, "no address", given_name="New")])
    assert run.outcomes == {"rejected": 1}
    (reject,) = target.rejects
    assert (reject["record"]["given_name"], reject["tries"]) == ("New", 2)
    assert (reject["step"], reject["cause"]) == ("check", "email_syntax")


def test_a_conflict_settled_at_the_destination_is_delivered_without_command(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-36, S0-59: an analyst frees the address there; the next run renames."""
    target.deliver([record(1, "a@example.com"), record(2, "b@example.com")])
    assert target.deliver([record(1, "b@example.com")]).causes == {"address_taken": 1}
    sim.event("edit_contact", email="b@example.com", newEmail="c@example.com")
    assert target.run([schema(), state(2)]).outcomes == {"applied": 1}
    assert contact_of(sim, "b@example.com")["fieldValues"]["BUBSCTTID"] == "1"
    assert target.rejects == []


def test_a_person_deleted_in_the_source_leaves_the_rejects(
    sim: Simulator, make_target: Any
) -> None:
    """S0-59, S0-63: the reject is closed, nothing is written, nothing is deleted."""
    prepare(sim)
    target = make_target(streams={"contacts": {**STREAMS["contacts"], "on_delete": "ignore"}})
    target.run([schema(**SCORE), record(5, "p@bücher.example.com"), record(6)])
    before = sim.state()
    sim.forget_requests()
    gone = {"_sdc_deleted_at": "2026-01-01T00:00:00Z"}
    run = target.run([schema(**SCORE), record(5, "p@example.com", **gone), record(6, **gone)])
    assert (run.outcomes, run.causes) == ({"suppressed": 2}, {"deleted_in_source": 2})
    assert target.rejects == []
    assert sim.state() == before
    assert sim.requests(writes=True) == []


def test_the_report_says_in_json_and_as_a_table_what_was_done(
    sim: Simulator, make_target: Any
) -> None:
    """S0-20, S0-58, S0-60, X4: sums close, calls are those the vendor saw, both forms agree."""
    prepare(sim, known=3)
    target = make_target(streams=STREAMS, requests_per_second=1000)
    rows = [
        record(20_000, "new@example.com"),
        record(20_001, "old20001@example.com"),
        record(20_002, "x@bücher.example.com"),
        record(1),
        record(2, "no address"),
        record(1),
    ]
    run = target.run([schema(**SCORE), *rows, state(6)])
    assert run.outcomes == {"applied": 2, "unchanged": 2, "rejected": 2}
    assert run.stream["matched_by"] == {"cfd": 3, "new": 1}
    assert sums_close(run)
    seen = sim.summary()
    assert sum(run.report["calls"].values()) == seen["total"]
    assert run.report["writes"] == seen["writes"] == 3
    assert run.report["estimated_seconds"] == round(seen["total"] / 1000, 1)
    table = run.stderr.splitlines()
    counts = [str(n) for n in (6, *run.stream["outcomes"].values())]
    assert next(row for row in table if row.startswith("contacts ")).split()[1:] == counts
    assert any(row.startswith("3 writes,") for row in table)
    for cause in run.stream["causes"]:
        assert cause in run.stderr


def test_a_reject_that_was_corrected_is_no_error_of_the_run_any_more(
    target: WarmTarget, sim: Simulator
) -> None:
    """S0-59: a newer record of the same person takes the place of one that could not be mapped."""
    sim.seed({"fields": seeded_fields()})
    assert target.deliver([record(1, email="nobody at all")]).outcomes == {"rejected": 1}
    run = target.deliver([record(1)])
    assert run.outcomes == {"applied": 1}
    assert (run.stream["reoffered"], target.rejects) == (0, [])
    assert sums_close(run)
