"""Settings that every target with plans and guards has: `mode`, `plan_file`, `guards`. Pure."""

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
}


@dataclass(frozen=True, slots=True)
class Control:
    """The settings above, checked."""

    mode: Mode = Mode.RUN
    plan_file: Path | None = None
    guards: Guards = field(default_factory=Guards)


def read_control(config: Mapping[str, Any], faults: list[str]) -> Control:
    """Check these settings; appends what is wrong to `faults`."""
    mode, plan = Mode(config.get("mode") or Mode.RUN), config.get("plan_file")
    if mode is not Mode.RUN and not plan:
        faults.append(f"plan_file: is needed where mode is {mode}")
    return Control(
        mode=mode,
        plan_file=Path(str(plan)) if plan else None,
        guards=read_guards(config.get("guards"), "guards", faults),
    )
