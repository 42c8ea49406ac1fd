"""Options that streams of contacts and of accounts have alike, checked; faults are collected."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from target_activecampaign.model import Rule

#: By field: the only rules it may have, and why.
Only = Mapping[str, tuple[tuple[Rule, ...], str]]


def choice(
    raw: Mapping[str, Any], where: str, name: str, choices: tuple[str, ...], faults: list[str]
) -> str:
    """An option that is one of `choices`, by default the first."""
    value = str(raw.get(name, choices[0]))
    if value not in choices:
        faults.append(f"{where}.{name}: one of {', '.join(choices)}")
    return value


def read_rules(
    raw: Mapping[str, Any], names: Collection[str], where: str, faults: list[str], only: Only
) -> dict[str, Rule]:
    """`rules`: when which of the stream's fields is written."""
    rules: dict[str, Rule] = {}
    for name, rule in (raw.get("rules") or {}).items():
        if name not in names:
            faults.append(f"{where}.rules.{name}: no such field or custom field in this stream")
        elif rule not in tuple(Rule):
            faults.append(f"{where}.rules.{name}: one of {', '.join(Rule)}")
        elif name in only and rule not in only[name][0]:
            faults.append(f"{where}.rules.{name}: {only[name][1]}")
        else:
            rules[name] = Rule(rule)
    return rules
