"""Who unsubscribed: for the whole client (scope 0) or, by contract with the vendor, per list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Unsubscribe:
    """One unsubscribe; `list_id` and `mailing_id` say where it came from, 0 is unknown."""

    recipient_id: str
    scope: int
    list_id: int
    mailing_id: int
    created: float
    reason: str = ""
    media_type: str = "EMAIL"


class Unsubscribes:
    """Unsubscribes by (scope, recipient id), in the order they came.

    `added` has every one that ever came, also those taken back: export files tell of them.
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[int, str], Unsubscribe] = {}
        self.added: list[Unsubscribe] = []
        self._folded: dict[tuple[int, str], int] = {}

    def add(self, row: Unsubscribe) -> None:
        """Keep an unsubscribe; a repeated one leaves the first as it is."""
        key = (row.scope, row.recipient_id)
        if key not in self.rows:
            self.rows[key] = row
            self.added.append(row)
            folded = (row.scope, row.recipient_id.casefold())
            self._folded[folded] = self._folded.get(folded, 0) + 1

    def contains(self, scope: int, recipient_id: str, *, fold: bool = False) -> bool:
        """Say whether an id is in the store of a scope."""
        if fold:
            return self._folded.get((scope, recipient_id.casefold()), 0) > 0
        return (scope, recipient_id) in self.rows

    def anywhere(self, recipient_id: str) -> list[int]:
        """Return the scopes whose store has the id."""
        return [scope for scope, known in self.rows if known == recipient_id]

    def remove(self, scope: int, recipient_id: str) -> bool:
        """Forget an unsubscribe; False where there is none."""
        if self.rows.pop((scope, recipient_id), None) is None:
            return False
        self._folded[scope, recipient_id.casefold()] -= 1
        return True

    def rename(self, old: str, new: str) -> None:
        """Let the unsubscribes of one id be those of another."""
        for key in [key for key in self.rows if key[1] == old]:
            row = self.rows[key]
            self.remove(*key)
            row.recipient_id = new
            self.add(row)
