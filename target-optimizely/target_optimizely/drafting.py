"""What would be written for one recipient, thing by thing, each with the rule behind it. Pure.

The words of the rules are those of the settings: `lists.people.attributes.Vorname`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from target_optimizely.settings import ListSettings
from target_optimizely.values import same_value

#: Causes by which nobody may get mail: no plan and no guard keeps such a person in a list.
WITHDRAWALS = frozenset(
    {
        "wrong_consent", "deleted_in_source", "suppressed_by_column", "forgotten",
        "unsubscribed", "blocklisted", "bounced_out",
    }
)  # fmt: skip
_BY_VENDOR = frozenset({"unsubscribed", "blocklisted", "bounced_out", "suppressed_by_column"})
Values = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Draft:
    """One thing that would be written; `before` and `after` are values and never leave here."""

    kind: str
    name: str
    rule: str
    before: str = ""
    after: str = ""
    withdrawal: bool = False


class Drafter:
    """Drafts for one list; `held_names` are the attributes of what the list has."""

    def __init__(self, settings: ListSettings, held_names: Sequence[str]) -> None:
        self._settings = settings
        self._where = f"lists.{settings.name}"
        self._place = {name: i for i, name in enumerate(held_names)}
        self._rules = self._rules_of(settings)
        self._others = [name for name in held_names if name not in settings.names]
        self._refills = settings.strategy == "clear_and_refill"

    def add(self, address: str, values: Values) -> list[Draft]:
        """A recipient whom the list lacks."""
        after = msgspec.json.encode([address, values]).decode()
        return [Draft("add", "", f"{self._where}.selection", after=after)]

    def change(self, wanted: Values, held: Values) -> list[Draft]:
        """What differs; empty for a recipient who is as wanted. `wanted` in the order of names."""
        drafts = []
        for name, value in zip(self._settings.names, wanted, strict=True):
            before = held[self._place[name]]
            if same_value(value, before) or (value is None and self._keeps_unset):
                continue
            drafts.append(self._set(name, before or "", value or ""))
        if self._refills:  # what nobody maps is gone with the clear
            rule = f"{self._where}.strategy: clear_and_refill"
            lost = ((name, held[self._place[name]]) for name in self._others)
            drafts += [Draft("clear", name, rule, before) for name, before in lost if before]
        return drafts

    def leave(self, causes: frozenset[str]) -> Draft:
        """A recipient whom no row wants in the list; `causes` are those of rows about them."""
        if withdrawn := sorted(causes & WITHDRAWALS):
            first = withdrawn[0]
            about = "suppression" if first in _BY_VENDOR else f"{self._where}.consent"
            return Draft("remove", "", f"{about}: {first}", withdrawal=True)
        why = f"left out, {sorted(causes)[0]}" if causes else "not wanted any more"
        return Draft("remove", "", f"{self._where}.selection: {why}")

    @property
    def _keeps_unset(self) -> bool:
        """Whether a column without value leaves what is there."""
        return self._settings.null_values == "omit" and not self._refills

    def _set(self, name: str, before: str, after: str) -> Draft:
        kind = "set" if after else "clear"
        if name == self._settings.email_attribute:
            kind = "rename"
        return Draft(kind, name, self._rules[name], before, after)

    def _rules_of(self, settings: ListSettings) -> Mapping[str, str]:
        rules = {settings.id_attribute: f"{self._where}.recipient_id"}
        rules |= {name: f"{self._where}.attributes.{name}" for name in settings.attributes}
        for role, name in settings.technical_attributes.items():
            rules[name] = f"{self._where}.technical.{role}"
        rules[settings.email_attribute] = f"{self._where}.email"
        return rules
