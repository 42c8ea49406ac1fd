"""Accounts in the JSON of ActiveCampaign's v3 API: what its answers say, and what a write sends.

Accepts what the contract allows: ids as text or number, values as text, number or array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from target_activecampaign.account_encoding import sent
from target_activecampaign.account_model import AccountChange, ExistingAccount, Value
from target_activecampaign.endpoints import rows_of, text_of
from target_activecampaign.model import Field


@dataclass(frozen=True, slots=True)
class AccountField:
    """A custom field of accounts as it is: its label, its personalization tag and, under the label,
    what values may be.
    """

    label: str
    tag: str
    field: Field


@dataclass(frozen=True, slots=True)
class AccountValue:
    """One stored custom field value of an account; `id` is its own."""

    id: str
    account_id: str
    field_id: str
    value: Value


@dataclass(frozen=True, slots=True)
class Association:
    """One contact in one account; a contact has one at most."""

    id: str
    contact_id: str
    account_id: str


def field_of(row: Mapping[str, Any]) -> AccountField:
    """A custom field of accounts."""
    options = row.get("fieldOptions")
    texts = [_option(o) for o in options] if isinstance(options, list) else []
    label, tag = text_of(row.get("fieldLabel")), text_of(row.get("personalization"))
    field = Field(
        text_of(row.get("id")),
        label,
        text_of(row.get("fieldType")),
        tuple((text, text) for text in texts if text),
        currency=text_of(row.get("fieldDefaultCurrency")).upper(),
    )
    return AccountField(label, tag, field)


def _option(option: Any) -> str:
    return text_of(option.get("value") if isinstance(option, dict) else option)


def account_of(row: Mapping[str, Any]) -> ExistingAccount:
    """An account, whose values come from elsewhere."""
    return ExistingAccount(
        text_of(row.get("id")), text_of(row.get("name")), text_of(row.get("accountUrl")), {}
    )


def body_of(change: AccountChange, fields: Mapping[str, Field]) -> dict[str, Any]:
    """An account to write; a value to take away does not go inline, where "" is not documented."""
    account: dict[str, Any] = dict(change.attributes)
    entries = []
    for field_id, value in change.values.items():
        if value.text:
            entry = {"customFieldId": int(field_id), "fieldValue": sent(value, fields[field_id])}
            entries.append(entry | ({"fieldCurrency": value.currency} if value.currency else {}))
    return {"account": account | ({"fields": entries} if entries else {})}


def confirmed_in(account: Mapping[str, Any]) -> dict[str, Value]:
    """Values by field id that an answer to a write shows."""
    return {text_of(row.get("customFieldId")): _stored(row) for row in rows_of(account, "fields")}


def value_of(row: Mapping[str, Any]) -> AccountValue:
    """A stored value; its account has two names in the contract."""
    return AccountValue(
        text_of(row.get("id")),
        text_of(row.get("customerAccountId") or row.get("accountId")),
        text_of(row.get("customFieldId")),
        _stored(row),
    )


def _stored(row: Mapping[str, Any]) -> Value:
    """A value as text, whatever its JSON type is."""
    raw = row.get("fieldValue")
    text = msgspec.json.encode(raw).decode() if isinstance(raw, list) else text_of(raw)
    return Value(text, text_of(row.get("fieldCurrency")).upper())


def associations_in(body: Mapping[str, Any]) -> list[Association]:
    """Who is in which account."""
    return [
        Association(
            text_of(row.get("id")), text_of(row.get("contact")), text_of(row.get("account"))
        )
        for row in rows_of(body, "accountContacts")
    ]
