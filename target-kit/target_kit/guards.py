"""Guards: how much one run may change, as a number or as a share of what it looks at. Pure.

A guard compares what a run would do with its limit before the first write. What was not found out
counts as too much: a guard that can't be evaluated says no.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from target_kit.errors import GuardTripped

#: What is counted, by name. `unsubscribes` are memberships ended without a withdrawal of consent,
#: `list_removals` are recipients whom a list of its own loses that way.
MEASURES = {
    "creates": "records would be created",
    "updates": "records would be changed",
    "address_changes": "addresses would be changed",
    "unsubscribes": "memberships would be ended without a withdrawal of consent",
    "blank_outs": "values would be emptied",
    "deletes": "records would be deleted for good",
    "tag_removals": "tags would be removed",
    "list_removals": "recipients would be taken off the list without a withdrawal of consent",
}
#: What may be said of a stopped stream, since consent that was withdrawn is heard even so.
NOTHING_ELSE = "nothing was written but withdrawals of consent"
_POPULATION = "min_population"
_DEFAULT_POPULATION = 100

_NUMBER: dict[str, Any] = {"type": ["integer", "null"], "minimum": 0}
_SHARE: dict[str, Any] = {"type": ["number", "null"], "minimum": 0, "maximum": 100}
GUARDS_SCHEMA: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": {
        _POPULATION: {
            **_NUMBER,
            "description": "Shares do not count below so many records in scope; default "
            f"{_DEFAULT_POPULATION}.",
        },
        **{
            f"max_{name}": {**_NUMBER, "description": f"So many {words} by one run at most."}
            for name, words in MEASURES.items()
        },
        **{
            f"max_{name}_pct": {
                **_SHARE,
                "description": f"So many percent of the records in scope: {words} at most.",
            }
            for name, words in MEASURES.items()
        },
    },
}


@dataclass(frozen=True, slots=True)
class Guards:
    """The limits by name of what is counted; without any, nothing is guarded.

    `shares` are in percent, exact. Below `min_population` they do not count.
    """

    numbers: tuple[tuple[str, int], ...] = ()
    shares: tuple[tuple[str, Fraction], ...] = ()
    min_population: int = _DEFAULT_POPULATION

    def __bool__(self) -> bool:
        return bool(self.numbers or self.shares)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a run would do: `count` of a population `of`; None: could not be found out."""

    count: int | None
    of: int | None


@dataclass(frozen=True, slots=True)
class Tripped:
    """One guard that says no; `limit` is a number, or percent if it is a Fraction."""

    name: str
    count: int | None
    of: int | None
    limit: int | Fraction
    setting: str

    @property
    def share(self) -> float | None:
        """In percent; None where it is not known."""
        return None if self.count is None or not self.of else 100 * self.count / self.of

    @property
    def message(self) -> str:
        """One line: count, share, limit, setting, what to do."""
        what = MEASURES[self.name]
        limit = f"{self.setting} is {_shown(self.limit)}"
        if self.count is None:
            said = f"how many {what} can't be found out, and {limit}"
        elif self.of is None and isinstance(self.limit, Fraction):
            said = f"{self.count} {what}, of how many can't be found out, and {limit}"
        else:
            of = "" if self.of is None else f" of {self.of}"
            share = "" if self.share is None else f" ({self.share:.4g} %)"
            said = f"{self.count}{of}{share} {what}, {limit}"
        return f"{said}; check the source, or raise {self.setting} for one run"

    def as_dict(self) -> dict[str, Any]:
        """For plans and reports."""
        return {
            "name": self.name,
            "setting": self.setting,
            "count": self.count,
            "of": self.of,
            "share": self.share,
            "limit": self.limit if isinstance(self.limit, int) else float(self.limit),
            "message": self.message,
        }


def _shown(limit: int | Fraction) -> str:
    return str(limit) if isinstance(limit, int) else f"{float(limit):g} %"


def read_guards(raw: Mapping[str, Any] | None, where: str, faults: list[str]) -> Guards:
    """Check the setting; appends what is wrong to `faults`. Null sets no limit."""
    if raw is None:
        return Guards()
    known = GUARDS_SCHEMA["properties"]
    faults += [f"{where}.{name}: no such guard" for name in raw if name not in known]
    numbers: list[tuple[str, int]] = []
    shares: list[tuple[str, Fraction]] = []
    for name in MEASURES:
        number, share = raw.get(f"max_{name}"), raw.get(f"max_{name}_pct")
        if number is not None and _is_count(number, f"{where}.max_{name}", faults):
            numbers.append((name, number))
        if share is not None and _is_percent(share, f"{where}.max_{name}_pct", faults):
            # By its text: 0.1 is one tenth, not the double next to it.
            shares.append((name, Fraction(str(share))))
    least = raw.get(_POPULATION)
    if least is None or not _is_count(least, f"{where}.{_POPULATION}", faults):
        least = _DEFAULT_POPULATION
    return Guards(tuple(numbers), tuple(shares), least)


def _is_count(value: Any, where: str, faults: list[str]) -> bool:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if not fits:
        faults.append(f"{where}: must be a whole number, 0 or more")
    return fits


def _is_percent(value: Any, where: str, faults: list[str]) -> bool:
    # Settings files are read with exact decimals. Comparing refuses NaN and infinity too.
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    fits = number and not (isinstance(value, Decimal) and value.is_nan()) and 0 <= value <= 100
    if not fits:
        faults.append(f"{where}: must be a share in percent, 0 to 100")
    return fits


def check(guards: Guards, measures: Mapping[str, Measure]) -> list[Tripped]:
    """The guards that say no. At its limit a guard is content; not being found out is too much."""
    unknown = Measure(None, None)
    numbers = [
        Tripped(name, found.count, found.of, limit, f"guards.max_{name}")
        for name, limit in guards.numbers
        if _too_many(found := measures.get(name, unknown), limit)
    ]
    shares = [
        Tripped(name, found.count, found.of, limit, f"guards.max_{name}_pct")
        for name, limit in guards.shares
        if _too_large(found := measures.get(name, unknown), limit, guards.min_population)
    ]
    return numbers + shares


def _too_many(found: Measure, limit: int) -> bool:
    return found.count is None or found.count > limit


def _too_large(found: Measure, limit: Fraction, least: int) -> bool:
    if found.of is None:
        return True
    return found.of >= least and (found.count is None or 100 * found.count > limit * found.of)


def tripped_error(stream: str, tripped: Sequence[Tripped]) -> GuardTripped:
    """Ends the run before it writes anything but withdrawals; one line that names every guard."""
    said = "; ".join(one.message for one in tripped)
    return GuardTripped(f"{stream}: {NOTHING_ELSE}, a guard says no: {said}")
