"""Act two: the newsletter's list in Optimizely Campaign, and what comes back from there.

Somebody unsubscribes, a tap is killed, a refill is killed between clear and the last chunk: after
each the list is what it has to be.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from examples.stage import (
    DEMO,
    LISTS_PAGE,
    LISTS_REPORT,
    ROOT,
    Checks,
    Simulator,
    environment,
    heading,
    meltano,
)

LIST_ID = 120000000001
INPUT_CUT_EXIT = 6
#: Records that the tap has written when it is killed.
KILLED_AFTER = 700
WAIT_SECONDS = 60.0


def play(sim: Simulator, checks: Checks) -> None:
    """Four scenes."""
    heading("A simulated Optimizely Campaign with a regular list")
    print(f"  {sim.address}/optimizely/soap11, list {LIST_ID}")
    first_transfer(sim, checks)
    somebody_unsubscribes(sim, checks)
    the_tap_is_killed(sim, checks)
    the_refill_is_killed(sim, checks)


def first_transfer(sim: Simulator, checks: Checks) -> None:
    """Feedback first, then the selection."""
    heading("The daily job: feedback into the backoffice, then the newsletter's recipients")
    stream = transfer("newsletter-1", sim)
    checks.equal("recipients in the list", len(sim.recipients(LIST_ID)), stream["details"]["after"])
    checks.equal("sum of all outcomes", sum(stream["outcomes"].values()), stream["received"])


def somebody_unsubscribes(sim: Simulator, checks: Checks) -> None:
    """Nobody who unsubscribed is copied back in."""
    heading("Somebody unsubscribes by the link in a newsletter")
    before = sim.recipients(LIST_ID)
    person = next(iter(before))
    event(sim, type="unsubscribe", id=person)
    stream = transfer("newsletter-2", sim)
    imported = json.loads((DEMO / "feedback-report.json").read_text())["streams"]
    new = sum(one["outcomes"]["applied"] for one in imported)
    checks.equal("unsubscribes written into the backoffice", new, 1)
    after = sim.recipients(LIST_ID)
    checks.equal("the person is in the list", person in after, False)
    checks.equal("everybody else is", set(after) == set(before) - {person}, True)
    checks.equal("rows the selection no longer has", len(before) - stream["details"]["after"], 1)


def the_tap_is_killed(sim: Simulator, checks: Checks) -> None:
    """End of input is not completeness."""
    heading(f"The tap is killed (-9) after {KILLED_AFTER} records")
    before = content(sim)
    cut = killed_tap(sim.address)
    log = DEMO / "newsletter-cut.log"
    print(f"  $ (the tap's output so far) | meltano invoke target-optimizely    (log: {log.name})")
    with cut.open("rb") as given, log.open("wb") as output:
        ended = subprocess.run(
            [str(Path(sys.executable).parent / "meltano"), "invoke", "target-optimizely"],
            cwd=ROOT,
            env=environment(sim.address),
            stdin=given,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    checks.equal("exit code of the target", ended.returncode, INPUT_CUT_EXIT)
    checks.equal("the list is what it was, to the last value", content(sim) == before, True)


def the_refill_is_killed(sim: Simulator, checks: Checks) -> None:
    """A crash between clear and refill is healed by the next run."""
    heading("The target is killed (-9) between clear and the last chunk")
    before = content(sim)
    hang = {"match": {"body": "addAll3"}, "nth": 2, "action": "hang"}
    sim.send("POST", "/_sim/optimizely/faults", [hang])
    command = ["run", "tap-backoffice-newsletter", "target-optimizely"]
    log = DEMO / "newsletter-killed.log"
    print(f"  $ meltano {' '.join(command)}    (log: {log.name})", flush=True)
    with log.open("wb") as output:
        running = subprocess.Popen(
            [str(Path(sys.executable).parent / "meltano"), *command],
            cwd=ROOT,
            env=environment(sim.address),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        wait_for(lambda: sim.get("faults", "optimizely")["faults"][0]["fired"])
        for process in psutil.Process(running.pid).children(recursive=True):
            if "target-optimizely" in " ".join(process.cmdline()):
                process.kill()
        checks.equal("meltano run failed", running.wait() != 0, True)
    sim.send("DELETE", "/_sim/optimizely/faults")
    left = len(sim.recipients(LIST_ID))
    checks.equal("the list is incomplete now", 0 < left < len(before), True)
    print(f"  {left} of {len(before)} recipients; the journal in .demo/lists/lists says so too")
    transfer("newsletter-healed", sim)
    (found,) = json.loads(LISTS_REPORT.read_text())["recovered"]
    checks.equal("the next run brought the open change to its end", found["ended"], "done")
    told = LISTS_PAGE.read_text().count(">unfinished<")
    checks.equal("runs without end in the report's page", told, 1)
    checks.equal("the list is complete again, to the last value", content(sim) == before, True)


def transfer(name: str, sim: Simulator) -> dict[str, Any]:
    """One run of the daily job; shows and returns what became of the selection."""
    seconds = meltano(name, "run", "optimizely-daily", address=sim.address)
    report = json.loads(LISTS_REPORT.read_text())
    (stream,) = report["streams"]
    counts = ", ".join(f"{n} {outcome}" for outcome, n in stream["outcomes"].items() if n)
    print(f"  {stream['stream']}: {stream['received']} received → {counts}")
    for cause, number in sorted(stream["causes"].items()):
        print(f"      {number:5} {cause}")
    print(f"  {sum(report['calls'].values())} calls, {report['writes']} writes, {seconds:.0f} s")
    return dict(stream)


def killed_tap(address: str) -> Path:
    """What a tap had written when it was killed."""
    path = DEMO / "cut.singer"
    print(f"  $ meltano invoke tap-backoffice-newsletter    (output: {path.name})", flush=True)
    tap = subprocess.Popen(
        [str(Path(sys.executable).parent / "meltano"), "invoke", "tap-backoffice-newsletter"],
        cwd=ROOT,
        env=environment(address),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert tap.stdout is not None
    with path.open("wb") as file:
        for number, line in enumerate(tap.stdout):
            file.write(line)
            if number == KILLED_AFTER:
                break
    os.killpg(tap.pid, signal.SIGKILL)
    tap.wait()
    tap.stdout.close()
    return path


def content(sim: Simulator) -> dict[str, Any]:
    """Everything the list says of everybody in it."""
    return {key: one["attributes"] for key, one in sim.recipients(LIST_ID).items()}


def event(sim: Simulator, **what: Any) -> None:
    """Let something happen at the vendor's."""
    sim.send("POST", "/_sim/optimizely/event", what)


def wait_for(holds: Any) -> None:
    """Poll until it holds."""
    ends_at = time.monotonic() + WAIT_SECONDS
    while not holds():
        if time.monotonic() > ends_at:
            raise SystemExit(f"not within {WAIT_SECONDS:g} s; see the logs in {DEMO.name}")
        time.sleep(0.05)
