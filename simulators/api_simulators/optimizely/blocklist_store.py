"""The blocklist: addresses, and patterns with * and ?, that never get mail."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_WILD = re.compile(r"[*?\\]")


@dataclass(slots=True)
class BlockEntry:
    """One entry with its reason; automatic ones have reasons like type=automatic;rule=..."""

    entry: str
    reason: str
    created: float
    modified: float


class Blocklist:
    """Entries in the order they came.

    Upper and lower case are the same in addresses. A backslash makes the next character literal.
    Plain addresses and `*` with text behind it, such as a domain, are looked up by hash; only
    other patterns are tried one after the other.
    """

    def __init__(self) -> None:
        self.entries: dict[str, BlockEntry] = {}
        self._plain: Counter[str] = Counter()
        self._endings: Counter[str] = Counter()
        self._patterns: dict[str, re.Pattern[str]] = {}

    def add(self, row: BlockEntry) -> None:
        """Keep an entry; a known one gets the new reason."""
        known = self.entries.get(row.entry)
        if known is not None:
            known.reason, known.modified = row.reason, row.modified
            return
        self.entries[row.entry] = row
        self._count(row.entry, 1)

    def remove(self, entry: str) -> bool:
        """Take an entry out; False where there is none."""
        if self.entries.pop(entry, None) is None:
            return False
        self._count(entry, -1)
        return True

    def _count(self, entry: str, change: int) -> None:
        if _WILD.search(entry) is None:
            self._plain[entry.casefold()] += change
        elif entry[0] == "*" and _WILD.search(entry, 1) is None:
            self._endings[entry[1:].casefold()] += change
        elif change > 0:
            self._patterns[entry] = _compile(entry)
        else:
            del self._patterns[entry]

    def matches(self, address: str) -> bool:
        """Say whether an address is blocked by any entry."""
        folded = address.casefold()
        if self._plain.get(folded):
            return True
        endings = self._endings
        if endings and any(endings.get(folded[start:]) for start in range(len(folded) + 1)):
            return True
        return any(pattern.fullmatch(address) for pattern in self._patterns.values())

    def first_match(self, address: str) -> str | None:
        """Return the entry that blocks an address, the oldest if several do."""
        if not self.matches(address):
            return None
        return next(entry for entry in self.entries if _compile(entry).fullmatch(address))


def _compile(entry: str) -> re.Pattern[str]:
    parts: list[str] = []
    literal = False
    for character in entry:
        if literal or character not in "*?\\":
            parts.append(re.escape(character))
            literal = False
        elif character == "\\":
            literal = True
        else:
            parts.append(".*" if character == "*" else ".")
    return re.compile(f"(?:{''.join(parts)})", re.IGNORECASE | re.DOTALL)
