"""Column kinds: what a database column is, and which JSON schema tells it to a target."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Kind = t.Literal[
    "integer",
    "float",
    "decimal",
    "boolean",
    "bits",
    "string",
    "date",
    "timestamp",
    "timestamptz",
    "time",
    "binary",
    "json",
    "array",
    "any",
]

# Kinds with a total order that a bookmark can hold.
ORDERED: frozenset[Kind] = frozenset(
    {"integer", "float", "decimal", "string", "date", "timestamp", "timestamptz"}
)
# Kinds whose values JSON cannot always hold (NaN, infinity, year 0): such a value becomes null.
LOSSY: frozenset[Kind] = frozenset({"float", "decimal", "date", "timestamp", "timestamptz"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column as the database's own catalogue describes it.

    `item` is the kind of an array's elements; `values` the labels of an enum; `sql_type` the
    database's own name of the type, used where a cast is needed.
    """

    name: str
    kind: Kind
    nullable: bool = True
    item: Kind | None = None
    values: tuple[str, ...] = ()
    sql_type: str = ""


_JSON_TYPES: dict[Kind, dict[str, t.Any]] = {
    "integer": {"type": "integer"},
    "float": {"type": "number"},
    "decimal": {"type": "number"},
    "boolean": {"type": "boolean"},
    "bits": {"type": "integer"},
    "string": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "timestamptz": {"type": "string", "format": "date-time"},
    "time": {"type": "string"},
    "binary": {"type": "string", "contentEncoding": "base64"},
    "array": {"type": "array"},
}
_ANYTHING = ["object", "array", "string", "number", "boolean", "null"]


def json_schema(column: Column, *, required: bool, singer_decimal: bool) -> dict[str, t.Any]:
    """Give the JSON schema of a column; `required` (a key) forbids null."""
    if column.kind == "json":
        return {"type": list(_ANYTHING)}
    if column.kind == "any":
        return {"type": ["string", "number", "null"]}
    schema = _plain_schema(column.kind, singer_decimal=singer_decimal)
    if column.kind == "array" and column.item is not None:
        schema["items"] = _item_schema(column.item)
    nullable = not required and (column.nullable or column.kind in LOSSY)
    schema["type"] = [schema["type"], "null"] if nullable else [schema["type"]]
    if column.values:
        schema["enum"] = [*column.values, None] if nullable else list(column.values)
    return schema


def _plain_schema(kind: Kind, *, singer_decimal: bool) -> dict[str, t.Any]:
    if kind == "decimal" and singer_decimal:
        return {"type": "string", "format": "x-singer.decimal"}
    return dict(_JSON_TYPES[kind])


def _item_schema(kind: Kind) -> dict[str, t.Any]:
    # Elements keep the database's own text unless they are numbers, booleans or JSON: a
    # timestamp inside an array has no column of its own whose zone could be known.
    if kind == "json":
        return {"type": list(_ANYTHING)}
    if kind in ("integer", "float", "decimal", "boolean"):
        types = [_JSON_TYPES[kind]["type"], "null"]
        # Arrays may be nested to any depth without a word about it in the catalogue.
        return {"type": [*types, "array"]}
    return {"type": ["string", "null", "array"]}
