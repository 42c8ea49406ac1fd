"""What each call and event changed, in order: every state a vendor was in can be told from it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

Rows = dict[tuple[str, str], Any]


class Journal:
    """Off until it is kept; then one entry for each cause that changed anything."""

    def __init__(self) -> None:
        self._held: Rows | None = None
        self._entries: list[dict[str, Any]] = []

    @property
    def kept(self) -> bool:
        """Whether changes are noted; looking for them costs the time of reading the state."""
        return self._held is not None

    def keep(self, state: dict[str, Any]) -> None:
        """Note changes from `state` on."""
        self._held = _rows(state)
        self._entries = []

    def drop(self) -> None:
        """Note no more, forget all."""
        self._held = None
        self._entries = []

    def note(
        self, time: float, by: str, what: str, request: int | None, state: dict[str, Any]
    ) -> None:
        """Compare `state` with the last one. `by` is call, event or seed, `what` names it, and
        `request` is the number that a call has in the request log.
        """
        if self._held is None:
            return
        before, after = self._held, _rows(state)
        changes = [
            {"table": table, "id": number, "before": before.get(at), "after": after.get(at)}
            for at in dict.fromkeys((*before, *after))
            if before.get(at) != after.get(at)
            for table, number in (at,)
        ]
        self._held = after
        if changes:
            entry = {"time": time, "by": by, "what": what, "request": request, "changes": changes}
            self._entries.append(entry)

    def describe(self) -> dict[str, Any]:
        """Return the entries, oldest first."""
        return {"kept": self.kept, "entries": self._entries}


def _rows(state: dict[str, Any]) -> Rows:
    """Every row of a state by table and id; what is no table of rows is one row without id."""
    found: Rows = {}
    for table, content in deepcopy(state).items():
        if isinstance(content, dict):
            found |= {(table, str(number)): row for number, row in content.items()}
        elif isinstance(content, list) and all(isinstance(r, dict) and "id" in r for r in content):
            found |= {(table, str(row["id"])): row for row in content}
        else:
            found[table, ""] = content
    return found
