"""The whole account as one JSON document, readable by people: names instead of ids."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign import stamps
from api_simulators.activecampaign.model import Contact
from api_simulators.activecampaign.store import Store


def describe(store: Store, zone: str) -> dict[str, Any]:
    """Return contacts with their values by perstag, and every other table."""
    perstags = {field.id: field.perstag for field in store.fields}
    tags = {row.id: str(row.data["tag"]) for row in store.tables["tags"]}
    shown: dict[str, Any] = {
        "contacts": [_contact(store, contact, perstags, tags, zone) for contact in store.contacts],
        "fields": [
            {
                "id": str(field.id),
                "title": field.title,
                "type": field.type,
                "perstag": field.perstag,
                "options": [store.options.rows[number].value for number in field.options],
                "relations": [str(store.relations.rows[n].relid) for n in field.relations],
            }
            for field in store.fields
        ],
        "contactLists": [
            {
                "id": str(row.id),
                "contact": str(row.contact),
                "list": str(row.list),
                "status": str(row.status),
                "sourceid": row.sourceid,
                "unsubreason": row.reason,
            }
            for row in store.contact_lists
        ],
        "contactTags": [
            {"id": str(row.id), "contact": str(row.contact), "tag": str(row.tag)}
            for row in store.contact_tags
        ],
        "accountContacts": [
            {
                "id": str(row.id),
                "contact": str(row.contact),
                "account": str(row.account),
                "jobTitle": row.job_title,
            }
            for row in store.account_contacts
        ],
        "counts": {
            "contacts": len(store.contacts),
            "fieldValues": len(store.field_values),
        },
    }
    for name, table in store.tables.items():
        shown[name] = [row.data | {"id": str(row.id)} for row in table]
    return shown


def _contact(
    store: Store, contact: Contact, perstags: dict[int, str], tags: dict[int, str], zone: str
) -> dict[str, Any]:
    account = contact.account
    companies = store.tables["accounts"].rows
    return {
        "id": str(contact.id),
        "email": contact.email,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "phone": contact.phone,
        "cdate": stamps.iso(contact.created, zone),
        "udate": stamps.iso(contact.updated, zone),
        "bounced_hard": contact.bounced_hard,
        "bounced_soft": contact.bounced_soft,
        "fieldValues": {perstags[number]: row.value for number, row in contact.values.items()},
        "lists": {str(row.list): str(row.status) for row in contact.lists.values()},
        "tags": sorted(tags[number] for number in contact.tags),
        "account": str(companies[account.account].data["name"]) if account else None,
    }
