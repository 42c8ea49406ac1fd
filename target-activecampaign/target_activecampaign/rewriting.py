"""Fields that don't keep what was written: counted by row, left alone in time, named at the end."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from target_kit.outcome import Outcome, Result

from target_activecampaign import worklist
from target_activecampaign.changes_back import Due, Why, digest, follow, left_alone
from target_activecampaign.memory import Memory
from target_activecampaign.model import Change, Contact, Existing, Field

logger = logging.getLogger(__name__)

#: Why a row that still differs was not written: the report's cause.
LEFT_ALONE = "changes_back"
_SAID = (Outcome.APPLIED, Outcome.UNCHANGED, Outcome.HELD)


@dataclass(slots=True)
class _Row:
    """What differed in any of a row's looks, by name of the field, and what of it is left alone."""

    wanted: dict[str, bytes] = field(default_factory=dict)
    left: dict[str, Why] = field(default_factory=dict)


class Rewriting:
    """`fields` are custom fields by id; `key_field` is who somebody is, and never left alone.
    `quarantine_after` is the number of runs after which a field is; 0 for never.
    """

    def __init__(
        self,
        stream: str,
        memory: Memory,
        fields: Mapping[str, Field],
        key_field: str,
        quarantine_after: int,
    ) -> None:
        self._stream = stream
        self._memory = memory
        self._streaks = memory.streaks
        self._fields = fields
        self._never = (key_field,)
        self._quarantine_after = quarantine_after
        self._rows: dict[str, _Row] = {}
        self.changing: Counter[str] = Counter()
        self.left: dict[Why, Counter[str]] = {why: Counter() for why in Why}

    def plan(self, contact: Contact, existing: Existing, change: Change) -> Change:
        """`change` without the fields that are to be left alone."""
        known = self._streaks.of(contact.identity)
        if not known and not change.attributes and not change.values:
            return change
        due = self._due(existing, change)
        row = self._rows.setdefault(contact.identity, _Row())
        row.wanted |= {name: digest(one.wanted) for name, one in due.items()}
        row.left = left_alone(due, known, self._quarantine_after, self._never)
        if not row.left:
            return change
        attributes = {n: text for n, text in change.attributes.items() if n not in row.left}
        values = {f: v for f, v in change.values.items() if self._name(f) not in row.left}
        kept = change.kept or (LEFT_ALONE if Why.BACK in row.left.values() else "")
        return replace(change, attributes=attributes, values=values, kept=kept)

    def settled(self, contact: Contact, result: Result) -> None:
        """A row has its outcome: what was written is remembered, what agrees forgotten."""
        who = contact.identity
        row = self._rows.pop(who, None)
        if row is None or result.outcome not in _SAID:
            return
        known = self._streaks.of(who)
        written = {name: value for name, value in row.wanted.items() if name not in row.left}
        if result.outcome is Outcome.UNCHANGED:
            written = {}  # what differed had come right by itself before it was written
        again = follow(who, written, known)
        self.changing.update(one.name for one in again if one.times > 1)
        for name, why in row.left.items():
            self.left[why][name] += 1
        agreeing = known.keys() - row.wanted.keys()
        self._streaks.note(again, [(who, name) for name in agreeing])

    def details(self) -> dict[str, Any]:
        """For the report: how many contacts by name of the field."""
        said = {
            "changes_back": self.changing + self.left[Why.BACK],
            "left_alone": self.left[Why.BACK],
            "kept_in_another_form": self.left[Why.FORM],
        }
        return {name: dict(sorted(counts.items())) for name, counts in said.items() if counts}

    def finish(self) -> None:
        """Name the fields: in the log, and on the worklist for as long as anybody's changes."""
        left = self.left[Why.BACK]
        changing = self.changing + left
        if changing:
            logger.warning(
                "%s: fields that do not keep what is written there: %s (contacts); left alone: %s",
                self._stream,
                ", ".join(f"{name} {number}" for name, number in sorted(changing.items())),
                ", ".join(f"{name} {number}" for name, number in sorted(left.items())) or "none",
            )
        self._memory.note_fields(
            [worklist.changes_back(name, changing[name], left[name]) for name in sorted(changing)],
            worklist.CHANGES_BACK,
            still=self._streaks.is_any,
        )

    def _due(self, existing: Existing, change: Change) -> dict[str, Due]:
        before = existing.attributes
        due = {n: Due(text, before.get(n, "")) for n, text in change.attributes.items()}
        for field_id, text in change.values.items():
            stored = existing.values.get(field_id, "")
            due[self._name(field_id)] = Due(text, stored, self._fields.get(field_id))
        return due

    def _name(self, field_id: str) -> str:
        known = self._fields.get(field_id)
        return known.perstag if known else field_id
