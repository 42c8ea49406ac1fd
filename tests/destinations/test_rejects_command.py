"""`rejects list|retry|drop`: what could not be delivered, for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from destinations_support import WarmTarget, seeded_fields
from scene_support import there
from simulators_support import Simulator
from target_support import record, schema, state

BLOCKED = "blocked@example.com"


@pytest.fixture
def stuck(sim: Simulator, target: WarmTarget) -> WarmTarget:
    """Two rows that could not be delivered: an address that is none, and one of somebody else."""
    contacts = [there(BLOCKED, 9), there("old2@example.com", 2)]
    sim.seed({"fields": seeded_fields(), "contacts": contacts})
    rows = [record(1, "no address"), record(2, BLOCKED), record(3)]
    run = target.run([schema(), *rows, state(3)])
    assert run.outcomes == {"applied": 1, "rejected": 2}
    return target


def test_the_list_tells_who_where_why_and_since_when(stuck: WarmTarget) -> None:
    """X7: a key, the step, the cause and a sentence for each; no value of the record."""
    stuck.deliver([record(4)])
    shown = stuck.operate("rejects", "list")
    assert (shown.returncode, shown.stderr.strip()) == (0, "2 open reject(s)")
    first, message, second, _ = shown.stdout.splitlines()
    assert first.startswith("contacts  key:1  check  email_syntax of email  since 20")
    assert "  2 tries  row " in first
    assert message.startswith("    ")
    assert "  key:2  update  address_taken" in second
    assert "no address" not in shown.stdout
    assert "@" not in shown.stdout
    one = stuck.operate("rejects", "list", "--cause", "address_taken", "--format", "json")
    (line,) = one.stdout.splitlines()
    told = json.loads(line)
    assert (told["key"], told["tries"], told["stream"]) == ("2", 2, "contacts")
    assert stuck.operate("rejects", "list", "--stream", "contacts", "--key", "2").stdout.startswith(
        "contacts  key:2"
    )


def test_a_list_of_nothing_is_no_failure(target: WarmTarget) -> None:
    """Before the first run there is no file; nothing is made by looking."""
    shown = target.operate("rejects", "list")
    assert (shown.returncode, shown.stdout) == (0, "")
    assert not (target.home / "state" / "rejects").exists()
    assert target.operate("rejects", "list", "--stream", "other").returncode == 2


def test_retry_delivers_what_is_open_without_any_input(sim: Simulator, stuck: WarmTarget) -> None:
    """S0-59: once the cause is gone, a run of the rejects alone delivers them; with its report."""
    sim.event("delete_contact", email=BLOCKED)
    sim.forget_requests()
    done = stuck.operate("rejects", "retry")
    assert done.returncode == 0, done.stderr
    assert "target-activecampaign: completed with 1 errors" in done.stderr
    assert sim.contacts()[BLOCKED]["fieldValues"]["BUBSCTTID"] == "2"
    assert [line["key"] for line in stuck.rejects] == ["1"]
    report = json.loads((stuck.home / "report.json").read_text())
    assert report["streams"][0]["reoffered"] == 2


def test_retry_of_one_key_leaves_the_others_as_they_are(sim: Simulator, stuck: WarmTarget) -> None:
    """S0-59: only the chosen one is tried; the tries of the others are not counted up."""
    sim.event("delete_contact", email=BLOCKED)
    done = stuck.operate("rejects", "retry", "--key", "2")
    assert done.returncode == 0, done.stderr
    assert sim.contacts()[BLOCKED]["fieldValues"]["BUBSCTTID"] == "2"
    assert [(line["key"], line["tries"]) for line in stuck.rejects] == [("1", 1)]
    assert stuck.operate("rejects", "retry", "--key", "2").returncode == 2


def test_retry_needs_a_schema_that_a_run_has_left(stuck: WarmTarget) -> None:
    """Without one nothing is guessed: the message says how to go on."""
    for path in (stuck.home / "state" / "schemas").iterdir():
        path.unlink()
    done = stuck.operate("rejects", "retry")
    assert done.returncode == 2
    assert "no SCHEMA of stream contacts is known yet" in done.stderr
    assert len(stuck.rejects) == 2


def test_a_dropped_reject_is_gone_for_good_and_noted(sim: Simulator, stuck: WarmTarget) -> None:
    """Only with --yes; what is kept of it says when, by whom and a keyed hash, no key."""
    assert stuck.operate("rejects", "drop", "--key", "1").returncode == 2
    assert stuck.operate("rejects", "drop", "--yes").returncode == 2
    assert len(stuck.rejects) == 2
    assert stuck.operate("rejects", "drop", "--key", "1", "--cause", "other", "--yes").returncode
    done = stuck.operate("rejects", "drop", "--key", "1", "--yes")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "contacts  key:1  email_syntax  dropped\n"
    assert [line["key"] for line in stuck.rejects] == ["2"]
    (note,) = _notes(stuck.home)
    assert (note["did"], note["stream"], note["cause"]) == (
        "rejects drop", "contacts", "email_syntax",
    )  # fmt: skip
    assert note["at"]
    assert note["by"]
    assert len(note["who"]) == 32
    assert "key:1" not in json.dumps(note)
    sim.forget_requests()
    run = stuck.run([schema(), state(3)])
    assert (run.stream["reoffered"], run.outcomes) == (1, {"rejected": 1})


def test_a_row_without_key_is_dropped_by_its_reference(sim: Simulator, target: WarmTarget) -> None:
    """Such a row has no other name for people; its address is not printed."""
    sim.seed({"fields": seeded_fields()})
    row = {"type": "RECORD", "stream": "contacts", "record": {"email": "nobody at example"}}
    assert target.run([schema(), row, state(1)]).outcomes == {"rejected": 1}
    shown = target.operate("rejects", "list").stdout
    assert "  a row without key  " in shown
    reference = shown.splitlines()[0].rsplit(" ", 1)[1]
    assert target.operate("rejects", "drop", "--row", "0000000000-1", "--yes").returncode == 2
    assert target.operate("rejects", "drop", "--row", reference, "--yes").returncode == 0
    assert target.rejects == []


def test_dropping_waits_for_no_run_but_ends_with_5(stuck: WarmTarget) -> None:
    """X6: a run that is on its way writes the same file, so nothing is dropped beside it."""
    from target_kit.lock import run_lock

    account = stuck.config["api_url"].removeprefix("http://")
    with run_lock(stuck.home / "state", account, "contact"):
        done = stuck.operate("rejects", "drop", "--key", "1", "--yes")
    assert (done.returncode, len(stuck.rejects)) == (5, 2)


def _notes(home: Path) -> list[dict[str, Any]]:
    path = home / "state" / "operations.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]
