"""The data of one account and the changes that keep its indexes and its udates right."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign.indexes import Inverted, SortedKeys
from api_simulators.activecampaign.model import (
    AccountContact,
    Contact,
    ContactList,
    ContactTag,
    Field,
    FieldValue,
    Option,
    Relation,
    Row,
)
from api_simulators.activecampaign.table import Table


class Store:
    """Everything an account holds; `version` changes with every write."""

    def __init__(self) -> None:
        self.version = 0
        self.api_keys: set[str] = {"sim-key"}
        self.contacts: Table[Contact] = Table()
        self.emails = Inverted()
        self.email_order: SortedKeys[tuple[str, int]] = SortedKeys()
        self.archived_emails: set[str] = set()
        self.archived: dict[int, Contact] = {}
        self.related_bump = True
        self.renamed: dict[int, tuple[float, str]] = {}
        self.searches: dict[tuple[int, int, str], list[int]] = {}
        self.fields: Table[Field] = Table()
        self.options: Table[Option] = Table()
        self.relations: Table[Relation] = Table()
        self.field_values: Table[FieldValue] = Table()
        self.value_ids: dict[int, SortedKeys[int]] = {}
        self.value_texts: dict[int, Inverted] = {}
        self.contact_lists: Table[ContactList] = Table()
        self.contact_tags: Table[ContactTag] = Table()
        self.account_contacts: Table[AccountContact] = Table()
        self.tables: dict[str, Table[Row]] = {name: Table() for name in ROW_TABLES}
        self.names: dict[str, Inverted] = {name: Inverted() for name in LABELS}
        self.pending_imports: list[int] = []

    # Contacts

    def add_contact(self, contact: Contact) -> None:
        """Add a contact whose address is free."""
        self.contacts.add(contact)
        self._index_email(contact)
        self.version += 1

    def rename_contact(self, contact: Contact, email: str, now: float) -> None:
        """Change the address."""
        self.emails.remove(contact.email.casefold(), contact.id)
        self.email_order.remove((contact.email.casefold(), contact.id))
        self.renamed[contact.id] = (now, contact.email)
        contact.email = email
        self._index_email(contact)
        self.version += 1

    def remove_contact(self, contact: Contact) -> None:
        """Delete a contact and everything that hangs on it."""
        for value in list(contact.values.values()):
            self.remove_value(value)
        for row in contact.lists.values():
            self.contact_lists.remove(row.id)
        for tag in contact.tags.values():
            self.contact_tags.remove(tag.id)
        if contact.account:
            self.account_contacts.remove(contact.account.id)
        self.emails.remove(contact.email.casefold(), contact.id)
        self.email_order.remove((contact.email.casefold(), contact.id))
        self.archived_emails.add(contact.email.casefold())
        self.archived[contact.id] = contact
        self.renamed.pop(contact.id, None)
        self.contacts.remove(contact.id)
        self.version += 1

    def _index_email(self, contact: Contact) -> None:
        self.emails.add(contact.email.casefold(), contact.id)
        self.email_order.add((contact.email.casefold(), contact.id))

    def touch(self, contact: Contact, now: float) -> None:
        """Move udate, as writes of the contact itself do."""
        contact.updated = now
        self.version += 1

    def touch_related(self, contact: Contact, now: float) -> None:
        """Move udate after a write of values, lists, tags or notes, unless switched off."""
        contact.updated = now if self.related_bump else contact.updated
        self.version += 1

    # Lists, tags, accounts and other rows

    def add_row(self, table: str, data: dict[str, Any], now: float, wanted: int | None) -> Row:
        """Add a row to one of ROW_TABLES, under the id `wanted` where that is free."""
        rows = self.tables[table]
        row = rows.add(Row(rows.next_id(wanted), now, now, data))
        if table in LABELS:
            self.names[table].add(_name(table, row), row.id)
        self.version += 1
        return row

    def change_row(self, table: str, row: Row, data: dict[str, Any], now: float) -> None:
        """Overwrite attributes of a row."""
        if table in LABELS:
            self.names[table].remove(_name(table, row), row.id)
        row.data.update(data)
        row.updated = now
        if table in LABELS:
            self.names[table].add(_name(table, row), row.id)
        self.version += 1

    def remove_row(self, table: str, row: Row) -> None:
        """Remove a row; what refers to it is the caller's business."""
        if table in LABELS:
            self.names[table].remove(_name(table, row), row.id)
        self.tables[table].remove(row.id)
        self.version += 1

    def remove_list(self, row: Row) -> None:
        """Remove a list with the standings on it."""
        for standing in [held for held in self.contact_lists if held.list == row.id]:
            del self.contacts.rows[standing.contact].lists[row.id]
            self.contact_lists.remove(standing.id)
        self.remove_row("lists", row)

    def row_named(self, table: str, name: str) -> Row | None:
        """Return the list, tag or account of this name, any case."""
        ids = self.names[table].ids(name.casefold())
        return self.tables[table].rows[ids[0]] if ids else None

    def rows_named(self, table: str, name: str) -> list[Row]:
        """Return all lists, tags or accounts of this name, any case."""
        return [
            self.tables[table].rows[number] for number in self.names[table].ids(name.casefold())
        ]

    # Field values

    def set_value(self, contact: Contact, field: int, value: str, now: float) -> FieldValue:
        """Insert or overwrite the value of (contact, field)."""
        self.version += 1
        held = contact.values.get(field)
        if held is None:
            number = self.field_values.next_id()
            held = FieldValue(number, contact.id, field, value, now, now)
            self.field_values.add(held)
            contact.values[field] = held
            self.value_ids.setdefault(field, SortedKeys()).add(number)
        else:
            self.value_texts[field].remove(held.value.casefold(), held.id)
            held.value = value
            held.updated = now
        self.value_texts.setdefault(field, Inverted()).add(value.casefold(), held.id)
        return held

    def remove_value(self, held: FieldValue) -> None:
        """Remove a value's row."""
        self.version += 1
        self.field_values.remove(held.id)
        self.value_ids[held.field].remove(held.id)
        self.value_texts[held.field].remove(held.value.casefold(), held.id)
        del self.contacts.rows[held.contact].values[held.field]

    # Fields

    def add_field(self, field: Field) -> None:
        """Add a field definition."""
        self.fields.add(field)
        self.version += 1

    def remove_field(self, field: Field) -> None:
        """Remove a field with its options, relations and all values."""
        for number in list(self.value_ids.get(field.id, SortedKeys[int]()).keys()):
            self.remove_value(self.field_values.rows[number])
        for number in field.options:
            self.options.remove(number)
        for number in field.relations:
            self.relations.remove(number)
        self.fields.remove(field.id)
        self.version += 1

    def field_by_perstag(self, perstag: str) -> Field | None:
        """Return the field with this personalisation tag, any case."""
        wanted = perstag.strip("%").casefold()
        return next((f for f in self.fields if f.perstag.casefold() == wanted), None)

    # Relations

    def set_list_status(
        self, contact: Contact, list_id: int, status: int, sourceid: str, now: float
    ) -> tuple[ContactList, bool]:
        """Insert or change a contact's row on a list; returns the row and whether it is new."""
        row = contact.lists.get(list_id)
        new = row is None
        if row is None:
            number = self.contact_lists.next_id()
            row = ContactList(number, contact.id, list_id, status, sourceid, now, now)
            contact.lists[list_id] = self.contact_lists.add(row)
        row.status = status
        row.sourceid = sourceid
        row.updated = now
        if status == 1:
            row.subscribed = now
        elif status == 2:
            row.unsubscribed = now
        self.touch_related(contact, now)
        return row, new

    def tag_contact(self, contact: Contact, tag: int, now: float) -> tuple[ContactTag, bool]:
        """Put a tag on a contact; returns the row and whether it is new."""
        row = contact.tags.get(tag)
        if row is not None:
            return row, False
        row = self.contact_tags.add(ContactTag(self.contact_tags.next_id(), contact.id, tag, now))
        contact.tags[tag] = row
        self.touch_related(contact, now)
        return row, True

    def untag_contact(self, row: ContactTag, now: float) -> None:
        """Take a tag from a contact."""
        contact = self.contacts.rows[row.contact]
        del contact.tags[row.tag]
        self.contact_tags.remove(row.id)
        self.touch_related(contact, now)

    def link_account(self, row: AccountContact) -> None:
        """Place a contact that has no account in one."""
        self.account_contacts.add(row)
        self.contacts.rows[row.contact].account = row
        self.version += 1

    def unlink_account(self, row: AccountContact) -> None:
        """Take a contact out of its account."""
        self.account_contacts.remove(row.id)
        self.contacts.rows[row.contact].account = None
        self.version += 1

    def remove_account(self, account: Row) -> None:
        """Delete an account with its values; its contacts stay, without it."""
        for link in [link for link in self.account_contacts if link.account == account.id]:
            self.unlink_account(link)
        for datum in list(self.tables["accountCustomFieldData"]):
            if datum.data["accountId"] == account.id:
                self.remove_row("accountCustomFieldData", datum)
        self.remove_row("accounts", account)


def _name(table: str, row: Row) -> str:
    return str(row.data.get(LABELS[table], "")).casefold()


# The attribute that names a row of these tables.
LABELS = {"lists": "name", "tags": "tag", "accounts": "name"}
# Tables whose rows keep their attributes as they came.
ROW_TABLES = (
    "lists",
    "tags",
    "accounts",
    "accountCustomFieldMeta",
    "accountCustomFieldData",
    "notes",
    "exclusions",
    "listGroups",
    "webhooks",
    "automations",
    "contactAutomations",
    "users",
    "imports",
)
