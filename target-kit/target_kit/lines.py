"""Input bytes → blocks of whole lines, with line numbers and byte offsets, in flat memory.

First room of a target: knows nothing of JSON or Singer. A block is handed on as one piece because
a block of lines decodes several times faster than its lines one by one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from target_kit.errors import InputError

MAX_LINE_BYTES = 16 * 1024 * 1024
BLOCK_BYTES = 1024 * 1024
_BOM = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Whole lines. `torn`: the one last line, which the input ended without a line feed."""

    first_line: int  # 1-based
    offset: int  # bytes of input before `data`
    data: bytes
    lines: int
    torn: bool


def binary_input(file: object) -> BinaryIO:
    """The bytes behind `file`: a binary file, a text file with `.buffer`, or a `StringIO`."""
    if isinstance(file, io.TextIOWrapper):
        return cast("BinaryIO", file.buffer)
    if isinstance(file, io.StringIO):
        return io.BytesIO(file.read().encode("utf-8", "surrogatepass"))
    return cast("BinaryIO", file)


class LineReader:
    """Reads `source` once. Memory: one block and at most one line of `max_line_bytes`."""

    def __init__(
        self,
        source: BinaryIO,
        *,
        max_line_bytes: int = MAX_LINE_BYTES,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._source = source
        self._max_line_bytes = max_line_bytes
        # A block no longer than a line may be: a line inside a block never is too long.
        self._block_bytes = min(block_bytes, max_line_bytes)

    def blocks(self) -> Iterator[Block]:
        """Every byte of the input, cut at line ends; a byte order mark at the start is dropped.

        Raises `InputError` with line number, byte offset and size when a line is longer than
        `max_line_bytes`; the lines before it have been handed out by then.
        """
        line, offset = 1, 0
        parts: list[bytes] = []  # pieces of a line whose end has not come yet
        pending = 0
        first = True
        while chunk := self._source.read(self._block_bytes):
            if first:
                first = False
                if chunk.startswith(_BOM):
                    chunk = chunk[len(_BOM) :]  # the mark is no part of line 1
                    offset = len(_BOM)
            end = chunk.rfind(b"\n") + 1
            if not end:
                parts.append(chunk)
                pending += len(chunk)
                if pending > self._max_line_bytes:
                    parts.clear()
                    raise self._too_long(line, offset, pending)
                continue
            head = chunk.find(b"\n") + 1
            if pending + head > self._max_line_bytes + 1:
                parts.clear()
                raise self._too_long(line, offset, pending, chunk)
            data = b"".join((*parts, chunk[:end])) if parts else chunk[:end]
            lines = data.count(b"\n")
            yield Block(line, offset, data, lines, torn=False)
            line += lines
            offset += len(data)
            rest = chunk[end:]
            parts = [rest] if rest else []
            pending = len(rest)
        if pending:
            yield Block(line, offset, b"".join(parts), 1, torn=True)

    def drain(self) -> None:
        """Read what is left and forget it: the sender can finish and let go of its cursor."""
        while self._source.read(self._block_bytes):
            pass

    def _too_long(
        self, line: int, offset: int, pending: int, chunk: bytes | None = None
    ) -> InputError:
        """Count the line to its end without keeping it."""
        size = pending
        while chunk is None or b"\n" not in chunk:
            if chunk is not None:
                size += len(chunk)
            chunk = self._source.read(self._block_bytes)
            if not chunk:
                break
        else:
            size += chunk.find(b"\n")
        return InputError(
            f"line {line} of the input (byte offset {offset}) has {size} bytes; "
            f"setting max_line_bytes allows {self._max_line_bytes}"
        )
