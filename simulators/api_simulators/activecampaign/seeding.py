"""Seed data: contacts, fields, lists, tags, accounts and keys put there without API calls."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign import stamps
from api_simulators.activecampaign.handlers.account_fields import TYPES as ACCOUNT_FIELD_TYPES
from api_simulators.activecampaign.handlers.fields import TYPES, perstag_of
from api_simulators.activecampaign.model import (
    AccountContact,
    Contact,
    Field,
    Option,
    Relation,
    Row,
)
from api_simulators.activecampaign.store import Store
from api_simulators.wire import ControlError

KNOWN = (
    "api_keys",
    "fields",
    "lists",
    "tags",
    "accountFields",
    "accounts",
    "exclusions",
    "automations",
    "contacts",
)
CONTACT_KEYS = frozenset(
    {
        "id",
        "email",
        "firstName",
        "lastName",
        "phone",
        "cdate",
        "udate",
        "bounced_hard",
        "bounced_soft",
        "fieldValues",
        "lists",
        "tags",
        "account",
    }
)


def seed(store: Store, data: dict[str, Any], now: float, zone: str) -> dict[str, Any]:
    """Add `data` to the account; returns how many of each. Raises ControlError on the first
    thing that does not fit, with what came before it already added.
    """
    unknown = set(data) - set(KNOWN)
    if unknown:
        raise ControlError(f"unknown seed {sorted(unknown)}; known: {list(KNOWN)}")
    if "api_keys" in data:
        keys = {str(key) for key in data["api_keys"]}
        if "" in keys:
            raise ControlError("an API key may not be empty")
        store.api_keys = keys
    for entry in data.get("fields", []):
        add_field(store, entry, now)
    for name, label in (("lists", "name"), ("tags", "tag")):
        for entry in data.get(name, []):
            add_row(store, name, label, entry, now)
    for entry in data.get("accountFields", []):
        add_row(store, "accountCustomFieldMeta", "fieldLabel", _with_type(entry), now)
    for entry in data.get("accounts", []):
        add_account(store, entry, now)
    for entry in data.get("exclusions", []):
        add_row(store, "exclusions", "matchPhrase", entry, now)
    for entry in data.get("automations", []):
        add_row(store, "automations", "name", entry, now)
    loader = ContactLoader(store, now, zone)
    for entry in data.get("contacts", []):
        loader.add(entry)
    return {name: len(data[name]) for name in KNOWN if name in data}


def add_field(store: Store, entry: dict[str, Any], now: float) -> Field:
    """Add `{perstag | title, type?, options?: [text], related?: bool, id?}`."""
    title = str(entry.get("title") or entry.get("perstag") or "")
    perstag = str(entry.get("perstag") or perstag_of(title)).upper()
    kind = str(entry.get("type", "text"))
    if not title or kind not in TYPES or store.field_by_perstag(perstag):
        raise ControlError(f"not a new field with a title and a known type: {entry!r}")
    number = store.fields.next_id(entry.get("id"))
    field = Field(number, title, kind, perstag, now, now, ordernum=number)
    field.defval = str(entry.get("defval", ""))
    field.isrequired = str(int(bool(entry.get("isrequired", False))))
    store.add_field(field)
    for order, value in enumerate(entry.get("options", []), 1):
        choice = Option(store.options.next_id(), number, order, value, value, 0, now)
        field.options.append(store.options.add(choice).id)
    if entry.get("related", True):
        relation = Relation(store.relations.next_id(), number, 0, now)
        field.relations.append(store.relations.add(relation).id)
    return field


def add_row(store: Store, table: str, label: str, entry: Any, now: float) -> Row:
    """Add a list, tag, account, ...: an object, or just its name."""
    given = {label: entry} if isinstance(entry, str) else dict(entry)
    if not given.get(label):
        raise ControlError(f"{table} need a {label}: {entry!r}")
    wanted = given.pop("id", None)
    return store.add_row(table, given, now, None if wanted is None else int(wanted))


def _with_type(entry: Any) -> dict[str, Any]:
    given = {"fieldLabel": entry} if isinstance(entry, str) else dict(entry)
    kind = given.setdefault("fieldType", "text")
    if kind not in ACCOUNT_FIELD_TYPES:
        raise ControlError(f"accountFields have a type of {list(ACCOUNT_FIELD_TYPES)}: {entry!r}")
    return given


def add_account(store: Store, entry: Any, now: float) -> Row:
    """Add an account: an object with `fields` by label, or just its name."""
    given: dict[str, Any] = {"name": entry} if isinstance(entry, str) else dict(entry)
    values: dict[str, Any] = given.pop("fields", {})
    account = add_row(store, "accounts", "name", given, now)
    labels = {str(row.data["fieldLabel"]): row.id for row in store.tables["accountCustomFieldMeta"]}
    for label, value in values.items():
        number = _known(labels, str(label), "account field")
        datum = {"accountId": account.id, "customFieldId": number, "fieldValue": value}
        store.add_row("accountCustomFieldData", datum, now, None)
    return account


class ContactLoader:
    """Adds contacts, looking names of fields, lists, tags and accounts up once."""

    def __init__(self, store: Store, now: float, zone: str) -> None:
        self._store, self._now, self._zone = store, now, zone
        self._fields = {field.perstag: field.id for field in store.fields}
        self._lists = _names(store, "lists", "name")
        self._tags = _names(store, "tags", "tag")
        self._accounts = _names(store, "accounts", "name")

    def add(self, entry: dict[str, Any]) -> Contact:
        """Add one contact; raises ControlError for a taken address or an unknown name."""
        store = self._store
        unknown = entry.keys() - CONTACT_KEYS
        email = str(entry.get("email", ""))
        if unknown:
            raise ControlError(f"a contact has {sorted(CONTACT_KEYS)}, not {sorted(unknown)}")
        if email and store.emails.ids(email.casefold()):
            raise ControlError("two contacts of the seed have the same address")
        wanted = entry.get("id")
        created = self._time(entry.get("cdate"))
        contact = Contact(
            id=store.contacts.next_id(None if wanted is None else int(wanted)),
            email=email,
            first_name=str(entry.get("firstName", "")),
            last_name=str(entry.get("lastName", "")),
            phone=str(entry.get("phone", "")),
            created=created,
            updated=self._time(entry["udate"]) if "udate" in entry else created,
            born=created,
            bounced_hard=int(entry.get("bounced_hard", 0)),
            bounced_soft=int(entry.get("bounced_soft", 0)),
        )
        store.add_contact(contact)
        updated = contact.updated
        for perstag, value in entry.get("fieldValues", {}).items():
            number = _known(self._fields, perstag.strip("%").upper(), "field")
            store.set_value(contact, number, str(value), created)
        for name, status in entry.get("lists", {}).items():
            number = _known(self._lists, str(name), "list")
            store.set_list_status(contact, number, int(status), "4", created)
        for name in entry.get("tags", []):
            store.tag_contact(contact, _known(self._tags, str(name), "tag"), created)
        if entry.get("account"):
            account = _known(self._accounts, str(entry["account"]), "account")
            number = store.account_contacts.next_id()
            store.link_account(AccountContact(number, contact.id, account, "", created, created))
        contact.updated = updated
        return contact

    def _time(self, given: Any) -> float:
        if given is None:
            return self._now
        seconds = stamps.parse(str(given), self._zone)
        if seconds is None:
            raise ControlError(f"not a time: {given!r}")
        return seconds


def _names(store: Store, table: str, label: str) -> dict[str, int]:
    """Return the ids of a table by name and, where no name is in the way, by id as text."""
    rows = list(store.tables[table])
    return {str(row.id): row.id for row in rows} | {str(row.data[label]): row.id for row in rows}


def _known(ids: dict[str, int], name: str, kind: str) -> int:
    number = ids.get(name)
    if number is None:
        raise ControlError(f"the seed has no {kind} {name!r}; known: {sorted(ids)}")
    return number
