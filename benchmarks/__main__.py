"""`make bench`: every side-by-side measurement, one table each.

    python -m benchmarks [NAME …]      NAME: read, intake, contacts, lists; or load, when asked

Ratios taken in one run are what counts; absolute times are this machine's.
"""

from __future__ import annotations

import subprocess
import sys

COMMANDS = {
    "read": ["benchmarks/tap_read.py"],  # the tap beside other taps, on three databases
    "intake": ["benchmarks/target_intake.py"],  # taking records beside the stock SDK
    "contacts": ["-m", "benchmarks.contacts"],  # bulk and single, beside 1 + k + 2 calls each
    "load": ["-m", "benchmarks.load"],  # 10,000 and 100,000 contacts end to end
    "lists": ["-m", "benchmarks.lists"],  # refill and reconcile beside a script on zeep
}


def main(names: list[str]) -> int:
    """Run the named measurements one after the other; the worst exit code."""
    unknown = set(names) - set(COMMANDS)
    if unknown:
        print(f"unknown: {', '.join(sorted(unknown))}; one of {', '.join(COMMANDS)}")
        return 2
    codes = []
    for name in names or ["read", "intake", "contacts", "lists"]:
        print(f"== {name}", flush=True)
        codes.append(subprocess.run([sys.executable, *COMMANDS[name]], check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
