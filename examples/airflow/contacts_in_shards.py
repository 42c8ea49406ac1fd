"""An Airflow 3 DAG that loads the contacts in shards, side by side, into one account.

One mapped task for each shard runs `meltano run tap-backoffice-shard-<n>
target-activecampaign-shard-<n>`; `check` fails the run while rejects are open. What a shard's exit
code means is in the project's README: 2, 3 and 4 need a person, everything else gets another try.

Settings are environment variables of the workers:
MELTANO_PROJECT_ROOT (default: the project this file is in), MELTANO_ENVIRONMENT (local),
SHARDS (4, as in shards.meltano.yml), SHARD_RETRY_SECONDS (60).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import BaseOperator, dag, task

PROJECT = Path(os.environ.get("MELTANO_PROJECT_ROOT", Path(__file__).resolve().parents[2]))
ENVIRONMENT = os.environ.get("MELTANO_ENVIRONMENT", "local")
COUNT = int(os.environ.get("SHARDS", "4"))
RETRY_DELAY = timedelta(seconds=float(os.environ.get("SHARD_RETRY_SECONDS", "60")))
#: A wrong setting, a refused key, a spent error budget or a guard: the same again would not help.
NEEDS_A_PERSON = {2, 3, 4}
#: Outcomes of records that were not delivered and are offered again.
OPEN = ("rejected", "failed", "unknown")


class LoadShard(BaseOperator):  # type: ignore[misc]  # Airflow is in no environment of ours
    """Runs one shard with Meltano; returns what its report counts, which holds no personal data."""

    def __init__(self, *, index: int, **options: Any) -> None:
        super().__init__(**options)
        self.index = index
        self._meltano: subprocess.Popen[str] | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        """Run Meltano to its end and let its plugins' exit codes decide what happens next."""
        name = f"shard-{self.index}"
        folder = PROJECT / "state" / ENVIRONMENT / "target-activecampaign"
        report = folder / f"{name}-of-{COUNT}" / "report.json"
        report.unlink(missing_ok=True)  # what an earlier run says must not be taken for this one's
        command = [str(PROJECT / ".venv/bin/meltano"), "--log-format", "json"]
        command += ["--environment", ENVIRONMENT, "run"]
        command += [f"tap-backoffice-{name}", f"target-activecampaign-{name}"]
        if context["ti"].try_number > 1:
            # Meltano takes a killed run for a running one, for five minutes. Whether one is running
            # the target's own lock says (exit code 5).
            command.append("--force")
        self._meltano = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        codes = self._follow(self._meltano.stdout or ())
        if self._meltano.wait() == 0:
            if not report.exists():
                raise AirflowFailException(f"no report {report}: are there {COUNT} shards?")
            return {"index": self.index, **_counts(json.loads(report.read_text()))}
        said = ", ".join(f"{plugin} {code}" for plugin, code in codes.items()) or "none"
        line = f"{name}: Meltano failed; exit codes: {said}"
        if NEEDS_A_PERSON & set(codes.values()):
            raise AirflowFailException(line)
        raise AirflowException(line)

    def _follow(self, lines: Iterable[str]) -> dict[str, int]:
        """Copy Meltano's log to the task's; return the exit codes of plugins that failed."""
        codes: dict[str, int] = {}
        for line in lines:
            try:
                entry = json.loads(line)
                self.log.info("%s: %s", entry.get("string_id", "meltano"), entry["event"])
                codes = entry.get("exit_codes") or codes
            except (ValueError, KeyError, TypeError, AttributeError):
                self.log.info("%s", line.rstrip())
        return codes

    def on_kill(self) -> None:
        """Stop Meltano and its plugins; the target ends what it has begun and keeps the rest."""
        if self._meltano is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._meltano.pid, signal.SIGTERM)


def _counts(report: dict[str, Any]) -> dict[str, Any]:
    outcomes: dict[str, int] = {}
    for stream in report["streams"]:
        for name, number in stream["outcomes"].items():
            outcomes[name] = outcomes.get(name, 0) + number
    return {"status": report["status"], "writes": report["writes"], "outcomes": outcomes}


@dag(schedule=None, catchup=False, max_active_runs=1)  # type: ignore[untyped-decorator]  # as above
def contacts_in_shards() -> None:
    """All shards side by side, then the check."""

    @task(trigger_rule="all_done")  # type: ignore[untyped-decorator]  # as above
    def check(reports: list[dict[str, Any]]) -> None:
        """Fail while a shard is missing or has open rejects; the same rows are offered again."""
        done = sorted(reports, key=lambda report: report["index"])
        for report in done:
            print(f"shard {report['index']}: {report['status']}, {report['outcomes']}")
        missing = sorted(set(range(COUNT)) - {report["index"] for report in done})
        if missing:
            raise AirflowFailException(f"shards without a report: {missing}")
        if still := sum(report["outcomes"].get(name, 0) for report in done for name in OPEN):
            raise AirflowFailException(f"{still} records were not delivered; see the rejects files")

    load = LoadShard.partial(
        task_id="load",
        retries=3,
        retry_delay=RETRY_DELAY,
        max_active_tis_per_dag=COUNT,
    ).expand(index=list(range(COUNT)))
    check(load.output)


contacts_in_shards()
