"""One way of a stream into the spool: through its stream map, checked, repaired where it must be.

A record that doesn't fit is spooled with its fault, so that it is rejected in its turn; what can't
be a record at all ends the input.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from target_kit.errors import ConfigurationError, InputError, StopRun
from target_kit.intake import Doors, RecordWithoutKey, Route
from target_kit.messages import UNDECODABLE, decode_odd, repaired
from target_kit.spool import Spool
from target_kit.validation import KeyPropertyMissing, RecordValidator


class Outlet:
    """One route with its validator; `line` counts from 1, as errors name it."""

    __slots__ = ("_encode", "_spool", "alias", "transform", "validator")

    def __init__(self, route: Route, spool: Spool, doors: Doors) -> None:
        self.alias = route.alias
        self.transform = route.transform
        self.validator = RecordValidator(
            route.schema, route.key_properties, validate=doors.validate
        )
        self._spool = spool
        self._encode = doors.encode

    def take(self, body: bytes, line: int) -> None:
        """Spool a record; `body` is its JSON object as it came.

        Raises `RecordWithoutKey`, `InputError` and `ConfigurationError` (of the stream map).
        """
        try:
            if self.transform is None:
                self._spool.append_record(self.alias, line, body, self.validator.fault(body))
            else:
                self._mapped(json.loads(body, parse_float=Decimal), line)
        except KeyPropertyMissing as missing:
            raise self._without_key(line, missing) from None
        except (*UNDECODABLE, ValueError):
            self.take_repaired(decode_odd(body, _where(line), torn=False), line)

    def take_repaired(self, record: dict[str, Any], line: int) -> None:
        """Spool what JSON can carry of a record, marked as faulty. Raises as `take` does."""
        try:
            clean, fault = repaired(record, set(self.validator.schema["properties"]))
            body = json.dumps(clean, ensure_ascii=False).encode()
            fault = fault or "$: a number out of range"
            if self.transform is not None:
                self._mapped(clean, line, fault)
                return
            self.validator.fault_of(clean)
        except KeyPropertyMissing as missing:
            raise self._without_key(line, missing) from None
        except RecursionError:
            raise InputError(f"{_where(line)} is nested too deeply") from None
        self._spool.append_record(self.alias, line, body, fault)

    def _mapped(self, record: dict[str, Any], line: int, fault: str | None = None) -> None:
        """Through the stream map, then checked and written anew."""
        assert self.transform is not None  # noqa: S101 - for the type checker
        try:
            mapped = self.transform(record)
            body = b"" if mapped is None else self._encode(mapped)
        except StopRun:
            raise
        except Exception as error:  # noqa: BLE001 - expressions are the user's, so are their errors
            raise ConfigurationError(
                f"setting stream_maps: the map of stream {self.alias} fails at {_where(line)} "
                f"({type(error).__name__})"
            ) from None
        if mapped is None:
            return
        found = self.validator.fault_of(mapped)
        self._spool.append_record(self.alias, line, body, fault or found)

    def _without_key(self, line: int, missing: KeyPropertyMissing) -> RecordWithoutKey:
        return RecordWithoutKey(
            f"{_where(line)} is a RECORD of stream {self.alias} without its key column "
            f"{missing.name}"
        )


def _where(line: int) -> str:
    return f"line {line} of the input"
