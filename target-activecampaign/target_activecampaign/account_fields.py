"""Custom fields of accounts that streams need: all checked before the first write, made on request.

A field is named in the settings by its personalization tag or its label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from target_activecampaign.account_answers import AccountField
from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_settings import AccountStream
from target_activecampaign.compatibility import account_faults
from target_activecampaign.contact_settings import ContactStream
from target_activecampaign.custom_fields import FieldSpec
from target_activecampaign.model import Field


@dataclass
class AccountFields:
    """What is there; `check` first, then `complete`, then `of` and `key_of` know every field."""

    client: AccountEndpoints
    known: list[AccountField]

    @classmethod
    def read(cls, client: AccountEndpoints) -> AccountFields:
        """Read them all, every page (S0-16)."""
        return cls(client, client.fields())

    def check(
        self,
        streams: Sequence[tuple[AccountStream, Mapping[str, Any]]],
        contacts: Sequence[ContactStream],
    ) -> list[str]:
        """Every fault of streams with their SCHEMA, and of contacts' `account` mappings (S4-9)."""
        faults: list[str] = []
        made: set[str] = set()
        for stream, schema in streams:
            faults += self._missing(stream)
            found = {n: field for n in stream.field_names if (field := self._field(n))}
            faults += account_faults(stream, schema, found, adds_options=False)
            made |= {n for n in stream.field_names if stream.create_fields and n not in found}
        for contact in contacts:
            if contact.account and contact.account.key_field not in made:
                faults += self._absent(contact.name, "account.key_field", contact.account.key_field)
        return faults

    def complete(self, streams: Sequence[AccountStream]) -> None:
        """Make the missing fields: the key's own hidden, others as the settings say, else text."""
        for stream in streams:
            for name in stream.field_names:
                if self._field(name) is None:
                    self.known.append(self._create(stream, name))

    def of(self, stream: AccountStream) -> dict[str, Field]:
        """The fields of a stream by the names the settings have for them."""
        return {name: self._known(name) for name in stream.field_names}

    def key_of(self, stream: ContactStream) -> str:
        """Id of the field with the key of a contact's account; "" where nothing is mapped."""
        return self._known(stream.account.key_field).id if stream.account else ""

    def _create(self, stream: AccountStream, name: str) -> AccountField:
        spec = stream.field_specs.get(name, FieldSpec())
        kind = spec.type or ("hidden" if name == stream.key_field else "text")
        money = stream.money.get(name)
        options = [value for value, _ in spec.options]
        return self.client.create_field(name, kind, options, money.currency if money else "")

    def _missing(self, stream: AccountStream) -> list[str]:
        faults = []
        for name in stream.field_names:
            if not stream.create_fields or len(self._named(name)) > 1:
                faults += self._absent(stream.name, "custom_fields", name)
        return faults

    def _absent(self, stream: str, option: str, name: str) -> list[str]:
        found = len(self._named(name))
        if found == 1:
            return []
        where = f"streams.{stream}.{option}: ActiveCampaign has"
        if found:
            return [f"{where} {found} account custom fields {name}; name it by personalization tag"]
        cure = "create it there, or set create_fields in a stream of accounts"
        return [f"{where} no account custom field {name}; {cure}"]

    def _named(self, name: str) -> list[AccountField]:
        """By tag, which is unique; else by label, which need not be."""
        by_tag = [f for f in self.known if f.tag == name]
        return by_tag or [f for f in self.known if f.label == name]

    def _field(self, name: str) -> Field | None:
        found = self._named(name)
        return replace(found[0].field, perstag=name) if len(found) == 1 else None

    def _known(self, name: str) -> Field:
        field = self._field(name)
        if field is None:
            raise LookupError(name)  # checked or made before
        return field
