"""Writes Singer messages to stdout as bytes, and counts the RECORDs of each emitted stream."""

from __future__ import annotations

import datetime as dt
import sys
import typing as t

import msgspec
from singer_sdk.io_base import GenericSingerWriter
from singer_sdk.singerlib.encoding.simple import (
    ActivateVersionMessage,
    Message,
    RecordMessage,
    SchemaMessage,
)

from tap_backoffice.errors import ReaderGoneError


def _fallback(value: object) -> str:
    return value.isoformat() if isinstance(value, (dt.datetime, dt.date)) else str(value)


# Decimals as numbers with all their digits; aware datetimes (from stream maps) as ISO text.
encoder = msgspec.json.Encoder(enc_hook=_fallback, decimal_format="number")


def encode_lines(rows: list[dict[str, t.Any]], before: bytes, after: bytes) -> bytes:
    """Encode rows as JSON lines, each between `before` and `after`."""
    if not rows:
        return b""
    lines = encoder.encode_lines(rows)
    return before + lines[:-1].replace(b"\n", after + b"\n" + before) + after + b"\n"


def record_envelope(
    stream: str, version: int | None, extracted: dt.datetime
) -> tuple[bytes, bytes]:
    """Give what stands before and after a record in its RECORD message."""
    before = b'{"type":"RECORD","stream":' + encoder.encode(stream) + b',"record":'
    after = b',"time_extracted":"' + extracted.isoformat().encode() + b'"}'
    return before, after if version is None else b',"version":%d' % version + after


class CountingWriter(GenericSingerWriter[bytes, Message]):
    """Writes messages; `counts` has each stream a SCHEMA or RECORD was written for."""

    def __init__(self) -> None:
        """Start with no stream."""
        super().__init__()
        self.counts: dict[str, int] = {}

    def serialize_message(self, message: Message) -> bytes:
        """Give the message as one line of JSON."""
        fields = message.to_dict()
        extracted = fields.get("time_extracted")
        if isinstance(extracted, dt.datetime):
            fields["time_extracted"] = extracted.isoformat()
        return encoder.encode(fields) + b"\n"

    def write_message(self, message: Message) -> None:
        """Write one message; the reader gets all but RECORDs at once."""
        line = self.serialize_message(message)
        if isinstance(message, RecordMessage):
            self.counts[message.stream] = self.counts.get(message.stream, 0) + 1
            write(line)
            return
        if isinstance(message, (SchemaMessage, ActivateVersionMessage)):
            self.counts.setdefault(message.stream, 0)
        write(line)
        flush()

    def write_records(self, stream: str, lines: bytes, count: int) -> None:
        """Write RECORD lines made elsewhere and count them."""
        write(lines)
        self.counts[stream] = self.counts.get(stream, 0) + count


def write(data: bytes) -> None:
    """Write all bytes to stdout, also where it is raw (PYTHONUNBUFFERED) or a text buffer."""
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:  # a test's StringIO
        sys.stdout.write(data.decode())
        return
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[binary.write(rest) :]
    except BrokenPipeError as exc:
        msg = "the reader of the output has gone away"
        raise ReaderGoneError(msg) from exc


def flush() -> None:
    """Hand what is buffered to the reader.

    Raises:
        ReaderGoneError: there is none any more.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError as exc:
        msg = "the reader of the output has gone away"
        raise ReaderGoneError(msg) from exc
