"""Source record → wanted contact. Pure; the renaming is declared in the settings (S0-5)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from target_kit.address import address_key, parse_address
from target_kit.errors import RowError

from target_activecampaign.cleaning import attribute_of, clean, clean_value
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.deletion import erasure_asked, is_deleted
from target_activecampaign.encoding import as_text
from target_activecampaign.model import Contact, KeyType, canonical_key
from target_activecampaign.origins import is_person_account, origin_of
from target_activecampaign.wishes import consents_of, tags_of, wants_of


def to_contact(
    record: Mapping[str, Any],
    stream: ContactStream,
    key_type: KeyType,
) -> Contact:
    """Map one record; unknown columns are ignored (S0-39), blanks and nulls are left out (S0-50).

    Raises RowError `key_format`, `email_syntax`, `field_structure`, `field_length`,
    `control_characters` (S0-10), and what consent, lists, tags and origin raise.
    """
    key_text = _key_text(record, stream)
    key = canonical_key(key_text, key_type) if key_text else None
    if key_text and key is None:
        raise RowError("key_format", "the key is not a number", field=stream.key)
    if is_deleted(record) and stream.deletes.acts:
        return _deleted(record, stream, key, key_text)
    email_text = clean(record.get(stream.fields["email"]), stream.fields["email"])
    email = parse_address(email_text) if email_text else None
    attributes = {}
    for attribute, column in stream.fields.items():
        if attribute == "email":
            continue
        text = attribute_of(record.get(column), column)
        if text or (stream.clears and column in record and attribute != "cdate"):
            attributes[attribute] = text
    values = {
        perstag: clean_value(record[column], column)
        for perstag, column in stream.custom_fields.items()
        if record.get(column) not in (None, "", []) or (stream.clears and column in record)
    }
    origin = origin_of(record, stream.provenance)
    return Contact(
        identity=identity_of(key, email.key if email else None, record),
        key=key,
        key_text=key if key_type is KeyType.NUMBER else key_text or None,
        email=email,
        attributes=attributes,
        values=values,
        account_key="" if is_person_account(origin) else _account_key(record, stream),
        deleted=is_deleted(record),
        consents=consents_of(record, stream.consents),
        wants=wants_of(record, stream.lists),
        tags=tags_of(record, stream.tags),
        origin=origin,
    )


def consent_only(
    record: Mapping[str, Any], stream: ContactStream, key_type: KeyType
) -> Contact | None:
    """What a row that can't be mapped still says of consent: a fault in a phone number must not
    keep a withdrawal from being heard. None where it names nobody, or says nothing readable.
    """
    try:
        key = canonical_key(_key_text(record, stream), key_type)
    except RowError:
        key = None
    try:
        text = clean(record.get(stream.fields["email"]), stream.fields["email"])
        email = parse_address(text) if text else None
    except RowError:
        email = None
    try:
        consents = consents_of(record, stream.consents)
    except RowError:
        return None
    if key is None and email is None:
        return None
    return Contact(
        identity=identity_of(key, email.key if email else None, record),
        key=key,
        key_text=key,
        email=email,
        attributes={},
        values={},
        deleted=is_deleted(record),
        consents=consents,
    )


def _deleted(
    record: Mapping[str, Any], stream: ContactStream, key: str | None, key_text: str
) -> Contact:
    """A deleted row: only who it is counts, so that nothing else of it can hold the deletion back.
    An address that was made unreadable is no fault where there is a key.
    """
    column = stream.fields["email"]
    try:
        email_text = clean(record.get(column), column)
        email = parse_address(email_text) if email_text else None
    except RowError:
        if key is None:
            raise
        email = None
    return Contact(
        identity=identity_of(key, email.key if email else None, record),
        key=key,
        key_text=key_text or None,
        email=email,
        attributes={},
        values={},
        deleted=True,
        erase=erasure_asked(record, stream.deletes),
    )


def identity_of(key: str | None, address_key: str | None, record: Mapping[str, Any]) -> str:
    """Who this row is about, for rejects and duplicates: key, else address, else the row itself."""
    if key is not None:
        return f"key:{key}"
    if address_key is not None:
        return f"email:{address_key}"
    return f"row:{hashlib.sha256(msgspec.json.encode(record, order='sorted')).hexdigest()[:32]}"


def rejected_identity(record: Mapping[str, Any], stream: ContactStream, key_type: KeyType) -> str:
    """Identity of a row that could not be mapped: by its key where that much can be read."""
    try:
        key = canonical_key(_key_text(record, stream), key_type)
    except RowError:
        key = None
    return identity_of(key, None, record)


def names_of(record: Mapping[str, Any], stream: ContactStream, key_type: KeyType) -> list[str]:
    """What the person of a record is called by, as far as it can be read: key and address."""
    try:
        key = canonical_key(_key_text(record, stream), key_type)
    except RowError:
        key = None
    text = record.get(stream.fields["email"])
    names = [f"key:{key}"] if key else []
    if not isinstance(text, str) or not text.strip():  # no address is nobody's name
        return names
    return [*names, f"email:{address_key(text)}"]


def resolve_key_type(stream: ContactStream, schema: Mapping[str, Any]) -> KeyType:
    """`auto` follows the declared type of the key column: numeric types compare as numbers."""
    if stream.key_type is not KeyType.AUTO:
        return stream.key_type
    return declared_key_type(schema, stream.key)


def declared_key_type(schema: Mapping[str, Any], column: str | None) -> KeyType:
    """How keys in `column` compare, by its type in the SCHEMA."""
    declared = schema.get("properties", {}).get(column, {})
    types: set[str] = set()
    for part in (declared, *declared.get("anyOf", ())):
        kind = part.get("type", ())
        types.update([kind] if isinstance(kind, str) else kind)
    return KeyType.NUMBER if types & {"integer", "number"} else KeyType.TEXT


def _key_text(record: Mapping[str, Any], stream: ContactStream) -> str:
    """The key as it is; one that no database would keep is a fault of its row alone."""
    if stream.key is None:
        return ""
    attribute_of(record.get(stream.key), stream.key)
    return as_text(record.get(stream.key), stream.key)


def _account_key(record: Mapping[str, Any], stream: ContactStream) -> str:
    return as_text(record.get(stream.account.key), stream.account.key) if stream.account else ""
