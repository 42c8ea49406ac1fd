"""Reads a CSV file that arrived by SFTP, instead of the API (S1-34).

    what is found                                what happens
    ───────────────────────────────────────────  ──────────────────────────────────────────────
    no file                                      not ready yet: a note, no rows (S1-36)
    an empty file; a header line alone           a note, no rows
    a column of the header that is not named     LayoutError, with its number
    a named column that the header lacks         LayoutError, with its name from the settings
    a line with too few or too many cells        LayoutError, with the line's number
    bytes that are not in the encoding           LayoutError, with the line's number
    a quote that is not closed or not doubled    LayoutError, with the line's number
    a last line without its end                  LayoutError: cut, or still being written

No message holds a cell, nor a name from the file itself: without its header a file begins with a
person. A byte order mark is part of the encoding, not of the first name.
"""

from __future__ import annotations

import csv
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tap_optimizely.errors import LayoutError
from tap_optimizely.layouts import CsvFile
from tap_optimizely.records import Row, normal

_BOM = "\ufeff"
_LONGEST_CELL = 1024 * 1024


def read_csv(file: CsvFile, stream: str, logger: logging.Logger) -> Iterator[tuple[int, Row]]:
    """Yield (line number, cells in the order of `file.columns`).

    Raises:
        LayoutError: see the module's table.
    """
    where = f"csv_files.{stream}"
    try:
        opened = Path(file.path).open(encoding=file.encoding, newline="")  # noqa: SIM115  closed below
    except FileNotFoundError:
        logger.info("%s: there is no file yet", where)
        return
    except OSError as error:
        reason = error.strerror
        opened = None
    if opened is None:
        raise LayoutError(f"{where}.path: the file cannot be read: {reason}")
    with opened:
        count = 0
        for number, row in _rows(opened, file, where):
            count += 1
            yield number, row
        if not count:
            logger.info("%s: the file holds no rows", where)


def _rows(opened: TextIO, file: CsvFile, where: str) -> Iterator[tuple[int, Row]]:
    lines = _Lines(opened, file, where)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines, delimiter=file.delimiter, quotechar=file.quote, strict=True)
    order: list[int] | None = None
    try:
        for cells in reader:
            if file.by_header is not None and order is None:
                order = _order(cells, file.by_header, where)
                continue
            if not cells:
                continue  # an empty line
            width = len(file.columns)
            if len(cells) != width:
                raise LayoutError(
                    f"{where}, line {lines.number}: {width} columns expected, {len(cells)} found"
                )
            yield lines.number, normal([cells[i] for i in order] if order else cells)
    except csv.Error:
        broken = True
    else:
        broken = False
    if broken:
        raise LayoutError(f"{where}, line {lines.number}: a quote is not closed, or not doubled")


def _order(header: list[str], names: object, where: str) -> list[int]:
    wanted = list(names) if isinstance(names, dict) else []
    given = [name.strip() for name in header]
    for number, name in enumerate(given, 1):
        if name not in wanted or given.index(name) != number - 1:
            raise LayoutError(
                f"{where}, line 1: column {number} is not among the names in columns, or there "
                "twice"
            )
    missing = [name for name in wanted if name not in given]
    if missing:
        raise LayoutError(f"{where}, line 1: column {missing[0]!r} is missing")
    return [given.index(name) for name in wanted]


class _Lines:
    """The lines of a file; counts them, and sees a byte order mark, bad bytes and a torn end."""

    def __init__(self, opened: TextIO, file: CsvFile, where: str) -> None:
        self.number = 0
        self._opened = opened
        self._file = file
        self._where = where

    def __iter__(self) -> Iterator[str]:
        while True:
            try:
                line = self._opened.readline()
            except UnicodeError:
                line = None
            if line is None:
                raise LayoutError(
                    f"{self._where}, line {self.number + 1} or behind it: not in the encoding "
                    f"{self._file.encoding}"
                )
            if not line:
                return
            self.number += 1
            if self.number == 1:
                line = line.removeprefix(_BOM)
            if self._file.final_newline and not line.endswith(("\n", "\r")):
                raise LayoutError(
                    f"{self._where}, line {self.number}: the last line has no end; the file was "
                    "cut, or is still being written"
                )
            yield line
