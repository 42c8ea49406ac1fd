"""The things an ActiveCampaign account holds. Times are seconds since 1970, ids are numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class FieldValue:
    """The value of one custom field of one contact."""

    id: int
    contact: int
    field: int
    value: str
    created: float
    updated: float


@dataclass(slots=True)
class ContactList:
    """A contact's standing on a list: 0 unconfirmed, 1 active, 2 unsubscribed, 3 bounced."""

    id: int
    contact: int
    list: int
    status: int
    sourceid: str
    created: float
    updated: float
    subscribed: float | None = None
    unsubscribed: float | None = None
    reason: str = ""
    campaign: str | None = None


@dataclass(slots=True)
class ContactTag:
    """A tag on a contact."""

    id: int
    contact: int
    tag: int
    created: float


@dataclass(slots=True)
class AccountContact:
    """A contact's place in an account (a company)."""

    id: int
    contact: int
    account: int
    job_title: str
    created: float
    updated: float


@dataclass(slots=True)
class Contact:
    """A person, with everything that hangs on them keyed by field, list or tag id."""

    id: int
    email: str
    first_name: str
    last_name: str
    phone: str
    created: float
    updated: float
    born: float
    bounced_hard: int = 0
    bounced_soft: int = 0
    bounced_at: float | None = None
    values: dict[int, FieldValue] = field(default_factory=dict)
    lists: dict[int, ContactList] = field(default_factory=dict)
    tags: dict[int, ContactTag] = field(default_factory=dict)
    account: AccountContact | None = None
    bounces: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Option:
    """One choice of a dropdown, radio, checkbox or listbox field."""

    id: int
    field: int
    orderid: int
    value: str
    label: str
    isdefault: int
    created: float


@dataclass(slots=True)
class Relation:
    """Where a field is shown; relid 0 means on all lists."""

    id: int
    field: int
    relid: int
    created: float


@dataclass(slots=True)
class Field:
    """A custom field of contacts."""

    id: int
    title: str
    type: str
    perstag: str
    created: float
    updated: float
    descript: str = ""
    defval: str = ""
    visible: str = "1"
    ordernum: int = 0
    isrequired: str = "0"
    options: list[int] = field(default_factory=list)
    relations: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Row:
    """Anything whose attributes are kept as they came: lists, tags, accounts, notes, ..."""

    id: int
    created: float
    updated: float
    data: dict[str, Any]
