"""Frozen values that walk the corridor: what is wanted, what exists, what will change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import msgspec
from target_kit.address import Address
from target_kit.consent import Consent, Method

#: In the key field of a contact given up for another address: the person's key follows.
FORMER = "former:"


class Rule(StrEnum):
    """When a field is written."""

    ALWAYS = "always"
    IF_EMPTY = "if_empty"
    ON_CREATE = "on_create"
    NEVER = "never"


class KeyType(StrEnum):
    """How two spellings of a backoffice key are compared (S0-22)."""

    AUTO = "auto"
    NUMBER = "number"
    TEXT = "text"


class Origin(msgspec.Struct, frozen=True):
    """What a record is at the source (a record type), what it was `converted_from` ("" for nothing
    said), and whether it was `added` there from a contact that ActiveCampaign had.
    """

    record_type: str
    converted_from: str = ""
    added: bool = False


class Contact(msgspec.Struct, frozen=True):
    """One wanted contact.

    `key` is the canonical backoffice key for comparing and `key_text` the text to write; both None
    for a null key (S0-49). `attributes` are contact attributes by API name without `email`;
    `values` are raw values of custom fields by perstag. Blank and null source values are absent:
    absent means "leave alone" (S0-50), a blank one "clear". `deleted` rows are facts about the
    source; `erase` says that such a person is to be erased.
    `consents` is by purpose, `wants` by list as configured: an unsaid list is absent. `tags` are
    those of the tags column, None where it says nothing. `origin` is None where nothing asks.
    """

    identity: str
    key: str | None
    key_text: str | None
    email: Address | None
    attributes: dict[str, str]
    values: dict[str, Any]
    account_key: str = ""
    deleted: bool = False
    consents: dict[str, Consent] = {}
    wants: dict[str, bool] = {}
    tags: tuple[str, ...] | None = None
    erase: bool = False
    origin: Origin | None = None


class Membership(msgspec.Struct, frozen=True):
    """A contact's row on a list: the vendor's status as text, and when they unsubscribed (aware,
    rounded up to a whole second), None where that is not known.
    """

    status: str
    ended_at: datetime | None = None


class Existing(msgspec.Struct, frozen=True):
    """One contact as the vendor has it: owned attributes and custom field values by field id.

    `lists` are its memberships by list id and `tags` the ids of its tag relations by tag id, None
    where they were not read. `bounces` counts hard bounces, `bounced_on` is the last one's day.
    """

    id: str
    email: str
    attributes: dict[str, str]
    values: dict[str, str]
    lists: dict[str, Membership] | None = None
    tags: dict[str, str] | None = None
    bounces: int = 0
    bounced_on: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field of contacts, or of accounts (`perstag` is its name in the settings then); one
    without `relations` to lists is hidden in the pages. `currency` is the one that amounts are in
    where nothing else is said.
    """

    id: str
    perstag: str
    type: str
    options: tuple[tuple[str, str], ...] = ()  # (value, label)
    relations: tuple[str, ...] | None = None  # ids of lists, "0" for all; None: not told
    currency: str = ""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """A custom field value that can't be written; the rest of the contact still is (S0-27)."""

    perstag: str
    cause: str
    message: str


@dataclass(frozen=True, slots=True)
class ListChange:
    """One membership to change, by a method that the firewall allows."""

    list_id: str
    method: Method


@dataclass(frozen=True, slots=True)
class TagChange:
    """Tags to add by name, and to remove by the id of the tag.

    `clean` are ids of legacy tags to remove once their successor is seen; `settles` says that the
    contact's field for a tag still due has to be emptied.
    """

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()
    settles: bool = False

    @property
    def empty(self) -> bool:
        """True when nothing needs to be written."""
        return not (self.add or self.remove or self.clean or self.settles)


@dataclass(frozen=True, slots=True)
class Change:
    """What one contact needs: `contact_id` None creates. `values` are encoded, by field id."""

    contact_id: str | None
    email: Address | None
    attributes: dict[str, str]
    values: dict[str, str]
    problems: tuple[FieldProblem, ...] = ()
    account_id: str | None = None  # the account to associate, None to leave it as it is
    account_before: str = ""  # the one that the contact belongs to now
    lists: tuple[ListChange, ...] = ()
    kept: str = ""  # why a wanted membership is not made, as a cause for the report
    held: bool = False  # the address waits for a decision; all else is written
    retire: bool = False  # this contact is given up for one with the new address
    tags: TagChange = TagChange()
    suppressed: bool = False  # only withdrawals may be written; `kept` says why

    @property
    def touches_contact(self) -> bool:
        """True when the contact itself or its values need a write."""
        return bool(self.email or self.attributes or self.values)

    @property
    def empty(self) -> bool:
        """True when nothing needs to be written."""
        writes = self.touches_contact or self.account_id or self.lists or self.retire
        return not writes and self.tags.empty


def canonical_key(text: str, key_type: KeyType) -> str | None:
    """The form two keys are compared in; None when `text` is no key of that type (S0-22).

    Numbers: `123`, `0123`, ` 123 ` and `123.0` are one key. Text: blanks around it don't count.
    """
    text = text.strip()
    if not text:
        return None
    if key_type is not KeyType.NUMBER:
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 40:
        return None
    return f"{number.normalize():f}"
