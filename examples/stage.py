"""What all acts of the demo stand on: the simulator, Meltano, and numbers that are checked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
DATABASE_URL = f"sqlite:///{DEMO / 'backoffice.db'}"
REPORT = DEMO / "report.json"
PAGE = DEMO / "report.html"
LISTS_REPORT = DEMO / "lists-report.json"
LISTS_PAGE = DEMO / "lists-report.html"
API_KEY = "sim-key"


@dataclass
class Simulator:
    """The running simulator, as seen over HTTP."""

    address: str

    def get(self, path: str, vendor: str = "activecampaign") -> Any:
        """Read one control, for example `state`."""
        with urlopen(f"{self.address}/_sim/{vendor}/{path}", timeout=60) as answer:
            return json.load(answer)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send JSON to any path of the simulator."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Api-Token": API_KEY, "Content-Type": "application/json"}
        request = Request(f"{self.address}{path}", data=data, headers=headers, method=method)
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def contacts(self) -> list[dict[str, Any]]:
        """All contacts the simulated account holds."""
        found: list[dict[str, Any]] = self.get("state")["contacts"]
        return found

    def recipients(self, list_id: int) -> dict[str, dict[str, Any]]:
        """The recipients of a list of the simulated Optimizely client, by id."""
        lists = self.get("state", "optimizely")["clients"]["1234"]["lists"]
        found = next(one for one in lists if one["id"] == list_id)
        return {one["id"]: one for one in found["recipients"]}


@dataclass
class Checks:
    """Promised numbers, printed as they are compared."""

    failed: list[str] = field(default_factory=list)

    def equal(self, what: str, found: object, promised: object) -> None:
        """Print one promise and remember it when it does not hold."""
        holds = found == promised
        print(f"  {'ok ' if holds else 'NO '} {what}: {found}", end="")
        print("" if holds else f", promised: {promised}")
        if not holds:
            self.failed.append(what)


def heading(text: str) -> None:
    """Print the name of a step."""
    print(f"\n== {text}", flush=True)


def sample(*arguments: str) -> Any:
    """Run `python -m examples.backoffice …` and return what it printed."""
    command = [sys.executable, "-m", "examples.backoffice", *arguments]
    command += ["--database-url", DATABASE_URL]
    return json.loads(subprocess.check_output(command, cwd=ROOT, text=True))


@contextmanager
def simulator(*, keep: bool) -> Iterator[Simulator]:
    """Start the simulator on a free port; stop it afterwards unless the user wants to look."""
    command = [sys.executable, "-m", "api_simulators", "--port", "0"]
    command += ["--switch", "activecampaign.rate_limit=off"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if " on http" not in line:
            raise SystemExit(f"the simulator did not start: {line!r}")
        yield Simulator(line.split(" on ")[-1].strip())
        if keep:
            print("The simulator keeps running; Ctrl-C ends it.")
            process.wait()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        process.terminate()
        process.wait(timeout=20)


def environment(address: str) -> dict[str, str]:
    """What Meltano is told: the simulator's address, and `.demo` for all that is kept.

    State and system database live there, so that a demo never touches real bookmarks.
    """
    ours = ("MELTANO_", "TAP_", "TARGET_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    return inherited | {
        "MELTANO_ENVIRONMENT": "local",
        "MELTANO_STATE_BACKEND_URI": f"file://{DEMO}/meltano-state",
        "MELTANO_DATABASE_URI": f"sqlite:///{DEMO}/meltano.db",
        "TAP_BACKOFFICE_DATABASE_URL": DATABASE_URL,
        "TARGET_ACTIVECAMPAIGN_API_URL": f"{address}/activecampaign",
        "TARGET_ACTIVECAMPAIGN_API_KEY": API_KEY,
        "TARGET_ACTIVECAMPAIGN_STATE_DIR": str(DEMO / "state"),
        "TARGET_ACTIVECAMPAIGN_REPORT_FILE": str(REPORT),
        "TARGET_ACTIVECAMPAIGN_REPORT_HTML": str(PAGE),
        "TARGET_ACTIVECAMPAIGN_REQUESTS_PER_SECOND": "1000",
        "TAP_OPTIMIZELY_API_URL": f"{address}/optimizely/soap11",
        "TARGET_BACKOFFICE_DATABASE_URL": DATABASE_URL,
        "TARGET_BACKOFFICE_STATE_DIR": str(DEMO / "feedback"),
        "TARGET_BACKOFFICE_FEEDBACK_FILE": str(DEMO / "feedback.json"),
        "TARGET_BACKOFFICE_REPORT_FILE": str(DEMO / "feedback-report.json"),
        "TARGET_BACKOFFICE_REPORT_HTML": str(DEMO / "feedback-report.html"),
        "TARGET_OPTIMIZELY_API_URL": f"{address}/optimizely/soap11",
        "TARGET_OPTIMIZELY_STATE_DIR": str(DEMO / "lists"),
        "TARGET_OPTIMIZELY_FEEDBACK_FILE": str(DEMO / "feedback.json"),
        "TARGET_OPTIMIZELY_REPORT_FILE": str(LISTS_REPORT),
        "TARGET_OPTIMIZELY_REPORT_HTML": str(LISTS_PAGE),
        "NO_COLOR": "1",
    }


def meltano(
    log_name: str,
    *arguments: str,
    address: str = "",
    settings: Mapping[str, str] | None = None,
    ends_with: Sequence[int] = (0,),
) -> float:
    """Run meltano in this project, its output in `.demo/<log_name>.log`; return the seconds.

    `settings` are variables of an act's own. Any end but those named ends the demo.
    """
    log = DEMO / f"{log_name}.log"
    command = [str(Path(sys.executable).parent / "meltano"), *arguments]
    print(f"  $ meltano {' '.join(arguments)}    (log: {log.relative_to(ROOT)})", flush=True)
    start = time.monotonic()
    with log.open("w") as output:
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(address) | dict(settings or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ended.returncode not in ends_with:
        print("\n".join(log.read_text(errors="replace").splitlines()[-30:]))
        raise SystemExit(f"meltano {arguments[0]} ended with {ended.returncode}")
    return time.monotonic() - start
