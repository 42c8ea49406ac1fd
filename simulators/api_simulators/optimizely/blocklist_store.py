"""The blocklist: addresses, and patterns with * and ?, that never get mail."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(slots=True)
class BlockEntry:
    """One entry with its reason; automatic ones have reasons like type=automatic;rule=..."""

    entry: str
    reason: str
    created: float
    modified: float


class Blocklist:
    """Entries in the order they came; plain addresses are looked up, patterns are compiled once.

    Upper and lower case are the same in addresses. A backslash makes the next character literal.
    """

    def __init__(self) -> None:
        self.entries: dict[str, BlockEntry] = {}
        self._plain: dict[str, str] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}
        self._any: re.Pattern[str] | None = None

    def add(self, row: BlockEntry) -> None:
        """Keep an entry; a known one gets the new reason."""
        known = self.entries.get(row.entry)
        if known is not None:
            known.reason, known.modified = row.reason, row.modified
            return
        self.entries[row.entry] = row
        if re.search(r"[*?\\]", row.entry):
            self._patterns[row.entry] = _compile(row.entry)
            self._any = None
        else:
            self._plain.setdefault(row.entry.casefold(), row.entry)

    def remove(self, entry: str) -> bool:
        """Take an entry out; False where there is none."""
        if self.entries.pop(entry, None) is None:
            return False
        if self._patterns.pop(entry, None) is not None:
            self._any = None
            return True
        folded = entry.casefold()
        if self._plain.get(folded) == entry:
            del self._plain[folded]
            others = (known for known in self.entries if known.casefold() == folded)
            self._plain.update((folded, known) for known in others)
        return True

    def matches(self, address: str) -> bool:
        """Say whether an address is blocked by any entry."""
        if address.casefold() in self._plain:
            return True
        if not self._patterns:
            return False
        if self._any is None:
            alternatives = "|".join(pattern.pattern for pattern in self._patterns.values())
            self._any = re.compile(alternatives, re.IGNORECASE | re.DOTALL)
        return self._any.fullmatch(address) is not None

    def first_match(self, address: str) -> str | None:
        """Return the entry that blocks an address, the oldest if several do."""
        folded = address.casefold()
        for entry in self.entries:
            pattern = self._patterns.get(entry)
            if pattern.fullmatch(address) if pattern else entry.casefold() == folded:
                return entry
        return None


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
