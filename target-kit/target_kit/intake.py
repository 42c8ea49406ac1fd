"""Lines → messages → spool: the whole input is taken in before anything is decided.

RECORDs are checked and spooled, STATEs are spooled in sequence with them, SCHEMAs set up what the
following records are checked against. Knows Singer, does not know the SDK.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from target_kit.errors import ConfigurationError, InputError
from target_kit.lines import Block, LineReader
from target_kit.output import write_line
from target_kit.spool import Spool
from target_kit.validation import KeyPropertyMissing, RecordValidator

CONNECTION_TEST_STREAM = "meltano_test_stream"
_NONE = msgspec.Raw()


class RecordBeforeSchema(InputError):
    """A RECORD came before the SCHEMA of its stream."""


class RecordWithoutKey(InputError):
    """A RECORD lacks a column that its SCHEMA names in `key_properties`."""


class Message(msgspec.Struct, gc=False):
    """The envelope of any Singer message; contents stay undecoded."""

    type: str
    stream: str | None = None
    record: msgspec.Raw = _NONE
    schema: msgspec.Raw = _NONE
    key_properties: msgspec.Raw = _NONE
    value: msgspec.Raw = _NONE


class Route(NamedTuple):
    """Where the records of one incoming stream go; `transform` None leaves them as they are."""

    alias: str
    schema: Mapping[str, Any]
    key_properties: tuple[str, ...]
    transform: Callable[[dict[str, Any]], dict[str, Any] | None] | None


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """A stream as its newest SCHEMA describes it, after stream maps."""

    name: str
    schema: Mapping[str, Any]
    key_properties: tuple[str, ...]


@dataclass
class Intake:
    """Everything that came in.

    `streams` by name after stream maps; `received` counts RECORD messages by the tap's own stream
    name (what `marker["counts"]` counts too); `marker` is the `sync_complete` value of the last
    STATE when no RECORD came after it and the input was sound to its end.
    """

    spool: Spool
    streams: dict[str, StreamInfo] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    input_error: InputError | None = None
    marker: Mapping[str, Any] | None = None
    _closed_through: int = 0
    _emitted: bytes | None = None

    def close_through(self, seq: int) -> None:
        """Everything up to `seq` is durably applied or durably rejected: emit its newest STATE.

        At most one JSON line, flushed; never an older STATE than before, never `{}`. Raises
        `OutputClosed` when nobody reads stdout any more.
        """
        if seq <= self._closed_through:
            return
        found = self.spool.latest_state(through=seq)
        if found is None or found[0] <= self._closed_through:
            self._closed_through = seq
            return
        value = found[1]
        if value != self._emitted:
            write_line(value)
            self._emitted = value
        self._closed_through = seq


class _Outlet:
    """One route with its validator."""

    __slots__ = ("alias", "transform", "validator")

    def __init__(self, route: Route, *, validate: bool) -> None:
        self.alias = route.alias
        self.transform = route.transform
        self.validator = RecordValidator(route.schema, route.key_properties, validate=validate)


@dataclass(frozen=True, slots=True)
class Doors:
    """What the receiver asks of the target."""

    routes: Callable[[str, dict[str, Any], list[str] | None], list[Route]]
    check_stream: Callable[[StreamInfo], bool]
    encode: Callable[[dict[str, Any]], bytes]
    validate: bool = True


class Receiver:
    """Fills an `Intake` from a `LineReader`."""

    def __init__(self, intake: Intake, doors: Doors) -> None:
        self.intake = intake
        self.counts: Counter[str] = Counter()
        self.connection_test = False
        self._doors = doors
        self._outlets: dict[str, list[_Outlet]] = {}
        self._schemas: dict[str, tuple[object, object]] = {}
        self._decoder = msgspec.json.Decoder(Message)

    def receive(self, reader: LineReader) -> None:
        """Take in everything. What is wrong with the input ends up in `intake.input_error`.

        Raises `ConfigurationError` (from `check_stream`, stream maps) and `SpoolError`.
        """
        try:
            for block in reader.blocks():
                self._block(block)
                self.intake.spool.flush()
        except InputError as error:
            self.intake.input_error = error
            self.intake.marker = None
            self.intake.spool.flush()
            reader.drain()

    def _block(self, block: Block) -> None:
        """Decode a block at once; where that fails or lines are blank, line by line."""
        try:
            messages = self._decoder.decode_lines(block.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            messages = []
        if len(messages) == block.data.count(b"\n") + block.torn:
            self._messages(messages, block)
            return
        line, offset = block.first_line, block.offset
        for data in block.data.split(b"\n"):
            self._line(data, line, offset, block)
            line += 1
            offset += len(data) + 1

    def _messages(self, messages: list[Message], block: Block) -> None:
        line = block.first_line
        for line, message in enumerate(messages, block.first_line):
            self._message(message, line)

    def _line(self, data: bytes, line: int, offset: int, block: Block) -> None:
        data = data.strip(b" \t\r")
        if not data:
            return
        try:
            message = self._decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._odd_line(data, line, offset, torn=block.torn)
        else:
            self._message(message, line)

    def _odd_line(self, data: bytes, line: int, offset: int, *, torn: bool) -> None:
        raise InputError(f"line {line} of the input (byte offset {offset}) is no JSON")

    def _message(self, message: Message, line: int) -> None:
        kind = message.type
        self.counts[kind] += 1
        if kind == "RECORD":
            self._record(message, line)
        elif kind == "STATE":
            self._state(message, line)
        elif kind == "SCHEMA":
            self._schema(message, line)
        elif kind == "BATCH":
            raise InputError(
                f"line {line} of the input is a BATCH message, which this target doesn't take; "
                "remove batch_config from the tap's settings"
            )
        elif kind != "ACTIVATE_VERSION":
            raise InputError(f"line {line} of the input has an unknown message type")

    def _record(self, message: Message, line: int) -> None:
        stream = message.stream
        if stream is None or message.record is _NONE:
            raise InputError(f"line {line} of the input is a RECORD without stream or record")
        outlets = self._outlets.get(stream)
        if outlets is None:
            raise RecordBeforeSchema(f"line {line} of the input is a RECORD before its SCHEMA")
        self.intake.marker = None
        self.intake.received[stream] += 1
        for outlet in outlets:
            try:
                if outlet.transform is None:
                    body: bytes = bytes(message.record)
                    fault = outlet.validator.fault(body)
                else:
                    record = json.loads(bytes(message.record), parse_float=Decimal)
                    mapped = outlet.transform(record)
                    if mapped is None:
                        continue
                    fault = outlet.validator.fault_of(mapped)
                    body = self._doors.encode(mapped)
            except KeyPropertyMissing as missing:
                raise RecordWithoutKey(
                    f"line {line} of the input is a RECORD of stream {outlet.alias} "
                    f"without its key column {missing.name}"
                ) from None
            self.intake.spool.append_record(outlet.alias, line, body, fault)

    def _state(self, message: Message, line: int) -> None:
        try:
            value = json.loads(bytes(message.value) or b"null")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise InputError(f"line {line} of the input is a STATE without a value")
        marker = value.get("sync_complete")
        self.intake.marker = marker if isinstance(marker, dict) else None
        if value:
            self.intake.spool.append_state(line, bytes(message.value))

    def _schema(self, message: Message, line: int) -> None:
        stream = message.stream
        schema = json.loads(bytes(message.schema) or b"null", parse_float=Decimal)
        keys = json.loads(bytes(message.key_properties) or b"null")
        if stream is None or not isinstance(schema, dict):
            raise InputError(f"line {line} of the input is a SCHEMA without stream or schema")
        if not isinstance(schema.get("properties"), dict):
            raise InputError(f"line {line} of the input is a SCHEMA without properties")
        if keys is not None and not (
            isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        ):
            raise InputError(f"line {line} of the input has key_properties that are no list")
        if stream == CONNECTION_TEST_STREAM:
            self.connection_test = True
            self._outlets[stream] = []
            return
        if self._schemas.get(stream) == (schema, keys):
            return
        self._schemas[stream] = (schema, keys)
        try:
            self._outlets[stream] = self._open(stream, schema, keys)
        except InputError as error:
            raise InputError(f"line {line} of the input, SCHEMA of {stream}: {error}") from None

    def _open(self, stream: str, schema: dict[str, Any], keys: list[str] | None) -> list[_Outlet]:
        outlets = []
        for route in self._doors.routes(stream, schema, keys):
            info = StreamInfo(route.alias, route.schema, route.key_properties)
            if not self._doors.check_stream(info):
                continue
            self.intake.streams[info.name] = info
            outlets.append(_Outlet(route, validate=self._doors.validate))
        return outlets


__all__ = ["ConfigurationError", "Intake", "Receiver", "Route", "StreamInfo"]
