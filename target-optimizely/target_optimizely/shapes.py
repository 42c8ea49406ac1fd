"""Whether an answer has the shape of its call. Pure; errors say numbers, never values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard, TypeVar

from optimizely_soap.codec import Row
from target_kit.errors import VendorUnavailable

StoredRow = list[str | None]
T = TypeVar("T")


class UnexpectedAnswer(VendorUnavailable):
    """An answer of another shape or length than the call has; says numbers, never values."""


def is_a(value: object, kind: type[T]) -> TypeGuard[T]:
    """Whether a value has exactly this type: True is no number."""
    return type(value) is kind


def is_list_of(value: object, kind: type[T]) -> TypeGuard[list[T]]:
    """Whether a value is a list of exactly this type."""
    return isinstance(value, list) and all(type(one) is kind for one in value)


def each(kind: type[T], route: str, value: object) -> list[T]:
    """The list that a call was answered with; `UnexpectedAnswer` if it holds anything else."""
    if is_list_of(value, kind):
        return value
    raise UnexpectedAnswer(f"{route} was not answered with a list of {kind.__name__}")


def as_text(route: str, value: object) -> str:
    """The text that a call was answered with."""
    if not isinstance(value, str):
        raise UnexpectedAnswer(f"{route} was not answered with a text")
    return value


def table(route: str, value: object, width: int | None = None) -> list[StoredRow]:
    """Rows of texts; `width` None leaves their length open."""
    if not isinstance(value, list):
        raise UnexpectedAnswer(f"{route} was not answered with rows")
    for row in value:
        if not isinstance(row, list) or not all(one is None or type(one) is str for one in row):
            raise UnexpectedAnswer(f"{route} was answered with a row that is none")
        if width is not None and len(row) != width:
            raise UnexpectedAnswer(
                f"{route} was answered with a row of {len(row)} values for {width} names"
            )
    return value


def check_length(route: str, values: Sequence[object], asked: int) -> None:
    """Raise `UnexpectedAnswer` unless there is a value for each that was asked about."""
    if len(values) != asked:
        raise UnexpectedAnswer(f"{route} was answered with {len(values)} values for {asked}")


def check_rows(ids: Sequence[str], names: Sequence[str], values: Sequence[Row]) -> None:
    """Raise `ValueError` for a call whose parallel arrays do not fit."""
    if len(values) != len(ids) or any(len(row) != len(names) for row in values):
        raise ValueError("every recipient has one row, every row a value for each name")
