"""Which source columns a custom field can take, judged before the first call (S4-9). Pure.

Judged is what the SCHEMA declares; a plain string may hold anything, so its values are judged one
by one when they are encoded. Columns without a declared type are not judged here either.

    declared in the SCHEMA        can't go into
    ────────────────────────────  ──────────────────────────────────────────
    date                          datetime, number
    date-time                     number
    time                          date, datetime, number
    integer, number               date, datetime
    boolean                       date, datetime, number
    array                         all but checkbox and listbox
    object                        all
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from target_activecampaign.model import Field
from target_activecampaign.settings import ContactStream

_REFUSES: dict[str, frozenset[str]] = {
    "date": frozenset({"datetime", "number"}),
    "date-time": frozenset({"number"}),
    "time": frozenset({"date", "datetime", "number"}),
    "integer": frozenset({"date", "datetime"}),
    "number": frozenset({"date", "datetime"}),
    "boolean": frozenset({"date", "datetime", "number"}),
}
_SEVERAL = frozenset({"checkbox", "listbox"})


def source_kinds(declared: Mapping[str, Any]) -> frozenset[str]:
    """What a column may hold besides null: names of JSON types, and formats of strings that are
    moments; empty for "anything".
    """
    kinds: set[str] = set()
    for part in (declared, *declared.get("anyOf", ()), *declared.get("oneOf", ())):
        types = part.get("type", ())
        for kind in [types] if isinstance(types, str) else types:
            moment = kind == "string" and part.get("format") in ("date", "date-time", "time")
            kinds.add(part["format"] if moment else kind)
    return frozenset(kinds - {"null"})


def fits(kind: str, field_type: str) -> bool:
    """Whether any value of this kind can be a value of this type of field."""
    if kind == "object":
        return False
    if kind == "array":
        return field_type in _SEVERAL
    return field_type not in _REFUSES.get(kind, frozenset())


def declared_faults(stream: ContactStream, schema: Mapping[str, Any]) -> list[str]:
    """Pairs that can't work by the settings alone: known before any call."""
    types = {p: spec.type for p, spec in stream.field_specs.items() if spec.type}
    return list(_pairs(stream, schema, types))


def account_faults(
    stream: ContactStream, schema: Mapping[str, Any], fields: Mapping[str, Field]
) -> list[str]:
    """What the account's own fields refuse: pairs, and fields that are not what was asked for."""
    types = {
        p: f.type for p, f in fields.items() if p == stream.key_field or p in stream.custom_fields
    }
    return [*_pairs(stream, schema, types), *_other_fields(stream, fields)]


def missing_options(stream: ContactStream, field: Field) -> tuple[tuple[str, str], ...]:
    """Options (value, label) that the settings name and the field lacks."""
    spec = stream.field_specs.get(field.perstag)
    known = {value for value, _ in field.options}
    return tuple(o for o in spec.options if o[0] not in known) if spec else ()


def _pairs(
    stream: ContactStream, schema: Mapping[str, Any], types: Mapping[str, str]
) -> Iterator[str]:
    properties = schema.get("properties", {})
    for perstag, column in {stream.key_field: stream.key, **stream.custom_fields}.items():
        kinds = source_kinds(properties.get(column, {}))
        field_type = types.get(perstag)
        if field_type is None or not kinds or any(fits(kind, field_type) for kind in kinds):
            continue
        yield (
            f"streams.{stream.name}: {column} ({' or '.join(sorted(kinds))}) "
            f"can't go into {perstag} ({field_type})"
        )


def _other_fields(stream: ContactStream, fields: Mapping[str, Field]) -> Iterator[str]:
    for perstag, spec in stream.field_specs.items():
        field = fields.get(perstag)
        if field is None:
            continue
        if spec.type and field.type != spec.type:
            yield (
                f"streams.{stream.name}.custom_fields.{perstag}: is a {spec.type} here and a "
                f"{field.type or 'field without type'} at ActiveCampaign"
            )
        elif (missing := missing_options(stream, field)) and not stream.create_fields:
            yield (
                f"streams.{stream.name}.custom_fields.{perstag}: ActiveCampaign lacks the option "
                f"{', '.join(value for value, _ in missing)}; add it there or set create_fields"
            )
