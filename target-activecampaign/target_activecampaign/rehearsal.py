"""A rehearsal: the account as it would be, by a client that reads and does not write.

The corridor walks as in a run. What it would write is entered into the run's own index and counted
by endpoint; what it would read of a contact that the index has is counted as well, and answered
from there. So a plan costs the reads of a run, and knows the calls of all the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import msgspec
from target_kit.clock import Clock
from target_kit.consent import Method
from target_kit.http import Safety

from target_activecampaign.client import COMPARED, ActiveCampaign, FieldValue
from target_activecampaign.endpoints import Endpoints
from target_activecampaign.list_client import StatusAnswer
from target_activecampaign.look import Look
from target_activecampaign.model import Change, Existing, Field, Membership
from target_activecampaign.planning import PAGE
from target_activecampaign.withdrawal_client import ACTIVE, WithdrawalEndpoints

NEW = "new-"  # ids of what does not exist yet
_UNSUBSCRIBED = "2"


class Picture:
    """What would be true by now, and the `calls` that would have made it so, by route."""

    def __init__(self, clock: Clock) -> None:
        self.calls: Counter[str] = Counter()
        self.writes = 0
        self._clock = clock
        self._look: Look | None = None
        self._gone: set[str] = set()
        self._changed: set[str] = set()
        self._numbers = count(1)

    def show(self, look: Look) -> None:
        """Take the existing side of a stream as what is true to begin with."""
        self._look = look

    def read(self, route: str) -> None:
        """Count a read that a run would make."""
        self.calls[f"GET {route}"] += 1

    def write(self, route: str) -> None:
        """Count a write that a run would make."""
        self.calls[route] += 1
        self.writes += 1

    def new_id(self) -> str:
        """An id for what does not exist yet."""
        return f"{NEW}{next(self._numbers)}"

    def existing(self, contact_id: str) -> Existing | None:
        """The contact as it would be, None where the index does not have it."""
        return self._look.existing(contact_id) if self._look else None

    def is_gone(self, contact_id: str) -> bool:
        """Whether the contact would have been deleted by now."""
        return contact_id in self._gone

    def delete(self, contact_id: str) -> None:
        """The contact would be deleted."""
        self._gone.add(contact_id)

    def touch(self, contact_id: str) -> None:
        """The contact would not be as it is: the index has how, what is read has not."""
        self._changed.add(contact_id)

    def as_changed(self, read: Sequence[Existing]) -> list[Existing]:
        """Contacts that were read, as they would be."""
        there = [one for one in read if not self.is_gone(one.id)]
        return [(self.existing(one.id) or one) if one.id in self._changed else one for one in there]

    def change(self, contact: Existing) -> None:
        """The contact would be like this."""
        self.touch(contact.id)
        if self._look:
            self._look.remember([contact])

    def membership(self, contact_id: str, list_id: str, *, active: bool) -> Membership:
        """Somebody would join a list, or leave it."""
        row = Membership(ACTIVE) if active else Membership(_UNSUBSCRIBED, self._clock.now())
        if existing := self.existing(contact_id):
            lists = {**(existing.lists or {}), list_id: row}
            self.change(msgspec.structs.replace(existing, lists=lists))
        return row


class _Unwriting(Endpoints):
    """The last safeguard: whatever is not rehearsed here can't be sent either."""

    def write(
        self, method: str, path: str, route: str, payload: Any, safety: Safety
    ) -> Mapping[str, Any]:
        """See Endpoints."""
        del path, payload, safety
        raise AssertionError(f"unreachable: {method} {route} in a rehearsal")


class RehearsedContacts(_Unwriting, ActiveCampaign):
    """Contacts and custom fields; see ActiveCampaign for every method."""

    def __init__(self, real: ActiveCampaign, picture: Picture) -> None:
        super().__init__(real.api, real.beside)
        self.picture = picture

    def create_field(self, perstag: str, field_type: str, title: str) -> Field:
        """See ActiveCampaign."""
        del title
        self.picture.write("POST fields")
        return Field(f"{NEW}{perstag}", perstag, field_type, relations=())

    def create_options(self, field: Field, options: Sequence[tuple[str, str]]) -> None:
        """See ActiveCampaign."""
        del field, options
        self.picture.write("POST fieldOption/bulk")

    def relate_field(self, field: Field, list_id: str) -> None:
        """See ActiveCampaign."""
        del field, list_id
        self.picture.write("POST fieldRels")

    def contact(self, contact_id: str) -> Existing | None:
        """See ActiveCampaign."""
        known = self.picture.existing(contact_id)
        if self.picture.is_gone(contact_id):
            self.picture.read("contacts/{id}")
            return None
        if known is None or (known.lists is None and "contactLists" in self.beside):
            return super().contact(contact_id)
        self.picture.read("contacts/{id}")
        return known

    def read_back(self, ids: Sequence[str]) -> list[Existing]:
        """See ActiveCampaign."""
        for _ in range(0, len(ids), PAGE):
            self.picture.read("contacts")
        return [known for i in ids if (known := self.picture.existing(i))]

    def by_ids(self, ids: Sequence[str]) -> list[Existing]:
        """See ActiveCampaign."""
        return self.picture.as_changed(super().by_ids(ids))

    def by_email(self, email: str, *, like: bool = False) -> list[Existing]:
        """See ActiveCampaign."""
        return self.picture.as_changed(super().by_email(email, like=like))

    def values_of_field(self, field_id: str) -> Iterator[list[FieldValue]]:
        """See ActiveCampaign: a field that does not exist yet has no values."""
        if field_id.startswith(NEW):
            self.picture.read("fieldValues")
            return iter(())
        return super().values_of_field(field_id)

    def contacts_with_value(self, field_id: str, value: str) -> list[FieldValue]:
        """See ActiveCampaign: a field that does not exist yet has no values."""
        if field_id.startswith(NEW):
            self.picture.read("fieldValues")
            return []
        return super().contacts_with_value(field_id, value)

    def create_contact(self, change: Change) -> tuple[str, set[str]]:
        """See ActiveCampaign."""
        self.picture.write("POST contacts")
        contact_id = self.picture.new_id()
        email = change.email.display if change.email else ""
        attributes = {name: change.attributes.get(name, "") for name in COMPARED}
        made = Existing(contact_id, email, attributes, dict(change.values), lists={}, tags={})
        self.picture.change(made)
        return contact_id, set(change.values)

    def update_contact(self, change: Change) -> tuple[str, set[str]]:
        """See ActiveCampaign."""
        self.picture.write("PUT contacts/{id}")
        self.picture.touch(change.contact_id or "")
        known = self.picture.existing(change.contact_id or "")
        email = change.email.display if change.email else known.email if known else ""
        return email, set(change.values)

    def put_field_value(self, contact_id: str, field_id: str, value: str) -> None:
        """See ActiveCampaign."""
        self.picture.write("POST fieldValues")
        if known := self.picture.existing(contact_id):
            values = {**known.values, field_id: value}
            self.picture.change(msgspec.structs.replace(known, values=values))


class RehearsedMemberships(_Unwriting, WithdrawalEndpoints):
    """Lists, tags and deletions; see WithdrawalEndpoints for every method."""

    def __init__(self, real: WithdrawalEndpoints, picture: Picture) -> None:
        super().__init__(real.api)
        self._picture = picture

    def set_status(self, contact_id: str, list_id: str, method: Method) -> StatusAnswer:
        """See ListEndpoints."""
        self._picture.write("POST contactLists")
        known = self._picture.existing(contact_id)
        active = method is not Method.UNSUBSCRIBE
        row = self._picture.membership(contact_id, list_id, active=active)
        return StatusAnswer(row, known.bounces if known else 0)

    def create_tag(self, name: str) -> str:
        """See ListEndpoints."""
        del name
        self._picture.write("POST tags")
        return self._picture.new_id()

    def tags_of(self, contact_id: str) -> dict[str, str]:
        """See ListEndpoints."""
        known = self._picture.existing(contact_id)
        if known is None or known.tags is None:
            return super().tags_of(contact_id)
        self._picture.read("contacts/{id}/contactTags")
        return dict(known.tags)

    def add_tag(self, contact_id: str, tag_id: str) -> str:
        """See ListEndpoints."""
        self._picture.write("POST contactTags")
        relation_id = self._picture.new_id()
        if known := self._picture.existing(contact_id):
            tags = {**(known.tags or {}), tag_id: relation_id}
            self._picture.change(msgspec.structs.replace(known, tags=tags))
        return relation_id

    def remove_tag(self, relation_id: str) -> None:
        """See ListEndpoints: whoever takes a tag away enters that into the index."""
        del relation_id
        self._picture.write("DELETE contactTags/{id}")

    def active_lists(self, contact_id: str) -> list[str]:
        """See WithdrawalEndpoints."""
        known = self._picture.existing(contact_id)
        if known is None or known.lists is None:
            return super().active_lists(contact_id)
        self._picture.read("contacts/{id}/contactLists")
        return [list_id for list_id, row in known.lists.items() if row.status == ACTIVE]

    def delete_contact(self, contact_id: str) -> None:
        """See WithdrawalEndpoints."""
        self._picture.write("DELETE contacts/{id}")
        self._picture.delete(contact_id)
