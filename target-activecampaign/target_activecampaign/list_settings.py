"""The stream options `consent`, `lists` and `tags`, checked; every fault is collected, none raised.

Part of reading the settings: a list without a declared consent is a fault, not a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ConsentColumns:
    """Where one purpose's consent comes from: columns with its status, the moment it was given,
    its proof and, where the source has it, the address it was given for.
    """

    column: str
    granted_at: str
    evidence: str
    address: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        named = (self.column, self.granted_at, self.evidence, self.address)
        return tuple(column for column in named if column)


@dataclass(frozen=True, slots=True)
class ListRule:
    """Who belongs on a list: `when` is a column, None for everybody of the stream. `keeps`: who is
    active there stays so when their address changes, proof or none (S2-13, S2-15).
    """

    when: str | None
    purpose: str
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class TagRule:
    """Which tags are ours: `add`, `remove`, and any that begins with one of `owned_prefixes`."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    column: str | None = None
    owned_prefixes: tuple[str, ...] = ()

    def owns(self, tag: str) -> bool:
        """True for tags that the column may add and whose absence from it removes them."""
        return tag.lower().startswith(tuple(p.lower() for p in self.owned_prefixes))


def read_consents(raw: Any, where: str, faults: list[str]) -> dict[str, ConsentColumns]:
    """`consent`: one object, or one per purpose; by purpose."""
    found: dict[str, ConsentColumns] = {}
    for entry in raw if isinstance(raw, list) else [raw] if raw else []:
        needed = ("column", "granted_at", "evidence", "purpose")
        missing = [name for name in needed if not entry.get(name)]
        if missing:
            faults.append(f"{where}.consent: needs {', '.join(missing)}")
            continue
        purpose = str(entry["purpose"])
        if purpose in found:
            faults.append(f"{where}.consent: purpose {purpose} is declared twice")
        address = str(entry["address"]) if entry.get("address") else None
        found[purpose] = ConsentColumns(
            str(entry["column"]), str(entry["granted_at"]), str(entry["evidence"]), address
        )
    return found


def read_lists(
    raw: Mapping[str, Any] | None,
    consents: Mapping[str, ConsentColumns],
    where: str,
    faults: list[str],
) -> dict[str, ListRule]:
    """`lists`: by name or id as configured."""
    found: dict[str, ListRule] = {}
    for name, entry in (raw or {}).items():
        when, purpose = entry.get("when"), str(entry.get("consent") or "")
        if when is not True and not (isinstance(when, str) and when):
            faults.append(f"{where}.lists.{name}.when: a column, or true for everybody")
        if not purpose:
            faults.append(f"{where}.lists.{name}.consent: names the purpose that the list serves")
        elif purpose not in consents:
            faults.append(f"{where}.lists.{name}.consent: no purpose {purpose} under consent")
        after = entry.get("after_email_change", "evidence")
        if after not in ("evidence", "keep"):
            faults.append(f"{where}.lists.{name}.after_email_change: one of evidence, keep")
        found[str(name)] = ListRule(
            None if when is True else str(when), purpose, keeps=after == "keep"
        )
    if consents and not found:
        faults.append(f"{where}.consent: serves nothing without lists")
    return found


def read_tags(raw: Mapping[str, Any] | None, where: str, faults: list[str]) -> TagRule | None:
    """`tags`, None without any."""
    if not raw:
        return None
    rule = TagRule(
        _names(raw, "add", where, faults),
        _names(raw, "remove", where, faults),
        str(raw["from"]) if raw.get("from") else None,
        _names(raw, "owned_prefixes", where, faults),
    )
    removed = {tag.lower() for tag in rule.remove}
    faults.extend(
        f"{where}.tags: {tag} can't be both added and removed"
        for tag in rule.add
        if tag.lower() in removed
    )
    if rule.column and not rule.owned_prefixes:
        faults.append(f"{where}.tags.from: needs owned_prefixes; other tags stay untouched")
    if rule.owned_prefixes and not rule.column:
        faults.append(f"{where}.tags.owned_prefixes: needs from, the column of those to keep")
    return rule


def _names(raw: Mapping[str, Any], name: str, where: str, faults: list[str]) -> tuple[str, ...]:
    texts = tuple(str(text).strip() for text in raw.get(name) or ())
    if not all(texts):
        faults.append(f"{where}.tags.{name}: holds a blank")
    return texts
