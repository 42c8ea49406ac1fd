"""Contacts, fields and field values as JSON; scalars are strings or null, ids are strings."""

from __future__ import annotations

import hashlib
from typing import Any

from api_simulators.activecampaign.call import Call
from api_simulators.activecampaign.model import Contact, Field, FieldValue, Option, Relation

CONTACT_LINKS = (
    "bounceLogs",
    "contactAutomations",
    "contactData",
    "contactGoals",
    "contactLists",
    "contactLogs",
    "contactTags",
    "contactDeals",
    "deals",
    "fieldValues",
    "geoIps",
    "notes",
    "organization",
    "plusAppend",
    "trackingLogs",
    "scoreValues",
    "accountContacts",
    "automationEntryCounts",
)


def contact_hash(number: int) -> str:
    """Return the 32 hex digits that stay with a contact for life."""
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


def contact_links(call: Call, number: int) -> dict[str, str]:
    """Return the 18 links of a contact."""
    head = f"{call.base}/contacts/{number}/"
    return {name: head + name for name in CONTACT_LINKS}


def created_contact(call: Call, contact: Contact) -> dict[str, Any]:
    """Return the sparse contact that a create answers with."""
    return {
        "email": contact.email,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "cdate": call.iso(contact.created),
        "udate": call.iso(contact.updated),
        "phone": contact.phone,
        "orgid": "0",
        "orgname": "",
        "links": contact_links(call, contact.id),
        "id": str(contact.id),
        "organization": None,
    }


def full_contact(call: Call, contact: Contact) -> dict[str, Any]:
    """Return the contact that updates answer with."""
    created, updated = call.wall(contact.created), call.wall(contact.updated)
    return {
        "cdate": call.iso(contact.created),
        "email": contact.email,
        "phone": contact.phone,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "orgid": "0",
        "orgname": "",
        "segmentio_id": "",
        "bounced_hard": str(contact.bounced_hard),
        "bounced_soft": str(contact.bounced_soft),
        "bounced_date": (call.moment(contact.bounced_at) or "")[:10] or None,
        "ip": "0",
        "ua": None,
        "hash": contact_hash(contact.id),
        "socialdata_lastcheck": None,
        "email_local": "",
        "email_domain": contact.email.rpartition("@")[2],
        "sentcnt": "0",
        "rating_tstamp": None,
        "gravatar": "0",
        "deleted": "0",
        "anonymized": "0",
        "adate": call.moment(None),
        "udate": call.iso(contact.updated),
        "edate": call.moment(None),
        "deleted_at": call.moment(None),
        "created_utc_timestamp": created,
        "updated_utc_timestamp": updated,
        "created_timestamp": created,
        "updated_timestamp": updated,
        "created_by": None,
        "updated_by": None,
        "mpp_tracking": "0",
        "best_send_hour": None,
        "sms_consent": None,
        "sms_consent_updated_at": None,
        "links": contact_links(call, contact.id),
        "id": str(contact.id),
        "organization": None,
    }


def listed_contact(call: Call, contact: Contact) -> dict[str, Any]:
    """Return the contact that lists and single reads answer with."""
    shown = full_contact(call, contact)
    shown["last_click_date"] = None
    shown["last_open_date"] = None
    shown["last_mpp_open_date"] = None
    shown["whatsapp_id"] = None
    shown["whatsapp_username"] = None
    shown["scoreValues"] = []
    shown["accountContacts"] = [str(contact.account.id)] if contact.account else []
    return shown


def field_value(call: Call, value: FieldValue) -> dict[str, Any]:
    """Return a custom field value."""
    head = f"{call.base}/fieldValues/{value.id}/"
    return {
        "contact": str(value.contact),
        "field": str(value.field),
        "value": value.value,
        "cdate": call.iso(value.created),
        "udate": call.iso(value.updated),
        "created_by": None,
        "updated_by": None,
        "links": {"owner": head + "owner", "field": head + "field"},
        "id": str(value.id),
        "owner": str(value.contact),
    }


def option(call: Call, row: Option) -> dict[str, Any]:
    """Return one choice of a field."""
    return {
        "field": str(row.field),
        "orderid": str(row.orderid),
        "value": row.value,
        "label": row.label,
        "isdefault": str(row.isdefault),
        "cdate": call.iso(row.created),
        "udate": call.iso(row.created),
        "links": {"field": f"{call.base}/fieldOptions/{row.id}/field"},
        "id": str(row.id),
    }


def relation(call: Call, row: Relation) -> dict[str, Any]:
    """Return where a field is shown."""
    return {
        "field": str(row.field),
        "relid": str(row.relid),
        "dorder": "0",
        "cdate": call.iso(row.created),
        "links": [],
        "id": str(row.id),
    }


def field(call: Call, row: Field) -> dict[str, Any]:
    """Return a field definition."""
    head = f"{call.base}/fields/{row.id}/"
    return {
        "title": row.title,
        "descript": row.descript,
        "type": row.type,
        "isrequired": row.isrequired,
        "perstag": row.perstag,
        "defval": row.defval,
        "show_in_list": "0",
        "rows": "0",
        "cols": "0",
        "visible": row.visible,
        "service": "",
        "ordernum": str(row.ordernum),
        "cdate": call.iso(row.created),
        "udate": call.iso(row.updated),
        "created_timestamp": call.wall(row.created),
        "updated_timestamp": call.wall(row.updated),
        "created_by": None,
        "updated_by": None,
        "options": [str(number) for number in row.options],
        "relations": [str(number) for number in row.relations],
        "links": {"options": head + "options", "relations": head + "relations"},
        "id": str(row.id),
    }
