"""Bytes to blocks of lines."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_kit.errors import InputError
from target_kit.lines import Block, LineReader


def blocks(data: bytes, **limits: int) -> list[Block]:
    return list(LineReader(io.BytesIO(data), **limits).blocks())


@given(
    lines=st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=30),
    block_bytes=st.integers(1, 64),
    ended=st.booleans(),
)
def test_blocks_lose_no_byte_and_number_every_line(
    lines: list[bytes], block_bytes: int, ended: bool
) -> None:
    """Joined blocks are the input; each says where it begins, whatever the block size."""
    data = b"\n".join(lines) + (b"\n" if ended else b"")
    if data.startswith(b"\xef\xbb\xbf"):
        data = b"x" + data
    found = blocks(data, block_bytes=block_bytes)
    assert b"".join(block.data for block in found) == data
    for block in found:
        assert data[block.offset : block.offset + len(block.data)] == block.data
        assert block.first_line == data[: block.offset].count(b"\n") + 1
        assert block.lines == block.data.count(b"\n") + block.torn
        assert block.data.endswith(b"\n") != block.torn


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    """A BOM at the start is dropped; offsets still count it."""
    assert blocks(b"\xef\xbb\xbf{}\n") == [Block(1, 3, b"{}\n", 1, torn=False)]


@pytest.mark.parametrize("block_bytes", [7, 64, 100, 1000])
@pytest.mark.parametrize("ended", [True, False])
def test_a_line_above_the_limit_is_named_by_number_offset_and_size(
    block_bytes: int, ended: bool
) -> None:
    """Line 3 has 201 bytes where 100 are allowed; what came before it has been handed out."""
    data = b"a\nbb\n" + b"c" * 201 + (b"\nd\n" if ended else b"")
    reader = LineReader(io.BytesIO(data), max_line_bytes=100, block_bytes=block_bytes)
    seen = bytearray()
    with pytest.raises(InputError, match=r"line 3 .*offset 5\) has 201 bytes.*allows 100"):
        seen.extend(byte for block in reader.blocks() for byte in block.data)
    reread = LineReader(io.BytesIO(data[:5]), max_line_bytes=100, block_bytes=block_bytes)
    assert b"".join(block.data for block in reread.blocks()) == b"a\nbb\n"


def test_a_line_of_exactly_the_limit_passes() -> None:
    """100 bytes and a line feed are allowed by 100."""
    data = b"c" * 100 + b"\n"
    assert b"".join(block.data for block in blocks(data * 3, max_line_bytes=100)) == data * 3
