"""Lines → messages → spool: the whole input is taken in before anything is decided.

RECORDs are checked and spooled, STATEs are spooled in sequence with them, a SCHEMA says what the
records after it are checked against. Knows Singer, does not know the SDK.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from target_kit.errors import InputError
from target_kit.intake import Doors, Intake, RecordBeforeSchema, StreamInfo
from target_kit.lines import Block, LineReader
from target_kit.messages import ABSENT, UNDECODABLE, Message, decode_block, decode_line, decode_odd
from target_kit.outlet import Outlet

CONNECTION_TEST_STREAM = "meltano_test_stream"


class Receiver:
    """Fills an `Intake` from a `LineReader`."""

    def __init__(self, intake: Intake, doors: Doors) -> None:
        self.intake = intake
        self.counts: Counter[str] = Counter()
        self.connection_test = False
        self._doors = doors
        self._outlets: dict[str, list[Outlet]] = {}
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
                except UNDECODABLE:
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
            outlet.take(body, line)

    def _enter(self, stream: str | None, where: str) -> list[Outlet]:
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
            outlet.take_repaired(record, line)

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

    def _open(self, stream: str, schema: dict[str, Any], keys: list[str] | None) -> list[Outlet]:
        outlets = []
        for route in self._doors.routes(stream, schema, keys):
            info = StreamInfo(route.alias, route.schema, route.key_properties)
            if self._doors.check_stream(info):
                self.intake.streams[info.name] = info
                self.intake.sources[info.name] = stream
                outlets.append(Outlet(route, self.intake.spool, self._doors))
        return outlets


def _json(raw: msgspec.Raw) -> Any:
    """As the SDK reads it; None for what is absent or no JSON."""
    if raw is ABSENT:
        return None
    try:
        return json.loads(bytes(raw), parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
