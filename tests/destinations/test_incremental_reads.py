"""Reading only what changed: the same decisions for less calls."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, keys_are_unique, seeded_fields, sums_close
from simulators_support import Simulator
from target_support import Run, record, schema, state

TEXT = {"type": ["string", "null"]}
COLUMNS = dict.fromkeys(("consent", "consent_at", "proof", "wants"), TEXT)
CONSENT = {"column": "consent", "granted_at": "consent_at", "evidence": "proof", "purpose": "ads"}
LAST_MONTH = (datetime.now(UTC) - timedelta(days=30)).isoformat()
YES = {"consent": "confirmed", "consent_at": LAST_MONTH, "proof": "form", "wants": "true"}
STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {"email": "email", "firstName": "given_name"},
    "consent": CONSENT,
    "lists": {"News": {"when": "wants", "consent": "ads"}},
}
PEOPLE = 250


def deliver(target: WarmTarget, *rows: dict[str, Any]) -> Run:
    """Deliver rows with the columns of consent."""
    run = target.run([schema(**COLUMNS), *rows, state(len(rows))])
    assert run.code == 0, run.stderr
    assert sums_close(run)
    return run


def rows(**more: dict[str, Any]) -> list[dict[str, Any]]:
    """Everybody, wanting what they have; `more` by key as p7=..."""
    people = range(1, PEOPLE + 1)
    return [record(k, **{"given_name": "A", **YES, **more.get(f"p{k}", {})}) for k in people]


@pytest.fixture
def target(sim: Simulator, make_target: Any) -> WarmTarget:
    """An account that agrees, read in full two days ago as the simulator's clock has it."""
    contacts = [
        {
            "email": f"person{k}@example.com",
            "firstName": "A",
            "fieldValues": {"BUBSCTTID": str(k)},
            "lists": {"News": 1},
            "cdate": "2019-01-01",
        }
        for k in range(1, PEOPLE + 1)
    ]
    sim.seed({"fields": seeded_fields(), "lists": ["News"], "contacts": contacts})
    made: WarmTarget = make_target(streams={"contacts": STREAM}, reads="incremental")
    first = deliver(made, *rows())
    assert first.stream["reads"] == {
        "strategy": "crawl", "because": "everything, for the first time",
    }  # fmt: skip
    assert first.outcomes == {"unchanged": PEOPLE}
    sim.clock(advance=2 * 86400)
    sim.forget_requests()
    return made


def test_a_night_without_changes_costs_a_few_calls(sim: Simulator, target: WarmTarget) -> None:
    """S0-34, X3: no contact is read that did not change, and nothing is written."""
    run = deliver(target, *rows())
    assert run.stream["reads"]["strategy"] == "incremental"
    assert (run.outcomes, run.causes) == ({"unchanged": PEOPLE}, {"unchanged_since": PEOPLE})
    assert run.stream["matched_by"] == {"cfd": PEOPLE}
    assert run.report["writes"] == 0
    contacts = [r for r in sim.requests() if r["path"].startswith("/api/3/contacts")]
    assert len(contacts) == 1


def test_guards_look_nobody_up_who_agrees(sim: Simulator, target: WarmTarget) -> None:
    """A rehearsal reads what its run reads: few calls without a change, and with one."""
    target.config["guards"] = {"min_population": 10}
    run = deliver(target, *rows())
    assert run.causes == {"unchanged_since": PEOPLE}
    assert sim.summary()["total"] == sum(run.report["calls"].values()) <= 10
    sim.forget_requests()
    run = deliver(target, *rows(p5={"given_name": "Neu"}))
    assert run.outcomes == {"applied": 1, "unchanged": PEOPLE - 1}
    assert sim.summary()["total"] <= 14


def test_what_changed_on_either_side_is_brought_together(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-31, S2-25, X2, X5: an edit there, an unsubscription there, a new name here, a withdrawal
    here, a new person, and a new address: each is seen, all others are left alone.
    """
    sim.event("edit_contact", contact="3", firstName="Somebody")
    sim.event("unsubscribe", contact="4", list="1")
    news = {"p5": {"given_name": "Neu"}, "p6": {"consent": "unsubscribed"}}
    changed = rows(**news)
    changed[6]["record"]["email"] = "moved@example.com"
    run = deliver(target, *changed, record(900, "new@example.com"))
    assert run.stream["reads"]["strategy"] == "incremental"
    assert run.outcomes == {"applied": 5, "unchanged": PEOPLE - 4}
    assert run.causes["unchanged_since"] == PEOPLE - 5
    assert contact_of(sim, "person3@example.com")["firstName"] == "A"
    assert contact_of(sim, "person5@example.com")["firstName"] == "Neu"
    statuses = [contact_of(sim, f"person{k}@example.com")["lists"]["1"] for k in (4, 5, 6)]
    assert statuses == ["2", "1", "2"]
    assert contact_of(sim, "moved@example.com")["id"] == "7"
    assert keys_are_unique(sim)
    again = deliver(target, *changed, record(900, "new@example.com"))
    assert again.report["writes"] == 0


def test_a_change_there_is_not_forgotten_when_its_person_was_not_among_the_rows(
    sim: Simulator, target: WarmTarget
) -> None:
    """X5: the tap sends only what changed in the source; a row that comes later is compared."""
    sim.event("edit_contact", contact="3", firstName="Somebody")
    deliver(target, record(1, given_name="A", **YES))
    sim.clock(advance=30 * 86400)
    deliver(target, record(2, given_name="A", **YES))
    run = deliver(target, record(3, given_name="A", **YES))
    assert run.outcomes == {"applied": 1}
    assert contact_of(sim, "person3@example.com")["firstName"] == "A"


@pytest.mark.parametrize("loss", ["ledger", "days", "settings"])
def test_everything_is_read_again_when_the_memory_is_not_to_be_trusted(
    sim: Simulator, target: WarmTarget, make_target: Any, loss: str
) -> None:
    """X8, S4-10: a lost ledger, a full read too long ago, another mapping: a contact that is gone
    since is found missing.
    """
    sim.event("delete_contact", contact="9")
    assert deliver(target, *rows()).report["writes"] == 0
    reads: dict[str, Any] = {"streams": {"contacts": STREAM}, "reads": "incremental"}
    if loss == "ledger":
        for path in target.home.glob("**/ledger.sqlite*"):
            path.unlink()
    elif loss == "days":
        reads["full_read_days"] = 0
    else:
        reads["streams"] = {"contacts": {**STREAM, "rules": {"firstName": "if_empty"}}}
    again = make_target("target", **reads)
    run = deliver(again, *rows())
    assert run.stream["reads"]["strategy"] == "crawl"
    assert run.outcomes == {"applied": 1, "unchanged": PEOPLE - 1}


@pytest.mark.parametrize(
    "switch",
    [
        {"related_writes_bump_udate": False},
        {"date_filter_inclusive": True},
        {"date_filter_offset": "ignored"},
        {"include_supported": False},
    ],
)
def test_nobody_comes_back_whatever_the_vendor_counts_as_a_change(
    sim: Simulator, target: WarmTarget, switch: dict[str, Any]
) -> None:
    """X2: an unsubscription that is not told as a change is read before anything is written."""
    sim.switches(**switch)
    sim.event("unsubscribe", contact="4", list="1")
    deliver(target, *rows())
    run = deliver(target, *rows(p4={"given_name": "Neu"}))
    assert run.outcomes["applied"] == 1
    assert contact_of(sim, "person4@example.com")["lists"]["1"] == "2"


def test_a_run_that_was_stopped_has_read_nothing(sim: Simulator, target: WarmTarget) -> None:
    """X8: the next one begins where the last whole one did."""
    sim.event("edit_contact", contact="3", firstName="Somebody")
    sim.faults([{"match": {"method": "PUT"}, "action": {"type": "status", "status": 403}}])
    broken = target.run([schema(**COLUMNS), *rows(p200={"given_name": "Neu"}), state(1)])
    assert broken.code == 3
    sim.faults([])
    sim.clock(advance=30 * 86400)
    run = deliver(target, *rows(p200={"given_name": "Neu"}))
    assert run.outcomes["applied"] == 2
    assert contact_of(sim, "person3@example.com")["firstName"] == "A"


def test_the_same_settings_are_the_same_in_every_process() -> None:
    """S4-10: or every night would be one of changed settings, and read everything."""
    code = (
        "from target_activecampaign.incremental import digest_of\n"
        "from target_activecampaign.settings import read_settings\n"
        "stream = {'key': 'k', 'fields': {'email': 'e'}, 'tags': {'add': ['a', 'b']},"
        " 'provenance': {'record_type': 'r', 'clean_up': True, 'legacy_tags': ['x', 'y']}}\n"
        "config = {'api_url': 'http://127.0.0.1:1', 'api_key': 'k', 'streams': {'s': stream}}\n"
        "print(digest_of((read_settings(config).streams['s'],)))"
    )
    seen = set()
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, check=True
        )
        seen.add(done.stdout)
    assert len(seen) == 1
