"""Invents contacts, pure: the same seed and count give the same rows, faults included.

Every address ends in example.com, example.org or example.net (RFC 2606), so none is anybody's.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from .names import COMPANY_FORMS, COMPANY_WORDS, COUNTRIES, Country

FIRST_KEY = 10001
CREATED_FROM = datetime(2015, 1, 5, 8, 0)  # noqa: DTZ001  the backoffice keeps UTC without a zone
UPDATED_FROM = datetime(2025, 1, 6, 8, 0)  # noqa: DTZ001  the backoffice keeps UTC without a zone
DOMAINS = ("example.com", "example.org", "example.net")
MALFORMED = (
    "{0}.example.com",
    "{0} at example.org",
    "{0}@@example.net",
    "{0}@example..com",
    "{0}@",
    "@{0}.example.com",
    "{0},@example.org",
)


@dataclass(frozen=True)
class Organisation:
    """An account of the backoffice."""

    act_id: int
    name: str
    org_country: str
    email: str | None = None


@dataclass(frozen=True)
class Contact:
    """One row of `contacts`; times are UTC without a zone, as many backoffices keep them."""

    ctt_id: int
    act_id: int | None
    email: str | None
    given_name: str
    family_name: str
    work_phone: str | None
    mobile_phone: str | None
    org_country: str | None
    language_code: str | None
    date_created: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class Faults:
    """How many rows of the whole carry each flaw, per 2,000 contacts."""

    missing: int = 40
    malformed: int = 25
    case_variants: int = 15
    shared: int = 24
    shared_by: int = 3
    deleted: int = 10

    def scaled(self, count: int) -> Faults:
        """The same shares for `count` contacts, in whole groups for the shared addresses."""
        groups = self.shared // self.shared_by * count // 2000
        return Faults(
            missing=self.missing * count // 2000,
            malformed=self.malformed * count // 2000,
            case_variants=self.case_variants * count // 2000,
            shared=groups * self.shared_by,
            shared_by=self.shared_by,
            deleted=self.deleted * count // 2000,
        )

    def reachable(self, count: int) -> int:
        """Persons of `count` rows that can be one contact each, with an address of their own."""
        extra_rows = self.case_variants + self.shared - self.shared // self.shared_by
        return count - self.missing - self.malformed - self.deleted - extra_rows


def invent(count: int, seed: int) -> tuple[list[Organisation], list[Contact]]:
    """Return organisations and `count` contacts ordered by key; pure."""
    random = Random(seed)
    organisations = _organisations(random, max(1, count // 8))
    taken: set[str] = set()
    contacts = [_contact(random, FIRST_KEY + i, organisations, taken) for i in range(count)]
    return organisations, _with_faults(random, contacts, Faults().scaled(count))


def _organisations(random: Random, count: int) -> list[Organisation]:
    made = []
    for number in range(count):
        country = random.choice(COUNTRIES)
        name = f"{random.choice(COMPANY_WORDS)} {random.choice(COMPANY_FORMS)} {number + 1}"
        made.append(Organisation(501 + number, name, country.code))
    return made


def _contact(
    random: Random, key: int, organisations: list[Organisation], taken: set[str]
) -> Contact:
    organisation = random.choice(organisations) if random.random() < 0.9 else None
    if organisation is None:
        country = random.choice(COUNTRIES)
    else:
        country = next(c for c in COUNTRIES if c.code == organisation.org_country)
    given, family = random.choice(country.given), random.choice(country.family)
    created = CREATED_FROM + timedelta(minutes=random.randrange(9 * 365 * 24 * 60))
    return Contact(
        ctt_id=key,
        act_id=organisation.act_id if organisation else None,
        email=_address(random, given, family, organisation, taken),
        given_name=given,
        family_name=family,
        work_phone=_phone(random, country.work_phone, missing=0.15),
        mobile_phone=_phone(random, country.mobile_phone, missing=0.3),
        org_country=organisation.org_country if organisation else None,
        language_code=_language(random, country),
        date_created=created,
        updated_at=UPDATED_FROM + timedelta(minutes=random.randrange(150 * 24 * 60)),
    )


def _language(random: Random, country: Country) -> str | None:
    return None if random.random() < 0.03 else country.language


def _phone(random: Random, pattern: str, *, missing: float) -> str | None:
    digits = random.randrange(100), random.randrange(100)
    return None if random.random() < missing else pattern.format(*digits)


def ascii_word(text: str) -> str:
    """Spell a name as addresses do: "Jürgen" → "juergen", "O'Connor" → "oconnor"."""
    for umlaut, spelt in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("ł", "l")):
        text = text.lower().replace(umlaut, spelt)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c for c in plain if c.isalnum() or c == "-")


def _address(
    random: Random, given: str, family: str, organisation: Organisation | None, taken: set[str]
) -> str:
    domain = random.choice(DOMAINS)
    if organisation is not None:
        domain = f"{ascii_word(organisation.name.split()[0])}.{domain}"
    local = f"{ascii_word(given)}.{ascii_word(family)}"
    address, again = f"{local}@{domain}", 1
    while address in taken:
        again += 1
        address = f"{local}{again}@{domain}"
    taken.add(address)
    return address


def _with_faults(random: Random, contacts: list[Contact], faults: Faults) -> list[Contact]:
    """Give disjoint rows one flaw each; the rows stay ordered by key."""
    order = list(range(len(contacts)))
    random.shuffle(order)
    rows = iter(order)
    changed = list(contacts)

    def take(number: int) -> list[int]:
        return [next(rows) for _ in range(number)]

    for nth, row in enumerate(take(faults.missing)):
        changed[row] = replace(changed[row], email="" if nth % 10 == 9 else None)
    for nth, row in enumerate(take(faults.malformed)):
        local = (changed[row].email or "").partition("@")[0]
        changed[row] = replace(changed[row], email=MALFORMED[nth % len(MALFORMED)].format(local))
    for row, other in zip(take(faults.case_variants), take(faults.case_variants), strict=True):
        changed[row] = replace(changed[row], email=(changed[other].email or "").title())
    for group in range(faults.shared // faults.shared_by):
        for row in take(faults.shared_by):
            changed[row] = replace(changed[row], email=f"info@buero{group + 1}.example.com")
    for row in take(faults.deleted):
        changed[row] = replace(changed[row], deleted_at=changed[row].updated_at)
    return changed
