"""Named switches: each guess about a vendor, with its default and what turning it means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from api_simulators.wire import ControlError

Value = str | int | float | bool


@dataclass(slots=True, frozen=True)
class Switch:
    """One assumption: `values` lists what it may be; empty means any value of the default's type.

    `basis` says where the assumption is discussed: a section of the vendor's documentation or
    "guess" when nothing public settles it. `check` refuses values beyond what `values` can say.
    """

    name: str
    default: Value
    values: tuple[Value, ...]
    meaning: str
    basis: str
    check: Callable[[Value], bool] | None = None


class Switches:
    """The current position of every switch of one vendor."""

    def __init__(self, table: Iterable[Switch]) -> None:
        self._table = {switch.name: switch for switch in table}
        self._start = {name: switch.default for name, switch in self._table.items()}
        self.version = 0
        self._now = dict(self._start)

    def __getitem__(self, name: str) -> Any:
        return self._now[name]

    def reset(self) -> None:
        """Return to the positions the process was started with."""
        self._now = dict(self._start)
        self.version += 1

    def keep_as_start(self) -> None:
        """Make the current positions those that `reset` returns to."""
        self._start = dict(self._now)

    def turn(self, wanted: dict[str, Any]) -> None:
        """Set all of `wanted` or none; raises ControlError naming what is wrong."""
        unknown = sorted(set(wanted) - set(self._table))
        if unknown:
            raise ControlError(f"unknown switch {unknown}; known: {sorted(self._table)}")
        checked = {name: _checked(self._table[name], value) for name, value in wanted.items()}
        self._now.update(checked)
        self.version += 1

    def describe(self) -> list[dict[str, Any]]:
        """Return every switch with name, default, value, values, meaning and basis."""
        return [
            {
                "name": switch.name,
                "default": switch.default,
                "value": self._now[switch.name],
                "values": list(switch.values),
                "meaning": switch.meaning,
                "basis": switch.basis,
            }
            for switch in self._table.values()
        ]

    def table(self) -> str:
        """Return the switches as a Markdown table, the way the README shows them."""
        lines = [
            "| Switch | Default | Other positions | Meaning | Basis |",
            "|---|---|---|---|---|",
        ]
        for switch in self._table.values():
            others = [v for v in switch.values if v != switch.default]
            if isinstance(switch.default, bool):
                others = [not switch.default]
            shown = ", ".join(_code(value) for value in others) or f"any {_kind(switch.default)}"
            row = (_code(switch.name), _code(switch.default), shown, switch.meaning, switch.basis)
            lines.append(f"| {' | '.join(row)} |")
        return "\n".join(lines) + "\n"


def _checked(switch: Switch, value: Any) -> Value:
    wanted: Value
    if isinstance(switch.default, bool):
        words = {"true": True, "on": True, "false": False, "off": False}
        wanted = words.get(str(value).lower(), str(value))
    elif isinstance(switch.default, int | float):
        try:
            wanted = type(switch.default)(value)
        except (TypeError, ValueError) as error:
            raise ControlError(f"{switch.name} wants a number, not {value!r}") from error
    else:
        wanted = str(value)
    if switch.values and wanted not in switch.values:
        raise ControlError(f"{switch.name} may be {list(switch.values)}, not {value!r}")
    if isinstance(switch.default, bool) and not isinstance(wanted, bool):
        raise ControlError(f"{switch.name} may be true or false, not {value!r}")
    if switch.check is not None and not switch.check(wanted):
        raise ControlError(f"{switch.name} ({switch.meaning}) cannot be {value!r}")
    return wanted


def _code(value: Value) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "empty"


def _kind(value: Value) -> str:
    return {"int": "whole number", "float": "number", "str": "text"}[type(value).__name__]
