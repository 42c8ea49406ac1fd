"""A plan as a text that a marketer reads. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from target_kit.plan_model import ACTIONS, Entry, Overview, PlanHeader
from target_kit.redact import escape


def as_text(header: PlanHeader, plan: Overview) -> str:
    """The whole plan in words, the first entries one by one."""
    actions = header.actions
    parts = [
        [f"What {header.target} would do", *(f"  {name}: {text}" for name, text in header.facts)],
        ["Nothing was written. To carry it out: mode: apply with this plan_file."],
        _table(
            "Records",
            ["stream", *(ACTIONS.get(one, one) for one in actions)],
            [
                [name, *(f"{counts.get(one, 0):,}" for one in actions)]
                for name, counts in header.streams.items()
            ],
            numbers=len(actions),
        ),
        _table(
            "What would change",
            ["stream", "change", "times"],
            [[stream, what, f"{n:,}"] for (stream, what), n in plan.changes.most_common()],
        ),
        _table(
            "What would not be done, and why",
            ["stream", "records", "cause", "number"],
            [
                [stream, ACTIONS.get(action, action), cause, f"{n:,}"]
                for (stream, action, cause), n in plan.causes.most_common()
            ],
        ),
        _list("Besides", header.notes),
        _list("Guards that would say no", [str(one.get("message", one)) for one in header.guards]),
        _table(
            "Calls",
            ["route", "number"],
            [[route, f"{n:,}"] for route, n in header.forecast.calls.items()],
        ),
        [header.forecast.words],
        _list("One by one", [_entry(one) for one in plan.shown]),
        [plan.left_out] if plan.left_out else [],
    ]
    shown = ["\n".join(escape(line) for line in part) for part in parts if part]
    return "\n\n".join(shown) + "\n"


def _entry(entry: Entry) -> str:
    said = "; ".join(item.words for item in entry.items)
    cause = f" ({entry.cause})" if entry.cause else ""
    return f"{entry.stream} {entry.name}: {entry.action}{cause}" + (f": {said}" if said else "")


def _list(title: str, lines: Sequence[str]) -> list[str]:
    return [title, *(f"  {line}" for line in lines)] if lines else []


def _table(
    title: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 1
) -> list[str]:
    """Columns as wide as their content; so many at the end are numbers and stand to the right."""
    if not rows:
        return []
    cells = [[escape(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    texts = len(head) - numbers
    lines = [
        "  ".join(
            cell.ljust(width) if i < texts else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return [title, *(f"  {line}" for line in lines)]
