"""Accounts in a rehearsal: read as they are, and written into the run's own index only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from target_kit.http import Safety

from target_activecampaign.account_answers import AccountField, Association
from target_activecampaign.account_client import AccountEndpoints
from target_activecampaign.account_model import AccountChange, Value
from target_activecampaign.model import Field
from target_activecampaign.rehearsal import NEW, Picture


class RehearsedAccounts(AccountEndpoints):
    """Accounts and who belongs to them; see AccountEndpoints for every method."""

    def __init__(self, real: AccountEndpoints, picture: Picture) -> None:
        super().__init__(real.api)
        self._picture = picture

    def write(
        self, method: str, path: str, route: str, payload: Any, safety: Safety
    ) -> Mapping[str, Any]:
        """See Endpoints: whatever is not rehearsed here can't be sent either."""
        del path, payload, safety
        raise AssertionError(f"unreachable: {method} {route} in a rehearsal")

    def create_field(
        self, label: str, field_type: str, options: Sequence[str], currency: str
    ) -> AccountField:
        """See AccountEndpoints."""
        self._picture.write("POST accountCustomFieldMeta")
        choices = tuple((option, option) for option in options)
        field = Field(self._picture.new_id(), label, field_type, choices, currency=currency)
        return AccountField(label, "", field)

    def create_account(
        self, change: AccountChange, fields: Mapping[str, Field]
    ) -> tuple[str, dict[str, Value]]:
        """See AccountEndpoints."""
        del fields
        self._picture.write("POST accounts")
        return self._picture.new_id(), dict(change.values)

    def update_account(
        self, change: AccountChange, fields: Mapping[str, Field]
    ) -> dict[str, Value]:
        """See AccountEndpoints."""
        del fields
        self._picture.write("PUT accounts/{id}")
        return dict(change.values)

    def put_value(self, account_id: str, field: Field, value: Value, row_id: str) -> None:
        """See AccountEndpoints."""
        del account_id, field, value
        way = "PUT accountCustomFieldData/{id}" if row_id else "POST accountCustomFieldData"
        self._picture.write(way)

    def delete_value(self, row_id: str) -> None:
        """See AccountEndpoints."""
        del row_id
        self._picture.write("DELETE accountCustomFieldData/{id}")

    def associations_of(self, contact_id: str) -> list[Association]:
        """See AccountEndpoints: a contact that does not exist yet is in no account."""
        if contact_id.startswith(NEW):
            self._picture.read("contacts/{id}/accountContacts")
            return []
        return super().associations_of(contact_id)

    def create_association(self, contact_id: str, account_id: str) -> Association:
        """See AccountEndpoints."""
        self._picture.write("POST accountContacts")
        return Association(self._picture.new_id(), contact_id, account_id)

    def delete_association(self, association_id: str) -> None:
        """See AccountEndpoints."""
        del association_id
        self._picture.write("DELETE accountContacts/{id}")
