"""Tags of contacts: read before they are changed; a missing one is created once, when first due."""

from __future__ import annotations

import msgspec
from target_kit.errors import CallRefused, OutcomeUnknown

from target_activecampaign.list_client import ListEndpoints
from target_activecampaign.list_settings import TagRule
from target_activecampaign.look import Look
from target_activecampaign.memberships import plan_tags
from target_activecampaign.model import Contact, Existing, FieldProblem, TagChange


class Tags:
    """The tags of one stream's contacts; `names` are the account's by id, shared by streams."""

    def __init__(
        self, client: ListEndpoints, look: Look, rule: TagRule, names: dict[str, str]
    ) -> None:
        self._client = client
        self._look = look
        self._rule = rule
        self._names = names

    def known(self, existing: Existing) -> Existing:
        """The contact with its tags: 1 call where its look-up did not bring them."""
        return existing if existing.tags is not None else self._read(existing)

    def plan(
        self, contact: Contact, existing: Existing | None
    ) -> tuple[TagChange, tuple[FieldProblem, ...]]:
        """See `memberships.plan_tags`."""
        return plan_tags(contact, existing, self._rule, self._names)

    def carry_out(self, contact: Contact, contact_id: str, *, created: bool) -> str:
        """Add and remove what is due by what is there now; returns "tagged" if anything was.

        Raises what calls raise.
        """
        existing = self._look.existing(contact_id)
        if existing is None:
            return ""
        live = existing if created else self._read(existing)
        change, _ = self.plan(contact, live)
        held = dict(live.tags or {})
        for name in change.add:
            tag_id = self._tag(name)
            held[tag_id] = self._client.add_tag(contact_id, tag_id)
        for tag_id in change.remove:
            self._remove(held.pop(tag_id))
        self._look.remember([msgspec.structs.replace(live, tags=held)])
        return "tagged" if change.add or change.remove else ""

    def _read(self, existing: Existing) -> Existing:
        live = msgspec.structs.replace(existing, tags=self._client.tags_of(existing.id))
        self._look.remember([live])
        return live

    def _tag(self, name: str) -> str:
        """The tag's id; after a refused or lost creation it is looked for, as another client may
        have been first.
        """
        if found := self._find(name):
            return found
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
