"""What `audit` finds in an account: one pass over its contacts, one over the ledger. Pure.

Held are ids, keys and addresses of all contacts, about 500 bytes each. Kinds:

    duplicate_address           two contacts with one address, but for case or blanks (S4-34)
    duplicate_key               two contacts with one backoffice key
    both_tag_families           tags of person accounts and of contacts or leads on one (S4-34)
    person_account_and_contact  a person account and another contact of the same person (S4-34)
    former_contact              given up when its person's address changed
    parked_address              left at its address of the moment while two swapped
    active_though_deleted       on a list, though the source had deleted the person
    forgotten_but_there         erased here by `forget`, not at ActiveCampaign
    gone                        the ledger's contact is not there any more
    address_differs             it has another address than when last seen
    key_differs                 it has another key than when last seen, or none
    changed_by_others           it changed after a run had seen it agree with the source
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from target_kit.address import address_key
from target_kit.ledger_entries import Person

from target_activecampaign.model import FORMER, Existing
from target_activecampaign.provenance_settings import RecordType

KINDS = (
    "duplicate_address", "duplicate_key", "both_tag_families", "person_account_and_contact",
    "former_contact", "parked_address", "active_though_deleted", "forgotten_but_there", "gone",
    "address_differs", "key_differs", "changed_by_others",
)  # fmt: skip
_PARKED = ("parked-", "@address-change.invalid")
_ACTIVE = "1"
_TOLERANCE = timedelta(minutes=1)  # between two clocks
_PERSON = RecordType.PERSON_ACCOUNT


@dataclass(frozen=True, slots=True)
class Finding:
    """`keys` are streams with identities such as `contacts key:17`, `contacts` ids."""

    kind: str
    contacts: tuple[str, ...]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What of a contact tells who it is: `key_fields` are ids by stream, `kinds` record types by
    the folded names of provenance tags, `tag_names` folded names by id. `named` says how a key is
    named in a stream, `deleted` and `forgotten` say it of a name in a stream.
    """

    key_fields: Mapping[str, str]
    tag_names: Mapping[str, str]
    kinds: Mapping[str, RecordType]
    named: Callable[[str, str], Collection[str]]
    deleted: Callable[[str, str], bool]
    forgotten: Callable[[str, str], bool]


@dataclass
class Audit:
    """`see` every contact, then `compare` each stream's persons, then `findings`."""

    rules: Rules
    found: list[Finding] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)  # by contact id
    _keys: dict[str, dict[str, str]] = field(default_factory=dict)  # by contact id, by stream
    _alike: dict[tuple[str, str], list[tuple[str, bool]]] = field(default_factory=dict)

    def see(self, contact: Existing) -> None:
        """One contact of the account."""
        rules, address = self.rules, address_key(contact.email)
        self.addresses[contact.id] = address
        texts = {s: contact.values.get(f, "").strip() for s, f in rules.key_fields.items()}
        keys = {stream: text for stream, text in texts.items() if text}
        if any(text.startswith(FORMER) for text in keys.values()):
            self._note("former_contact", contact.id, self._named(keys))
            keys = {stream: text for stream, text in keys.items() if not text.startswith(FORMER)}
        self._keys[contact.id] = keys
        if address.startswith(_PARKED[0]) and address.endswith(_PARKED[1]):
            self._note("parked_address", contact.id, self._named(keys))
        self._families(contact, keys)
        names = [(s, n) for s, text in keys.items() for n in rules.named(s, text)]
        names += [(stream, f"email:{address}") for stream in rules.key_fields]
        active = any(row.status == _ACTIVE for row in (contact.lists or {}).values())
        if active and any(rules.deleted(*name) for name in names):
            self._note("active_though_deleted", contact.id, self._named(keys))
        if any(rules.forgotten(*name) for name in names):
            self._note("forgotten_but_there", contact.id, ())

    def compare(
        self, stream: str, people: Iterable[Person], changed: Mapping[str, datetime]
    ) -> None:
        """What the ledger knows of a stream; `changed` says when contacts changed last."""
        for person in people:
            name = (f"{stream} {person.who}",) if person.who.startswith("key:") else ()
            address = self.addresses.get(person.contact_id)
            if address is None:
                self._note("gone", person.contact_id, name)
                continue
            if address != person.address_key:
                self._note("address_differs", person.contact_id, name)
            text = self._keys[person.contact_id].get(stream, "")
            if name and person.who not in self.rules.named(stream, text):
                self._note("key_differs", person.contact_id, name)
            at = changed.get(person.contact_id)
            if at and person.fingerprint and at > person.seen_at + _TOLERANCE:
                self._note("changed_by_others", person.contact_id, name)

    def findings(self) -> list[Finding]:
        """All, in the order of `KINDS`."""
        every = [*self.found, *self._duplicates(), *self._persons()]
        return sorted(every, key=lambda one: (KINDS.index(one.kind), one.contacts))

    def _families(self, contact: Existing, keys: Mapping[str, str]) -> None:
        held = {self.rules.tag_names.get(number, "") for number in contact.tags or {}}
        kinds = {self.rules.kinds[name] for name in held & self.rules.kinds.keys()}
        if _PERSON in kinds and len(kinds) > 1:
            self._note("both_tag_families", contact.id, self._named(keys))
        name = " ".join(contact.attributes.get(n, "") for n in ("firstName", "lastName"))
        phone = "".join(c for c in contact.attributes.get("phone", "") if c.isdigit())
        if self.rules.kinds and name.strip() and phone:
            alike = self._alike.setdefault((" ".join(name.lower().split()), phone), [])
            alike.append((contact.id, _PERSON in kinds))

    def _duplicates(self) -> Iterator[Finding]:
        by_address: dict[str, list[str]] = {}
        by_key: dict[tuple[str, str], list[str]] = {}
        for number, address in self.addresses.items():
            by_address.setdefault(address, []).append(number)
            for stream, text in self._keys[number].items():
                name = _shortest(self.rules.named(stream, text))
                by_key.setdefault((stream, name), []).append(number)
        for address, numbers in by_address.items():
            if address and len(numbers) > 1:
                yield Finding("duplicate_address", tuple(numbers))
        for (stream, name), numbers in by_key.items():
            if len(numbers) > 1:
                yield Finding("duplicate_key", tuple(numbers), (f"{stream} {name}",))

    def _persons(self) -> Iterator[Finding]:
        for alike in self._alike.values():
            if len({is_person for _, is_person in alike}) > 1:
                yield Finding("person_account_and_contact", tuple(number for number, _ in alike))

    def _note(self, kind: str, number: str, keys: tuple[str, ...]) -> None:
        self.found.append(Finding(kind, (number,), keys))

    def _named(self, keys: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(f"{stream} key:{text}" for stream, text in keys.items())


def _shortest(names: Collection[str]) -> str:
    """One name for all spellings of a number."""
    return min(names, key=lambda name: (len(name), name))


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """How many of each kind, every kind named."""
    found = Counter(one.kind for one in findings)
    return {kind: found[kind] for kind in KINDS}
