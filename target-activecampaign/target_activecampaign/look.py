"""Reading what exists: a keyset crawl of the account, or look-ups record by record.

Fills the run's DestinationIndex. Mapping reads are always live (S0-21); the strategy is chosen by
cost in planning and named in the report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec
from target_kit.address import Address, address_key
from target_kit.index import DestinationIndex, Entry
from target_kit.signals import StopSignal

from target_activecampaign.client import ActiveCampaign
from target_activecampaign.encoding import same
from target_activecampaign.model import FORMER, Contact, Existing, Field, KeyType, canonical_key

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Existing)


class Look:
    """The existing side of one stream's mapping."""

    def __init__(
        self,
        client: ActiveCampaign,
        index: DestinationIndex,
        key_field: Field,
        owned: Iterable[Field],
        key_type: KeyType,
        stop: StopSignal,
    ) -> None:
        self._client = client
        self._index = index
        self._key_field = key_field
        self._owned = {key_field.id: key_field} | {f.id: f for f in owned}
        self._key_type = key_type
        self._stop = stop
        self._looked: set[str] = set()
        self._crawled = False
        self._changes_read = False
        self.verify_before_insert = False

    def adopt(self, other: Look) -> None:
        """Know what another one has read."""
        self._index.fill(other._index)
        self._looked = set(other._looked)
        self._crawled, self._changes_read = other._crawled, other._changes_read
        self.verify_before_insert = other.verify_before_insert

    def crawl(self) -> None:
        """Read every contact of the account: 1 call per 100, with values where `include` works,
        otherwise plus 1 call per 100 values of each owned field.
        """
        with_values = True
        for page, carried in self._client.crawl(values=True):
            self._stop.check()
            with_values = with_values and carried
            self.remember(page)
        self._crawled = True
        if with_values:
            return
        # The documented way; its offset pages may shift while others write, so a key that seems
        # new is looked up once more before anything is inserted.
        self.verify_before_insert = True
        for field_id in self._owned:
            for values in self._client.values_of_field(field_id):
                self._stop.check()
                for value in values:
                    if existing := self.existing(value.contact_id):
                        merged = {**existing.values, field_id: value.value}
                        self.remember([msgspec.structs.replace(existing, values=merged)])

    def read_changes(self, since: datetime, doubt: Callable[[Sequence[str]], None]) -> int:
        """Read the contacts that changed after `since`, 1 call per 100; returns how many. `doubt`
        is told of each page before it is used.

        Where the pages bring no values, each contact is read for itself.
        """
        number, self._changes_read = 0, True
        for page, carried in self._client.crawl(values=True, since=since):
            self._stop.check()
            ids = [contact.id for contact in page]
            doubt(ids)
            self.remember(page if carried else self._client.by_ids(ids))
            number += len(ids)
        return number

    def read_known(self, contact_ids: Sequence[str]) -> None:
        """Read contacts by id, 1 call per 100; those that are gone leave the index."""
        found = self._client.by_ids(contact_ids)
        self.remember(found)
        for gone in set(contact_ids).difference(contact.id for contact in found):
            self._index.remove(gone)

    def read_new(self, after: int) -> set[str]:
        """Read the contacts that were created after the one with this id, 1 call per 100 where the
        pages bring their values; returns their ids.
        """
        found: set[str] = set()
        for page, carried in self._client.crawl(values=True, after=after):
            self._stop.check()
            ids = [contact.id for contact in page]
            self.remember(page if carried else self._client.by_ids(ids))
            found.update(ids)
        return found

    def look_up(self, contacts: Sequence[Contact]) -> None:
        """Point look-ups for a batch: key field, then contacts by id, then by address.

        About 2 calls a record. Repeated batches cost nothing: what was looked up is remembered.
        The filter compares texts, so a number that seems new is asked for in its other spellings
        before it is inserted (S0-22).
        """
        self.verify_before_insert = self._key_type is KeyType.NUMBER
        ids: dict[str, None] = {}
        for contact in contacts:
            self._stop.check()
            if contact.key and self._changes_read and self._index.by_key(contact.key):
                continue  # another contact with this key would be among the changes
            if contact.key and contact.key_text and self._first_time(f"key:{contact.key}"):
                ids.update(dict.fromkeys(self._ids_with_key(contact, contact.key_text)))
        self.remember(self._client.by_ids([i for i in ids if not self._index.get(i)]))
        for contact in contacts:
            self._stop.check()
            email = contact.email
            if not email or self._index.by_address(email.key):
                continue
            if self._first_time(f"email:{email.key}"):
                self.find_address(email)

    def find_address(self, address: Address, *, thorough: bool = False) -> bool:
        """Read the contact with this address into the index; True when there is one.

        Both spellings are asked for, since it is not documented whether the filter minds case;
        `thorough` adds the filter for parts of addresses, for when one is known to be there.
        """
        asked = {(address.display, False): None, (address.key, False): None}
        if thorough:
            asked[address.key, True] = None
        for text, like in asked:
            offered = self._client.by_email(text, like=like)
            found = [c for c in offered if address_key(c.email) == address.key]
            if found:
                self.remember(found)
                return True
        return False

    def confirm_new(self, contact: Contact) -> None:
        """Look once more for the key of a person about to be inserted, in every usual spelling."""
        if not contact.key or not contact.key_text:
            return
        if self._first_time(f"key:{contact.key}"):  # a crawl: all spellings were read, once more
            self.remember(self._client.by_ids(self._ids_with_key(contact, contact.key_text)))
        elif self._key_type is KeyType.NUMBER and self._first_time(f"spellings:{contact.key}"):
            for text in _other_spellings(contact.key):
                self.remember(self._client.by_ids(self._ids_with_key(contact, text)))

    def formers(self, contact: Contact) -> list[Existing]:
        """The contacts that were given up when this person's address changed: 1 call, once, where
        the account was not read as a whole.
        """
        if not contact.key or not contact.key_text:
            return []
        if self._first_time(f"former:{contact.key}") and not self._crawled:
            values = self._client.contacts_with_value(self._key_field.id, FORMER + contact.key_text)
            self.remember(self._client.by_ids([v.contact_id for v in values]))
        marked = self._index.by_key(FORMER + contact.key)
        return [_decoder.decode(entry.body) for entry in marked]

    def refresh(self, contact_id: str) -> Existing | None:
        """Read one contact live again; forget it if it is gone (S0-37)."""
        existing = self._client.contact(contact_id)
        if existing is None:
            self._index.remove(contact_id)
        else:
            self.remember([existing])
        return existing

    def holds(self, contact_id: str, field_id: str, value: str) -> bool:
        """Whether the contact, read live again, has this value in a field of ours (S0-53)."""
        existing = self.refresh(contact_id)
        stored = existing.values.get(field_id, "") if existing else None
        return stored is not None and same(self._owned[field_id], stored, value)

    def existing(self, contact_id: str) -> Existing | None:
        """The contact as last read or written."""
        entry = self._index.get(contact_id)
        return _decoder.decode(entry.body) if entry else None

    def remember(self, contacts: Iterable[Existing]) -> None:
        """Enter contacts as they are now into the index."""
        self._index.put([self._entry(contact) for contact in contacts])

    def _entry(self, contact: Existing) -> Entry:
        owned = {f: v for f, v in contact.values.items() if f in self._owned}
        text = owned.get(self._key_field.id, "")
        key = canonical_key(text, self._key_type)
        if text.startswith(FORMER):  # not who it is, but who it was
            key = FORMER + (canonical_key(text.removeprefix(FORMER), self._key_type) or "")
        elif key is None and text.strip():
            key = f"?{text.strip()}"  # unreadable, but not blank: a finding, never a match
        body = _encode(msgspec.structs.replace(contact, values=owned))
        return Entry(contact.id, address_key(contact.email), key, body)

    def _ids_with_key(self, contact: Contact, text: str) -> list[str]:
        values = self._client.contacts_with_value(self._key_field.id, text)
        return [
            v.contact_id for v in values if canonical_key(v.value, self._key_type) == contact.key
        ]

    def find_known(self, contact_id: str) -> bool:
        """Read a contact by its id where the index does not have it: 1 call, once. True when it is
        there, whatever the searches say.
        """
        if self._index.get(contact_id) is None and f"id:{contact_id}" not in self._looked:
            self.refresh(contact_id)
            self._looked.add(f"id:{contact_id}")  # not before: others may ask for it meanwhile
        return self._index.get(contact_id) is not None

    def _first_time(self, what: str) -> bool:
        if what in self._looked:
            return False
        self._looked.add(what)
        return True


def _other_spellings(key: str) -> tuple[str, ...]:
    """How else others are known to write a whole number; a filter can't be asked for all ways."""
    return (f"{key}.0", f"0{key}", f" {key} ") if key.isdigit() else ()
