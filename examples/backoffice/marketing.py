"""Tables of the feedback loop: who agreed to what, who had which address, and what came back."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Index,
    Integer,
    String,
    Table,
    Text,
    func,
    select,
    update,
)

from .metadata import METADATA
from .people import Contact, Organisation
from .recipients import LISTS, entities, invent_addresses, invent_consents, invent_leads

LEADS = Table(
    "leads",
    METADATA,
    Column("lead_id", Integer, primary_key=True, autoincrement=False),
    Column("email", String(254)),
    Column("given_name", String(100), nullable=False),
    Column("family_name", String(100), nullable=False),
    Column("country", String(2)),
    Column("date_created", DateTime, nullable=False),
    Column("deleted_at", DateTime),
    mysql_charset="utf8mb4",
)
CONSENTS = Table(
    "consents",
    METADATA,
    Column("consent_id", Integer, primary_key=True, autoincrement=False),
    Column("entity_type", String(20), nullable=False),
    Column("entity_id", String(20), nullable=False),
    Column("optin_id", String(40), nullable=False, unique=True),
    Column("purpose", String(40), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("granted_at", DateTime, nullable=False),
    Column("withdrawn_at", DateTime),
    Index("consents_by_entity", "entity_type", "entity_id"),
    mysql_charset="utf8mb4",
)
ADDRESS_HISTORY = Table(
    "address_history",
    METADATA,
    Column("address_id", Integer, primary_key=True, autoincrement=False),
    Column("entity_type", String(20), nullable=False),
    Column("entity_id", String(20), nullable=False),
    Column("email", String(254), nullable=False),
    Column("valid_from", DateTime, nullable=False),
    Column("valid_until", DateTime),
    Column("bounced_at", DateTime),
    Column("bounce_kind", String(20)),
    Index("address_history_by_entity", "entity_type", "entity_id"),
    mysql_charset="utf8mb4",
)
# Which consent fills which recipient list, so that an unsubscribe from a list finds its consent.
MARKETING_LISTS = Table(
    "marketing_lists",
    METADATA,
    Column("list_id", String(20), primary_key=True),
    Column("purpose", String(40), nullable=False),
    mysql_charset="utf8mb4",
)


def _feedback_table(name: str, *more: Column[str]) -> Table:
    """What the selections need of a feedback table; target-backoffice adds the other columns."""
    return Table(
        name,
        METADATA,
        Column("row_key", String(64), primary_key=True),
        Column("row_hash", String(64)),
        Column("first_seen_at", DateTime),
        Column("last_seen_at", DateTime),
        Column("recipient_id", String(254)),
        Column("event_time", DateTime),
        *more,
        mysql_charset="utf8mb4",
    )


MARKETING_UNSUBSCRIBES = _feedback_table(
    "marketing_unsubscribes",
    Column("list_id", String(20)),
    Column("opt_in_id", String(40)),
    Column("scope", String(10)),
)
MARKETING_BOUNCES = _feedback_table("marketing_bounces")
MARKETING_WORKLIST = Table(
    "marketing_worklist",
    METADATA,
    Column("stream", String(100), primary_key=True),
    Column("row_key", String(64), primary_key=True),
    Column("natural_key", Text),
    Column("reason", String(100)),
    Column("first_seen_at", DateTime),
    Column("resolved_at", DateTime),
    mysql_charset="utf8mb4",
)


def fill(
    connection: Connection, organisations: list[Organisation], contacts: list[Contact], seed: int
) -> None:
    """Insert leads, consents and addresses of these accounts and contacts."""
    leads = invent_leads(contacts, seed)
    everybody = entities(organisations, contacts, leads)
    lists = [{"list_id": number, "purpose": purpose} for number, purpose in LISTS.items()]
    connection.execute(MARKETING_LISTS.insert(), lists)
    for table, rows in (
        (LEADS, [asdict(lead) for lead in leads]),
        (CONSENTS, [asdict(c) for c in invent_consents(everybody, seed)]),
        (ADDRESS_HISTORY, [asdict(a) for a in invent_addresses(everybody, seed)]),
    ):
        if rows:
            connection.execute(table.insert(), rows)


def note_new_address(connection: Connection, ctt_id: int, email: object, when: datetime) -> None:
    """Close the contact's present address and begin the new one."""
    entity = {"entity_type": "contact", "entity_id": str(ctt_id)}
    table = ADDRESS_HISTORY
    connection.execute(
        update(table)
        .where(table.c.entity_type == entity["entity_type"])
        .where(table.c.entity_id == entity["entity_id"], table.c.valid_until.is_(None))
        .values(valid_until=when)
    )
    last = connection.execute(select(func.max(table.c.address_id))).scalar_one() or 0
    values = {"address_id": last + 1, **entity, "email": email, "valid_from": when}
    connection.execute(table.insert(), [values])
