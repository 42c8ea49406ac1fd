"""Act one: the backoffice's contacts into ActiveCampaign; new, changed, unchanged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from typing import Any

from examples.stage import DEMO, PAGE, REPORT, Checks, Simulator, heading, meltano, sample

REAL_LIMIT_PER_SECOND = 5
CHANGED_ROWS = 25
FIELDS = {"LAND": "Land", "SPRACHE": "Sprache", "MOBIL": "Mobil"}


def play(sim: Simulator, checks: Checks, built: dict[str, int]) -> None:
    """Three runs, each with its promises."""
    heading("A simulated ActiveCampaign")
    print(f"  {sim.address}/activecampaign")
    print("  Its limit of 5 requests a second is switched off here, or 2,000 first creates")
    print("  would take seven minutes; each run says what it takes at the real limit.")
    prepare(sim)
    first_run(sim, checks, built)
    second_run(sim, checks)
    third_run(sim, checks)
    dump = DEMO / "activecampaign.json"
    dump.write_text(json.dumps(sim.get("state"), indent=1, ensure_ascii=False))


def transfer(
    name: str, sim: Simulator, settings: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """One `meltano run`; return what the simulator saw of it, and show the target's report."""
    sim.send("DELETE", "/_sim/activecampaign/requests")
    command = ["run", "tap-backoffice", "target-activecampaign"]
    seconds = meltano(name, *command, address=sim.address, settings=settings)
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
    # The new address by a call of its own, all others by one import.
    checks.equal("write calls", run["writes"], 2)
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
    checks.equal("runs in the report's page", PAGE.read_text().count('<g class="run">'), 3)
