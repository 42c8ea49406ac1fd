"""`target-activecampaign`: settings, which streams are taken, and the order of one run."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from sqlite3 import Connection
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlsplit

from target_kit.cli import run as run_cli
from target_kit.clock import SystemClock
from target_kit.errors import (
    CallFailed,
    CallRefused,
    ConfigurationError,
    GuardTripped,
    OutcomeUnknown,
    StopRun,
    VendorUnavailable,
)
from target_kit.gate import StateGate
from target_kit.http import JsonApi
from target_kit.index import DestinationIndex
from target_kit.intended import IntendedSet
from target_kit.limits import Deadline
from target_kit.lock import run_lock
from target_kit.outcome import OPEN, Tally
from target_kit.rejects import RejectStore
from target_kit.report import RunReport, StreamReport, counted
from target_kit.singer import Intake, KitTarget, StreamInfo
from target_kit.workfile import work_file

from target_activecampaign.accounts import Accounts
from target_activecampaign.client import ActiveCampaign
from target_activecampaign.mapping import declared_key_type, resolve_key_type
from target_activecampaign.model import Field, KeyType
from target_activecampaign.schema import CONFIG_SCHEMA
from target_activecampaign.settings import ContactStream, Settings, read_settings
from target_activecampaign.sinks import ContactSink

logger = logging.getLogger(__name__)


class TargetActiveCampaign(KitTarget):
    """Brings ActiveCampaign contacts into the state the backoffice intends."""

    name = "target-activecampaign"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings: Settings = read_settings(self.config)
        self.clock = SystemClock()

    @property
    def spool_dir(self) -> Path:
        """See KitTarget."""
        return self.settings.state_dir / "spool"

    def check_stream(self, info: StreamInfo) -> bool:
        """Take configured streams; an unknown one is an error unless it shall be ignored."""
        stream = self.settings.streams.get(info.name)
        if stream is None:
            if self.settings.on_unknown_stream == "ignore":
                logger.warning("stream %s is not configured; its records are ignored", info.name)
                return False
            raise ConfigurationError(
                f"stream {info.name} is not configured: add it under 'streams', leave it out of "
                "the tap's selection, or set on_unknown_stream: ignore"
            )
        missing = [c for c in stream.columns if c not in info.schema.get("properties", {})]
        if missing:
            raise ConfigurationError(
                f"stream {info.name} has no column {', '.join(missing)}: "
                f"correct streams.{info.name} or add it to the source"
            )
        return True

    def connection_check(self) -> None:
        """Prove URL and key with one read (`meltano config test`); nothing is written."""
        with self._vendor() as client:
            client.whoami()

    def consume(self, intake: Intake) -> None:
        """One run under the account's lock, with a report whatever its end."""
        report = RunReport(
            target=self.name,
            version=version(self.name),
            started_at=self.clock.now().isoformat(timespec="seconds"),
            requests_per_second=self.settings.requests_per_second,
        )
        started = self.clock.monotonic()
        try:
            self._run(intake, report)
        except StopRun as stopped:
            report.status, report.exit_code, report.message = "stopped", stopped.code, str(stopped)
            raise
        else:
            self._judge(intake, report)
        finally:
            report.seconds = round(self.clock.monotonic() - started, 3)
            print(report.as_table(), file=sys.stderr)  # noqa: T201 - the report is for people
            if self.settings.report_file:
                report.write(self.settings.report_file)
        if report.exit_code == GuardTripped.exit_code:
            raise GuardTripped(report.message)

    def _run(self, intake: Intake, report: RunReport) -> None:
        settings, spool = self.settings, intake.spool
        names = [name for name in intake.streams if spool.count(name) or self._has_rejects(name)]
        firsts = {n: spool.records(n, limit=1)[0].seq for n in names if spool.count(n)}
        last = spool.last_seq()
        gate = StateGate(firsts, intake.close_through)
        if not names:
            intake.close_through(last)
            return
        account = urlsplit(settings.api_url).netloc + urlsplit(settings.api_url).path
        with run_lock(settings.state_dir, account, "contact"), self._vendor() as client:
            try:
                client.whoami()
                fields = client.fields()
                ready = [self._ready(intake.streams[name], fields, client) for name in names]
                for stream, info in ready:
                    self._run_stream(stream, info, fields, client, intake, gate, last, report)
            finally:
                report.calls = counted(client.api.calls)
                report.writes = client.api.writes
                seconds = sum(client.api.calls.values()) / settings.requests_per_second
                report.estimated_seconds = round(seconds, 1)
        intake.close_through(last)

    def _run_stream(
        self,
        stream: ContactStream,
        info: StreamInfo,
        fields: dict[str, Field],
        client: ActiveCampaign,
        intake: Intake,
        gate: StateGate,
        last: int,
        report: RunReport,
    ) -> None:
        settings = self.settings
        tally = Tally(settings.max_errors, received=intake.spool.count(stream.name))
        rejects = RejectStore(settings.state_dir, stream.name)
        with work_file(settings.state_dir, stream.name) as database:
            accounts, account_key_type = self._accounts(stream, info, client, database)
            sink = ContactSink(
                stream=stream,
                key_type=resolve_key_type(stream, info.schema),
                accounts=accounts,
                account_key_type=account_key_type,
                fields=fields,
                client=client,
                spool=intake.spool,
                intended=IntendedSet(database),
                index=DestinationIndex(database),
                rejects=rejects,
                tally=tally,
                clock=self.clock,
                stop=self.stop,
                advance=lambda first_open: gate.advance(stream.name, first_open, last),
                reads_setting=settings.reads,
            )
            try:
                sink.run()
            finally:
                rejects.finish()
                tally.close()
                reads = (
                    {"strategy": sink.reads.strategy, "because": sink.reads.because}
                    if (sink.reads)
                    else None
                )
                report.streams.append(StreamReport.of(stream.name, tally, reads, rejects.path))

    def _accounts(
        self,
        stream: ContactStream,
        info: StreamInfo,
        client: ActiveCampaign,
        database: Connection,
    ) -> tuple[Accounts | None, KeyType]:
        if stream.account is None:
            return None, KeyType.TEXT
        key_type = declared_key_type(info.schema, stream.account.key)
        accounts = Accounts(
            stream.account,
            key_type,
            client,
            DestinationIndex(database, "accounts"),
            DestinationIndex(database, "associations"),
            self.stop,
        )
        return accounts, key_type

    def _ready(
        self, info: StreamInfo, fields: dict[str, Field], client: ActiveCampaign
    ) -> tuple[ContactStream, StreamInfo]:
        """Make sure of every mapped custom field before the first contact is written (S0-14)."""
        stream = self.settings.streams[info.name]
        stream = stream.with_upper_perstags()
        missing = [p for p in (stream.key_field, *stream.custom_fields) if p not in fields]
        if missing and not stream.create_fields:
            raise ConfigurationError(
                f"streams.{stream.name}: ActiveCampaign has no custom field "
                f"{', '.join(missing)}; create it there or set create_fields: true"
            )
        for perstag in missing:
            field_type = "hidden" if perstag == stream.key_field else "text"
            created = client.create_field(perstag, field_type)
            if created.perstag != perstag:
                raise ConfigurationError(
                    f"ActiveCampaign gave the new custom field {perstag} another personalization "
                    f"tag; set it to {perstag} by hand"
                )
            fields[perstag] = created
        return stream, info

    def _judge(self, intake: Intake, report: RunReport) -> None:
        rejects = sum(stream.outcomes[o] for stream in report.streams for o in OPEN)
        report.status, report.exit_code = "done", 0
        if intake.input_error:
            report.status, report.exit_code = "incomplete input", intake.input_error.code
            report.message = str(intake.input_error)
        elif rejects:
            report.status = f"completed with {rejects} errors"
            if self.settings.fail_on_rejects:
                report.exit_code = GuardTripped.exit_code
                report.message = f"{rejects} records were not delivered (fail_on_rejects)"

    def _has_rejects(self, name: str) -> bool:
        path = RejectStore.path_of(self.settings.state_dir, name)
        return path.exists() and path.stat().st_size > 0

    @contextmanager
    def _vendor(self) -> Iterator[ActiveCampaign]:
        """The account's client; a call that fails outside of any record ends the run in words."""
        settings = self.settings
        api = JsonApi(
            settings.api_url,
            secret_header=("Api-Token", settings.api_key),
            user_agent=f"{self.name}/{version(self.name)}",
            requests_per_second=settings.requests_per_second,
            timeout_seconds=settings.timeout_seconds,
            clock=self.clock,
            stop=self.stop,
            deadline=Deadline(settings.deadline_seconds, self.clock),
            ca_bundle=settings.ca_bundle,
        )
        with api:
            try:
                yield ActiveCampaign(api)
            except (CallFailed, CallRefused, OutcomeUnknown) as error:
                raise VendorUnavailable(str(error)) from None


def main() -> NoReturn:
    """Console script."""
    run_cli(TargetActiveCampaign)


if __name__ == "__main__":
    main()
