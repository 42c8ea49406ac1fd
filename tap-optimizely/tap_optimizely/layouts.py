"""Settings of single exports, CSV files and bounces: nested parts of the configuration. Pure."""

from __future__ import annotations

import codecs
import re
import typing as t
from dataclasses import dataclass

from tap_optimizely.exports import CSV_STREAMS, EXPORT_NAMES
from tap_optimizely.timestamps import ISO, is_format

# What the tap itself puts into records; a column of an export cannot be called so.
RESERVED = frozenset(
    {
        *("event_key", "event_time", "source", "export", "client_id", "assigned", "scope"),
        *("kind", "bounced_out", "ends_consent"),
    }
)
# The record's column for a name in a map, where it differs.
RECORD_NAMES = {"time": "event_time"}
TIME_NAMES = frozenset({"event_time", "started", "finished"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_FALLBACK = re.compile(r"col_[0-9]+")


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """How one export is laid out; `columns` are the record's names, None is not agreed."""

    columns: tuple[str, ...] | None = None
    header_rows: int = 0
    timestamp_format: str = ISO


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file instead of the API; `by_header` maps header → record's name, else `columns` count."""

    path: str
    delimiter: str
    encoding: str
    quote: str
    columns: tuple[str, ...]
    by_header: t.Mapping[str, str] | None
    final_newline: bool


@dataclass(frozen=True, slots=True)
class BounceRule:
    """Which categories are of this kind, from how many on, and whether they end the consent."""

    categories: tuple[str, ...]
    threshold: int | None
    ends_consent: bool


def read_exports(config: t.Mapping[str, t.Any], problems: list[str]) -> dict[str, ExportSettings]:
    """Read `columns`, `header_rows` and `timestamp_formats` of every export."""
    maps = _mapping(config, "columns", EXPORT_NAMES, problems)
    headers = _mapping(config, "header_rows", EXPORT_NAMES, problems)
    formats = _mapping(config, "timestamp_formats", EXPORT_NAMES, problems)
    return {
        name: ExportSettings(
            columns=_names(maps.get(name), f"columns.{name}", problems),
            header_rows=_count(headers.get(name), f"header_rows.{name}", problems),
            timestamp_format=_format(formats.get(name), f"timestamp_formats.{name}", problems),
        )
        for name in EXPORT_NAMES
    }


def read_csv_files(value: object, problems: list[str]) -> dict[str, CsvFile]:
    """Read `csv_files`."""
    files = _mapping({"csv_files": value}, "csv_files", CSV_STREAMS, problems)
    read = {name: _csv_file(entry, f"csv_files.{name}", problems) for name, entry in files.items()}
    return {name: file for name, file in read.items() if file is not None}


def read_bounce_rule(config: t.Mapping[str, t.Any], name: str, problems: list[str]) -> BounceRule:
    """Read `hard_bounce` or `soft_bounce`; soft ones never end a consent (S1-46)."""
    is_hard = name == "hard_bounce"
    known = ("categories", "threshold", *(("ends_consent",) if is_hard else ()))
    rule = _mapping(config, name, known, problems)
    categories = rule.get("categories", ["hardbounce" if is_hard else "softbounce"])
    if not isinstance(categories, (list, tuple)) or not all(isinstance(c, str) for c in categories):
        problems.append(f"{name}.categories: must be a list of texts")
        categories = []
    threshold = rule.get("threshold", 1 if is_hard else None)
    if threshold is not None and _count(threshold, f"{name}.threshold", problems) < 1:
        problems.append(f"{name}.threshold: must be a whole number, at least 1")
        threshold = None
    ends_consent = rule.get("ends_consent", is_hard)
    if ends_consent not in (True, False):
        problems.append(f"{name}.ends_consent: must be true or false")
    limit = None if threshold is None else int(threshold)
    return BounceRule(tuple(categories), limit, ends_consent is True)


def _mapping(
    config: t.Mapping[str, t.Any], name: str, known: t.Sequence[str], problems: list[str]
) -> dict[str, t.Any]:
    value = config.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        problems.append(f"{name}: must be a mapping")
        return {}
    unknown = len([key for key in value if key not in known])
    if unknown:
        problems.append(f"{name}: {unknown} unknown name(s); known are {', '.join(known)}")
    return {key: entry for key, entry in value.items() if key in known and entry is not None}


def _names(value: object, where: str, problems: list[str]) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or not value:
        problems.append(f"{where}: must be a list of names")
        return None
    return _record_names(value, where, problems)


def _record_names(given: t.Iterable[object], where: str, problems: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for number, name in enumerate(given, 1):
        at = f"{where}: name {number}"
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            problems.append(f"{at} must be letters, digits and underscores")
            continue
        if name in RESERVED or _FALLBACK.fullmatch(name):
            problems.append(f"{at} is taken by the tap itself")
        if RECORD_NAMES.get(name, name) in names:
            problems.append(f"{at} is used twice")
        names.append(RECORD_NAMES.get(name, name))
    return tuple(names)


def _count(value: object, where: str, problems: list[str]) -> int:
    if value is None:
        return 0
    if isinstance(value, (bool, str)) or not hasattr(value, "__int__") or int(value) != value:
        problems.append(f"{where}: must be a whole number")
        return 0
    if int(value) < 0:
        problems.append(f"{where}: must be a whole number, at least 0")
    return int(value)


def _format(value: object, where: str, problems: list[str]) -> str:
    if value is None:
        return ISO
    if not is_format(value):
        problems.append(f"{where}: must be iso, epoch_ms or a pattern like dd.MM.yyyy HH:mm:ss")
        return ISO
    return str(value)


def _csv_file(entry: object, where: str, problems: list[str]) -> CsvFile | None:
    if not isinstance(entry, dict):
        problems.append(f"{where}: must be a mapping with path and columns")
        return None
    known = CsvFile.__dataclass_fields__.keys() - {"by_header"}
    if any(key not in known for key in entry):
        problems.append(f"{where}: has unknown names; known are {', '.join(sorted(known))}")
    path, columns = entry.get("path"), entry.get("columns")
    if not isinstance(path, str) or not path:
        problems.append(f"{where}.path: is required")
    by_header = _by_header(columns, f"{where}.columns", problems)
    given = list(by_header.values()) if by_header is not None else columns
    names = _names(given, f"{where}.columns", problems) or ()
    if columns is None:
        problems.append(f"{where}.columns: is required")
    if by_header is not None:
        by_header = dict(zip(by_header, names, strict=False))
    delimiter = _character(entry.get("delimiter", ";"), f"{where}.delimiter", problems)
    quote = _character(entry.get("quote", '"'), f"{where}.quote", problems)
    if delimiter == quote:
        problems.append(f"{where}.quote: must differ from the delimiter")
    final_newline = entry.get("final_newline", True)
    if final_newline not in (True, False):
        problems.append(f"{where}.final_newline: must be true or false")
    return CsvFile(
        path=str(path),
        delimiter=delimiter,
        encoding=_encoding(entry.get("encoding", "utf-8"), f"{where}.encoding", problems),
        quote=quote,
        columns=names,
        by_header=by_header,
        final_newline=final_newline is True,
    )


def _by_header(value: object, where: str, problems: list[str]) -> dict[str, t.Any] | None:
    if not isinstance(value, dict):
        return None
    if not value or not all(isinstance(key, str) and key for key in value):
        problems.append(f"{where}: must map names of the header line")
    return dict(value)


def _character(value: object, where: str, problems: list[str]) -> str:
    if isinstance(value, str) and len(value) == 1 and value not in "\r\n\0":
        return value
    problems.append(f"{where}: must be one character")
    return ";"


def _encoding(value: object, where: str, problems: list[str]) -> str:
    try:
        codecs.lookup(str(value))
    except (LookupError, ValueError):
        problems.append(f"{where}: is no encoding (examples: utf-8, cp1252)")
        return "utf-8"
    return str(value)
