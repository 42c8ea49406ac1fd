"""Rows of one scope of the ledger within one transaction: asked for, put and removed in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import sqlalchemy as sa

#: Names in one question: far below what any database takes.
CHUNK = 500
T = TypeVar("T")


class Rows:
    """`kind` is a frozen value of `target_kit.ledger_entries`; its fields are the columns."""

    def __init__(self, connection: sa.Connection, scope: int) -> None:
        self._connection, self._scope = connection, scope

    def select(
        self,
        kind: type[T],
        table: sa.Table,
        *tests: sa.ColumnElement[bool],
        order: Sequence[Any] = (),
        limit: int | None = None,
    ) -> list[T]:
        """Rows that pass all tests."""
        columns = [table.c[field.name] for field in fields(kind)]  # type: ignore[arg-type]
        query = sa.select(*columns).where(table.c.scope == self._scope, *tests)
        found = self._connection.execute(query.order_by(*order).limit(limit))
        return [kind(*row) for row in found]

    def of(
        self, kind: type[T], table: sa.Table, whos: Iterable[str], *tests: sa.ColumnElement[bool]
    ) -> Iterator[T]:
        """Rows of these persons, however many there are."""
        return self.among(kind, table, table.c.who, whos, *tests)

    def among(
        self,
        kind: type[T],
        table: sa.Table,
        column: sa.Column[Any],
        values: Iterable[str],
        *tests: sa.ColumnElement[bool],
    ) -> Iterator[T]:
        """Rows with one of these values in `column`, however many there are."""
        for chunk in _chunks(values):
            yield from self.select(kind, table, column.in_(chunk), *tests)

    def put(self, table: sa.Table, values: Iterable[Any]) -> None:
        """Insert values, or replace the row that has their primary key."""
        rows = self._bound(values)
        if not rows:
            return
        statement = self._insert(table)
        key = [column.name for column in table.primary_key]
        new = {c.name: statement.excluded[c.name] for c in table.c if c.name not in key}
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=key, set_=new), rows
        )

    def add(self, table: sa.Table, values: Iterable[Any]) -> None:
        """Insert values that are not there yet."""
        rows = self._bound(values)
        if rows:
            self._connection.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def update(
        self,
        table: sa.Table,
        column: sa.Column[Any],
        values: Iterable[str] | None,
        **changes: Any,
    ) -> None:
        """Change rows with one of `values` in `column`, or all."""
        statement = table.update().where(table.c.scope == self._scope).values(**changes)
        if values is None:
            self._connection.execute(statement)
            return
        for chunk in _chunks(values):
            self._connection.execute(statement.where(column.in_(chunk)))

    def delete(self, table: sa.Table, whos: Iterable[str] | None = None) -> None:
        """Remove rows of these persons, or all."""
        if whos is not None:
            self.delete_among(table, table.c.who, whos)
            return
        self._connection.execute(table.delete().where(table.c.scope == self._scope))

    def delete_among(self, table: sa.Table, column: sa.Column[Any], values: Iterable[str]) -> None:
        """Remove rows with one of these values in `column`."""
        statement = table.delete().where(table.c.scope == self._scope)
        for chunk in _chunks(values):
            self._connection.execute(statement.where(column.in_(chunk)))

    def discard(self, table: sa.Table, keys: Iterable[tuple[str, ...]]) -> None:
        """Remove rows by primary key, which is given without the scope."""
        own = [column for column in table.primary_key if column.name != "scope"]
        statement = table.delete().where(table.c.scope == self._scope)
        for chunk in _chunks(keys):
            self._connection.execute(statement.where(sa.tuple_(*own).in_(chunk)))

    def _bound(self, values: Iterable[Any]) -> list[dict[str, Any]]:
        """All of one kind, as the database wants them."""
        given = list(values)
        names = [field.name for field in fields(given[0])] if given else []
        own = {"scope": self._scope}
        return [own | {name: getattr(value, name) for name in names} for value in given]

    def _insert(self, table: sa.Table) -> Any:
        """An INSERT that knows conflicts; the dialects write it alike."""
        if self._connection.dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import insert as on_postgresql

            return on_postgresql(table)
        from sqlalchemy.dialects.sqlite import insert

        return insert(table)


def _chunks(keys: Iterable[T]) -> Iterator[list[T]]:
    every = list(dict.fromkeys(keys))
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]
