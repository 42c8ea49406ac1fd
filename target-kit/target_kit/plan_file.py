"""A plan as a file, read back: one JSON document, one entry a line, whole or not at all.

    {"plan":1,"header":{...},"number":2,"entries":[
    {"stream":"contacts",...},
    {"stream":"contacts",...}
    ]}

So it can be read by people and machines, and streamed: memory stays flat.
"""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from target_kit.errors import ConfigurationError
from target_kit.plan_model import Entry, PlanHeader

FORMAT = 1
#: Far above what a header or an entry takes; a file without lines is not read into memory.
LONGEST_LINE = 16 * 1024 * 1024
LAST_LINE = b"]}\n"
_BEGINS = re.compile(rb'\{"plan":(\d{1,9}),')
_AGAIN = "make it anew with mode: plan"
#: What decoding raises; the last one where brackets are nested too deep.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Start(msgspec.Struct):
    plan: int
    header: PlanHeader
    number: int
    entries: list[Entry]


def first_line(header: PlanHeader, number: int) -> bytes:
    """The line before the entries."""
    start = msgspec.json.encode(_Start(FORMAT, header, number, []))
    return start.removesuffix(b"]}") + b"\n"


def read_plan(path: Path, connection: sqlite3.Connection) -> PlanHeader:
    """Bring the items of a plan into `connection`, for `Approved`, and return its header.

    Raises ConfigurationError in one line: no file, not readable, no JSON, no plan, a plan of
    another version, a plan that is cut or was changed. Of such a plan nothing is approved.
    """
    connection.execute("DROP TABLE IF EXISTS plan_items")
    connection.execute(
        "CREATE TABLE plan_items (who TEXT, digest TEXT, PRIMARY KEY (who, digest)) WITHOUT ROWID"
    )
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigurationError("plan_file: it is no regular file")
            start = _start(file)
            _approve(connection, _items(file, start.number))
    except OSError as error:
        raise ConfigurationError(f"plan_file: {error.strerror or type(error).__name__}") from None
    return start.header


def _start(file: BinaryIO) -> _Start:
    line = file.readline(LONGEST_LINE)
    if not (begins := _BEGINS.match(line)):
        raise ConfigurationError(f"plan_file: it is {_stranger(line, file)}; {_AGAIN}")
    if int(begins[1]) != FORMAT:
        raise ConfigurationError(
            f"plan_file: it is a plan of format {int(begins[1])}, this version reads {FORMAT}; "
            f"{_AGAIN}"
        )
    if not line.endswith(b"\n"):
        raise _cut(1)
    try:
        return msgspec.json.decode(line + b"]}", type=_Start)
    except _UNREADABLE:
        raise _cut(1) from None


def _stranger(line: bytes, file: BinaryIO) -> str:
    """What a file is that doesn't begin as a plan does."""
    try:
        msgspec.json.decode(line + file.read(LONGEST_LINE))
    except _UNREADABLE:
        return "no JSON"
    return "no plan as mode: plan writes it"


def _items(file: BinaryIO, number: int) -> Iterator[tuple[str, str]]:
    """(who, digest) of each item. Raises ConfigurationError unless all `number` entries are there
    and the last line is.
    """
    decode = msgspec.json.Decoder(Entry).decode
    for index in range(number):
        line = file.readline(LONGEST_LINE)
        end = b",\n" if index + 1 < number else b"\n"
        try:
            if not line.endswith(end):
                raise _cut(index + 2)
            entry = decode(line.removesuffix(end))
        except _UNREADABLE:
            raise _cut(index + 2) from None
        yield from ((entry.who, item.digest) for item in entry.items)
    if file.read(len(LAST_LINE) + 1) != LAST_LINE:
        raise _cut(number + 2)


def _approve(connection: sqlite3.Connection, items: Iterable[tuple[str, str]]) -> None:
    """All or none. The work file has no journal, so there is no rolling back."""
    whole = False
    connection.execute("BEGIN")
    try:
        connection.executemany("INSERT OR IGNORE INTO plan_items VALUES (?, ?)", items)
        whole = True
    finally:
        if not whole:
            connection.execute("DELETE FROM plan_items")
        connection.execute("COMMIT")


def _cut(line: int) -> ConfigurationError:
    return ConfigurationError(
        f"plan_file: the plan is cut or was changed (line {line}); nothing of it is done; {_AGAIN}"
    )


class Approved:
    """What a plan allows, over the table that `read_plan` filled."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def allows(self, who: str, digests: Iterable[str]) -> bool:
        """Whether every one of `digests` is planned for this person; none at all is allowed."""
        found = self._connection.execute("SELECT digest FROM plan_items WHERE who = ?", (who,))
        return {str(digest) for (digest,) in found}.issuperset(digests)

    def items_of(self, who: str) -> int:
        """How many different items are planned for this person."""
        row = self._connection.execute("SELECT count(*) FROM plan_items WHERE who = ?", (who,))
        return int(row.fetchone()[0])
