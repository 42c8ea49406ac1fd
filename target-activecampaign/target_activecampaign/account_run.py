"""The account side of a run: what has to be there, streams of accounts, and contacts' accounts.

Streams of accounts come before those of contacts, so that a contact finds the account that the same
run has made.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from sqlite3 import Connection

from target_kit.clock import Clock
from target_kit.errors import ConfigurationError
from target_kit.gate import StateGate
from target_kit.index import DestinationIndex
from target_kit.intake import Intake
from target_kit.intended import IntendedSet
from target_kit.outcome import Tally
from target_kit.plan import Approved, Digests, Entry
from target_kit.rejects import RejectStore
from target_kit.rejects_rehearsal import UnkeptRejects
from target_kit.report import RunReport, StreamReport
from target_kit.signals import StopSignal
from target_kit.workfile import work_file

from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_fields import AccountFields
from target_activecampaign.account_gathering import AccountGathering
from target_activecampaign.account_permits import (
    AccountPermit,
    EveryAccount,
    NotingAccounts,
    PlannedAccounts,
)
from target_activecampaign.account_rehearsal import RehearsedAccounts
from target_activecampaign.account_settings import AccountStream
from target_activecampaign.account_sink import AccountSink
from target_activecampaign.accounts import Accounts
from target_activecampaign.collecting import untold
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.mapping import declared_key_type
from target_activecampaign.model import Field, KeyType
from target_activecampaign.noting import Notes
from target_activecampaign.settings import Settings


@dataclass
class AccountRun:
    """`streams` of accounts that have records; `contacts` whose accounts are looked up. `approved`
    is the plan that is carried out, if one is; one that is made gets its entries by `told`, and
    `found` keeps what was noted.
    """

    settings: Settings
    intake: Intake
    report: RunReport
    clock: Clock
    stop: StopSignal
    endpoints: AccountEndpoints
    streams: Sequence[AccountStream]
    contacts: Sequence[ContactStream]
    approved: Approved | None = None
    told: Callable[[Entry], None] | None = None
    found: list[Notes] = field(default_factory=list)
    _fields: AccountFields | None = None
    _written: dict[str, dict[str, str]] = field(default_factory=dict)  # key by account, by field

    def check(self) -> None:
        """Read the account custom fields where any are needed; raises ConfigurationError naming
        all that is missing or does not fit, CredentialsError where the plan has no accounts.
        """
        if not self.streams and not any(stream.account for stream in self.contacts):
            return
        self._fields = AccountFields.read(self.endpoints)
        with_schema = [(s, self.intake.streams[s.name].schema) for s in self.streams]
        if faults := self._fields.check(with_schema, self.contacts):
            raise ConfigurationError("; ".join(faults))

    def complete_fields(self) -> None:
        """Make the missing fields."""
        if self._fields:
            self._fields.complete(self.streams)

    def work_off(self, gate: StateGate) -> None:
        """Work off all streams of accounts."""
        if self._fields:
            for stream in self.streams:
                self._work_off(stream, self._fields, gate)

    def of_contacts(
        self, stream: ContactStream, database: Connection, endpoints: AccountEndpoints | None = None
    ) -> Accounts | None:
        """The accounts that contacts of a stream belong to, None where nothing is mapped."""
        if stream.account is None or self._fields is None:
            return None
        field_id = self._fields.key_of(stream)
        return Accounts(
            field_id,
            self._written.get(field_id, {}),
            declared_key_type(self.intake.streams[stream.name].schema, stream.account.key),
            endpoints or self.endpoints,
            DestinationIndex(database, "accounts"),
            DestinationIndex(database, "associations"),
            self.stop,
        )

    def _work_off(self, stream: AccountStream, fields: AccountFields, gate: StateGate) -> None:
        info, spool = self.intake.streams[stream.name], self.intake.spool
        rehearses = isinstance(self.endpoints, RehearsedAccounts)
        budget = sys.maxsize if rehearses else self.settings.max_errors
        tally = Tally(budget, received=spool.count(stream.name))
        rejects = (
            UnkeptRejects(self.settings.state_dir, stream.name)
            if rehearses
            else RejectStore(self.settings.state_dir, stream.name, self.intake.only)
        )
        key_type = stream.key_type
        if key_type is KeyType.AUTO:
            key_type = declared_key_type(info.schema, stream.key)
        with work_file(self.settings.state_dir, stream.name) as database:
            permit = self._permit(stream, fields.of(stream))
            told = permit.notes.settled if isinstance(permit, NotingAccounts) else untold
            intended = IntendedSet(database)
            gathering = AccountGathering(
                stream, key_type, spool, intended, rejects, tally, self.clock, self.stop, told=told
            )
            sink = AccountSink(
                gathering,
                fields.of(stream),
                self.endpoints,
                DestinationIndex(database),
                lambda seq: None if rehearses else gate.advance(stream.name, seq),
                permit,
            )
            try:
                sink.run()
            finally:
                if stream.key:
                    key_id = fields.of(stream)[stream.key_field].id
                    self._written.setdefault(key_id, {}).update(sink.executor.keys)
                tally.close()
                path = None if rehearses else rejects.path
                done = StreamReport.of(stream.name, tally, sink.reads, path)
                self.report.streams.append(done)
                rejects.finish()

    def _permit(self, stream: AccountStream, fields: Mapping[str, Field]) -> AccountPermit:
        """Everything may be written, or what the plan holds; in a rehearsal it is noted."""
        digests = Digests.from_state_dir(self.settings.state_dir, self.clock)
        parts = stream, {one.id: name for name, one in fields.items()}, digests
        if self.approved is not None:
            return PlannedAccounts(*parts, self.approved)
        if self.told is None:
            return EveryAccount()
        noting = NotingAccounts(*parts, self.told)
        self.found.append(noting.notes)
        return noting
