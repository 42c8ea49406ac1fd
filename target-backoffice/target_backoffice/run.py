"""One run: lock, database, tables, statements, then stream by stream through the corridor."""

from __future__ import annotations

from dataclasses import dataclass, replace

import sqlalchemy as sa
from target_kit.clock import Clock
from target_kit.errors import ConfigurationError
from target_kit.gate import StateGate
from target_kit.intake import Intake, StreamInfo
from target_kit.lock import run_lock
from target_kit.outcome import Tally
from target_kit.rejects import RejectStore
from target_kit.report import RunReport, StreamReport
from target_kit.signals import StopSignal
from target_kit.validation import RecordValidator
from target_kit.workfile import work_file

from target_backoffice.connector import BackofficeConnector
from target_backoffice.execute import Executor
from target_backoffice.model import CONTROL_COLUMNS
from target_backoffice.refusals import Verdict
from target_backoffice.settings import FeedbackStream, Settings, is_identifier
from target_backoffice.sinks import FeedbackSink
from target_backoffice.tables import FeedbackTable, Worklist


@dataclass
class Run:
    """Works off an intake; fills `report` as it goes, whatever the end."""

    settings: Settings
    connector: BackofficeConnector
    intake: Intake
    report: RunReport
    clock: Clock
    stop: StopSignal

    def go(self) -> None:
        """All streams of the input; those without records still get their tables."""
        spool, last = self.intake.spool, self.intake.spool.last_seq()
        streams = [self.settings.streams[name] for name in self.intake.streams]
        if streams:
            firsts = {
                s.name: spool.records(s.name, limit=1)[0].seq
                for s in streams
                if spool.count(s.name)
            }
            gate = StateGate(firsts, last, self.intake.close_through)
            url = self.settings.database_url
            account = f"{url.host}:{url.port}/{url.database}/{self.settings.schema}"
            with run_lock(self.settings.state_dir, account, "feedback-record"):
                executors = self._prepare(streams)
                for stream in streams:
                    self._work_off(stream, executors[stream.name], gate)
        self.intake.close_through(last)

    def _prepare(self, streams: list[FeedbackStream]) -> dict[str, Executor]:
        """Tables made and statements tried out before the first row is written."""
        with self.connector.reported("can't be prepared"):
            schema = self.settings.schema
            if schema and not self.connector.schema_exists(schema):
                raise ConfigurationError("schema: there is no such schema in the database; make it")
            worklist = Worklist.of(self.connector, self.settings.worklist_table)
            executors = {}
            for stream in streams:
                properties = feedback_properties(stream, self.intake.streams[stream.name])
                table = FeedbackTable.of(self.connector, stream.table, properties)
                executors[stream.name] = Executor(
                    stream.name, table, worklist, stream.statements, self.stop.check
                )
        for stream in streams:
            self._try_out(stream, executors[stream.name].table)
        return executors

    def _try_out(self, stream: FeedbackStream, table: FeedbackTable) -> None:
        """Let the database plan each statement, so that a wrong one stops the run at once."""
        for number, statement in enumerate(stream.statements):
            explained = table.bind(replace(statement, text=f"EXPLAIN {statement.text}"))
            try:
                with self.connector.engine.connect() as connection:
                    connection.execute(explained, dict.fromkeys(statement.parameters))
            except sa.exc.StatementError as error:
                refusal = self.connector.judge(error)
                if refusal.verdict is not Verdict.ROW:
                    self.connector.stop_run(refusal, "can't be read")
                raise ConfigurationError(
                    f"streams.{stream.name}.apply_sql[{number}]: the database refuses it: "
                    f"{refusal.reason}"
                ) from None

    def _work_off(self, stream: FeedbackStream, executor: Executor, gate: StateGate) -> None:
        info, spool = self.intake.streams[stream.name], self.intake.spool
        tally = Tally(self.settings.max_errors, received=spool.count(stream.name))
        rejects = RejectStore(self.settings.state_dir, stream.name)
        with work_file(self.settings.state_dir, stream.name) as database:
            sink = FeedbackSink(
                stream=stream.name,
                columns=executor.table.columns,
                key=stream.key or info.key_properties,
                executor=executor,
                spool=spool,
                last_of_key=database,
                rejects=rejects,
                validator=RecordValidator(
                    info.schema, info.key_properties, validate=self.settings.validate_records
                ),
                tally=tally,
                clock=self.clock,
                stop=self.stop,
                advance=lambda first_open: gate.advance(stream.name, first_open),
                batch_size_rows=self.settings.batch_size_rows,
            )
            try:
                sink.run()
            finally:
                tally.close()
                self.report.streams.append(StreamReport.of(stream.name, tally, None, rejects.path))
                self.report.writes += tally.outcomes["applied"]
                rejects.finish()


def feedback_properties(stream: FeedbackStream, info: StreamInfo) -> dict[str, object]:
    """Columns of the stream with their schemas: the tap's own, and optional ones it lacks.

    The SDK's metadata columns are left out: they differ from run to run.
    """
    declared = info.schema.get("properties", {})
    properties = {name: part for name, part in declared.items() if not name.startswith("_sdc_")}
    for name in stream.optional_columns:
        properties.setdefault(name, {"type": ["string", "null"]})
    return properties


def check_columns(stream: FeedbackStream, info: StreamInfo) -> None:
    """Raises one ConfigurationError naming every column that doesn't fit the settings."""
    columns = feedback_properties(stream, info)
    where = f"streams.{stream.name}"
    faults = [
        f"stream {stream.name} has a column whose name needs quoting; rename it with stream_maps"
        for name in columns
        if not is_identifier(name)
    ]
    folded = [name.casefold() for name in columns]
    faults += [
        f"stream {stream.name}: column {name} {why}; rename it with stream_maps"
        for name in columns
        for why in (
            *(["is one of this target's own"] if name.casefold() in CONTROL_COLUMNS else []),
            *(["differs from another in case only"] if folded.count(name.casefold()) > 1 else []),
        )
    ]
    key = stream.key or info.key_properties
    if not key:
        faults.append(f"{where}.key: is missing, and the stream names no key_properties")
    faults += [
        f"{where}.key: the stream has no column {name}" for name in key if name not in columns
    ]
    known = {*columns, *CONTROL_COLUMNS}
    for number, statement in enumerate(stream.statements):
        missing = ", ".join(sorted(statement.parameters - known))
        if missing:
            faults.append(
                f"{where}.apply_sql[{number}]: the stream has no column {missing}; correct it, or "
                "name it in optional_columns to have it empty"
            )
    if faults:
        raise ConfigurationError("; ".join(sorted(set(faults))))
