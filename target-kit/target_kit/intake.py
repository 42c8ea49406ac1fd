"""Lines → messages → spool: the whole input is taken in before anything is decided.

RECORDs are checked and spooled, STATEs are spooled in sequence with them, a SCHEMA says what the
records after it are checked against. Knows Singer, does not know the SDK.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from target_kit.errors import ConfigurationError, InputError, StopRun
from target_kit.lines import Block, LineReader
from target_kit.messages import ABSENT, Message, decode_block, decode_line, decode_odd, repaired
from target_kit.output import write_line
from target_kit.spool import Spool
from target_kit.validation import KeyPropertyMissing, RecordValidator

CONNECTION_TEST_STREAM = "meltano_test_stream"
_UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
Transform = Callable[[dict[str, Any]], dict[str, Any] | None]


class RecordBeforeSchema(InputError):
    """A RECORD came before the SCHEMA of its stream."""


class RecordWithoutKey(InputError):
    """A RECORD lacks a column that its SCHEMA names in `key_properties`."""


class Route(NamedTuple):
    """Where the records of one incoming stream go; `transform` None leaves them as they are."""

    alias: str
    schema: Mapping[str, Any]
    key_properties: tuple[str, ...]
    transform: Transform | None


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream as its newest SCHEMA describes it, after stream maps."""

    name: str
    schema: Mapping[str, Any]
    key_properties: tuple[str, ...]


@dataclass
class Intake:
    """Everything that came in.

    `streams` by name after stream maps, `sources` the tap's own stream name of each; `received`
    counts RECORD messages by the tap's own stream name (as `marker["counts"]` does); `marker` is
    the `sync_complete` value of the last STATE when no RECORD came after it and the input was sound
    to its end; `activated` names the tap's streams whose last message is an ACTIVATE_VERSION of the
    version that all their records carry. `only` names the persons whose open rejects are offered
    again, None all.
    """

    spool: Spool
    streams: dict[str, StreamInfo] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    activated: set[str] = field(default_factory=set)
    input_error: InputError | None = None
    marker: Mapping[str, Any] | None = None
    only: frozenset[str] | None = None
    _closed_through: int = 0
    _emitted: bytes | None = None

    def close_through(self, seq: int) -> None:
        """Everything up to `seq` is durably applied or durably rejected: emit its newest STATE.

        At most one JSON line, flushed; never an older STATE than before, never the same twice in
        a row, never `{}`. Raises `OutputClosed` when nobody reads stdout any more.
        """
        if seq <= self._closed_through:
            return
        found = self.spool.latest_state(through=seq)
        if found is not None and found[0] > self._closed_through and found[1] != self._emitted:
            write_line(found[1])
            self._emitted = found[1]
        self._closed_through = seq


@dataclass(frozen=True, slots=True)
class Doors:
    """What the receiver asks of the target: stream maps, its yes or no, an encoder for maps."""

    routes: Callable[[str, dict[str, Any], list[str] | None], list[Route]]
    check_stream: Callable[[StreamInfo], bool]
    encode: Callable[[dict[str, Any]], bytes]
    validate: bool = True


class _Outlet:
    """One route with its validator."""

    __slots__ = ("alias", "transform", "validator")

    def __init__(self, route: Route, *, validate: bool) -> None:
        self.alias = route.alias
        self.transform = route.transform
        self.validator = RecordValidator(route.schema, route.key_properties, validate=validate)


class Receiver:
    """Fills an `Intake` from a `LineReader`."""

    def __init__(self, intake: Intake, doors: Doors) -> None:
        self.intake = intake
        self.counts: Counter[str] = Counter()
        self.connection_test = False
        self._doors = doors
        self._outlets: dict[str, list[_Outlet]] = {}
        self._versions: dict[str, set[object]] = {}  # of the records of a stream
        self._schemas: dict[str, tuple[object, object]] = {}

    def receive(self, reader: LineReader) -> None:
        """Take in everything. What is wrong with the input ends up in `intake.input_error`.

        After such an error the rest is read and dropped: a tap that can't write on would hold its
        cursor for as long as this run works. Raises `ConfigurationError` and `SpoolError`.
        """
        try:
            for block in reader.blocks():
                self._block(block)
                self.intake.spool.flush()
        except InputError as error:
            self.intake.input_error = error
            self.intake.marker = None
            self.intake.activated.clear()
            self.intake.spool.flush()
            reader.drain()

    def _block(self, block: Block) -> None:
        """The whole block at once; line by line where that fails or lines are blank."""
        messages = decode_block(block)
        if messages is not None:
            self._messages(messages, block.first_line)
            return
        line, offset = block.first_line, block.offset
        for data in block.data.split(b"\n"):
            bare = data.strip(b" \t\r")
            if bare:
                message = decode_line(bare)
                if message is not None:
                    self._message(message, line)
                else:
                    where = f"line {line} of the input (byte offset {offset})"
                    self._odd(decode_odd(bare, where, torn=block.torn), line, where)
            line += 1
            offset += len(data) + 1

    def _messages(self, messages: list[Message], first_line: int) -> None:
        """The hot loop: records of one stream in a row, acquitted at first sight, go as a run."""
        stream: str | None = None
        version: object = None
        alias, acquits = "", None
        lines: list[int] = []
        bodies: list[msgspec.Raw] = []
        for line, message in enumerate(messages, first_line):
            if (
                message.type == "RECORD"
                and message.stream == stream
                and message.version == version
                and acquits is not None
            ):
                try:
                    acquits(message.record)
                except _UNDECODABLE:
                    pass
                else:
                    lines.append(line)
                    bodies.append(message.record)
                    continue
            if lines:
                self._run(stream, version, alias, lines, bodies)
                lines, bodies = [], []
            self._message(message, line)
            stream, version = message.stream, message.version
            alias, acquits = self._fast(stream)
        if lines:
            self._run(stream, version, alias, lines, bodies)

    def _fast(self, stream: str | None) -> tuple[str, Callable[[Any], object] | None]:
        """The alias and sieve of a stream that goes one way, unchanged."""
        outlets = self._outlets.get(stream or "")
        if not outlets or len(outlets) > 1 or outlets[0].transform is not None:
            return "", None
        return outlets[0].alias, outlets[0].validator.acquits

    def _run(
        self,
        stream: str | None,
        version: object,
        alias: str,
        lines: list[int],
        bodies: list[msgspec.Raw],
    ) -> None:
        self._versions.setdefault(stream or "", set()).add(version)
        self.intake.marker = None
        self.intake.activated.discard(stream or "")
        self.intake.received[stream or ""] += len(lines)
        self.counts["RECORD"] += len(lines)
        self.intake.spool.append_records(alias, lines, bodies)

    def _message(self, message: Message, line: int) -> None:
        kind = message.type
        self.counts[kind] += 1
        where = f"line {line} of the input"
        if kind == "RECORD":
            self._record(message, line)
        elif kind == "STATE":
            self._state(message, line)
        elif kind == "SCHEMA":
            self._schema(message, where)
        elif kind == "BATCH":
            raise InputError(
                f"{where} is a BATCH message, which this target doesn't take; "
                "remove batch_config from the tap's settings"
            )
        elif kind == "ACTIVATE_VERSION":
            self._activate(message)
        else:
            raise InputError(f"{where} has an unknown message type")

    def _activate(self, message: Message) -> None:
        """Remember that the stream ended with this, if all its records carry its version."""
        stream = message.stream or ""
        versions = self._versions.get(stream, set())
        if message.version is not None and versions <= {message.version}:
            self.intake.activated.add(stream)
        else:
            self.intake.activated.discard(stream)

    def _record(self, message: Message, line: int) -> None:
        where = f"line {line} of the input"
        body = bytes(message.record)
        if not body.startswith(b"{"):
            raise InputError(f"{where} is a RECORD without a record")
        for outlet in self._enter(message.stream, where):
            self._versions.setdefault(message.stream or "", set()).add(message.version)
            try:
                if outlet.transform is None:
                    fault = outlet.validator.fault(body)
                    self.intake.spool.append_record(outlet.alias, line, body, fault)
                else:
                    record = json.loads(body, parse_float=Decimal)
                    self._mapped(outlet, record, line, where)
            except KeyPropertyMissing as missing:
                raise _without_key(where, outlet.alias, missing) from None
            except (*_UNDECODABLE, ValueError):
                self._repaired(outlet, decode_odd(body, where, torn=False), line, where)

    def _enter(self, stream: str | None, where: str) -> list[_Outlet]:
        """Count a record in; the outlets of its stream."""
        if stream is None:
            raise InputError(f"{where} is a RECORD without a stream")
        outlets = self._outlets.get(stream)
        if outlets is None:
            raise RecordBeforeSchema(f"{where} is a RECORD before the SCHEMA of its stream")
        self.intake.marker = None
        self.intake.activated.discard(stream)
        self.intake.received[stream] += 1
        return outlets

    def _mapped(
        self,
        outlet: _Outlet,
        record: dict[str, Any],
        line: int,
        where: str,
        fault: str | None = None,
    ) -> None:
        """Through the stream map, then checked and written anew."""
        assert outlet.transform is not None  # noqa: S101 - for the type checker
        try:
            mapped = outlet.transform(record)
            body = b"" if mapped is None else self._doors.encode(mapped)
        except StopRun:
            raise
        except Exception as error:  # noqa: BLE001 - expressions are the user's, so are their errors
            raise ConfigurationError(
                f"setting stream_maps: the map of stream {outlet.alias} fails at {where} "
                f"({type(error).__name__})"
            ) from None
        if mapped is None:
            return
        found = outlet.validator.fault_of(mapped)
        self.intake.spool.append_record(outlet.alias, line, body, fault or found)

    def _odd(self, message: dict[str, Any], line: int, where: str) -> None:
        """A line that is JSON to Python only (NaN, half a surrogate pair …)."""
        record, stream = message.get("record"), message.get("stream")
        if message.get("type") != "RECORD" or not isinstance(record, dict):
            raise InputError(f"{where} is no Singer message")
        self.counts["RECORD"] += 1
        version = message.get("version")
        self._versions.setdefault(str(stream), set()).add(
            version if isinstance(version, int | float | str) else None
        )
        for outlet in self._enter(stream if isinstance(stream, str) else None, where):
            self._repaired(outlet, record, line, where)

    def _repaired(self, outlet: _Outlet, record: dict[str, Any], line: int, where: str) -> None:
        """Spool what JSON can carry of the record, marked as faulty."""
        try:
            clean, fault = repaired(record, set(outlet.validator.schema["properties"]))
            body = json.dumps(clean, ensure_ascii=False).encode()
            fault = fault or "$: a number out of range"
            if outlet.transform is not None:
                self._mapped(outlet, clean, line, where, fault)
                return
            outlet.validator.fault_of(clean)
        except KeyPropertyMissing as missing:
            raise _without_key(where, outlet.alias, missing) from None
        except RecursionError:
            raise InputError(f"{where} is nested too deeply") from None
        self.intake.spool.append_record(outlet.alias, line, body, fault)

    def _state(self, message: Message, line: int) -> None:
        value = _json(message.value)
        if not isinstance(value, dict):
            raise InputError(f"line {line} of the input is a STATE without a value")
        marker = value.get("sync_complete")
        self.intake.marker = marker if isinstance(marker, dict) else None
        if value:
            self.intake.spool.append_state(line, bytes(message.value))

    def _schema(self, message: Message, where: str) -> None:
        stream, schema, keys = message.stream, _json(message.schema), _json(message.key_properties)
        if stream is None or not isinstance(schema, dict):
            raise InputError(f"{where} is a SCHEMA without stream or schema")
        if not isinstance(schema.get("properties"), dict):
            raise InputError(f"{where} is a SCHEMA without properties")
        if keys is not None and not (
            isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        ):
            raise InputError(f"{where} is a SCHEMA whose key_properties are no list of names")
        if stream == CONNECTION_TEST_STREAM:
            self.connection_test = True
            self._outlets[stream] = []
        elif self._schemas.get(stream) != (schema, keys):
            self._schemas[stream] = (schema, keys)
            try:
                self._outlets[stream] = self._open(stream, schema, keys)
            except InputError as error:
                raise InputError(f"{where}, the SCHEMA of {stream}: {error}") from None

    def _open(self, stream: str, schema: dict[str, Any], keys: list[str] | None) -> list[_Outlet]:
        outlets = []
        for route in self._doors.routes(stream, schema, keys):
            info = StreamInfo(route.alias, route.schema, route.key_properties)
            if self._doors.check_stream(info):
                self.intake.streams[info.name] = info
                self.intake.sources[info.name] = stream
                outlets.append(_Outlet(route, validate=self._doors.validate))
        return outlets


def _json(raw: msgspec.Raw) -> Any:
    """As the SDK reads it; None for what is absent or no JSON."""
    if raw is ABSENT:
        return None
    try:
        return json.loads(bytes(raw), parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _without_key(where: str, stream: str, missing: KeyPropertyMissing) -> RecordWithoutKey:
    return RecordWithoutKey(
        f"{where} is a RECORD of stream {stream} without its key column {missing.name}"
    )
