"""`make demo`: a sample backoffice, a simulated ActiveCampaign, three real `meltano run`s.

Every number it promises is read back from the simulator and checked; one that does not hold ends
the demo with exit code 1. Everything it makes is in `.demo/`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
DATABASE_URL = f"sqlite:///{DEMO / 'backoffice.db'}"
REPORT = DEMO / "report.json"
API_KEY = "sim-key"
REAL_LIMIT_PER_SECOND = 5
CHANGED_ROWS = 25
FIELDS = {"LAND": "Land", "SPRACHE": "Sprache", "MOBIL": "Mobil"}


@dataclass
class Simulator:
    """The running simulator, as seen over HTTP."""

    address: str

    def get(self, path: str) -> Any:
        """Read one control, for example `state`."""
        with urlopen(f"{self.address}/_sim/activecampaign/{path}", timeout=60) as answer:
            return json.load(answer)

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
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


def meltano(log_name: str, *arguments: str, address: str = "") -> float:
    """Run meltano in this project, its output in `.demo/<log_name>.log`; return the seconds.

    State and system database live in `.demo`, so that a demo never touches real bookmarks.
    """
    ours = ("MELTANO_", "TAP_BACKOFFICE_", "TARGET_ACTIVECAMPAIGN_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    environment |= {
        "MELTANO_ENVIRONMENT": "local",
        "MELTANO_STATE_BACKEND_URI": f"file://{DEMO}/meltano-state",
        "MELTANO_DATABASE_URI": f"sqlite:///{DEMO}/meltano.db",
        "TAP_BACKOFFICE_DATABASE_URL": DATABASE_URL,
        "TARGET_ACTIVECAMPAIGN_API_URL": f"{address}/activecampaign",
        "TARGET_ACTIVECAMPAIGN_API_KEY": API_KEY,
        "TARGET_ACTIVECAMPAIGN_STATE_DIR": str(DEMO / "state"),
        "TARGET_ACTIVECAMPAIGN_REPORT_FILE": str(REPORT),
        "TARGET_ACTIVECAMPAIGN_REQUESTS_PER_SECOND": "1000",
        "NO_COLOR": "1",
    }
    log = DEMO / f"{log_name}.log"
    command = [str(Path(sys.executable).parent / "meltano"), *arguments]
    print(f"  $ meltano {' '.join(arguments)}    (log: {log.relative_to(ROOT)})", flush=True)
    start = time.monotonic()
    with log.open("w") as output:
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if ended.returncode != 0:
        print("\n".join(log.read_text(errors="replace").splitlines()[-30:]))
        raise SystemExit(f"meltano {arguments[0]} ended with {ended.returncode}")
    return time.monotonic() - start


def transfer(name: str, sim: Simulator) -> dict[str, Any]:
    """One `meltano run`; return what the simulator saw of it, and show the target's report."""
    sim.send("DELETE", "/_sim/activecampaign/requests")
    seconds = meltano(name, "run", "tap-backoffice", "target-activecampaign", address=sim.address)
    summary: dict[str, Any] = sim.get("requests?summary")
    report = json.loads(REPORT.read_text())
    shutil.copy(REPORT, DEMO / f"{name}-report.json")
    show(report, summary, seconds)
    return summary | {"report": report}


def show(report: dict[str, Any], summary: dict[str, Any], seconds: float) -> None:
    """Print the outcomes of a run, its calls, and how long they take at the real limit."""
    for stream in report["streams"]:
        counts = ", ".join(f"{n} {outcome}" for outcome, n in stream["outcomes"].items() if n)
        print(f"  {stream['stream']}: {stream['received']} received → {counts}")
        if stream["reads"]:
            print(f"      read by {stream['reads']['strategy']}: {stream['reads']['because']}")
        for cause, number in sorted(stream["causes"].items()):
            print(f"      {number:5} {cause}")
    at_limit = summary["total"] / REAL_LIMIT_PER_SECOND
    print(
        f"  {summary['total']} calls, {summary['writes']} of them writes, in {seconds:.0f} s; "
        f"at the real limit of {REAL_LIMIT_PER_SECOND}/s: {at_limit:.0f} s"
    )


def prepare(sim: Simulator) -> None:
    """Give the simulated account the custom fields a marketer has made there."""
    for perstag, title in FIELDS.items():
        body = {"field": {"title": title, "type": "text", "perstag": perstag}}
        made = sim.send("POST", "/activecampaign/api/3/fields", body)["field"]
        relation = {"fieldRel": {"field": made["id"], "relid": 0}}
        sim.send("POST", "/activecampaign/api/3/fieldRels", relation)


def address_of(contacts: list[dict[str, Any]], contact_id: object) -> str:
    """The address of one contact, by its id."""
    return next(str(c["email"]) for c in contacts if c["id"] == contact_id)


def first_run(sim: Simulator, checks: Checks, built: dict[str, int]) -> None:
    """Everything is new."""
    heading("First run: everything is new")
    run = transfer("run-1", sim)
    contacts = sim.contacts()
    addresses = {c["email"].lower() for c in contacts}
    checks.equal("contacts at the destination", len(contacts), built["reachable"])
    checks.equal("different addresses among them", len(addresses), built["reachable"])
    account_for(run, checks, received=built["contacts"])


def account_for(run: dict[str, Any], checks: Checks, *, received: int | None = None) -> None:
    """Every record read has exactly one outcome."""
    stream = next(s for s in run["report"]["streams"] if s["stream"] == "contacts")
    if received is not None:
        checks.equal("records received", stream["received"], received)
    offered = stream["received"] + stream["reoffered"]
    checks.equal("sum of all outcomes", sum(stream["outcomes"].values()), offered)


def second_run(sim: Simulator, checks: Checks) -> None:
    """25 rows change, one of them in its address."""
    heading(f"{CHANGED_ROWS} rows change in the backoffice, one of them in its e-mail address")
    before = sim.contacts()
    keys = sample("change", "--rows", str(CHANGED_ROWS))["changed"]
    print(f"  backoffice keys {', '.join(map(str, keys))}; the first one has a new address")
    run = transfer("run-2", sim)
    after = sim.contacts()
    checks.equal("write calls", run["writes"], CHANGED_ROWS)
    checks.equal("contacts at the destination", len(after), len(before))
    moved = [c["id"] for c in before if c["email"] != address_of(after, c["id"])]
    checks.equal("contacts with a new address under their old id", len(moved), 1)
    checks.equal("different addresses", len({c["email"].lower() for c in after}), len(after))
    account_for(run, checks)


def third_run(sim: Simulator, checks: Checks) -> None:
    """Nothing has changed."""
    heading("Third run: nothing has changed")
    before = sim.contacts()
    run = transfer("run-3", sim)
    checks.equal("write calls", run["writes"], 0)
    checks.equal("contacts as before", sim.contacts() == before, True)
    account_for(run, checks)


def main() -> int:
    """Run the demo; return 0 when every promised number held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the simulator running")
    options = parser.parse_args()
    start = time.monotonic()
    checks = Checks()
    shutil.rmtree(DEMO, ignore_errors=True)
    DEMO.mkdir()

    heading("A sample backoffice (SQLite) of 2,000 invented contacts")
    built = sample("build")
    flaws = ", ".join(f"{n} {what}" for what, n in built.items() if what != "contacts")
    print(f"  {DATABASE_URL}\n  {flaws}")

    with simulator(keep=options.keep) as sim:
        heading("A simulated ActiveCampaign")
        print(f"  {sim.address}/activecampaign")
        print("  Its limit of 5 requests a second is switched off here, or 2,000 first creates")
        print("  would take seven minutes; each run says what it takes at the real limit.")
        prepare(sim)
        heading("Plugins, each in an environment of its own")
        meltano("install", "install")
        first_run(sim, checks, built)
        second_run(sim, checks)
        third_run(sim, checks)
        dump = DEMO / "activecampaign.json"
        dump.write_text(json.dumps(sim.get("state"), indent=1, ensure_ascii=False))
        heading(f"Done in {time.monotonic() - start:.0f} s")
        print(f"  the destination's content:  {dump.relative_to(ROOT)}")
        print("  the reports of the runs:    .demo/run-1-report.json, run-2-…, run-3-…")
        print("  the rejects, with causes:   .demo/state/rejects/contacts.jsonl")
        if options.keep:
            print(f"  browse it:                  {sim.address}/_sim/activecampaign/state")
        if checks.failed:
            print(f"\nNot as promised: {'; '.join(checks.failed)}")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
