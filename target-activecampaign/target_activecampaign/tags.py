"""Tags of contacts: read before they are changed; a missing one is created once, when first due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec
from target_kit.errors import CallRefused, OutcomeUnknown
from target_kit.hands import Hands

from target_activecampaign import provenance
from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.list_settings import TagRule
from target_activecampaign.look import Look
from target_activecampaign.memberships import plan_tags
from target_activecampaign.model import Contact, Existing, FieldProblem, TagChange
from target_activecampaign.provenance_settings import Provenance


@dataclass(frozen=True, slots=True)
class Marking:
    """How contacts are marked with where they came from: by `rule`, while the custom field with
    this id says which created tag is still due; `put_value` writes it (contact, field, value).
    """

    rule: Provenance
    field_id: str
    put_value: Callable[[str, str, str], None]

    def pending(self, existing: Existing) -> str:
        """From which record type the contact was made, "" unless its tag is still due."""
        return existing.values.get(self.field_id, "").strip()


class Tags:
    """The tags of one stream's contacts; `names` are the account's by id, shared by streams.

    With `marking` also those that tell where a contact came from. `legacy` counts, by row, the tags
    that clean-up removed, or would remove if it were on.
    """

    def __init__(
        self,
        client: ListEndpoints,
        look: Look,
        rule: TagRule,
        names: dict[str, str],
        hands: Hands,
        marking: Marking | None = None,
    ) -> None:
        self._client = client
        self._look = look
        self._rule = rule
        self._names = names
        self._hands = hands
        self._marking = marking
        self.legacy: dict[str, int] = {}

    def known(self, existing: Existing) -> Existing:
        """The contact with its tags: 1 call where its look-up did not bring them."""
        return existing if existing.tags is not None else self._read(existing)

    def barred(self, contact: Contact, existing: Existing | None) -> str:
        """See `provenance.barred`."""
        origin, marking = contact.origin, self._marking
        if origin is None or marking is None:
            return ""
        if existing is None:
            return provenance.barred(origin, None, "", marking.rule)
        return provenance.barred(
            origin, self._held(existing), marking.pending(existing), marking.rule
        )

    def marks(self, contact: Contact) -> dict[str, str]:
        """Values by field id that go along with the creation of a contact."""
        if contact.origin is None or self._marking is None:
            return {}
        return {self._marking.field_id: contact.origin.record_type}

    def plan(
        self, contact: Contact, existing: Existing | None, *, created: bool = False
    ) -> tuple[TagChange, tuple[FieldProblem, ...]]:
        """See `memberships.plan_tags` and `provenance`; `created`: by this run, right now."""
        change, problems = plan_tags(contact, existing, self._rule, self._names)
        origin, marking = contact.origin, self._marking
        if origin is None or marking is None:
            return change, problems
        held = self._held(existing) if existing else {}
        marked = marking.pending(existing) if existing else ""
        pending = origin.record_type if created or existing is None else marked
        due = provenance.due(origin, held, pending, marking.rule)
        then = {**dict.fromkeys((tag.lower() for tag in due), ""), **held}
        clean = provenance.legacy(origin, then, marking.rule)
        if clean and not marking.rule.clean_up:
            self.legacy[contact.identity] = len(clean)
        change = replace(
            change,
            add=(*change.add, *due),
            clean=clean if marking.rule.clean_up else (),
            settles=bool(marked),
        )
        return change, problems

    def carry_out(self, contact: Contact, contact_id: str, *, created: bool) -> str:
        """Add and remove what is due by what is there now; returns "tagged" if anything was.

        Raises what calls raise.
        """
        existing = self._look.existing(contact_id)
        if existing is None:
            return ""
        live = existing if created else self._read(existing)
        change, _ = self.plan(contact, live, created=created)
        held = dict(live.tags or {})
        for name in change.add:
            tag_id = self._tag(name)
            held[tag_id] = self._client.add_tag(contact_id, tag_id)
        for tag_id in change.remove:
            self._remove(held.pop(tag_id))
        live = msgspec.structs.replace(live, tags=held)
        self._look.remember([live])
        if self._marking and change.settles:
            live = self._settle(live, self._marking)
        if self._marking and change.clean:
            self._clean_up(contact, live, self._marking.rule, read_back=bool(change.add))
        return "" if change.empty else "tagged"

    def _settle(self, live: Existing, marking: Marking) -> Existing:
        """The due tag is on: nothing may set it again, whoever takes it off."""
        marking.put_value(live.id, marking.field_id, "")
        live = msgspec.structs.replace(live, values={**live.values, marking.field_id: ""})
        self._look.remember([live])
        return live

    def _clean_up(
        self, contact: Contact, live: Existing, rule: Provenance, *, read_back: bool
    ) -> None:
        """Remove legacy tags, once the tag that takes their place is seen on the contact."""
        live = self._read(live) if read_back else live
        held = dict(live.tags or {})
        due = provenance.legacy(contact.origin, self._held(live), rule) if contact.origin else ()
        for tag_id in due:
            self._remove(held.pop(tag_id))
        self.legacy[contact.identity] = len(due)
        self._look.remember([msgspec.structs.replace(live, tags=held)])

    def _held(self, existing: Existing) -> dict[str, str]:
        return {self._names[i].lower(): i for i in existing.tags or {} if i in self._names}

    def _read(self, existing: Existing) -> Existing:
        live = msgspec.structs.replace(existing, tags=self._client.tags_of(existing.id))
        self._look.remember([live])
        return live

    def _tag(self, name: str) -> str:
        """The tag's id; after a refused or lost creation it is looked for, as another client may
        have been first.
        """
        with self._hands.alone({f"tag {name.lower()}"}):  # or two rows would make it
            return self._find(name) or self._create(name)

    def _create(self, name: str) -> str:
        try:
            made = self._client.create_tag(name)
        except (CallRefused, OutcomeUnknown):
            self._names.update(self._client.tags())
            if found := self._find(name):
                return found
            raise
        self._names[made] = name
        return made

    def _find(self, name: str) -> str | None:
        folded = name.lower()
        alike = [i for i, text in self._names.items() if text.lower() == folded]
        exact = [i for i in alike if self._names[i] == name]
        return next(iter(exact + alike), None)

    def _remove(self, relation_id: str) -> None:
        try:
            self._client.remove_tag(relation_id)
        except CallRefused as refused:
            if refused.status != 404:  # gone already: what was wanted
                raise
