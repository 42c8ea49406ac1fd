"""Drafts as items of a plan: what identifies a write, without the values. Pure."""

from __future__ import annotations

from target_kit.plan import Digests
from target_kit.plan_model import Item

from target_optimizely.drafting import Draft
from target_optimizely.settings import ListSettings


class Itemiser:
    """Of one list: the same person in two lists has two names."""

    def __init__(self, settings: ListSettings, digests: Digests) -> None:
        self._list_id = str(settings.list_id)
        self._name = settings.name
        self._digests = digests

    def who(self, recipient_id: str) -> str:
        """How a recipient is named in a plan."""
        return self._digests.who(f"{self._list_id} {recipient_id}")

    def item(self, recipient_id: str, draft: Draft) -> Item:
        """The same only for the same recipient, list, thing and values before and after."""
        identity = f"{self._list_id} {recipient_id}"
        digest = self._digests.item(
            identity, self._list_id, draft.kind, draft.name, draft.before, draft.after
        )
        name = draft.name or self._name
        return Item(draft.kind, name, draft.rule, digest, draft.withdrawal)
