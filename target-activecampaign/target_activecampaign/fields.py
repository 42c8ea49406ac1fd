"""Custom fields the mapping needs: all checked before anything is written, then made on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from target_kit.errors import ConfigurationError

from target_activecampaign.client import ActiveCampaign
from target_activecampaign.compatibility import account_faults, missing_options
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.custom_fields import ALL_LISTS, FieldSpec
from target_activecampaign.model import Field


def prepare_fields(
    streams: Sequence[tuple[ContactStream, Mapping[str, Any]]], client: ActiveCampaign
) -> dict[str, Field]:
    """The account's custom fields by perstag, every mapped one among them (S0-14, S0-15).

    `streams` come with their SCHEMA. Missing fields, options and relations are created where
    `create_fields` allows it: the key field as hidden, others as the settings say, else as text.
    Raises ConfigurationError, before the first write, naming all that is missing or does not fit.
    """
    fields = client.fields()
    faults: list[str] = []
    for stream, schema in streams:
        faults += _missing(stream, fields)
        faults += account_faults(stream, schema, fields)
    if faults:
        raise ConfigurationError("; ".join(faults))
    for stream, _ in streams:
        for perstag in (*stream.hidden_fields, *stream.custom_fields):
            if stream.create_fields:
                fields[perstag] = _complete(perstag, stream, fields.get(perstag), client)
    return fields


def _missing(stream: ContactStream, fields: dict[str, Field]) -> list[str]:
    missing = [p for p in (*stream.hidden_fields, *stream.custom_fields) if p not in fields]
    if not missing or stream.create_fields:
        return []
    names = ", ".join(missing)
    cure = "create it there or set create_fields: true"
    return [f"streams.{stream.name}: ActiveCampaign has no custom field {names}; {cure}"]


def _complete(
    perstag: str, stream: ContactStream, field: Field | None, client: ActiveCampaign
) -> Field:
    """Make what is missing of one field: all of it, or what a run that was cut short left out."""
    spec = stream.field_specs.get(perstag, FieldSpec())
    if field is None:
        default = "hidden" if perstag in stream.hidden_fields else "text"
        field = _create(perstag, spec.type or default, spec.title or perstag, client)
    if options := missing_options(stream, field):
        client.create_options(field, options)
        field = replace(field, options=(*field.options, *options))
    for list_id in _missing_relations(spec, field):
        client.relate_field(field, list_id)
    return field


def _missing_relations(spec: FieldSpec, field: Field) -> tuple[str, ...]:
    """Lists whose pages shall show the field and don't; without a wish any relation will do."""
    if field.relations is None or ALL_LISTS in field.relations:
        return ()
    if spec.relation is None:
        return () if field.relations else (ALL_LISTS,)
    return tuple(i for i in spec.relation if i not in field.relations)


def _create(perstag: str, field_type: str, title: str, client: ActiveCampaign) -> Field:
    created = client.create_field(perstag, field_type, title)
    if created.perstag != perstag:
        raise ConfigurationError(
            f"ActiveCampaign gave the new custom field {perstag} another personalization tag; "
            f"set it to {perstag} by hand"
        )
    return created
