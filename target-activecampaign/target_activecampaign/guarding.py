"""What a guard says of a rehearsed stream of contacts, and whether it could say anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from target_kit.guards import Guards, Measure, Tripped, check
from target_kit.outcome import Outcome, Tally

from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.noting import Notes


def can_trip(guards: Guards, stream: ContactStream, records: int, known: int) -> bool:
    """Whether any guard could say no: shares of few are not looked at, and what the settings of a
    stream never do needs no rehearsal. Of `records` at most `known` are of contacts that are there:
    a first load takes nothing away from anybody. How few the account has is not known yet.
    """
    enough = known >= guards.min_population
    shares = [one for one in guards.shares if enough or (one[0] == "creates" and records)]
    never = set()
    if not (stream.lists or stream.deletes.acts):
        never |= {"unsubscribes", "list_removals"}
    if not stream.clears:
        never.add("blank_outs")
    return any(name not in never for name, _ in (*guards.numbers, *shares))


def tripped(
    guards: Guards,
    stream: ContactStream,
    notes: Notes,
    tally: Tally,
    total: Callable[[], int | None],
) -> list[Tripped]:
    """The guards that say no, the stream's own `max_deletes` among them. New contacts are measured
    by all that the account has (`total`, asked only where that matters), everything else by the
    records of this run that were found there. What a record needs whose reads have failed was not
    found out: where so many could matter, the guard says no.
    """
    known = tally.sources["cfd"] + tally.sources["ctt"]
    measures = {name: Measure(number, known) for name, number in notes.changes.items()}
    if any(name == "creates" for name, _ in guards.shares):
        measures["creates"] = Measure(notes.changes["creates"], total())
    found = check(guards, measures) + _doubtful(guards, measures, tally)
    deletes, most = notes.changes["deletes"], stream.deletes.max_deletes
    if deletes > most:
        setting = f"streams.{stream.name}.max_deletes"
        found.append(Tripped("deletes", deletes, known, most, setting))
    return found


def _doubtful(guards: Guards, measures: Mapping[str, Measure], tally: Tally) -> list[Tripped]:
    """Guards that are content with what was found out, and might not be with the rest."""
    unread = tally.outcomes[Outcome.FAILED] + tally.outcomes[Outcome.UNKNOWN]
    if not unread:
        return []
    said = {one.setting for one in check(guards, measures)}
    most = {name: replace(one, count=(one.count or 0) + unread) for name, one in measures.items()}
    return [replace(one, count=None) for one in check(guards, most) if one.setting not in said]
