"""Act three: addresses change in the backoffice; who is active where before and after.

Four kinds of change under each of the three policies, in one run of three streams; a run after it
that writes nothing; and one change that was held goes, once somebody has approved it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from examples import act_one, members
from examples.members import BOTH, FAIR, MEMBERS, NEWS, Member
from examples.stage import API_KEY, DEMO, ROOT, Checks, Simulator, heading

HOME = DEMO / "addresses"
CONFIG = HOME / "config.json"
ROW = "  {:11}  {:21}  {:27}  {:29}  {}"
ACTIVE = "1"
#: Address → the lists it is active on, in one text. An address without contact is not in it.
Standing = dict[str, str]
Report = dict[str, Any]


def play(sim: Simulator, checks: Checks) -> None:
    """Everybody changes, then nothing changes, then one change is approved."""
    heading("Fifteen members of a club: three streams, alike but for on_email_change")
    HOME.mkdir()
    members.build(HOME / "backoffice.db")
    settings = configure(sim)
    before = everybody_is_known(sim, checks)
    report = all_addresses_change(sim, checks, settings, before)
    nothing_has_changed(sim, checks, settings, report)
    one_is_approved(sim, checks, settings)


def configure(sim: Simulator) -> dict[str, str]:
    """The settings: as a file for the target's commands, as variables for Meltano."""
    config = {
        "api_url": f"{sim.address}/activecampaign",
        "api_key": API_KEY,
        "state_dir": str(HOME / "state"),
        "streams": members.target_streams(),
    }
    CONFIG.write_text(json.dumps(config, indent=1))
    return {
        "TAP_BACKOFFICE_DATABASE_URL": f"sqlite:///{HOME / 'backoffice.db'}",
        "TAP_BACKOFFICE_STREAMS": json.dumps(members.tap_streams()),
        "TARGET_ACTIVECAMPAIGN_STATE_DIR": str(config["state_dir"]),
        "TARGET_ACTIVECAMPAIGN_REPORT_HTML": str(HOME / "report.html"),
        "TARGET_ACTIVECAMPAIGN_STREAMS": json.dumps(config["streams"]),
    }


def everybody_is_known(sim: Simulator, checks: Checks) -> Standing:
    """The account has all of them, active on the stream's list and on one of somebody else's."""
    sim.send("POST", "/_sim/activecampaign/seed", members.seed())
    print(
        f"  ActiveCampaign has them already, active on {NEWS}, for which they have consented, and"
    )
    print(f"  on {FAIR}, a list of somebody else's that no stream names")
    before = standing(sim)
    active = sum(before[member.old] == BOTH for member in MEMBERS)
    checks.equal("members active on both lists", active, len(MEMBERS))
    return before


def all_addresses_change(
    sim: Simulator, checks: Checks, settings: dict[str, str], before: Standing
) -> Report:
    """Four kinds of change by three policies, in one table; returns the run's report."""
    heading("All addresses change; one member of each stream consents for the new one")
    members.change(HOME / "backoffice.db")
    report: Report = act_one.transfer("addresses-1", sim, settings)["report"]
    after, items = standing(sim), worklist()
    show(MEMBERS, before, after, items)
    for policy in members.PROMISED:
        rows = [member for member in MEMBERS if member.policy == policy]
        right = [m.key for m in rows if outcome(m, after, items) == m.promised]
        checks.equal(f"{policy}: lines as promised", len(right), len(rows))
    return report


def nothing_has_changed(
    sim: Simulator, checks: Checks, settings: dict[str, str], last: Report
) -> None:
    """What waits for people goes on waiting, without a call that writes."""
    heading("Once more: nothing has changed")
    before = standing(sim)
    run = act_one.transfer("addresses-2", sim, settings)
    checks.equal("write calls", run["writes"], 0)
    checks.equal("who is active where is as before", standing(sim) == before, True)
    checks.equal("so is the worklist", open_items(run["report"]) == open_items(last), True)


def one_is_approved(sim: Simulator, checks: Checks, settings: dict[str, str]) -> None:
    """Somebody knows who reads that mailbox; to be active, consent is wanted all the same."""
    kind = ("hold", "role -> personal")
    member = next(m for m in MEMBERS if (m.policy, m.change) == kind)
    heading(f"Somebody approves that {member.old} becomes {member.new}")
    before = standing(sim)
    command("approve", "--key", str(member.key))
    act_one.transfer("addresses-3", sim, settings)
    after, items = standing(sim), worklist()
    show([member], before, after, items)
    checks.equal("as promised", outcome(member, after, items) == members.APPROVED, True)
    del before[member.old], after[member.new]
    checks.equal("all others are as before", after == before, True)
    history = command("history", "--key", str(member.key))
    told = [a for line, a in zip(history, (member.old, member.new), strict=False) if a in line]
    checks.equal("addresses told, in their order", told, [member.old, member.new])


def standing(sim: Simulator) -> Standing:
    """Who is active where, of the whole account."""
    state = sim.get("state")
    lists = {entry["id"]: entry["name"] for entry in state["lists"]}
    return {
        contact["email"]: " ".join(
            name for number, name in lists.items() if contact["lists"].get(number) == ACTIVE
        )
        for contact in state["contacts"]
    }


def outcome(member: Member, after: Standing, items: dict[int, str]) -> members.Promise:
    """What has become of one member, as `members.PROMISED` puts it."""
    return after.get(member.old), after.get(member.new), items.get(member.key, "")


def show(rows: Iterable[Member], before: Standing, after: Standing, items: dict[int, str]) -> None:
    """Print who is active where, before and after; an address without contact is left out."""
    print("\n" + ROW.format("policy", "change", "before", "after", "worklist"))
    for member in rows:
        then = [line(member.old, before)]
        now = [line(a, after) for a in (member.old, member.new) if a in after]
        item = items.get(member.key, "")
        print(ROW.format(member.policy, member.change, *then, now[0], item).rstrip())
        for more in now[1:]:
            print(ROW.format("", "", "", more, "").rstrip())
    print()


def line(address: str, where: Standing) -> str:
    """One address and its lists."""
    return f"{address}: {where[address] or 'nowhere'}"


def worklist() -> dict[int, str]:
    """Backoffice key → kind of what people have to decide, as the command prints it."""
    said = (text.split("  ") for text in command("worklist", quiet=True) if text[:1] != " ")
    return {int(who.removeprefix("key:")): kind for _, who, kind, *_ in said}


def open_items(report: Report) -> list[dict[str, int]]:
    """How many items of each kind the report counts, by stream."""
    return [stream["details"]["worklist"] for stream in report["streams"]]


def command(name: str, *options: str, quiet: bool = False) -> list[str]:
    """Run one of the target's commands for operators; return the lines that it printed."""
    shown = ["target-activecampaign", name, "--config", str(CONFIG.relative_to(ROOT)), *options]
    print(f"  $ {' '.join(shown)}", flush=True)
    program = Path(sys.executable).parent / shown[0]
    ran = subprocess.run(
        [program, *shown[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise SystemExit(f"{name} ended with {ran.returncode}: {ran.stderr}")
    lines = ran.stdout.splitlines()
    for text in () if quiet else (*lines, *ran.stderr.splitlines()):
        print(f"      {text}")
    return lines
