"""Writes the guide's two files, `unsubscribes.csv` and `bounces.csv`, beside the messages (S1-30).

A file appears when its stream was read completely, in one step and readable by its owner only;
until then the one of the run before stays. Spreadsheets take cells that begin with certain signs
for formulas, so those get an apostrophe in front.
"""

from __future__ import annotations

import csv
import os
import typing as t
from collections.abc import Iterable, Mapping
from pathlib import Path

from tap_optimizely.errors import SettingsError

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def neutralised(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return "'" + text if text.startswith(_FORMULA_SIGNS) else text


class CsvWriter:
    """One file being written; `commit` gives it its name."""

    def __init__(self, directory: str, stream: str, columns: Iterable[str]) -> None:
        """Begin with the header line.

        Raises:
            SettingsError: the directory cannot be written to.
        """
        self._path = Path(directory) / f"{stream}.csv"
        self._part = self._path.with_name(f".{stream}.csv.part")
        self._columns = tuple(columns)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._part.unlink(missing_ok=True)
            opened = os.open(self._part, flags | os.O_EXCL, 0o600)
        except OSError as error:
            msg = f"csv_dir: cannot be written to: {error.strerror}"
            raise SettingsError(msg) from None
        # What UTF-8 has no place for (a lone half of an emoji) is written as its escape.
        self._file = os.fdopen(opened, "w", encoding="utf-8", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_MINIMAL)
        self._writer.writerow(self._columns)

    def write(self, record: Mapping[str, t.Any]) -> None:
        """Add a record."""
        self._writer.writerow([neutralised(record.get(name)) for name in self._columns])

    def commit(self) -> None:
        """Make the file durable, then let it take the place of the one before."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def close(self) -> None:
        """Close; what was not committed is removed."""
        self._file.close()
        self._part.unlink(missing_ok=True)
