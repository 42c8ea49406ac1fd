"""Is it there? What was written of some contacts against what is read of them afterwards. Pure.

Which contacts is left to chance, with a seed: every contact that was written is as likely as any
other. Of 20 contacts one at least differs with a chance of 64 % where 5 % of all do, and of 88 %
where 10 % do.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from target_kit.address import address_key
from target_kit.consent import State

from target_activecampaign.encoding import is_blank, same
from target_activecampaign.itemising import Naming
from target_activecampaign.model import Change, Existing, Field
from target_activecampaign.states import state_of

GONE = "the contact"  # what is missing of one that is not there at all
TAGS = "tags"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of a contact, by name: attributes, custom fields and lists by id, tags added
    by name in lower case, and taken away by id. `address` is True where that was.
    """

    attributes: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    untagged: frozenset[str] = frozenset()
    address: bool = False

    def __or__(self, other: Written) -> Written:
        return Written(
            self.attributes | other.attributes,
            self.values | other.values,
            self.lists | other.lists,
            self.tags | other.tags,
            self.untagged | other.untagged,
            self.address or other.address,
        )


def written_by(change: Change) -> Written:
    """All that a change writes to its contact."""
    return Written(
        frozenset(change.attributes),
        frozenset(change.values),
        frozenset(one.list_id for one in change.lists),
        frozenset(tag.lower() for tag in change.tags.add),
        frozenset((*change.tags.remove, *change.tags.clean)),
        change.email is not None,
    )


class Sample(Generic[T]):
    """At most `size` of all contacts that are offered, each with the same chance; the rest of what
    is offered of one that is in the sample is kept by whoever asks `has`.
    """

    def __init__(self, size: int, seed: str) -> None:
        self._size = size
        self._random = random.Random(seed)  # noqa: S311 - a sample, no secret
        self._seen = 0
        self._order: list[str] = []
        self.chosen: dict[str, T] = {}

    def offer(self, contact_id: str, item: T) -> None:
        """One more contact, or once more one that is chosen already: `item` then takes its place.

        A contact that was passed over and comes again has a second chance.
        """
        if contact_id in self.chosen:
            self.chosen[contact_id] = item
            return
        self._seen += 1
        if len(self._order) < self._size:
            self._order.append(contact_id)
        else:
            place = self._random.randrange(self._seen)
            if place >= self._size:
                return
            del self.chosen[self._order[place]]
            self._order[place] = contact_id
        self.chosen[contact_id] = item


def missing_in(
    live: Existing | None,
    believed: Existing,
    written: Written,
    fields: Mapping[str, Field],
    naming: Naming,
    began: datetime,
) -> list[str]:
    """Names of what is not at the contact as it was written; `believed` is what ought to be true.

    `fields` are custom fields by id. A person who left a list after `began` did so themselves. What
    the read did not bring is not judged. Values are compared as before a write: by their meaning.
    """
    if live is None:
        return [GONE]
    names = [
        name
        for name in sorted(written.attributes & believed.attributes.keys() & live.attributes.keys())
        if live.attributes[name].strip() != believed.attributes[name].strip()
    ]
    if written.address and address_key(live.email) != address_key(believed.email):
        names.append("email")
    names += [
        fields[field_id].perstag
        for field_id in sorted(written.values & fields.keys())
        if not _is_same(fields[field_id], live, believed)
    ]
    names += [
        f"lists.{naming.lists.get(list_id, list_id)}"
        for list_id in sorted(written.lists)
        if live.lists is not None and not _stands_as(list_id, live, believed, began)
    ]
    if live.tags is not None and not _is_tagged(live, written, naming):
        names.append(TAGS)
    return names


def active_in_spite(live: Existing | None, believed: Existing, written: Written) -> list[str]:
    """Lists that the contact is active on, though it was taken off."""
    if live is None or live.lists is None:
        return []
    return [
        list_id
        for list_id in sorted(written.lists)
        if state_of(live, list_id)[0] is State.ACTIVE
        and state_of(believed, list_id)[0] is not State.ACTIVE
    ]


def _is_same(field: Field, live: Existing, believed: Existing) -> bool:
    stored, wanted = (one.values.get(field.id, "") for one in (live, believed))
    if is_blank(field, stored) or is_blank(field, wanted):
        return is_blank(field, stored) and is_blank(field, wanted)
    return same(field, stored, wanted)


def _stands_as(list_id: str, live: Existing, believed: Existing, began: datetime) -> bool:
    state, ended_at = state_of(live, list_id)
    wanted = state_of(believed, list_id)[0]
    if wanted is State.ACTIVE and state is not State.ACTIVE:
        return ended_at is not None and ended_at >= began
    return (state is State.ACTIVE) == (wanted is State.ACTIVE)


def _is_tagged(live: Existing, written: Written, naming: Naming) -> bool:
    there = live.tags or {}
    names = {naming.tags[tag_id].lower() for tag_id in there if tag_id in naming.tags}
    return written.tags <= names and not written.untagged & there.keys()
