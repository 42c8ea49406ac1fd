"""Which source columns a custom field can take, judged before the first call (S4-9). Pure.

Judged is what the SCHEMA declares; a plain string may hold anything, so its values are judged one
by one when they are encoded. Columns without a declared type are not judged here either.

    declared in the SCHEMA        can't go into
    ────────────────────────────  ──────────────────────────────────────────
    date                          datetime, number, currency
    date-time                     number, currency
    time                          date, datetime, number, currency
    integer, number               date, datetime
    boolean                       date, datetime, number, currency
    array                         all but checkbox, listbox and multiselect
    object                        all

The same for contacts and accounts; only accounts have currency and multiselect fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from target_activecampaign.custom_fields import FieldSpec
from target_activecampaign.model import Field

_REFUSES: dict[str, frozenset[str]] = {
    "date": frozenset({"datetime", "number", "currency"}),
    "date-time": frozenset({"number", "currency"}),
    "time": frozenset({"date", "datetime", "number", "currency"}),
    "integer": frozenset({"date", "datetime"}),
    "number": frozenset({"date", "datetime"}),
    "boolean": frozenset({"date", "datetime", "number", "currency"}),
}
_SEVERAL = frozenset({"checkbox", "listbox", "multiselect"})


class FieldStream(Protocol):
    """What a stream of contacts or accounts says of its custom fields: the column and the
    specification of each by its name, and the key's own field ("" for none).
    """

    @property
    def name(self) -> str:
        """The stream's name."""

    @property
    def key(self) -> str | None:
        """Column with the backoffice key."""

    @property
    def key_field(self) -> str:
        """Name of the field that keeps it."""

    @property
    def custom_fields(self) -> Mapping[str, str]:
        """Column by field."""

    @property
    def field_specs(self) -> Mapping[str, FieldSpec]:
        """What is said of fields besides."""

    @property
    def create_fields(self) -> bool:
        """Whether missing fields are made."""


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


def declared_faults(stream: FieldStream, schema: Mapping[str, Any]) -> list[str]:
    """Pairs that can't work by the settings alone: known before any call."""
    types = {p: spec.type for p, spec in stream.field_specs.items() if spec.type}
    return list(_pairs(stream, schema, types))


def account_faults(
    stream: FieldStream,
    schema: Mapping[str, Any],
    fields: Mapping[str, Field],
    *,
    adds_options: bool = True,
) -> list[str]:
    """What ActiveCampaign's own fields refuse: pairs, and fields that are not what was asked for.
    `adds_options` False where options can't be added to a field that is there.
    """
    types = {
        p: f.type for p, f in fields.items() if p == stream.key_field or p in stream.custom_fields
    }
    others = _other_fields(stream, fields, adds_options=adds_options)
    return [*_pairs(stream, schema, types), *others]


def missing_options(stream: FieldStream, field: Field) -> tuple[tuple[str, str], ...]:
    """Options (value, label) that the settings name and the field lacks."""
    spec = stream.field_specs.get(field.perstag)
    known = {value for value, _ in field.options}
    return tuple(o for o in spec.options if o[0] not in known) if spec else ()


def _pairs(
    stream: FieldStream, schema: Mapping[str, Any], types: Mapping[str, str]
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


def _other_fields(
    stream: FieldStream, fields: Mapping[str, Field], *, adds_options: bool
) -> Iterator[str]:
    cure = "add it there or set create_fields" if adds_options else "add it there"
    for perstag, spec in stream.field_specs.items():
        field = fields.get(perstag)
        if field is None:
            continue
        if spec.type and field.type != spec.type:
            yield (
                f"streams.{stream.name}.custom_fields.{perstag}: is a {spec.type} here and a "
                f"{field.type or 'field without type'} at ActiveCampaign"
            )
        elif (missing := missing_options(stream, field)) and not (
            stream.create_fields and adds_options
        ):
            yield (
                f"streams.{stream.name}.custom_fields.{perstag}: ActiveCampaign lacks the option "
                f"{', '.join(value for value, _ in missing)}; {cure}"
            )
