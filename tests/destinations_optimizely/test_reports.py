"""What stays of a run: report, evidence, who was left out; and what never leaves it."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from typing import Any

import pytest
from lists_support import REGULAR, STREAM, ListTarget, row, selection
from simulators_support import Simulator
from target_support import lines
from warm_lists import closes, operations, written

MakeTarget = Callable[..., ListTarget]


def mixed() -> list[dict[str, Any]]:
    """Every way a row can go, with the cause that is told for it."""
    return [
        row(1),
        row(2, consent="other"),
        row(3, email=None, entity_type="account"),
        row(4, optin_id=None),
        row(5, entity_type="vendor"),
        row(6, email="no address"),
        row(7, email="person1@example.com"),
        row(8),
        row(9),
        row(10),
        row(11),
        row(12, given_name=["a list"]),
        row(13),
    ]


LEFT_OUT = {
    "2": ("rejected", "wrong_consent"), "3": ("suppressed", "no_address"),
    "4": ("rejected", "technical_missing"), "5": ("rejected", "entity_type"),
    "6": ("rejected", "email_syntax"), "7": ("suppressed", "duplicate_address"),
    "8": ("suppressed", "unsubscribed"), "9": ("suppressed", "blocklisted"),
    "10": ("suppressed", "bounced_out"), "11": ("rejected", "filtered"),
    "12": ("rejected", "schema"),
}  # fmt: skip


@pytest.fixture
def suppressed(sim: Simulator) -> None:
    sim.seed({
        "unsubscribes": [{"id": "person8@example.com"}],
        "blocklist": ["person9@example.com"],
        "bounces": [{"id": "person10@example.com", "count": 3}],
    })  # fmt: skip
    sim.switches(filtered_ids="person11@")


@pytest.mark.usefixtures("suppressed")
@pytest.mark.parametrize("strategy", ["clear_and_refill", "reconcile"])
def test_everybody_who_is_not_in_the_list_is_named_with_the_cause(
    sim: Simulator, make_target: MakeTarget, strategy: str
) -> None:
    """X4 S1-16 S1-18 S1-24: by line, entity type and entity id; the sums close."""
    target = make_target(list={"on_wrong_consent": "reject", "strategy": strategy})
    run = target.transfer(mixed())
    assert run.code == 0, run.stderr
    assert {one["entity_id"]: (one["outcome"], one["cause"]) for one in target.left_out} == LEFT_OUT
    assert [one["line"] for one in target.left_out] == list(range(3, 14))
    assert all(one["message"] for one in target.left_out)
    assert run.outcomes == {"applied": 2, "rejected": 6, "suppressed": 5}
    assert run.stream["received"] == 13
    assert closes(run)


def test_the_report_tells_consent_list_sizes_and_calls(sim: Simulator, target: ListTarget) -> None:
    """S1-11 S1-24: as JSON; the calls are those that the vendor saw."""
    assert target.transfer([row(n) for n in range(4)]).code == 0
    sim.forget_requests()
    run = target.transfer([row(n) for n in range(3)])
    report = run.report
    assert report["target"] == "target-optimizely"
    assert (report["status"], report["exit_code"], report["recovered"]) == ("done", 0, [])
    assert run.stream["details"] == {
        "list_id": REGULAR, "consent": "newsletter", "strategy": "clear_and_refill",
        "before": 4, "after": 3, "last_good": 4,
    }  # fmt: skip
    seen = {name.rpartition(".")[2]: n for name, n in report["calls"].items()}
    assert seen == operations(sim)
    assert report["writes"] == written(sim).total()


def test_each_finished_transfer_leaves_a_line_of_evidence(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-11: consent, numbers and a digest of the rows, never a person; a refusal leaves none."""
    target = make_target()
    rows = [row(n) for n in range(4)]
    assert target.transfer(rows).code == 0
    assert target.transfer(rows).code == 0
    assert target.transfer([row(n, given_name="Other") for n in range(4)]).code == 0
    assert target.transfer([]).code == 4
    path = target.home / "state" / "evidence" / f"{REGULAR}.jsonl"
    first, second, third = [json.loads(line) for line in path.read_text().splitlines()]
    assert first["consent"] == "newsletter"
    assert first["outcomes"] == {"applied": 4}
    assert (first["before"], first["after"], second["before"]) == (0, 4, 4)
    assert first["digest"] == second["digest"] != third["digest"]
    assert "@" not in path.read_text()


@pytest.mark.usefixtures("suppressed")
def test_files_are_private_and_hold_no_more_people_than_needed(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """X7: 0600 in 0700; between runs only the snapshot has people, the spool is gone."""
    target = make_target(list={"on_wrong_consent": "reject"})
    assert target.transfer(mixed()).code == 0
    state = target.home / "state"
    for path in state.rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    holding = {
        path.parent.name for path in state.rglob("*")
        if path.is_file() and b"example.com" in path.read_bytes()
    }  # fmt: skip
    assert holding == set(), "the list was empty before, and the wanted rows are forgotten"
    assert target.transfer(mixed()).code == 0
    holding = {
        path.parent.name for path in state.rglob("*")
        if path.is_file() and b"example.com" in path.read_bytes()
    }  # fmt: skip
    assert holding == {"lists"}


@pytest.mark.usefixtures("suppressed")
@pytest.mark.parametrize("detail", ["hostname", "stacktrace"])
def test_no_person_and_no_secret_is_ever_said(
    sim: Simulator, make_target: MakeTarget, detail: str
) -> None:
    """X7: not on stderr, not in the report, not in evidence, also where the vendor's faults do."""
    sim.switches(fault_detail=detail, nil_on_number="fault")
    sim.seed({"lists": [{"id": 120000000009, "attributes": [
        "email", "Vorname", "opt-in-id", "description", "media-type", "entity-type", "entity-id",
        {"name": "Punkte", "type": "INTEGER"}]}]})  # fmt: skip
    target = make_target(
        list={
            "list_id": 120000000009,
            "on_wrong_consent": "reject",
            "attributes": {"Vorname": "given_name", "Punkte": "family_name"},
        }
    )
    run = target.run_bytes(lines(selection([*mixed(), row(14, family_name="77")])))
    assert run.code == 0, run.stderr
    assert run.causes["value_refused"] >= 2
    evidence = (target.home / "state" / "evidence" / "120000000009.jsonl").read_text()
    told = run.stderr + json.dumps(run.report) + json.dumps(run.states) + evidence
    for secret in ("@example.com", "Given", "Family", "optin-1", "sim-password"):
        assert secret not in told, secret
    left = (target.home / "state" / "left_out" / f"{STREAM}.jsonl").read_text()
    assert "@example.com" not in left


def test_a_failed_run_reports_what_it_had_seen(sim: Simulator, make_target: MakeTarget) -> None:
    """X4 S1-11: exit code, words and the outcomes so far, also when nothing was changed."""
    target = make_target(list={"min_rows": 10, "on_wrong_consent": "reject"})
    run = target.transfer([row(1), row(2, consent="other"), row(3, email=None)])
    assert run.code == 4
    assert (run.report["status"], run.report["exit_code"]) == ("stopped", 4)
    assert "min_rows is 10" in run.report["message"]
    assert run.stream["received"] == 3
    assert closes(run)
    assert run.stream["details"]["consent"] == "newsletter"
