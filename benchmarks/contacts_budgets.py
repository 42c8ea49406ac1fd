"""What `benchmarks.contacts` measures, and what it allows. Pure.

Limits: https://developers.activecampaign.com/reference/rate-limits and bulk-import-contacts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REQUESTS_PER_SECOND = 5
IMPORTS_PER_MINUTE, IMPORT = 100, "POST import/bulk_import"
#: From here on the budgets hold as they are; below, some calls more that every run makes.
FULL = 10_000
LOADED, LOADED_SINGLY = "first load, auto", "first load, single"
IDLE, IDLE_LEDGER = "no change", "no change, incremental"
CHANGED, CHANGED_SINGLY = "1 % changed, auto", "1 % changed, single"
CHANGED_LEDGER = "1 % changed, incremental"


@dataclass(frozen=True)
class Measured:
    """One run: the calls by route that were counted, how many the plan had forecast, wall and CPU
    seconds, peak memory in MB.
    """

    size: int
    name: str
    calls: Mapping[str, int]
    forecast: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0

    @property
    def total(self) -> int:
        """All calls."""
        return sum(self.calls.values())

    @property
    def writes(self) -> int:
        """Calls that are not GET."""
        return sum(n for name, n in self.calls.items() if not name.startswith("GET "))

    def line(self) -> str:
        """One row of the table."""
        return (
            f"{self.size:>8} {self.name:<24} {self.total:>7} calls {self.total / self.size:>8.4f} "
            f"a contact {self.writes:>6} writes  plan {self.forecast:>6}  "
            f"{self.seconds:>6.1f} s wall {self.cpu_seconds:>6.1f} s CPU "
            f"{self.peak_mb:>4.0f} MB  {minutes(at_limits(self.calls)):>9} at the limits"
        )


def at_limits(calls: Mapping[str, int]) -> float:
    """Seconds that these calls take at 5 requests a second and 100 imports a minute, one phase
    after the other: imports leave as fast as they may, a hundred, then when the minute is over.
    """
    imports = calls.get(IMPORT, 0)
    others = sum(calls.values()) - imports
    whole, rest = divmod(max(imports - 1, 0), IMPORTS_PER_MINUTE)
    return others / REQUESTS_PER_SECOND + whole * 60 + (rest + bool(imports)) / REQUESTS_PER_SECOND


def minutes(seconds: float) -> str:
    """As people read it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def faults_of(runs: Mapping[str, Measured]) -> list[str]:
    """Promises that the runs of one size broke."""
    size = next(iter(runs.values())).size
    changed, spare = max(size // 100, 1), 0 if size >= FULL else 25
    allowed = {
        LOADED: 0.02 * size + spare,
        LOADED_SINGLY: 3 * size + 25,
        IDLE: size / 100 + 25,
        IDLE_LEDGER: 10,
    }
    faults = [
        f"{name}: {runs[name].total} calls, {most:g} allowed"
        for name, most in allowed.items()
        if name in runs and runs[name].total > most
    ]
    for name, before in ((CHANGED, IDLE), (CHANGED_SINGLY, IDLE), (CHANGED_LEDGER, IDLE_LEDGER)):
        if name not in runs:
            continue
        more, most = runs[name].total - runs[before].total, 1.1 * changed + (2 if spare else 0)
        if more > most:
            faults.append(f"{name}: {more} calls more than without a change, {most:g} allowed")
    idle = (IDLE, IDLE_LEDGER)
    faults += [f"{name}: {runs[name].writes} writes" for name in idle if runs[name].writes]
    faults += [
        f"{one.name}: {one.total} calls, the plan said {one.forecast}"
        for one in runs.values()
        if abs(one.forecast - one.total) > 0.05 * one.total
    ]
    return [f"{size} {fault}" for fault in faults]
