"""A changed e-mail address: what kind of change it is, and what the settings want done about it.

An address is not an attribute like others: consent was given for it, statistics come back under it
(S2-7, S2-8). Pure: decides, calls nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from target_kit.address import Address, address_key


class ChangeClass(StrEnum):
    """How two addresses of one person differ (S2-2)."""

    CASE_ONLY = "case_only"  # one mailbox, spelled differently
    LOCAL_PART = "local_part"
    DOMAIN = "domain"  # the local part may differ as well
    ROLE_TO_PERSONAL = "role_to_personal"  # from a mailbox that several people read


class ChangePolicy(StrEnum):
    """What is done about a change."""

    RENAME = "rename"  # in place: technical id, history and statistics stay
    RESUBSCRIBE = "resubscribe"  # the old address is signed off, the new one begins anew (S2-16)
    HOLD = "hold"  # nothing, until somebody leaves proof or approves


#: A role mailbox belongs to no person, so nobody's proof can have moved with them (S2-11).
DEFAULT_POLICIES: Mapping[ChangeClass, ChangePolicy] = {
    ChangeClass.CASE_ONLY: ChangePolicy.RENAME,
    ChangeClass.LOCAL_PART: ChangePolicy.RENAME,
    ChangeClass.DOMAIN: ChangePolicy.RENAME,
    ChangeClass.ROLE_TO_PERSONAL: ChangePolicy.HOLD,
}

#: Local parts of RFC 2142 and those usual in German and English speaking companies.
ROLES = frozenset({
    "abuse", "accounting", "accounts", "admin", "administrator", "anfrage", "anfragen",
    "bestellung", "bestellungen", "bewerbung", "billing", "booking", "buchhaltung", "buchung",
    "büro", "buero", "compliance", "contact", "datenschutz", "dispo", "einkauf", "empfang",
    "finance", "ftp", "hallo", "hello", "help", "helpdesk", "hostmaster", "hr", "info", "infos",
    "invoice", "invoices", "it", "jobs", "kanzlei", "karriere", "kontakt", "kundenservice",
    "legal", "mail", "mailbox", "marketing", "media", "news", "newsletter", "noc", "no-reply",
    "noreply", "office", "order", "orders", "personal", "post", "postmaster", "praxis", "presse",
    "press", "privacy", "purchasing", "reception", "rechnung", "rechnungen", "reservation",
    "sales", "security", "sekretariat", "service", "shop", "support", "team", "usenet", "uucp",
    "versand", "vertrieb", "verwaltung", "webmaster", "welcome", "www", "zentrale",
})  # fmt: skip

_PARKING = "address-change.invalid"


def classify(old: str, new: Address) -> ChangeClass | None:
    """The kind of change from the address text `old` to `new`; None when they are the same text."""
    old_key = address_key(old)
    if old_key == new.key:
        return None if old.strip() == new.display else ChangeClass.CASE_ONLY
    if is_role(old_key) and not is_role(new.key):
        return ChangeClass.ROLE_TO_PERSONAL
    if old_key.rpartition("@")[2] != new.key.rpartition("@")[2]:
        return ChangeClass.DOMAIN
    return ChangeClass.LOCAL_PART


def is_role(key: str) -> bool:
    """Whether an address belongs to a function, as `info@`, `info2@` or `info+web@` do."""
    local = key.rpartition("@")[0].partition("+")[0]
    return local.rstrip("0123456789") in ROLES


def read_policies(raw: Any, where: str, faults: list[str]) -> dict[ChangeClass, ChangePolicy]:
    """The setting: one word for all kinds, or an object of words by kind; the rest is as default.

    Appends to `faults`, raises nothing. Writing one mailbox differently signs nothing off or on,
    so that `resubscribe` means `rename` there and is refused where it was said in so many words.
    """
    policies = dict(DEFAULT_POLICIES)
    words = ", ".join(ChangePolicy)
    if raw is None:
        return policies
    given = raw if isinstance(raw, Mapping) else dict.fromkeys(ChangeClass, raw)
    for name, word in given.items():
        if name not in tuple(ChangeClass):
            faults.append(f"{where}.{name}: no such kind of change; {', '.join(ChangeClass)}")
        elif word not in tuple(ChangePolicy):
            faults.append(f"{where}: one of {words}, or an object of these by kind of change")
            return policies
        elif name == ChangeClass.CASE_ONLY and word == ChangePolicy.RESUBSCRIBE:
            if isinstance(raw, Mapping):
                faults.append(f"{where}.case_only: one mailbox can't be signed off and on at once")
        else:
            policies[ChangeClass(name)] = ChangePolicy(word)
    return policies


def cycles(waiting_for: Mapping[str, str]) -> Iterator[list[str]]:
    """Swaps: contacts that wait for one another's addresses in a ring (S2-28).

    `waiting_for` is contact → the contact that has the address it wants; each has one at most.
    Yields the contacts of each ring, the smallest first, each ring once.
    """
    seen: set[str] = set()
    for start in sorted(waiting_for):
        path: list[str] = []
        at = start
        while at in waiting_for and at not in seen:
            seen.add(at)
            path.append(at)
            at = waiting_for[at]
        if at in path:
            ring = path[path.index(at) :]
            first = ring.index(min(ring))
            yield ring[first:] + ring[:first]


def parked(contact_id: str) -> Address:
    """Where a contact waits while its address is handed on; `.invalid` never delivers
    (RFC 2606).
    """
    text = f"parked-{contact_id}@{_PARKING}"
    return Address(display=text, key=text.lower())


def is_parked(text: str) -> bool:
    """Whether a contact is waiting: a run ended while its address was handed on."""
    return text.strip().lower().endswith(f"@{_PARKING}")
