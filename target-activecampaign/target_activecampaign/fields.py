"""Custom fields the mapping needs: all checked before anything is written, then made on request."""

from __future__ import annotations

from collections.abc import Sequence

from target_kit.errors import ConfigurationError

from target_activecampaign.client import ActiveCampaign
from target_activecampaign.model import Field
from target_activecampaign.settings import ContactStream


def prepare_fields(streams: Sequence[ContactStream], client: ActiveCampaign) -> dict[str, Field]:
    """The account's custom fields by perstag, every mapped one among them (S0-14, S0-15).

    Missing ones are created where `create_fields` allows it: the key field as hidden, others as
    text. Raises ConfigurationError, before the first write, naming every one that is missing.
    """
    fields = client.fields()
    faults = [fault for stream in streams if (fault := _missing(stream, fields))]
    if faults:
        raise ConfigurationError("; ".join(faults))
    for stream in streams:
        for perstag in (stream.key_field, *stream.custom_fields):
            if perstag not in fields:
                fields[perstag] = _create(perstag, stream, client)
            if stream.create_fields and not fields[perstag].related:
                client.relate_field(fields[perstag])  # just created, or by a run cut short
    return fields


def _missing(stream: ContactStream, fields: dict[str, Field]) -> str | None:
    missing = [p for p in (stream.key_field, *stream.custom_fields) if p not in fields]
    if not missing or stream.create_fields:
        return None
    return (
        f"streams.{stream.name}: ActiveCampaign has no custom field {', '.join(missing)}; "
        "create it there or set create_fields: true"
    )


def _create(perstag: str, stream: ContactStream, client: ActiveCampaign) -> Field:
    created = client.create_field(perstag, "hidden" if perstag == stream.key_field else "text")
    if created.perstag != perstag:
        raise ConfigurationError(
            f"ActiveCampaign gave the new custom field {perstag} another personalization tag; "
            f"set it to {perstag} by hand"
        )
    return created
