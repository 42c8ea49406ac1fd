"""A plan as one page that opens anywhere. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from target_kit.page import Cell, Html, bullets, details, document, paragraph, section, table
from target_kit.plan_model import ACTIONS, Entry, Forecast, Overview, PlanHeader


def as_page(header: PlanHeader, plan: Overview) -> str:
    """The whole plan as HTML, the first entries one by one, by what would happen."""
    return document(
        f"What {header.target} would do",
        table("What this is about", ["Fact", "Here"], header.facts),
        paragraph("Nothing was written. To carry it out: mode: apply with this plan_file."),
        *_guards(header),
        _records(header),
        _changes(plan),
        _causes(plan),
        section("Besides", *([bullets(header.notes)] if header.notes else [])),
        _calls(header.forecast),
        section("One by one", *_entries(plan)),
    )


def _guards(header: PlanHeader) -> Iterable[Html]:
    said = [str(one.get("message", one)) for one in header.guards]
    if said:
        yield section("Guards that would say no", *(paragraph(one, alarm=True) for one in said))


def _records(header: PlanHeader) -> Html:
    actions = header.actions
    rows: list[list[Cell]] = [
        [name, *(counts.get(one, 0) for one in actions)] for name, counts in header.streams.items()
    ]
    head = ["Stream", *(ACTIONS.get(one, one) for one in actions)]
    return section("Records", table("Records by what would happen to them", head, rows))


def _changes(plan: Overview) -> Html:
    rows: list[list[Cell]] = [[what, stream, n] for (stream, what), n in plan.changes.most_common()]
    found = table("Changes, with the rule of each", ["Change", "Stream", "Times"], rows)
    return section("What would change", *([found] if rows else []))


def _causes(plan: Overview) -> Html:
    rows: list[list[Cell]] = [
        [cause, stream, ACTIONS.get(action, action), n]
        for (stream, action, cause), n in plan.causes.most_common()
    ]
    found = table("Records by cause", ["Cause", "Stream", "Records", "Number"], rows)
    return section("What would not be done, and why", *([found] if rows else []))


def _calls(forecast: Forecast) -> Html:
    rows = list(forecast.calls.items())
    found = [table("Calls per route", ["Route", "Number"], rows)] if rows else []
    return section("Calls", *found, paragraph(forecast.words))


def _entries(plan: Overview) -> Iterable[Html]:
    """A folded part for each action."""
    if plan.left_out:
        yield paragraph(plan.left_out)
    found: dict[str, list[Entry]] = {}
    for entry in plan.shown:
        found.setdefault(entry.action, []).append(entry)
    for action in sorted(found, key=lambda one: (*ACTIONS, one).index(one)):
        words = ACTIONS.get(action, action)
        rows = [_row(entry) for entry in found[action]]
        shown = table(f"Records that {words}", ["Record", "Stream", "Items", "Cause"], rows)
        yield details(f"{len(rows):,} {words}", shown)


def _row(entry: Entry) -> list[str]:
    said = "; ".join(item.words for item in entry.items)
    return [entry.name, entry.stream, said, entry.cause]
