"""Which rows can be imported in bulk, as what, in which batches, and whether that is cheaper. Pure.

Source: https://developers.activecampaign.com/reference/bulk-import-contacts. An import knows people
by their address alone: it can't change one, nor remove a tag, nor end a membership, and what it
makes of a blank value is not documented. Such rows are written one by one, as is everybody who was
ever on a list that they are wanted on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import msgspec
from target_kit.consent import Method

from target_activecampaign.model import Change, Contact, Existing
from target_activecampaign.planning import PAGE
from target_activecampaign.states import existing_key

MOST_ROWS = 250  # of one request
MOST_BYTES = 399_999  # of one request's body
FEWEST = 10  # below, the vendor says, single calls serve better
_AROUND = len(b'{"contacts":[]}')
#: Attributes of a contact by the names that an import has for them.
CDATE = "cdate"
_NAMES = {"firstName": "first_name", "lastName": "last_name", "phone": "phone"}


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One contact of an import: `body` is its JSON, `contact_id` None where it will be created,
    `single_calls` what it would take to write it by itself, `existing` what that was decided on.
    """

    seq: int
    contact: Contact
    change: Change
    body: bytes
    single_calls: int
    existing: Existing | None = None

    @property
    def contact_id(self) -> str | None:
        """The contact to update."""
        return self.change.contact_id


class Spellings:
    """Names of tags as the account has them, or as this run wrote them first: the vendor compares
    them without case, and an import creates what it does not find.
    """

    def __init__(self, names: Iterable[str]) -> None:
        known = list(names)
        self._exact = set(known)
        self._folded = {name.lower(): name for name in reversed(known)}
        self.made: set[str] = set()

    def of(self, name: str) -> str:
        """How to write this tag; `made` has those that the import creates."""
        if name in self._exact:
            return name
        if name.lower() not in self._folded:
            self._folded[name.lower()] = name
            self.made.add(name)
        return self._folded[name.lower()]


def import_row(
    seq: int,
    contact: Contact,
    existing: Existing | None,
    change: Change,
    spellings: Spellings,
    *,
    exclude_automations: bool = False,
    without_cdate: bool = False,
) -> ImportRow | None:
    """The row of an import that makes `change` true, None where an import can't or must not.

    An account to associate stays for the single calls that look at the row again. No import takes a
    date of creation: such a row fits only where it may go `without_cdate`.
    """
    if without_cdate:
        others = {name: text for name, text in change.attributes.items() if name != CDATE}
        change = replace(change, attributes=others)
    email = _address(contact, existing, change)
    if email is None or not _importable(contact, existing, change):
        return None
    row: dict[str, Any] = {"email": email}
    row |= {_NAMES[name]: text for name, text in change.attributes.items()}
    if change.tags.add:
        row["tags"] = list(dict.fromkeys(spellings.of(name) for name in change.tags.add))
    if change.values:
        row["fields"] = [{"id": _number(f), "value": text} for f, text in change.values.items()]
    if change.lists:
        row["subscribe"] = [{"listid": _number(one.list_id)} for one in change.lists]
    if exclude_automations:
        row["exclude_automations"] = True
    try:
        body = msgspec.json.encode(row)
    except UnicodeEncodeError:  # half a pair: its own call says so
        return None
    if len(body) + _AROUND > MOST_BYTES:
        return None
    return ImportRow(seq, contact, change, body, single_calls(change), existing)


def _number(id_: str) -> int | str:
    """Ids are numbers in imports; in a rehearsal some do not exist yet."""
    return int(id_) if id_.isdecimal() else id_


def _address(contact: Contact, existing: Existing | None, change: Change) -> str | None:
    """How the account writes the address: whether other letters are the same one is not promised.
    None where it is not the one that the source has.
    """
    if contact.email is None:
        return None
    if existing is None:
        return change.email.display if change.email else None
    if change.email or existing_key(existing) != contact.email.key:
        return None
    return existing.email


def _importable(contact: Contact, existing: Existing | None, change: Change) -> bool:
    unfit = (
        contact.deleted or contact.origin or change.held or change.retire or change.suppressed
        or change.problems or change.tags.remove or change.tags.clean or change.tags.settles
    )  # fmt: skip
    wants = change.touches_contact or change.lists or change.tags.add
    if unfit or not wants:
        return False
    if not all(name in _NAMES and text.strip() for name, text in change.attributes.items()):
        return False  # blank clears, and a date of creation can't be told
    if not all(text.strip() for text in change.values.values()):
        return False
    there = existing.lists if existing else {}
    return not change.lists or (
        there is not None
        and all(c.method is Method.SUBSCRIBE and c.list_id not in there for c in change.lists)
    )


def single_calls(change: Change) -> int:
    """Calls that writing this row by itself takes; what is on lists and tags is read before."""
    known = change.contact_id is not None
    calls = int(not known or change.touches_contact)
    calls += len(change.lists) + (known and bool(change.lists))
    return calls + len(change.tags.add) + (known and bool(change.tags.add))


def cut(rows: Iterable[ImportRow]) -> Iterator[list[ImportRow]]:
    """Batches that one request can take, in order; reads no further than it has to."""
    batch: list[ImportRow] = []
    size = _AROUND
    for row in rows:
        if batch and (len(batch) == MOST_ROWS or size + len(row.body) + 1 > MOST_BYTES):
            yield batch
            batch, size = [], _AROUND
        batch.append(row)
        size += len(row.body) + (len(batch) > 1)
    if batch:
        yield batch


def pays(strategy: str, batch: Sequence[ImportRow], *, first: bool) -> bool:
    """Whether to import a batch: always by `bulk`; by `auto` where the calls it adds (the import,
    its status, the pages to read known contacts before and all after, and once the waiting) are
    fewer than those it saves.
    """
    if strategy != "auto":
        return strategy == "bulk"
    if first and len(batch) < FEWEST:
        return False
    known = sum(row.contact_id is not None for row in batch)
    added = 2 + ceil(len(batch) / PAGE) + ceil(known / PAGE) + (2 if first else 0)
    return added < sum(row.single_calls for row in batch)
