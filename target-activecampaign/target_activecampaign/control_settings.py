"""What keeps a run under control: plans, guards, how calls are made, what is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from target_kit.guards import GUARDS_SCHEMA, Guards, read_guards


class Mode(StrEnum):
    """What a run does with its decisions."""

    RUN = "run"  # carry them out
    PLAN = "plan"  # write them to `plan_file`
    APPLY = "apply"  # carry out those that `plan_file` holds


#: The settings' part of the JSON schema.
CONTROL: dict[str, Any] = {
    "mode": {
        "type": "string",
        "title": "Mode",
        "description": "run; plan: write to plan_file what a run would do, and do nothing; apply: "
        "do what plan_file says, and nothing else.",
        "enum": [mode.value for mode in Mode],
        "default": "run",
    },
    "plan_file": {
        "type": ["string", "null"],
        "title": "Plan file",
        "description": "Where a plan is written to, or read from. Beside it, with .txt and .html "
        "added, stands the same for people.",
    },
    "guards": {
        "title": "Guards",
        "description": "Largest numbers or shares of changes that a run may make.",
        **GUARDS_SCHEMA,
    },
    "strategy": {
        "type": "string",
        "title": "Strategy",
        "description": "Write contacts one by one (single), by bulk import wherever that is safe "
        "(bulk), or by what is cheaper (auto).",
        "enum": ["auto", "single", "bulk"],
        "default": "auto",
    },
    "exclude_automations": {
        "type": "boolean",
        "title": "No automations",
        "description": "Contacts that are imported in bulk start no automations.",
        "default": False,
    },
    "connections": {
        "type": "integer",
        "title": "Connections",
        "description": "Requests on their way at the same time.",
        "default": 4,
        "minimum": 1,
        "maximum": 40,
    },
    "verify_sample": {
        "type": "integer",
        "title": "Verified contacts",
        "description": "So many of the contacts that a run has written are read back at its end.",
        "default": 0,
        "minimum": 0,
    },
    "quarantine_after": {
        "type": ["integer", "null"],
        "title": "Quarantine",
        "description": "A field that had to be written again in so many runs in a row, because "
        "something else changes it back, is left alone and named. 0: never.",
        "default": 0,
        "minimum": 0,
    },
}


@dataclass(frozen=True, slots=True)
class Control:
    """The settings above, checked."""

    mode: Mode = Mode.RUN
    plan_file: Path | None = None
    guards: Guards = field(default_factory=Guards)
    strategy: str = "auto"
    exclude_automations: bool = False
    connections: int = 4
    verify_sample: int = 0
    quarantine_after: int = 0


def read_control(config: Mapping[str, Any], faults: list[str]) -> Control:
    """Check these settings; appends what is wrong to `faults`."""
    mode, plan = Mode(config.get("mode") or Mode.RUN), config.get("plan_file")
    if mode is not Mode.RUN and not plan:
        faults.append(f"plan_file: is needed where mode is {mode}")
    return Control(
        mode=mode,
        plan_file=Path(str(plan)) if plan else None,
        guards=read_guards(config.get("guards"), "guards", faults),
        strategy=str(config.get("strategy") or "auto"),
        exclude_automations=bool(config.get("exclude_automations", False)),
        connections=int(config.get("connections") or 4),
        verify_sample=int(config.get("verify_sample") or 0),
        quarantine_after=int(config.get("quarantine_after") or 0),
    )
