"""The plan of a run: written in one mode, carried out in another, absent in the third."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from urllib.parse import urlsplit

import msgspec
from target_kit.clock import Clock
from target_kit.control import Mode
from target_kit.errors import ConfigurationError
from target_kit.plan import (
    Approved,
    Digests,
    Entry,
    Forecast,
    PlanHeader,
    PlanWriter,
    check_place,
    read_plan,
)
from target_kit.report import RunReport, counted
from target_kit.workfile import work_file

from target_optimizely.rehearsing import Rehearsed
from target_optimizely.settings import Settings
from target_optimizely.transfer import Limits


class PlanOfRun:
    """Of all lists. `report` has the calls that were made, once the vendor was left."""

    def __init__(self, settings: Settings, report: RunReport, clock: Clock) -> None:
        self._settings = settings
        self._report = report
        self._clock = clock
        self._writer: PlanWriter | None = None
        self._began = clock.monotonic()
        self.planning = settings.control.mode is Mode.PLAN
        if self.planning and settings.control.plan_file:
            check_place(settings.control.plan_file)

    @contextmanager
    def opened(self) -> Iterator[Limits]:
        """What the run may do. Raises ConfigurationError for a plan that can't be read, or was
        made for another client or with other settings of the lists.
        """
        control, state_dir = self._settings.control, self._settings.state_dir
        with ExitStack() as stack:
            approved = None
            if self.planning:
                self._writer = stack.enter_context(PlanWriter(state_dir / "work"))
            elif control.mode is Mode.APPLY and control.plan_file:
                # Runs of other lists may be under way in this folder.
                database = stack.enter_context(work_file(state_dir, f"plan-{os.getpid()}"))
                self._check(read_plan(control.plan_file, database))
                approved = Approved(database)
            yield Limits(control.guards, self._digests(), approved)

    def add(self, entry: Entry) -> None:
        """One more entry of a plan that is being made."""
        if self._writer:
            self._writer.add(entry)

    def write(self, found: Sequence[Rehearsed], unclaimed: Mapping[str, int]) -> None:
        """Write the plan, if one was made; `unclaimed` counts records that no list takes."""
        path = self._settings.control.plan_file
        if self._writer is None or path is None:
            return
        header = self._header()
        header.streams = {one.name: dict(one.actions) for one in found}
        for name, number in unclaimed.items():  # a list may be called as its stream is
            counts = header.streams.setdefault(name, {})
            counts["suppress"] = counts.get("suppress", 0) + number
        header.forecast = self._forecast(found)
        header.guards = [said for one in found for said in one.objections]
        header.notes = [note for one in found for note in one.notes]
        header.notes.append(
            "the vendor names no rate: the time is reckoned at the pace of this plan's own calls"
        )
        self._writer.finish(path, header)

    def _forecast(self, found: Sequence[Rehearsed]) -> Forecast:
        """What was read for the plan is read again by the run that carries it out."""
        read = Counter(self._report.calls)
        seconds = self._clock.monotonic() - self._began
        pace = round(read.total() / seconds, 2) if seconds > 0 else 0.0
        for one in found:
            read += one.calls
        writes = sum(one.writes for one in found)
        forecast = Forecast.of(counted(read), writes, pace)
        forecast.seconds = round(forecast.seconds, 1)
        return forecast

    def _header(self) -> PlanHeader:
        settings = self._settings
        lists = msgspec.json.encode({name: asdict(one) for name, one in settings.lists.items()})
        return PlanHeader(
            target=self._report.target,
            version=self._report.version,
            created_at=self._clock.now().isoformat(timespec="seconds"),
            account=f"{urlsplit(settings.api_url).hostname}, client {settings.mandator_id}",
            settings=hashlib.sha256(lists).hexdigest()[:32],
            made_by=self._digests().made_by,
        )

    def _digests(self) -> Digests:
        return Digests.from_state_dir(self._settings.state_dir, self._clock)

    def _check(self, header: PlanHeader) -> None:
        own = self._header()
        if header.account != own.account or header.target != own.target:
            raise ConfigurationError("plan_file: the plan was made for another client")
        if header.settings != own.settings:
            raise ConfigurationError(
                "plan_file: the settings of the lists have changed since; make a new plan"
            )
        self._digests().check_own(header)
