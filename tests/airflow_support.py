"""Airflow 3 in an environment of its own, its metadata in SQLite, `airflow dags test` for real."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from house_support import ROOT

README = (ROOT / "examples" / "airflow" / "README.md").read_text(encoding="utf-8")
START_SECONDS = 240.0


def commands(program: str) -> list[str]:
    """The lines of the example's README that call a program."""
    return re.findall(rf"^\$ (\S*/{program} .*)$", README, re.MULTILINE)


def install(project: Path) -> Path:
    """Make Airflow's environment in a copy of the project as the README says; return its `bin`."""
    for command in commands("uv"):
        subprocess.run(["bash", "-c", command], cwd=project, check=True, timeout=600)
    return project / ".airflow" / "venv" / "bin"


class Unfinished(AssertionError):
    """A command was still at work when its time was up; `running` are its processes' words."""

    def __init__(self, said: str, running: list[str]) -> None:
        super().__init__("\n".join([said, "still running:", *running]))
        self.running = running


@dataclass
class Airflow:
    """One AIRFLOW_HOME; `settings` are environment variables of all its processes."""

    bin: Path
    home: Path
    dags: Path
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port = _free_port()
        self.settings |= {
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": "4",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{self.port}/execution/",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
            "AIRFLOW__API__WORKERS": "1",
            # A busy machine must not cost a task its state: `dags test` has no scheduler that would
            # notice a task whose last word was lost, and waits for it for ever.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "20",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `airflow …`, its output in one file for each command."""
        ours = ("MELTANO_", "TAP_", "TARGET_", "AIRFLOW_")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        with self.log(arguments[0]).open("a") as log:
            return subprocess.Popen(
                [self.bin / "airflow", *arguments],
                env=clean | self.settings,
                cwd=self.home,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )

    def log(self, command: str) -> Path:
        """What `airflow <command> …` has printed."""
        return self.home / f"{command}.log"

    def everything_said(self) -> str:
        """What DAG runs printed, and the logs of their tasks."""
        logs = sorted(self.home.glob("logs/**/*.log"))
        return "\n".join(path.read_text() for path in [self.log("dags"), *logs])

    def run(self, *arguments: str) -> int:
        """Run `airflow …` to its end; return the exit code."""
        return self.finish(self.start(*arguments))

    def finish(self, command: subprocess.Popen[str], seconds: float = 400) -> int:
        """Wait for a command; return its exit code, or raise Unfinished."""
        try:
            return command.wait(seconds)
        except subprocess.TimeoutExpired:
            running = []
            for process in psutil.Process(command.pid).children(recursive=True):
                with suppress(psutil.Error):  # gone by itself since
                    running.append(" ".join(process.cmdline()))
                    process.kill()
            command.kill()
            command.wait()
            raise Unfinished(self.everything_said(), running) from None

    @contextmanager
    def api_server(self) -> Iterator[None]:
        """What workers of an executor talk to."""
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        server = self.start("api-server", *address, "--apps", "execution")
        try:
            deadline = time.monotonic() + START_SECONDS
            while not self._answers():
                assert server.poll() is None, self.log("api-server").read_text()
                assert time.monotonic() < deadline, self.log("api-server").read_text()
                time.sleep(0.2)
            yield
        finally:
            server.terminate()
            server.wait(30)

    def _answers(self) -> bool:
        address = f"http://127.0.0.1:{self.port}/execution/health"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
