"""Invents who may be written to, pure: leads, account addresses, consents, dated addresses.

Draws from generators of its own, so that the contacts stay the same people whatever is added here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from .names import COUNTRIES
from .people import CREATED_FROM, DOMAINS, Contact, Organisation, ascii_word

FIRST_LEAD = 70001
NEWSLETTER, EVENTS = "newsletter", "events"
#: Recipient lists of the simulated Optimizely Campaign and the consent each is filled by.
LISTS = {"120000000001": NEWSLETTER, "120000000003": EVENTS}


@dataclass(frozen=True)
class Lead:
    """Somebody who showed interest and is no contact yet."""

    lead_id: int
    email: str
    given_name: str
    family_name: str
    country: str
    date_created: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class Consent:
    """One advertising consent of one entity; standing while `withdrawn_at` is empty."""

    consent_id: int
    entity_type: str
    entity_id: str
    optin_id: str
    purpose: str
    channel: str
    granted_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True)
class Address:
    """From when until when an entity had an address; a bounce belongs to the address."""

    address_id: int
    entity_type: str
    entity_id: str
    email: str
    valid_from: datetime
    valid_until: datetime | None = None
    bounced_at: datetime | None = None
    bounce_kind: str | None = None


@dataclass(frozen=True)
class Entity:
    """A contact, lead or account with its address, if it has one."""

    entity_type: str
    entity_id: str
    email: str | None
    since: datetime


def with_addresses(organisations: list[Organisation], seed: int) -> list[Organisation]:
    """Give about two of three accounts an address."""
    random = Random(f"accounts {seed}")
    return [
        o
        if random.random() < 0.35
        else replace(o, email=f"office@{ascii_word(o.name.split()[0])}{o.act_id}.example.com")
        for o in organisations
    ]


def invent_leads(contacts: list[Contact], seed: int) -> list[Lead]:
    """One lead per ten contacts; every tenth lead has the address of a contact."""
    random = Random(f"leads {seed}")
    usable = [c.email for c in contacts if c.email and "@" in c.email and c.deleted_at is None]
    leads = []
    for number in range(len(contacts) // 10):
        country = random.choice(COUNTRIES)
        given, family = random.choice(country.given), random.choice(country.family)
        local = f"{ascii_word(given)}.{ascii_word(family)}.lead{number + 1}"
        email = f"{local}@{random.choice(DOMAINS)}"
        if number % 10 == 9 and usable:
            email = random.choice(usable)
        created = CREATED_FROM + timedelta(minutes=random.randrange(9 * 365 * 24 * 60))
        leads.append(Lead(FIRST_LEAD + number, email, given, family, country.code, created))
    return leads


def entities(
    organisations: list[Organisation], contacts: list[Contact], leads: list[Lead]
) -> list[Entity]:
    """All who may have a consent."""
    return [
        *(Entity("contact", str(c.ctt_id), c.email or None, c.date_created) for c in contacts),
        *(Entity("lead", str(lead.lead_id), lead.email, lead.date_created) for lead in leads),
        *(Entity("account", str(o.act_id), o.email, CREATED_FROM) for o in organisations),
    ]


def invent_consents(everybody: list[Entity], seed: int) -> list[Consent]:
    """Most have agreed to the newsletter, some to events as well; a few have thought again."""
    random = Random(f"consents {seed}")
    share = {"contact": 0.7, "lead": 0.8, "account": 0.4}
    consents: list[Consent] = []
    for entity in everybody:
        for purpose, part in ((NEWSLETTER, share[entity.entity_type]), (EVENTS, 0.2)):
            if random.random() >= part:
                continue
            number = len(consents) + 1
            granted = entity.since + timedelta(hours=random.randrange(1, 48))
            gone = granted + timedelta(days=90) if random.random() < 0.05 else None
            consents.append(
                Consent(
                    number,
                    entity.entity_type,
                    entity.entity_id,
                    f"OPT-{number:07d}",
                    purpose,
                    "email",
                    granted,
                    gone,
                )
            )
    return consents


def invent_addresses(everybody: list[Entity], seed: int) -> list[Address]:
    """The present address of each, a former one of a few, and some that bounced for good."""
    random = Random(f"addresses {seed}")
    addresses: list[Address] = []

    def add(entity: Entity, email: str, since: datetime, until: datetime | None = None) -> None:
        bounced = since + timedelta(days=30) if until is None and random.random() < 0.01 else None
        addresses.append(
            Address(
                len(addresses) + 1,
                entity.entity_type,
                entity.entity_id,
                email,
                since,
                until,
                bounced,
                "hard" if bounced else None,
            )
        )

    for entity in everybody:
        if not entity.email:
            continue
        since = entity.since
        if random.random() < 0.03:
            until = since + timedelta(days=200)
            add(entity, f"former.{entity.entity_type}{entity.entity_id}@example.org", since, until)
            since = until
        add(entity, entity.email, since)
    return addresses
