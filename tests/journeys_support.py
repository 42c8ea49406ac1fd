"""Real `meltano` in a copied project, against the simulator: what a user's shell would see."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from house_support import BIN, copy_project
from simulators_support import Simulator

RUN = ("run", "tap-backoffice", "target-activecampaign")
STATE_ID = "local:tap-backoffice-to-target-activecampaign"
OURS = ("MELTANO_", "TAP_", "TARGET_")


def meltano(project: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start `meltano …` in `project`; `settings` are environment variables."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    environment = clean | {"NO_COLOR": "1", "MELTANO_ENVIRONMENT": "local"} | settings
    return subprocess.Popen(
        [BIN / "meltano", *arguments],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the process; return its exit code and what it printed."""
    output, _ = process.communicate(timeout=240)
    return process.returncode, output


def installed_project(folder: Path) -> Path:
    """Copy the project and let Meltano install its plugins there."""
    project = copy_project(folder)
    code, output = finished(meltano(project, "install"))
    assert code == 0, output
    return project


@dataclass
class Journey:
    """One backoffice, one simulated account, one Meltano state; the plugins are shared."""

    project: Path
    sim: Simulator
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        """The backoffice's SQLite file."""
        return self.folder / "backoffice.db"

    def environment(self) -> dict[str, str]:
        """Where this journey keeps its things, as environment variables."""
        return {
            "MELTANO_STATE_BACKEND_URI": f"file://{self.folder}/meltano-state",
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder}/meltano.db",
            "TAP_BACKOFFICE_DATABASE_URL": f"sqlite:///{self.database}",
            "TARGET_ACTIVECAMPAIGN_API_URL": self.sim.url,
            "TARGET_ACTIVECAMPAIGN_STATE_DIR": str(self.folder / "state"),
            "TARGET_ACTIVECAMPAIGN_REPORT_FILE": str(self.folder / "report.json"),
            "TARGET_ACTIVECAMPAIGN_REQUESTS_PER_SECOND": "1000",
        } | self.settings

    def sample(self, *arguments: str) -> Any:
        """`python -m examples.backoffice …` on this journey's database."""
        command = [sys.executable, "-m", "examples.backoffice", *arguments]
        command += ["--database-url", f"sqlite:///{self.database}"]
        return json.loads(subprocess.check_output(command, cwd=self.project, text=True))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start meltano on this journey's things."""
        return meltano(self.project, *arguments, **self.environment())

    def meltano(self, *arguments: str) -> tuple[int, str]:
        """Run meltano to its end; return exit code and output."""
        return finished(self.start(*arguments))

    def transfer(self, *arguments: str) -> dict[str, Any]:
        """One successful `meltano run`; return the report of the target."""
        code, output = self.meltano(*(arguments or RUN))
        assert code == 0, output
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return report

    def bookmark(self) -> dict[str, Any]:
        """What `meltano state get` shows for the stream of contacts."""
        code, output = self.meltano("state", "get", STATE_ID)
        assert code == 0, output
        line = next(line for line in output.splitlines() if line.startswith("{"))
        bookmarks: dict[str, Any] = json.loads(line)["singer_state"]["bookmarks"]
        return bookmarks["contacts"]


class NewsletterJourney(Journey):
    """One backoffice and one simulated Optimizely client with its regular list."""

    def environment(self) -> dict[str, str]:
        """Where this journey keeps its things, as environment variables."""
        address = f"{self.sim.url}/soap11"
        database = f"sqlite:///{self.database}"
        return {
            "MELTANO_STATE_BACKEND_URI": f"file://{self.folder}/meltano-state",
            "MELTANO_DATABASE_URI": f"sqlite:///{self.folder}/meltano.db",
            "TAP_BACKOFFICE_DATABASE_URL": database,
            "TAP_BACKOFFICE_NEWSLETTER_DATABASE_URL": database,
            "TAP_OPTIMIZELY_API_URL": address,
            "TARGET_BACKOFFICE_DATABASE_URL": database,
            "TARGET_BACKOFFICE_STATE_DIR": str(self.folder / "feedback"),
            "TARGET_BACKOFFICE_REPORT_FILE": str(self.folder / "feedback-report.json"),
            "TARGET_BACKOFFICE_FEEDBACK_FILE": str(self.folder / "feedback.json"),
            "TARGET_OPTIMIZELY_API_URL": address,
            "TARGET_OPTIMIZELY_STATE_DIR": str(self.folder / "lists"),
            "TARGET_OPTIMIZELY_REPORT_FILE": str(self.folder / "report.json"),
            "TARGET_OPTIMIZELY_FEEDBACK_FILE": str(self.folder / "feedback.json"),
        } | self.settings


def kill_while_it_writes(
    run: subprocess.Popen[str], executable: str, signum: signal.Signals, *, written: int
) -> None:
    """Send `signum` to the plugin below `run` once it has written `written` bytes."""

    def reached() -> bool:
        process = plugin(run.pid, executable)
        if process is None or process.io_counters().write_chars < written:
            return False
        process.send_signal(signum)
        return True

    try:
        poll(reached, seconds=120)
    except TimeoutError:
        run.kill()
        output, _ = run.communicate()
        raise AssertionError(f"{executable} did not write so much:\n{output}") from None


def plugin(parent: int, executable: str) -> psutil.Process | None:
    """The running plugin below `parent`; its discovery before does not count."""
    for process in psutil.Process(parent).children(recursive=True):
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if any(word.endswith(f"/{executable}") for word in words) and "--discover" not in words:
            return process
    return None


def poll(condition: Callable[[], bool], *, seconds: float) -> None:
    """Wait until `condition` holds; TimeoutError after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except psutil.Error:
            pass  # a process that has just gone: look again
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} seconds")
        time.sleep(0.01)
