"""Record bytes → verdict of its schema, the stock SDK's verdict, many times faster.

Three judges. The *sieve* (typed decoding) and the *compiled* validator may only acquit, and only
for schemas where their yes is provably the stock validator's yes; whatever they don't acquit goes
to the stock validator (`jsonschema`, draft 2020-12, no format checks, floats as `Decimal`, as in
singer-sdk's `JSONSchemaValidator`), whose verdict counts and who names the fault.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import jsonschema
import msgspec
from jsonschema.exceptions import best_match

from target_kit.errors import InputError
from target_kit.sieve import sieve_decoder

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
_decode_plain = msgspec.json.Decoder().decode


class KeyPropertyMissing(Exception):
    """A record lacks a column that its SCHEMA names as key."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def effective_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` without the SDK's own metadata columns, in `properties` and in `required`."""
    result = dict(schema)
    result["properties"] = {k: v for k, v in schema["properties"].items() if k not in SDC_FIELDS}
    required = schema.get("required")
    if isinstance(required, list):
        result["required"] = [name for name in required if name not in SDC_FIELDS]
    return result


class RecordValidator:
    """Verdicts for one stream. `validate=False` checks nothing but key properties."""

    def __init__(
        self, schema: Mapping[str, Any], key_properties: Sequence[str], *, validate: bool = True
    ) -> None:
        """Raises `InputError` when `schema` is no valid JSON schema."""
        self._keys = tuple(key_properties)
        self.schema = effective_schema(schema)
        self._stock: jsonschema.Draft202012Validator | None = None
        if validate:
            self._stock = stock_validator(self.schema)
        self.acquits = sieve_decoder(self.schema, self._keys, SDC_FIELDS, validate=validate)

    def fault(self, body: bytes | msgspec.Raw) -> str | None:
        """None when valid, else field path and keyword, never a value.

        Raises `KeyPropertyMissing`, and msgspec or Unicode errors for what is no JSON object.
        """
        if self.acquits is not None:
            try:
                self.acquits(body)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                pass
            else:
                return None
        _decode_plain(body)  # so that whoever reads the spool can decode it too
        return self.fault_of(json.loads(bytes(body), parse_float=Decimal))

    def fault_of(self, record: dict[str, Any]) -> str | None:
        """The same for a decoded record (floats as `Decimal`)."""
        for name in self._keys:
            if name not in record:
                raise KeyPropertyMissing(name)
        if self._stock is None:
            return None
        bare = {k: v for k, v in record.items() if k not in SDC_FIELDS}
        if self._stock.is_valid(bare):
            return None
        error = best_match(self._stock.iter_errors(bare))
        return describe(error) if error is not None else None


def stock_validator(schema: Mapping[str, Any]) -> jsonschema.Draft202012Validator:
    """What singer-sdk 0.54 validates with. Raises `InputError` for an invalid schema."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        path = "/".join(str(part) for part in error.absolute_path)
        raise InputError(f"its schema is no valid JSON schema at {path or 'its root'}") from None
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.FormatChecker(formats=())
    )


def describe(error: jsonschema.ValidationError) -> str:
    """`$.address.zip: type` — path and keyword; keys that no schema names appear as `*`."""
    known = _names(error.absolute_schema_path)
    path = "$"
    for part in error.absolute_path:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if part in known else ".*"
    keyword = str(error.validator)
    if keyword == "required" and isinstance(error.instance, Mapping):
        missing = [name for name in error.validator_value if name not in error.instance]
        return f"{path}: required ({', '.join(missing)})"
    return f"{path}: {keyword}"


def _names(schema_path: Sequence[str | int]) -> set[str | int]:
    """Property names on the way through the schema; a name from the data alone isn't there."""
    return set(schema_path)
