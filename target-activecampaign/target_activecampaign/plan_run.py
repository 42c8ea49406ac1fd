"""The plan of a run: written in one mode, carried out in another, absent in the third."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Self

from target_kit.clock import Clock
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

from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_rehearsal import RehearsedAccounts
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.contact_run import Rehearsed
from target_activecampaign.control_settings import Mode
from target_activecampaign.incremental import digest_of
from target_activecampaign.noting import Notes
from target_activecampaign.rehearsal import Picture, RehearsedContacts
from target_activecampaign.settings import Settings


class PlanOfRun:
    """`client` is the one by which custom fields are made, `accounts` the one for accounts:
    rehearsing ones while a plan is made.
    """

    def __init__(
        self, settings: Settings, report: RunReport, clock: Clock, client: ActiveCampaign
    ) -> None:
        self.real = client
        self.approved: Approved | None = None
        self._settings = settings
        self._report = report
        self._clock = clock
        self._writer: PlanWriter | None = None
        self._picture = Picture(clock)
        planning = settings.control.mode is Mode.PLAN
        self.client = RehearsedContacts(client, self._picture) if planning else client
        accounts = AccountEndpoints(client.api)
        self.accounts = RehearsedAccounts(accounts, self._picture) if planning else accounts

    @contextmanager
    def opened(self) -> Iterator[Self]:
        """With the plan to carry out, or with a place for the one to make, as the mode wants.

        Raises ConfigurationError for a plan that can't be read, or was made for another account or
        with other settings, and for a place where none can be written.
        """
        path, state_dir = self._settings.control.plan_file, self._settings.state_dir
        mode = self._settings.control.mode
        with ExitStack() as stack:
            if mode is Mode.PLAN and path:
                check_place(path)
                self._writer = stack.enter_context(PlanWriter(state_dir / "work"))
            elif mode is Mode.APPLY and path:
                database = stack.enter_context(work_file(state_dir, "plan"))
                self._check(read_plan(path, database))
                self.approved = Approved(database)
            yield self

    def add(self, entry: Entry) -> None:
        """One more row of a plan that is being made."""
        if self._writer:
            self._writer.add(entry)

    def write(
        self, accounts: Sequence[Notes], found: Sequence[Rehearsed], reads: Mapping[str, int]
    ) -> None:
        """Write the plan, if one was made; `reads` are the calls that were made for it."""
        path = self._settings.control.plan_file
        if self._writer is None or path is None:
            return
        calls, writes = Counter(reads), self._picture.writes
        calls += self._picture.calls
        for one in found:
            calls += one.picture.calls
            writes += one.picture.writes
        rate = self._settings.requests_per_second
        header = self._header()
        notes = [*accounts, *(one.notes for one in found)]
        header.streams = {one.stream: dict(one.actions) for one in notes}
        header.forecast = Forecast(
            counted(calls), calls.total() - writes, writes, rate, round(calls.total() / rate, 1)
        )
        header.guards = [tripped.as_dict() for one in found for tripped in one.tripped]
        header.notes = self._notes(found)
        self._writer.finish(path, header)

    def _notes(self, found: Sequence[Rehearsed]) -> list[str]:
        made = [f"{number} x {route}" for route, number in self._picture.calls.items()]
        notes = [f"before all else: {', '.join(made)}"] if made else []
        return notes + [
            f"{one.notes.stream}: {one.notes.withdrawals} memberships end because consent was "
            "withdrawn; no guard stops these"
            for one in found
            if one.notes.withdrawals
        ]

    def _header(self) -> PlanHeader:
        settings = self._settings
        mapping = digest_of((settings.streams, settings.account_streams))
        return PlanHeader(
            target=self._report.target,
            version=self._report.version,
            created_at=self._clock.now().isoformat(timespec="seconds"),
            account=settings.account,
            settings=mapping[:32],
            made_by=self._digests().made_by,
        )

    def _digests(self) -> Digests:
        return Digests.from_state_dir(self._settings.state_dir, self._clock)

    def _check(self, header: PlanHeader) -> None:
        own = self._header()
        if header.account != own.account:
            raise ConfigurationError("plan_file: the plan was made for another account")
        if header.settings != own.settings:
            raise ConfigurationError(
                "plan_file: the settings of the streams have changed since; make a new plan"
            )
        self._digests().check_own(header)


def plan_of_run(
    settings: Settings, report: RunReport, clock: Clock, client: ActiveCampaign
) -> AbstractContextManager[PlanOfRun]:
    """The plan of one run, opened."""
    return PlanOfRun(settings, report, clock, client).opened()
