"""The daily job under Meltano: feedback first, then one selection into one list."""

from __future__ import annotations

import json
import signal
import sqlite3
from typing import Any

import pytest
import yaml
from house_support import ROOT
from journeys_support import NewsletterJourney, kill_while_it_writes
from lists_support import recipients, the_list

# One worker for all journeys: they share one installed project.
pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow]

JOB = ("run", "optimizely-daily")
TRANSFER = ("run", "tap-backoffice-newsletter", "target-optimizely")


def slow_selection() -> list[dict[str, Any]]:
    """The shipped selection, every row of which takes some milliseconds more."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    taps = {tap["name"]: tap for tap in project["plugins"]["extractors"]}
    (stream,) = taps["tap-backoffice-newsletter"]["config"]["streams"]
    effort = (
        "(with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
        " select max(i) from n where i <> length(chosen.ctt_id) * 1000000) as effort"
    )
    query = "\n".join(
        line for line in stream["query"].splitlines() if not line.strip().startswith("--")
    )
    return [{**stream, "query": f"select chosen.*, {effort} from ({query}) chosen"}]


def test_who_unsubscribes_is_not_copied_back_in(newsletter: NewsletterJourney) -> None:
    """S1-1 S1-29 S1-31 X2: U unsubscribes, the job runs: U has left backoffice and list."""
    newsletter.transfer(*JOB)
    before = recipients(newsletter.sim)
    person, *others = before
    newsletter.sim.event("unsubscribe", id=person)
    report = newsletter.transfer(*JOB)
    assert set(recipients(newsletter.sim)) == set(others)
    assert len(before) > 200
    (stream,) = report["streams"]
    assert sum(stream["outcomes"].values()) == stream["received"]
    with sqlite3.connect(newsletter.database) as connection:
        found = connection.execute("select recipient_id from marketing_unsubscribes").fetchall()
        assert found == [(person,)]
        entity = before[person]["attributes"]
        withdrawn = connection.execute(
            "select withdrawn_at is not null from consents where entity_type = ? and entity_id = ?",
            (entity["entity-type"], entity["entity-id"]),
        ).fetchall()
    assert withdrawn == [(1,)]


def test_a_failed_feedback_import_stops_the_transfer(newsletter: NewsletterJourney) -> None:
    """S1-32: with the feedback's password refused, no list is touched, however new the old file."""
    newsletter.transfer(*JOB)
    before = the_list(newsletter.sim)
    newsletter.sim.forget_requests()
    newsletter.settings["TAP_OPTIMIZELY_PASSWORD"] = "wrong"
    code, output = newsletter.meltano(*JOB)
    assert code == 1
    assert "target-optimizely" not in output
    assert the_list(newsletter.sim) == before
    assert {e["operation"] for e in newsletter.sim.requests() if e.get("operation")} <= {
        "RpcSession.login"
    }


def test_a_transfer_without_a_feedback_import_is_refused(newsletter: NewsletterJourney) -> None:
    """S1-32: fail closed where no import is known; its age is weighed by the target's own tests."""
    newsletter.sim.event(
        "add_recipient", list=120000000001, id="stays@example.com", address="stays@example.com"
    )
    before = the_list(newsletter.sim)
    code, output = newsletter.meltano(*TRANSFER)
    assert code == 1
    assert "feedback" in output
    assert the_list(newsletter.sim) == before
    report = json.loads((newsletter.folder / "report.json").read_text())
    assert report["exit_code"] == 4


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_tap_killed_under_meltano_leaves_the_list_as_it_was(
    newsletter: NewsletterJourney, signum: signal.Signals
) -> None:
    """S1-20: to the last value; the run fails, the next one brings the selection."""
    newsletter.transfer(*JOB)
    before = the_list(newsletter.sim)
    newsletter.settings["TAP_BACKOFFICE_NEWSLETTER_STREAMS"] = json.dumps(slow_selection())
    newsletter.settings["TAP_BACKOFFICE_NEWSLETTER_FETCH_SIZE_ROWS"] = "10"
    run = newsletter.start(*TRANSFER)
    kill_while_it_writes(run, "tap-backoffice", signum, written=10_000)
    output, _ = run.communicate(timeout=240)
    assert run.returncode == 1, output
    assert "sync_complete" in output
    assert the_list(newsletter.sim) == before
    assert json.loads((newsletter.folder / "report.json").read_text())["exit_code"] == 6
    newsletter.settings.clear()
    newsletter.transfer(*TRANSFER, "--force")
    assert set(recipients(newsletter.sim)) == {one["id"] for one in before["recipients"]}
