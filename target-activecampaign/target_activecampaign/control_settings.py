"""What keeps a run under control: plans, guards, how calls are made, what is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from target_kit import control
from target_kit.control import CONTROL as SHARED
from target_kit.control import Mode

__all__ = ["CONTROL", "Control", "Mode", "read_control"]


#: What is guarded where the settings say nothing, so that a wrong filter or an empty column is
#: noticed in time; null in the settings takes one away.
DEFAULT_GUARDS = {"max_unsubscribes_pct": 20, "max_blank_outs_pct": 50}

#: Contacts read back: one call where ids can be asked for together, 20 where they can't.
VERIFY_SAMPLE = 20

#: The settings' part of the JSON schema.
CONTROL: dict[str, Any] = {
    **SHARED,
    "guards": {
        **SHARED["guards"],
        "description": "Largest numbers or shares of changes that a run may make; by default "
        "max_unsubscribes_pct 20 and max_blank_outs_pct 50. null takes one away.",
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
        "description": "So many of the contacts that a stream has written are read back at its "
        "end, and everybody who was taken off a list: 100 a call. 0: nobody.",
        "default": VERIFY_SAMPLE,
        "minimum": 0,
    },
    "quarantine_after": {
        "type": ["integer", "null"],
        "title": "Quarantine",
        "description": "A field of a contact that had to be written in so many runs in a row, "
        "because something else changes it back, is left alone and named. 0: named only.",
        "default": 0,
        "minimum": 0,
    },
}


@dataclass(frozen=True, slots=True)
class Control(control.Control):
    """The settings above, checked."""

    strategy: str = "auto"
    exclude_automations: bool = False
    connections: int = 4
    verify_sample: int = VERIFY_SAMPLE
    quarantine_after: int = 0


def read_control(config: Mapping[str, Any], faults: list[str]) -> Control:
    """Check these settings; appends what is wrong to `faults`."""
    given, sample = config.get("guards") or {}, config.get("verify_sample")
    shared = control.read_control({**config, "guards": {**DEFAULT_GUARDS, **given}}, faults)
    return Control(
        mode=shared.mode,
        plan_file=shared.plan_file,
        guards=shared.guards,
        strategy=str(config.get("strategy") or "auto"),
        exclude_automations=bool(config.get("exclude_automations", False)),
        connections=int(config.get("connections") or 4),
        verify_sample=VERIFY_SAMPLE if sample is None else int(sample),
        quarantine_after=int(config.get("quarantine_after") or 0),
    )
