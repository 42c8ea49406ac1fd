"""Writes Singer messages to stdout, and counts the RECORDs of each emitted stream."""

from __future__ import annotations

import sys

from singer_sdk.singerlib.encoding.simple import (
    ActivateVersionMessage,
    Message,
    RecordMessage,
    SchemaMessage,
    SimpleSingerWriter,
)

from tap_optimizely.errors import ReaderGoneError


class CountingWriter(SimpleSingerWriter):
    """Writes messages; `counts` has each stream a SCHEMA or RECORD was written for."""

    def __init__(self) -> None:
        """Start with no stream."""
        super().__init__()
        self.counts: dict[str, int] = {}

    def write_message(self, message: Message) -> None:
        """Write one message; the reader gets all but RECORDs at once.

        Raises:
            ReaderGoneError: nobody reads any more.
        """
        if isinstance(message, (SchemaMessage, RecordMessage, ActivateVersionMessage)):
            is_record = isinstance(message, RecordMessage)
            self.counts[message.stream] = self.counts.get(message.stream, 0) + is_record
        try:
            sys.stdout.write(self.format_message(message) + "\n")
            if not isinstance(message, RecordMessage):
                sys.stdout.flush()
        except BrokenPipeError as exc:
            msg = "the reader of the output has gone away"
            raise ReaderGoneError(msg) from exc
