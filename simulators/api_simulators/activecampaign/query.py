"""Query strings as ActiveCampaign reads them: PHP brackets, forgiving about the unknown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import parse_qsl

T = TypeVar("T")
LIMIT_DEFAULT = 20
LIMIT_MAX = 100


class Query:
    """The parameters of one request; empty values count as not given."""

    def __init__(self, text: str) -> None:
        pairs = parse_qsl(text, keep_blank_values=True) if text else []
        self.pairs = [(name, value) for name, value in pairs if value != ""]
        self._last = dict(self.pairs)

    def get(self, name: str) -> str | None:
        """Return the last value of `name`, None when absent or empty."""
        return self._last.get(name)

    def number(self, name: str) -> int | None:
        """Return `name` as a whole number, None when it is not one."""
        value = self._last.get(name)
        if value is None or not value.lstrip("-").isdigit():
            return None
        return int(value)

    def all(self, *names: str) -> list[str]:
        """Return every value given under any of `names`, in order."""
        return [value for name, value in self.pairs if name in names or _indexed(name, names)]

    def orders(self) -> list[tuple[str, bool]]:
        """Return (column, descending) of each `orders[column]`, in the order given."""
        found = []
        for name, value in self.pairs:
            if name.startswith("orders[") and name.endswith("]"):
                found.append((name[7:-1], value.upper() == "DESC"))
        return found

    def window(self, default: int = LIMIT_DEFAULT) -> tuple[int, int]:
        """Return (limit, offset): the limit clamps silently at 100."""
        limit = self.number("limit")
        offset = self.number("offset")
        wanted = default if limit is None or limit < 1 else min(limit, LIMIT_MAX)
        return wanted, max(0, offset or 0)

    def page(self, rows: Sequence[T], default: int = LIMIT_DEFAULT) -> Sequence[T]:
        """Return the window of `rows` that was asked for."""
        limit, offset = self.window(default)
        return rows[offset : offset + limit]


def _indexed(name: str, names: tuple[str, ...]) -> bool:
    """Take `ids[0]` for `ids[]`."""
    head, bracket, index = name.partition("[")
    return bool(bracket) and index[:-1].isdigit() and f"{head}[]" in names
