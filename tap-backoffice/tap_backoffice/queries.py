"""Builds the SELECTs: identifiers quoted, values bound, ordered by (replication key, key)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from tap_backoffice.settings import Shard
from tap_backoffice.types import Column


@dataclass(frozen=True, slots=True)
class Source:
    """What to read: a table (with its schema) or a query, and the columns selected from it.

    `shard` says that only a part of the rows is read; the key's columns are always selected.
    """

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    table: str | None = None
    schema: str | None = None
    query: str | None = None
    replication_key: Column | None = None
    shard: Shard | None = None

    @property
    def key_columns(self) -> list[Column]:
        """The key's columns, in the key's order."""
        by_name = {column.name: column for column in self.columns}
        return [by_name[name] for name in self.key]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the reads of a stream.

    `keys` says which rows: every row, only those whose replication key is null, or only those
    that have one, from `lower_bound` on (None: from the beginning).
    """

    keys: t.Literal["all", "null", "present"]
    lower_bound: object | None = None


def parts(source: Source, lower_bound: object | None, *, nullable_order: bool) -> list[Part]:
    """Say which reads a stream takes.

    Rows without a replication key come first and in every run: they can never be told to be
    unchanged. Two statements, since `OR rk IS NULL` would cost the index of the other.
    """
    if source.replication_key is None:
        return [Part("all")]
    present = Part("present", lower_bound)
    return [Part("null"), present] if nullable_order else [present]


class Quoting:
    """Quotes names the dialect's way, always: reserved words, quotes and spaces are names too."""

    def __init__(self, dialect: Dialect) -> None:
        """Take the dialect's quote characters."""
        preparer = dialect.identifier_preparer
        self._open, self._close = preparer.initial_quote, preparer.final_quote

    def name(self, identifier: str) -> str:
        """Quote one identifier."""
        return self._open + identifier.replace(self._close, self._close * 2) + self._close

    def column(self, column: Column | str) -> str:
        """Quote a column of the FROM clause `t`."""
        return f"t.{self.name(column if isinstance(column, str) else column.name)}"

    def source(self, source: Source) -> str:
        """Give the FROM clause; the line breaks keep a trailing comment inside the query."""
        if source.query is not None:
            return f"(\n{source.query}\n) t"
        schema = f"{self.name(source.schema)}." if source.schema else ""
        return f"{schema}{self.name(str(source.table))} t"


def select_text(
    source: Source,
    part: Part,
    quoting: Quoting,
    *,
    values: t.Sequence[str],
    order: str | None,
    limit: int | None,
    within: str | None = None,
) -> str:
    """Write the SELECT; the one bound value is named `lower_bound`.

    `values` are the SELECT list's expressions, `order` is the replication key's expression as
    the dialect sorts it, `within` the condition that rows of the shard meet.
    """
    text = f"SELECT {', '.join(values)} FROM {quoting.source(source)}"
    keys = [quoting.column(name) for name in source.key]
    conditions = [] if within is None else [within]
    if part.keys == "null":
        conditions.append(f"{order} IS NULL")
    elif part.keys == "present":
        present = f"{order} IS NOT NULL" if part.lower_bound is None else f"{order} >= \x00"
        conditions.append(present)
        keys = [str(order), *(key for key in keys if key != order)]
    if conditions:
        text += f" WHERE {' AND '.join(conditions)}"
    if keys and part.keys != "all":
        text += f" ORDER BY {', '.join(keys)}"
    return text if limit is None else f"{text} LIMIT {limit}"


def bound(
    text: str, lower_bound: object | None, dialect: Dialect
) -> tuple[str, dict[str, t.Any] | list[t.Any]]:
    """Give the statement and its parameters in the driver's own style.

    In SQLAlchemy's text a colon starts a bound value, so each colon of the user's SQL is escaped
    and only then the placeholder is put in.
    """
    escaped = text.replace(":", "\\:").replace("\x00", ":lower_bound")
    clause = sa.text(escaped)
    if "\x00" in text:
        clause = clause.bindparams(sa.bindparam("lower_bound", value=lower_bound))
    compiled = clause.compile(dialect=dialect)
    values = dict.fromkeys(compiled.params, lower_bound)
    names: t.Sequence[str] | None = getattr(compiled, "positiontup", None)
    if dialect.positional:
        return str(compiled), [values[name] for name in names or ()]
    return str(compiled), values
