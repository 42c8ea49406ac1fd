"""A JSON schema → a typed decoder that accepts only what the schema accepts.

It may refuse valid records (the caller then asks a full validator), it never accepts an invalid
one, and what it accepts it has decoded to the last byte: no field is skipped, so no bad escape,
bad UTF-8 or number out of range hides in one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from operator import attrgetter, or_
from typing import Annotated, Any, Literal

import jsonschema
import msgspec

Acquit = Callable[[Any], object]
# What the stock validator obeys; any other word in a schema is an annotation. With format checks
# off, `format` is one too.
EFFECTIVE = frozenset(jsonschema.Draft202012Validator.VALIDATORS) - {"format"}
_ABSENT = msgspec.Raw()
# Struct types are kept for ever: thousands of them made and garbage-collected crashed CPython 3.11
# with msgspec 0.22 (docs/decisions/0003-pinned-struct-types.md). A process needs a few per stream;
# beyond the limit the slower judges decide alone.
_PINNED: list[Any] = []
MAX_STRUCTS = 5_000
_KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")


class _Unfit(Exception):
    """This part of a schema has no type that is safe to acquit with."""


def sieve_decoder(
    schema: Mapping[str, Any], keys: Sequence[str], free: Sequence[str], *, validate: bool
) -> Acquit | None:
    """A function that decodes a whole record or raises a msgspec error; None if there is none.

    Every one of `keys` must be there; the columns `free` may hold anything. With `validate` off
    no column is checked.
    """
    properties: dict[str, Any] = schema["properties"] if validate else {}
    required = {*keys, *(schema.get("required", ()) if validate else ())}
    try:
        if validate:
            _only(schema, "type", "properties", "required", "additionalProperties")
            if "object" not in _kinds(schema):
                return None
            if (
                required - {*properties, *free}
                and schema.get("additionalProperties", True) is not True
            ):
                return None
        names = dict.fromkeys((*schema["properties"], *free, *required))
        fields: dict[str, Any] = dict.fromkeys(names, Any)
        exact: dict[str, re.Pattern[bytes]] = {}
        for name, part in properties.items():
            if pattern := _decimal_pattern(part):
                fields[name], exact[name] = msgspec.Raw, pattern
            else:
                fields[name] = _type(part)
        struct, attributes = _struct("Record", fields, required)
        decode = msgspec.json.Decoder(struct).decode
    except (_Unfit, TypeError, ValueError, re.error):
        # TypeError, ValueError: msgspec has no such union, no such field name.
        return None
    if not exact:
        return decode
    return _with_decimals(decode, [(attributes[name], exact[name]) for name in exact])


def _with_decimals(decode: Acquit, exact: list[tuple[str, re.Pattern[bytes]]]) -> Acquit:
    """Compare decimal columns as text: a double blurs multiples of 0.01."""
    checks = [(attrgetter(attribute), pattern.fullmatch) for attribute, pattern in exact]

    def acquits(body: Any) -> object:
        record = decode(body)
        for value_of, matches in checks:
            value = value_of(record)
            if value is not _ABSENT and not matches(value):
                raise msgspec.ValidationError("decimal")
        return record

    return acquits


def _decimal_pattern(schema: Any) -> re.Pattern[bytes] | None:
    """For numbers that are a multiple of 0.1, 0.01 … and nothing else: their texts."""
    if not isinstance(schema, Mapping) or set(schema) & EFFECTIVE != {"type", "multipleOf"}:
        return None
    kinds = _kinds(schema)
    if isinstance(schema["multipleOf"], float):
        return None
    sign, digits, exponent = Decimal(schema["multipleOf"]).normalize().as_tuple()
    if not isinstance(exponent, int) or sign or digits != (1,) or not -10 <= exponent <= 0:
        return None
    if "number" not in kinds or not kinds <= {"number", "null"}:
        return None
    null = b"|null" if "null" in kinds else b""
    fraction = rb"(\.\d{1,%d}0*)?" % -exponent if exponent else rb"(\.0+)?"
    # Up to 15 digits: with more the stock validator leaves its decimal context's precision.
    return re.compile(rb"-?\d{1,15}%s%s" % (fraction, null))


def _type(schema: Any) -> Any:
    """A type whose values all satisfy `schema`. Raises `_Unfit`."""
    if schema is True:
        return Any
    if not isinstance(schema, Mapping):
        raise _Unfit
    words = set(schema) & EFFECTIVE
    if not words:
        return Any
    if words == {"anyOf"}:
        return _any_of(schema["anyOf"])
    if words <= {"type", "enum", "const"} and words != {"type"}:
        return _one_of(schema)
    if "type" not in words:
        raise _Unfit
    return reduce(or_, [_kind_type(kind, schema) for kind in sorted(_kinds(schema))])


def _any_of(branches: Sequence[Any]) -> Any:
    """The union of the branches; of two branches of one kind the first that fits will do."""
    by_kind: dict[str, Any] = {}
    for branch in branches:
        if not isinstance(branch, Mapping):
            raise _Unfit
        for kind in _kinds(branch):
            try:
                part = _type({**branch, "type": kind})
            except _Unfit:
                continue
            by_kind.setdefault(kind, part)
    if not by_kind:
        raise _Unfit
    return reduce(or_, by_kind.values())


def _one_of(schema: Mapping[str, Any]) -> Any:
    """Listed values, strings and null only: Python and JSON disagree on 1, 1.0 and true."""
    values = schema["enum"] if "enum" in schema else [schema["const"]]
    if "enum" in schema and "const" in schema:
        raise _Unfit
    kinds = _kinds(schema) if "type" in schema else set(_KINDS)
    strings = tuple(v for v in values if isinstance(v, str) and "string" in kinds)
    null = None in values and "null" in kinds
    if not strings:
        raise _Unfit
    literal: Any = Literal[strings]
    return literal | None if null else literal


def _kind_type(kind: str, schema: Mapping[str, Any]) -> Any:
    if kind == "null":
        _no_words_of(schema, "enum", "const")
        return None
    build = {
        "boolean": _boolean,
        "integer": _integer,
        "number": _number,
        "string": _string,
        "array": _array,
        "object": _object,
    }
    return build[kind](schema)


# Words that any kind of value has to heed are refused here; those of another kind don't matter.
_ANY_KIND = EFFECTIVE & {
    *("enum", "const", "not", "oneOf", "allOf", "anyOf", "if", "$ref", "$dynamicRef")
}
_NUMBER = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_STRING = {"minLength", "maxLength", "pattern"}
_ARRAY = {
    *("items", "minItems", "maxItems", "uniqueItems"),
    *("contains", "prefixItems", "unevaluatedItems"),
}
_OBJECT = EFFECTIVE - _ANY_KIND - _NUMBER - _STRING - _ARRAY - {"type"}


def _no_words_of(schema: Mapping[str, Any], *words: str) -> None:
    if set(schema) & {*words, *_ANY_KIND}:
        raise _Unfit


def _boolean(schema: Mapping[str, Any]) -> Any:
    _no_words_of(schema)
    return bool


def _integer(schema: Mapping[str, Any]) -> Any:
    _no_words_of(schema)
    names = {
        "minimum": "ge",
        "maximum": "le",
        "exclusiveMinimum": "gt",
        "exclusiveMaximum": "lt",
        "multipleOf": "multiple_of",
    }
    return _annotated(int, {names[word]: _whole(schema[word]) for word in _NUMBER & set(schema)})


def _number(schema: Mapping[str, Any]) -> Any:
    """Bounds are taken without their ends: rounding keeps order, but not inequality."""
    _no_words_of(schema, "multipleOf")
    lows = [float(schema[w]) for w in ("minimum", "exclusiveMinimum") if w in schema]
    highs = [float(schema[w]) for w in ("maximum", "exclusiveMaximum") if w in schema]
    meta = {"gt": max(lows)} if lows else {}
    return _annotated(float, meta | ({"lt": min(highs)} if highs else {}))


def _string(schema: Mapping[str, Any]) -> Any:
    _no_words_of(schema)
    meta: dict[str, Any] = {}
    if "minLength" in schema:
        meta["min_length"] = _whole(schema["minLength"])
    if "maxLength" in schema:
        meta["max_length"] = _whole(schema["maxLength"])
    if "pattern" in schema:
        meta["pattern"] = schema["pattern"]  # `re.search`, as in the stock validator
    return _annotated(str, meta)


def _array(schema: Mapping[str, Any]) -> Any:
    _no_words_of(schema, *(_ARRAY - {"items", "minItems", "maxItems"}))
    meta = {}
    if "minItems" in schema:
        meta["min_length"] = _whole(schema["minItems"])
    if "maxItems" in schema:
        meta["max_length"] = _whole(schema["maxItems"])
    item: Any = _type(schema.get("items", True))
    return _annotated(list[item], meta)


def _object(schema: Mapping[str, Any]) -> Any:
    _no_words_of(schema, *(_OBJECT - {"properties", "required", "additionalProperties"}))
    properties: Mapping[str, Any] = schema.get("properties", {})
    required = set(schema.get("required", ()))
    if not properties and not required:
        value: Any = _type(schema.get("additionalProperties", True))
        return dict[str, value]
    fields = dict.fromkeys(sorted(required - set(properties)), Any)
    if fields and schema.get("additionalProperties", True) is not True:
        raise _Unfit
    fields |= {name: _type(part) for name, part in properties.items()}
    return _struct("Nested", fields, required)[0]


def _struct(name: str, fields: Mapping[str, Any], required: set[str]) -> tuple[Any, dict[str, str]]:
    """A struct without unknown fields, and the attribute of each column."""
    if len(_PINNED) >= MAX_STRUCTS:
        raise _Unfit
    attributes = {column: f"f{number}" for number, column in enumerate(fields)}
    definitions: list[Any] = [
        (attributes[column], kind)
        if column in required
        else (attributes[column], kind, _ABSENT if kind is msgspec.Raw else None)
        for column, kind in fields.items()
    ]
    struct = msgspec.defstruct(
        name,
        definitions,
        rename={attribute: column for column, attribute in attributes.items()},
        forbid_unknown_fields=True,
        kw_only=True,
        gc=False,
    )
    _PINNED.append(struct)
    return struct, attributes


def _annotated(kind: Any, meta: Mapping[str, Any]) -> Any:
    return Annotated[kind, msgspec.Meta(**meta)] if meta else kind


def _whole(value: Any) -> int:
    """A bound that the decoder compares exactly. Raises `_Unfit`."""
    if isinstance(value, bool) or int(value) != value or not -(2**62) < value < 2**62:
        raise _Unfit
    return int(value)


def _only(schema: Mapping[str, Any], *words: str) -> None:
    if set(schema) & EFFECTIVE - set(words):
        raise _Unfit


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kinds = schema.get("type", _KINDS)
    return {kinds} if isinstance(kinds, str) else set(kinds)
