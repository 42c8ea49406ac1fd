"""Bytes of lines → Singer messages, contents undecoded; and a second look at odd lines."""

from __future__ import annotations

import json
import math
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from target_kit.errors import InputError
from target_kit.lines import Block

ABSENT = msgspec.Raw()
UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Message(msgspec.Struct, gc=False):
    """The envelope of any Singer message."""

    type: str
    stream: str | None = None
    record: msgspec.Raw = ABSENT
    schema: msgspec.Raw = ABSENT
    key_properties: msgspec.Raw = ABSENT
    value: msgspec.Raw = ABSENT
    version: int | float | str | None = None


_decoder = msgspec.json.Decoder(Message)


def decode_block(block: Block) -> list[Message] | None:
    """All messages of a block, one per line; None when they must be looked at line by line."""
    try:
        messages = _decoder.decode_lines(block.data)
    except UNDECODABLE:
        return None
    return messages if len(messages) == block.lines else None


def decode_line(data: bytes) -> Message | None:
    """One message; None for a line that `decode_odd` has to look at."""
    try:
        return _decoder.decode(data)
    except UNDECODABLE:
        return None


def decode_odd(data: bytes, where: str, *, torn: bool) -> dict[str, Any]:
    """What Python's lenient JSON makes of `data`: NaN, Infinity, half a surrogate pair allowed.

    Raises `InputError` naming `where` and the column, never content, when even that fails.
    """
    try:
        message = json.loads(data.decode())
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is no UTF-8 at its byte {error.start + 1}") from None
    except RecursionError:
        raise InputError(f"{where} is nested too deeply") from None
    except json.JSONDecodeError as error:
        if torn:
            raise InputError(f"{where} is cut: the input ended inside it") from None
        raise InputError(f"{where} is no JSON at its character {error.pos + 1}") from None
    except ValueError:
        raise InputError(f"{where} has a number with too many digits") from None
    if not isinstance(message, dict):
        raise InputError(f"{where} is no Singer message")
    return message


def repaired(
    record: dict[str, Any], columns: AbstractSet[str]
) -> tuple[dict[str, Any], str | None]:
    """`record` with null or `�` for what JSON in UTF-8 can't carry, and its first fault."""
    faults: list[str] = []

    def text(value: str, path: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            faults.append(f"{path}: half a surrogate pair")
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value

    def clean(value: Any, path: str) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            faults.append(f"{path}: no finite number")
            return None
        if isinstance(value, str):
            return text(value, path)
        if isinstance(value, list):
            return [clean(item, f"{path}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {
                text(name, path): clean(item, f"{path}.{name if name in columns else '*'}")
                for name, item in value.items()
            }
        return value

    return clean(record, "$"), next(iter(faults), None)
