"""Record bytes → verdict of its schema: the stock SDK's verdict, many times faster.

Three judges. The *sieve* (typed decoding) and the *compiled* validator may only acquit, each for
schemas where its yes implies the stock validator's yes. Whatever they don't acquit goes to the
*stock* validator (`jsonschema`, draft 2020-12, no format checks, floats as `Decimal`, as in
singer-sdk's `JSONSchemaValidator`), whose verdict counts and who names the fault.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import jsonschema
import jsonschema_rs
import msgspec
from jsonschema.exceptions import best_match
from referencing import Registry

from target_kit.errors import InputError, StopRun
from target_kit.sieve import EFFECTIVE, sieve_decoder

# What the SDK takes out of schema and record before it validates.
SDC_FIELDS = (
    "_sdc_extracted_at",
    "_sdc_received_at",
    "_sdc_batched_at",
    "_sdc_deleted_at",
    "_sdc_sequence",
    "_sdc_table_version",
    "_sdc_sync_started_at",
)
_SDC_SET = frozenset(SDC_FIELDS)
# Keywords on which the compiled validator agrees with the stock one, provided that the record
# holds no float without a fraction where the schema knows integers: 1.0 is an integer to the one,
# a Decimal and no integer to the other. Left out on purpose: patterns (another dialect), numeric
# bounds and multiples, references, unevaluated*, conditionals.
_SIZES = frozenset(
    ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"]
)
_COMPILED = _SIZES | {
    *("type", "properties", "required", "additionalProperties", "items"),
    *("anyOf", "allOf", "oneOf", "not", "enum", "const"),
}
_SUBSCHEMAS = ("additionalProperties", "items", "not")
_SUBSCHEMA_LISTS = ("anyOf", "allOf", "oneOf")


class KeyPropertyMissing(Exception):
    """A record lacks a column that its SCHEMA names as key."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Undecidable(Exception):
    """The compiled validator may not judge this schema or record."""


class RecordValidator:
    """Verdicts for one stream. With `validate` off only key properties are checked."""

    def __init__(
        self, schema: Mapping[str, Any], key_properties: Sequence[str], *, validate: bool = True
    ) -> None:
        """Raises `InputError` when `schema` is no valid JSON schema."""
        self._keys = tuple(key_properties)
        self.schema = effective_schema(schema)
        self._stock: jsonschema.Draft202012Validator | None = None
        self._compiled: Callable[[Any], bool] | None = None
        self._decode: Callable[[Any], Any] = msgspec.json.Decoder().decode
        if validate:
            self._stock = stock_validator(self.schema)
            self._compiled, self._decode = _compile(self.schema)
        # `acquits(body)` returns for a valid record, raises a msgspec error for one to look at.
        self.acquits = sieve_decoder(self.schema, self._keys, SDC_FIELDS, validate=validate)

    def fault(self, body: bytes) -> str | None:
        """None when valid, else field path and keyword, never a value.

        Raises `KeyPropertyMissing`, and msgspec, Unicode and Recursion errors for bodies that
        are no JSON object or that JSON can't carry (a number beyond a double).
        """
        try:
            record = self._decode(body)
        except _Undecidable:
            record = None
        if isinstance(record, dict):
            self._require_keys(record)
            if self._stock is None or (self._compiled and self._compiled(_bare(record))):
                return None
        msgspec.json.decode(body)  # so that whoever reads the spool can decode it too
        return self.fault_of(json.loads(body, parse_float=Decimal))

    def fault_of(self, record: dict[str, Any]) -> str | None:
        """The same for a decoded record, its floats as `Decimal`."""
        self._require_keys(record)
        if self._stock is None:
            return None
        try:
            error = best_match(self._stock.iter_errors(_bare(record)))
        except StopRun:
            raise
        except Exception as error_:  # noqa: BLE001 - bad pattern, unknown $ref, decimal overflow …
            return f"$: its schema can't judge it ({type(error_).__name__})"
        return None if error is None else describe(error)

    def _require_keys(self, record: dict[str, Any]) -> None:
        for name in self._keys:
            if name not in record:
                raise KeyPropertyMissing(name)


def effective_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` without the SDK's own metadata columns.

    The SDK takes them out of `properties` only and then fails every record whose schema requires
    one; here they leave `required` as well.
    """
    result = dict(schema)
    result["properties"] = {k: v for k, v in schema["properties"].items() if k not in SDC_FIELDS}
    required = schema.get("required")
    if isinstance(required, list):
        result["required"] = [name for name in required if name not in SDC_FIELDS]
    return result


def stock_validator(schema: Mapping[str, Any]) -> jsonschema.Draft202012Validator:
    """What singer-sdk 0.54 validates with. Raises `InputError` for an invalid schema."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        path = "/".join(str(part) for part in error.absolute_path)
        raise InputError(f"no valid JSON schema at {path or 'its root'}") from None
    return jsonschema.Draft202012Validator(
        schema,
        format_checker=jsonschema.FormatChecker(formats=()),
        registry=Registry(),  # a schema can't make this process fetch an address
    )


def describe(error: jsonschema.ValidationError) -> str:
    """`$.address.zip: type` — path and keyword; keys that no schema names appear as `*`."""
    known = set(error.absolute_schema_path)
    path = "$"
    for part in error.absolute_path:
        path += f"[{part}]" if isinstance(part, int) else f".{part if part in known else '*'}"
    keyword = str(error.validator)
    wanted = error.validator_value
    if keyword == "required" and isinstance(error.instance, Mapping) and isinstance(wanted, list):
        missing = ", ".join(name for name in wanted if name not in error.instance)
        return f"{path}: required ({missing})"
    return f"{path}: {keyword}"


def _bare(record: dict[str, Any]) -> dict[str, Any]:
    if _SDC_SET.isdisjoint(record):
        return record
    return {name: value for name, value in record.items() if name not in _SDC_SET}


def _compile(
    schema: Mapping[str, Any],
) -> tuple[Callable[[Any], bool] | None, Callable[[Any], Any]]:
    """The compiled validator, if it may judge `schema`, and the decoder that feeds it."""
    try:
        reduced = _reduced(schema)
    except _Undecidable:
        return None, msgspec.json.Decoder().decode
    validator = jsonschema_rs.Draft202012Validator(reduced, validate_formats=False)
    hook = _fraction if _knows_integers(reduced) else _double
    return validator.is_valid, msgspec.json.Decoder(float_hook=hook).decode


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise msgspec.ValidationError("Number out of range")
    return value


def _fraction(text: str) -> float:
    value = _double(text)
    if value.is_integer():
        raise _Undecidable
    return value


def _reduced(schema: Any) -> Any:
    """`schema` with the keywords that have an effect. Raises `_Undecidable`."""
    if isinstance(schema, bool):
        return schema
    words = {word: schema[word] for word in schema if word in EFFECTIVE}
    if not set(words) <= _COMPILED:
        raise _Undecidable
    values = [*words.get("enum", ()), *([words["const"]] if "const" in words else ())]
    if not all(value is None or isinstance(value, str) for value in values):
        raise _Undecidable
    if not all(isinstance(words[word], int) for word in _SIZES & set(words)):
        raise _Undecidable
    for word in _SUBSCHEMAS:
        if word in words:
            words[word] = _reduced(words[word])
    for word in _SUBSCHEMA_LISTS:
        if word in words:
            words[word] = [_reduced(part) for part in words[word]]
    if "properties" in words:
        words["properties"] = {k: _reduced(part) for k, part in words["properties"].items()}
    return words


def _knows_integers(schema: Any) -> bool:
    """Whether `integer` appears anywhere (a column of that name costs speed, not truth)."""
    if isinstance(schema, Mapping):
        return any(_knows_integers(part) for part in schema.values())
    if isinstance(schema, list):
        return any(_knows_integers(part) for part in schema)
    return bool(schema == "integer")
