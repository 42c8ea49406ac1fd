"""`meltano run` from end to end, with the plugins in environments of their own."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal

import pytest
import yaml
from house_support import ROOT
from journeys_support import RUN, Journey, finished, kill_while_it_writes, meltano

# One worker for all journeys: they share one installed project.
pytestmark = [pytest.mark.xdist_group("journeys"), pytest.mark.slow]


def test_a_second_run_writes_nothing(journey: Journey) -> None:
    """S0-34 S0-62 S0-63 X3: run twice; the second makes no write call, the source is untouched."""
    before = hashlib.sha256(journey.database.read_bytes()).hexdigest()
    first = journey.transfer()
    contacts = journey.sim.contacts()
    methods = {entry["method"] for entry in journey.sim.requests()}
    journey.sim.forget_requests()
    second = journey.transfer("run", "contacts")
    assert first["writes"] > len(contacts) > 30
    assert second["writes"] == 0
    assert journey.sim.requests(writes=True) == []
    assert journey.sim.contacts() == contacts
    assert methods == {"GET", "POST"}
    assert hashlib.sha256(journey.database.read_bytes()).hexdigest() == before
    assert journey.bookmark()["replication_key"] == "updated_at"


def test_config_test_asks_for_credentials_and_writes_nothing(journey: Journey) -> None:
    """`meltano config test` succeeds for both plugins without a write call."""
    for plugin in ("tap-backoffice", "target-activecampaign"):
        code, output = journey.meltano("--environment", "local", "config", "test", plugin)
        # Meltano 4.4 ends a loader's test by terminating a process that may have ended by itself;
        # when asyncio has noticed that already, Meltano fails after it has announced the success.
        passed = "Test data was written" in output and "ProcessLookupError" in output
        assert passed or code == 0, output
        assert passed or "Plugin configuration is valid" in output
    assert journey.sim.requests(writes=True) == []
    assert [entry["path"] for entry in journey.sim.requests()] != []


def test_config_test_fails_with_a_wrong_key(journey: Journey) -> None:
    """A refused key is found before the first run."""
    journey.settings["TARGET_ACTIVECAMPAIGN_API_KEY"] = "not-the-key"
    code, output = journey.meltano(
        "--environment", "local", "config", "test", "target-activecampaign"
    )
    assert code == 1
    assert "not-the-key" not in output


def test_the_shipped_query_is_a_stream(journey: Journey) -> None:
    """S0-65: the job that reads by examples/backoffice/contacts.sql brings the same contacts."""
    journey.transfer()
    contacts = journey.sim.contacts()
    journey.sim.forget_requests()
    report = journey.transfer("run", "contacts-by-query")
    (stream,) = report["streams"]
    assert stream["received"] >= len(contacts)
    assert journey.sim.requests(writes=True) == []


# Every row takes some milliseconds, so that there is a middle to be killed in.
SLOW = """
select contacts.*, (
  with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
  select max(i) from n where i <> contacts.ctt_id * 1000000
) as effort from contacts
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_tap_killed_in_the_middle_costs_only_another_run(
    journey: Journey, signum: signal.Signals
) -> None:
    """X1: the run fails, the next one brings everybody, nobody twice."""
    built = journey.sample("build", "--count", "400")
    slow = [{"name": "contacts", "query": SLOW, "primary_key": ["ctt_id"]}]
    journey.settings["TAP_BACKOFFICE_STREAMS"] = json.dumps(slow)
    journey.settings["TAP_BACKOFFICE_FETCH_SIZE_ROWS"] = "10"
    run = journey.start(*RUN)
    kill_while_it_writes(run, "tap-backoffice", signum, written=10_000)
    code, output = finished(run)
    assert code == 1, output
    cut = len(journey.sim.contacts())
    journey.settings.clear()
    journey.transfer(*RUN, "--force")
    contacts = journey.sim.state()["contacts"]
    assert cut < len(contacts) == built["reachable"]
    assert len({contact["email"].lower() for contact in contacts}) == len(contacts)


def test_the_loader_can_be_added_by_reference(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`meltano add --from-ref plugin.yaml` copies the whole definition into another project."""
    other = tmp_path_factory.mktemp("other")
    shutil.copy(ROOT / "target-activecampaign" / "plugin.yaml", other / "plugin.yaml")
    (other / "meltano.yml").write_text('requires_meltano: ">=4.4"\nenvironments: [{name: local}]\n')
    code, output = finished(
        meltano(
            other,
            "add",
            "--plugin-type",
            "loader",
            "target-activecampaign",
            "--from-ref",
            "plugin.yaml",
            "--no-install",
        )
    )
    assert code == 0, output
    added = yaml.safe_load((other / "meltano.yml").read_text())["plugins"]["loaders"]
    assert [loader["name"] for loader in added] == ["target-activecampaign"]
    settings = {s["name"]: s for s in added[0]["settings"]}
    assert settings["api_key"]["sensitive"] is True
