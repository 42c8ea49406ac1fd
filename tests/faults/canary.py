"""A person and a key that must never show anywhere but at the vendor and in the rejects file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from target_support import Run, Target, record

SECRET = "canary-key-9b31f0"
WORDS = ("canarymail", "Canarygiven", "Canaryfamily", "555-0199", "7310442", "canaryother")


def person(number: int = 7310442, **more: Any) -> dict[str, Any]:
    """A RECORD with a canary in every column, mapped or not."""
    return record(
        number,
        f"canarymail{number}@example.com",
        **{
            "given_name": "Canarygiven",
            "family_name": "Canaryfamily",
            "work_phone": "+1 202 555-0199",
            "mobile_phone": "+1 303 555-0199",
            "org_country": "canaryother",
            "language_code": "canaryother",
            "remark": "canaryother",
            **more,
        },
    )


def assert_quiet(run: Run, target: Target, *allowed: str) -> None:
    """Nothing personal and no secret in what the run said, reported or keeps; rejects and ledger
    are about persons.
    """
    texts = {"stderr": run.stderr, "report": str(run.report), "states": str(run.states)}
    folder = Path(target.config["state_dir"])
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file() and path.parent.name != "rejects" and path.stem != "ledger":
            texts[path.name] = path.read_bytes().decode("latin-1")
    for name, text in texts.items():
        for word in {SECRET, *WORDS} - set(allowed):
            assert word not in text, f"{word} in {name}: {text}"


def last_line(run: Run) -> str:
    """The one line that says what was wrong; no trace stands before it."""
    assert "Traceback" not in run.stderr, run.stderr
    said = [line for line in run.stderr.splitlines() if line.startswith("target-activecampaign: ")]
    errors = [line for line in said if ": completed" not in line and ": done" not in line]
    line = run.stderr.splitlines()[-1]
    assert errors[-1] == line, run.stderr
    return line.removeprefix("target-activecampaign: ")
