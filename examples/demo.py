"""`make demo`: a sample backoffice, two simulated vendors, real `meltano run`s in three acts.

Every number it promises is read back from the simulator and checked; one that does not hold ends
the demo with exit code 1. Everything it makes is in `.demo/`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time

from examples import act_one, act_three, act_two
from examples.stage import DATABASE_URL, DEMO, Checks, heading, meltano, sample, simulator


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
        heading("Plugins, each in an environment of its own")
        meltano("install", "install")
        act_one.play(sim, checks, built)
        act_two.play(sim, checks)
        act_three.play(sim, checks)
        heading(f"Done in {time.monotonic() - start:.0f} s")
        print("  ActiveCampaign's content:   .demo/activecampaign.json, after act one")
        print("  the reports of its runs:    .demo/run-1-report.json, run-2-…, run-3-…")
        print("  the same for people:        .demo/report.html, lists-report.html, in any browser")
        print("  its rejects, with causes:   .demo/state/rejects/contacts.jsonl")
        print("  who is not in the list:     .demo/lists/left_out/newsletter_recipients.jsonl")
        print("  the list's journal:         .demo/lists/lists/, evidence in .demo/lists/evidence/")
        print("  the fifteen members:        .demo/addresses/backoffice.db, their ledger in state/")
        if options.keep:
            print(f"  browse them:                {sim.address}/_sim/activecampaign/state")
            print(f"                              {sim.address}/_sim/optimizely/state")
        if checks.failed:
            print(f"\nNot as promised: {'; '.join(checks.failed)}")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
