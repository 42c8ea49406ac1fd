"""Source record → wanted account. Pure; what is renamed to what is declared in the settings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from target_kit.errors import RowError

from target_activecampaign.account_model import Account, name_key
from target_activecampaign.account_settings import AccountStream
from target_activecampaign.cleaning import attribute_of, clean, clean_value
from target_activecampaign.deletion import is_deleted
from target_activecampaign.encoding import as_text
from target_activecampaign.model import KeyType, canonical_key


def to_account(record: Mapping[str, Any], stream: AccountStream, key_type: KeyType) -> Account:
    """Map one record; columns that no setting names are ignored, blank ones left out unless they
    clear. Of a deleted row only who it is counts.

    Raises RowError `key_format`, `field_structure`, `field_length` or `control_characters` (S0-10).
    """
    key_text = as_text(record.get(stream.key), stream.key) if stream.key else ""
    key = canonical_key(key_text, key_type)
    if key_text and key is None:
        raise RowError("key_format", "the key is not a number", field=stream.key)
    column = stream.fields["name"]
    if is_deleted(record):
        name = "" if key else attribute_of(record.get(column), column)
        return Account(_identity(key, name, record), key, key_text, name, {}, {}, deleted=True)
    name = attribute_of(record.get(column), column)
    return Account(
        identity=_identity(key, name, record),
        key=key,
        key_text=key if key_type is KeyType.NUMBER else key_text or None,
        name=name,
        attributes=_attributes(record, stream),
        values={
            field: clean_value(record[column], column)
            for field, column in stream.custom_fields.items()
            if record.get(column) not in (None, "", []) or (stream.clears and column in record)
        },
        currencies={
            field: clean(record.get(money.column), money.column).upper()
            for field, money in stream.money.items()
            if money.column
        },
    )


def rejected_identity(record: Mapping[str, Any], stream: AccountStream, key_type: KeyType) -> str:
    """Identity of a row that could not be mapped: by its key where that much can be read."""
    try:
        key_text = as_text(record.get(stream.key), stream.key) if stream.key else ""
    except RowError:
        key_text = ""
    return _identity(canonical_key(key_text, key_type), "", record)


def _attributes(record: Mapping[str, Any], stream: AccountStream) -> dict[str, str]:
    attributes = {}
    for attribute, column in stream.fields.items():
        text = "" if attribute == "name" else attribute_of(record.get(column), column)
        if text or (attribute != "name" and stream.clears and column in record):
            attributes[attribute] = text
    return attributes


def _identity(key: str | None, name: str, record: Mapping[str, Any]) -> str:
    """Which account a row is about: key, else name, else the row itself."""
    if key is not None:
        return f"key:{key}"
    if name:
        return f"name:{name_key(name)}"
    return f"row:{hashlib.sha256(msgspec.json.encode(record, order='sorted')).hexdigest()[:32]}"
