"""Verdicts: the same as the SDK's own validator, record by record."""

from __future__ import annotations

import json
from decimal import Decimal, DecimalException
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from singer_sdk.exceptions import InvalidJSONSchema, InvalidRecord
from singer_sdk.sinks.core import JSONSchemaValidator
from target_kit.errors import InputError
from target_kit.sieve import EFFECTIVE
from target_kit.validation import SDC_FIELDS, KeyPropertyMissing, RecordValidator


def loads(text: str) -> Any:
    """As the SDK reads a line."""
    return json.loads(text, parse_float=Decimal)


def braces(text: str) -> str:
    return "{" + text + "}"


def column(definition: str) -> str:
    return '{"type": "object", "properties": ' + braces(f'"c": {definition}') + "}"


def holding(value: str) -> str:
    return braces(f'"c": {value}')


class Bench:
    """Our judges and the SDK's validator side by side, for one schema."""

    def __init__(self, schema: str) -> None:
        body = loads(schema)
        self.ours = RecordValidator(body, ())
        bare = {k: v for k, v in body["properties"].items() if k not in SDC_FIELDS}
        self.stock = JSONSchemaValidator({**body, "properties": bare})

    def stock_accepts(self, record: str) -> bool:
        try:
            value = {k: v for k, v in loads(record).items() if k not in SDC_FIELDS}
            self.stock.validate(value)
        except (InvalidRecord, DecimalException):  # 1e30 % 0.01 is beyond the decimal context
            return False
        return True

    def sieve_accepts(self, record: str) -> bool:
        if self.ours.acquits is None:
            return False
        try:
            self.ours.acquits(record.encode())
        except msgspec.MsgspecError:
            return False
        return True

    def check(self, record: str) -> None:
        wanted = self.stock_accepts(record)
        assert (self.ours.fault(record.encode()) is None) == wanted, record
        assert wanted or not self.sieve_accepts(record), record


VALUES = [
    *("null", "true", "false", "0", "1", "-1", "-0", "1.0", "-0.0", "1e2", "1E-2", "0.1", "0.10"),
    *("12.34", "12.345", "99.99", "100", "100.0", "100.00000000000000001", "99.999999999999999999"),
    *("9007199254740993", "9007199254740993.0", "18446744073709551616", "1180591620717411303424"),
    *("-9223372036854775809", "1e30", "1e308", "0.30000000000000004", "19.99", "1.1", "1.15"),
    *('""', '"a"', '"b"', '"ab"', '"abc"', '"ü"', '"😀"', '"e\u0301"', '"1"', '"1.0"', '"null"'),
    *('"2024-01-01"', '"not a date"', '"\\u00fc"', '"\\ud83d\\ude00"', '"\\u0000"'),
    *("[]", "[1]", "[1, 2]", "[1.0]", '["a"]', "[null]", "[[]]", "[1, 1]"),
    *("{}", '{"a": 1}', '{"a": 1.0}', '{"a": "x", "b": 2}', '{"b": 2}', '{"a": {"a": null}}'),
]
COLUMNS = [
    "{}",
    "true",
    '{"type": "integer"}',
    '{"type": ["null", "integer"]}',
    '{"type": "number"}',
    '{"type": ["integer", "number", "null"]}',
    '{"type": "string"}',
    '{"type": "boolean"}',
    '{"type": ["boolean", "string"]}',
    '{"type": "null"}',
    '{"type": "string", "format": "date-time"}',
    '{"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]}',
    '{"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "maxLength": 1}]}',
    '{"anyOf": [{"type": "number", "multipleOf": 0.01}, {"type": "null"}]}',
    '{"type": "integer", "anyOf": [{"minimum": 1}]}',
    '{"oneOf": [{"type": "integer"}, {"type": "number"}]}',
    '{"oneOf": [{"type": "string"}, {"maxLength": 1}]}',
    '{"allOf": [{"type": "string"}, {"minLength": 2}]}',
    '{"not": {"type": "integer"}}',
    '{"enum": ["a", "b", null]}',
    '{"type": "string", "enum": ["a", null]}',
    '{"enum": [1, true, "a"]}',
    '{"enum": [[1]]}',
    '{"const": "a"}',
    '{"const": 1}',
    '{"const": 0.1}',
    '{"type": "integer", "minimum": 0, "maximum": 100}',
    '{"type": ["integer", "null"], "exclusiveMinimum": 0, "exclusiveMaximum": 100}',
    '{"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807}',
    '{"type": "integer", "minimum": 0.5}',
    '{"type": "integer", "multipleOf": 2}',
    '{"type": "number", "minimum": 0}',
    '{"type": ["number", "null"], "maximum": 100}',
    '{"type": "number", "exclusiveMaximum": 100}',
    '{"type": "number", "exclusiveMinimum": 0.1, "maximum": 99.99}',
    '{"minimum": 1}',
    '{"type": "number", "multipleOf": 0.01}',
    '{"type": ["number", "null"], "multipleOf": 0.01}',
    '{"type": ["number", "string"], "multipleOf": 0.01}',
    '{"type": "number", "multipleOf": 1}',
    '{"type": "number", "multipleOf": 0.05}',
    '{"type": "number", "multipleOf": 0.01, "maximum": 100}',
    '{"type": "string", "minLength": 1, "maxLength": 2}',
    '{"type": ["string", "integer"], "maxLength": 1}',
    '{"type": "string", "pattern": "^a"}',
    '{"type": "string", "pattern": "\\\\d{4}"}',
    '{"type": "array"}',
    '{"type": "array", "items": {"type": "integer"}}',
    '{"type": ["array", "null"], "items": {"type": "string"}, "maxItems": 1}',
    '{"type": "array", "minItems": 1, "uniqueItems": true}',
    '{"type": "array", "prefixItems": [{"type": "integer"}]}',
    '{"type": "array", "contains": {"const": 1}}',
    '{"type": "object"}',
    '{"type": ["object", "null"], "properties": {"a": {"type": "integer"}}}',
    '{"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false}',
    '{"type": "object", "additionalProperties": {"type": "integer"}}',
    '{"type": "object", "required": ["a"]}',
    '{"type": "object", "required": ["a"], "additionalProperties": false}',
    '{"type": "object", "patternProperties": {"^a": {"type": "string"}}}',
    '{"type": "object", "minProperties": 1, "maxProperties": 1}',
    '{"type": "object", "propertyNames": {"maxLength": 1}, "dependentRequired": {"a": ["b"]}}',
    '{"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "integer"}}',
    '{"type": "string", "selected": true, "inclusion": "available", "x-y": 1, "divisibleBy": 2}',
    '{"type": "integer", "exclusiveMaximum": 5, "unknown": {"type": "string"}}',
    "false",
]


@pytest.mark.parametrize("definition", COLUMNS)
def test_awkward_values_get_the_stock_verdict(definition: str) -> None:
    """Every awkward value under every kind of column (S: 1.0 is no integer to the SDK)."""
    bench = Bench(column(definition))
    for value in VALUES:
        bench.check(holding(value))
    bench.check("{}")


TOPS = [
    '{"properties": {"a": {"type": "integer"}}}',
    '{"type": "object", "properties": {"a": {}}, "required": ["a", "z"]}',
    '{"type": "object", "properties": {"a": {}}, "additionalProperties": false}',
    '{"type": "object", "properties": {"a": {}}, "required": ["z"], "additionalProperties": false}',
    '{"type": "object", "properties": {"a": {}}, "additionalProperties": {"type": "string"}}',
    '{"type": ["null", "object"], "properties": {"a": {"type": "integer"}}, "minProperties": 2}',
    '{"type": "array", "properties": {"a": {}}}',
    '{"properties": {"a": {}}, "anyOf": [{"required": ["a"]}, {"required": ["z"]}]}',
    '{"properties": {"a": {"$ref": "#/$defs/i"}}, "$defs": {"i": {"type": "integer"}}}',
    '{"$schema": "http://json-schema.org/draft-04/schema#", "properties": {"a": {"type": "null"}}}',
    '{"properties": {"a": {}, "_sdc_deleted_at": {}}, "additionalProperties": false}',
    '{"properties": {"a\\"b": {"type": "integer"}, "ü ö": {"type": "integer"}, "": {}}}',
    '{"properties": {"a": {"type": "integer"}}, "unevaluatedProperties": false}',
]
RECORDS = [
    *("{}", '{"a": 1}', '{"a": 1.0}', '{"a": "x"}', '{"z": 1}', '{"a": 1, "z": 1}'),
    *('{"a": 1, "z": "x"}', '{"a": 1, "a": "x"}', '{"a": "x", "a": 1}', '{"a\\"b": "x"}'),
    *('{"a": 1, "_sdc_deleted_at": "2024"}', '{"_sdc_deleted_at": null}', '{"ü ö": "x"}'),
    *('{"\\u00fc \\u00f6": 1}', '{"\\u0061": "x"}', '{"a": 1, "b": 1.0}', '{"": 1}'),
]


@pytest.mark.parametrize("schema", TOPS)
def test_awkward_records_get_the_stock_verdict(schema: str) -> None:
    """Additional, repeated, escaped and `_sdc_` columns, and keywords beside `properties`."""
    bench = Bench(schema)
    for record in RECORDS:
        bench.check(record)


NUMBERS = st.one_of(
    st.integers(-1000, 1000).map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.decimals(-1000, 1000, places=2).map(str),
    st.decimals(-1000, 1000, places=3).map(str),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20).map(repr),
    st.integers(-50, 50).map(lambda n: f"{n}.0"),
    st.integers(-50, 50).map(lambda n: f"{n}.000000000000000000001"),
)
BOUNDS = st.one_of(st.integers(-50, 50).map(str), st.decimals(-50, 50, places=2).map(str))
TEXTS = st.text(st.sampled_from('abü😀 "\\1'), max_size=4).map(json.dumps)
NAMES = st.sampled_from(["a", "b", "c"])


def parts(**words: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Schema texts with some of `words`."""
    return st.fixed_dictionaries({}, optional=words).map(
        lambda found: braces(", ".join(f'"{k}": {v}' for k, v in found.items()))
    )


def listed(of: st.SearchStrategy[str], least: int = 0, most: int = 3) -> st.SearchStrategy[str]:
    return st.lists(of, min_size=least, max_size=most).map(lambda v: f"[{', '.join(v)}]")


def named(of: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.dictionaries(NAMES, of, max_size=3).map(
        lambda found: braces(", ".join(f'"{k}": {v}' for k, v in found.items()))
    )


TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"]).map(
    json.dumps
)
SIZES = st.integers(0, 3).map(str)
DOCUMENTS: st.SearchStrategy[str] = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.sampled_from(["null", "true", "false"])),
    lambda inner: st.one_of(listed(inner), named(inner)),
    max_leaves=6,
)
TYPE_WORDS: dict[str, st.SearchStrategy[str]] = {
    "type": st.one_of(
        TYPES,
        st.lists(TYPES, min_size=1, max_size=3, unique=True).map(lambda v: f"[{', '.join(v)}]"),
    ),
    "minimum": BOUNDS,
    "maximum": BOUNDS,
    "exclusiveMinimum": BOUNDS,
    "multipleOf": st.sampled_from(["1", "2", "0.01", "0.5", "0.1"]),
    "maxLength": SIZES,
    "minLength": SIZES,
    "pattern": st.sampled_from(['"a"', '"^b$"', '"."']),
    "minItems": SIZES,
    "maxItems": SIZES,
    "uniqueItems": st.just("true"),
    "required": st.lists(NAMES, max_size=2, unique=True).map(json.dumps),
    "format": st.just('"date-time"'),
}
SCHEMAS: st.SearchStrategy[str] = st.recursive(
    st.one_of(parts(**TYPE_WORDS), parts(type=TYPES), parts(type=TYPES, enum=listed(TEXTS, 1))),
    lambda inner: st.one_of(
        parts(type=st.just('"object"'), properties=named(inner), required=TYPE_WORDS["required"]),
        parts(type=TYPE_WORDS["type"], additionalProperties=inner, properties=named(inner)),
        parts(type=TYPE_WORDS["type"], items=inner, maxItems=SIZES),
        parts(anyOf=listed(inner, 1)),
        parts(oneOf=listed(inner, 1), type=TYPE_WORDS["type"]),
        parts(allOf=listed(inner, 1)),
        parts(**{"not": inner}),
    ),
    max_leaves=5,
)
RECORD = st.dictionaries(NAMES, DOCUMENTS, max_size=3).map(
    lambda found: braces(", ".join(f'"{k}": {v}' for k, v in found.items()))
)


@settings(max_examples=300, deadline=None)
@given(
    columns=st.dictionaries(NAMES, SCHEMAS, min_size=1, max_size=2),
    additional=st.sampled_from(["", ', "additionalProperties": false']),
    records=st.lists(RECORD, min_size=1, max_size=6),
)
@example(columns={"a": '{"type": "number", "maximum": 0.1}'}, additional="", records=['{"a": 0.1}'])
def test_any_record_gets_the_stock_verdict(
    columns: dict[str, str], additional: str, records: list[str]
) -> None:
    """Generated schemas and records: no judge acquits what the SDK's validator refuses."""
    body = ", ".join(f'"{name}": {part}' for name, part in columns.items())
    bench = Bench('{"properties": ' + braces(body) + additional + "}")
    for record in records:
        bench.check(record)


@pytest.mark.parametrize(
    "definition",
    [
        '{"type": ["null", "string"], "maxLength": 255}',
        '{"type": ["null", "integer"], "minimum": -2147483648, "maximum": 2147483647}',
        '{"type": ["null", "number"], "multipleOf": 0.01}',
        '{"type": ["null", "boolean"]}',
        '{"anyOf": [{"type": "string", "format": "date-time"}, {"type": ["string", "null"]}]}',
        '{"type": ["null", "array"], "items": {"type": ["null", "string"]}}',
        '{"type": ["null", "object"], "properties": {"a": {"type": "string"}}}',
    ],
)
def test_what_taps_send_passes_at_first_sight(definition: str) -> None:
    """Columns as SQL and API taps describe them never need the slow validator."""
    values = {
        "string": '"x"', "integer": "5", "number": "12.30", "boolean": "true",
        "array": '["x"]', "object": '{"a": "x"}',
    }  # fmt: skip
    kinds = loads(definition).get("type", ["null", "string"])
    for kind in kinds:
        record = holding(values.get(kind, "null"))
        bench = Bench(column(definition))
        bench.check(record)
        assert bench.sieve_accepts(record), (definition, record)


@pytest.mark.parametrize(
    "bad",
    [
        '{"type": "objekt"}',
        '{"type": 5}',
        '{"required": true}',
        '{"maxLength": 1.0}',
        '{"pattern": "("}',
        '{"exclusiveMaximum": true}',
    ],
)
def test_an_invalid_schema_is_an_input_error(bad: str) -> None:
    """As the SDK, which raises InvalidJSONSchema for it."""
    schema = {"properties": {"c": loads(bad)}}
    with pytest.raises(InvalidJSONSchema):
        JSONSchemaValidator(schema)
    with pytest.raises(InputError, match="no valid JSON schema at properties/c"):
        RecordValidator(schema, ())


HIDDEN = "max@example.com"
FAULTS = {
    '{"type": "integer"}': (f'"{HIDDEN}"', "$.c: type"),
    '{"type": "string", "maxLength": 3}': (f'"{HIDDEN}"', "$.c: maxLength"),
    '{"enum": ["a"]}': (f'"{HIDDEN}"', "$.c: enum"),
    '{"required": ["zip"]}': (braces(f'"{HIDDEN}": 1'), "$.c: required (zip)"),
    '{"additionalProperties": {"type": "null"}}': (braces(f'"{HIDDEN}": 1'), "$.c.*: type"),
    '{"additionalProperties": false}': (braces(f'"{HIDDEN}": 1'), "$.c: additionalProperties"),
    '{"items": {"properties": {"zip": {"type": "string"}}}}': ('[{"zip": 1}]', "$.c[0].zip: type"),
    '{"$ref": "http://127.0.0.1:9/x"}': (
        f'"{HIDDEN}"',
        "$: its schema can't judge it (_WrappedReferencingError)",
    ),
    '{"type": "number", "multipleOf": 0.01}': (
        "1e30",
        "$: its schema can't judge it (InvalidOperation)",
    ),
}


@pytest.mark.parametrize("definition", FAULTS)
def test_a_fault_names_path_and_keyword_and_no_value(definition: str) -> None:
    """What the analyst needs, nothing that belongs to a person (X7)."""
    value, fault = FAULTS[definition]
    validator = RecordValidator(loads(column(definition)), ())
    assert validator.fault(holding(value).encode()) == fault


def test_a_required_metadata_column_does_not_fail_every_record() -> None:
    """The one verdict that differs: the SDK drops `_sdc_deleted_at`, then misses it."""
    schema = (
        '{"properties": {"_sdc_deleted_at": {"type": "string"}}, "required": ["_sdc_deleted_at"]}'
    )
    record = '{"_sdc_deleted_at": "2024-01-01"}'
    bench = Bench(schema)
    assert not bench.stock_accepts(record)
    assert bench.ours.fault(record.encode()) is None


@pytest.mark.parametrize("validate", [True, False])
def test_a_missing_key_column_is_named_whatever_else_is_wrong(validate: bool) -> None:
    """Key properties are checked with and without validation, null counts as there."""
    validator = RecordValidator(
        {"properties": {"id": {}, "n": {"type": "integer"}}}, ("id",), validate=validate
    )
    with pytest.raises(KeyPropertyMissing, match="id"):
        validator.fault(b'{"n": "x"}')
    assert validator.fault(b'{"id": null, "n": 1}') is None
    assert (validator.fault(b'{"id": null, "n": "x"}') is None) is not validate
    assert validator.fault(b'{"id": 1, "more": 1e2}') is None


def test_the_stock_validator_knows_the_keywords_that_were_judged() -> None:
    """A keyword added by the library must be looked at before anything is acquitted past it."""
    assert (
        {
            *("$dynamicRef", "$ref", "additionalProperties", "allOf", "anyOf", "const", "contains"),
            *("dependentRequired", "dependentSchemas", "enum", "exclusiveMaximum"),
            *(
                "exclusiveMinimum",
                "if",
                "items",
                "maxItems",
                "maxLength",
                "maxProperties",
                "maximum",
            ),
            *("minItems", "minLength", "minProperties", "minimum", "multipleOf", "not", "oneOf"),
            *("pattern", "patternProperties", "prefixItems", "properties", "propertyNames"),
            *("required", "type", "unevaluatedItems", "unevaluatedProperties", "uniqueItems"),
        }
        == EFFECTIVE
        == set(Draft202012Validator.VALIDATORS) - {"format"}
    )
    assert jsonschema.Draft202012Validator.TYPE_CHECKER.is_type(1.0, "integer")
    assert not jsonschema.Draft202012Validator.TYPE_CHECKER.is_type(Decimal("1.0"), "integer")
