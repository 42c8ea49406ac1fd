"""Accounts and the contacts in them: ActiveCampaign's v3 API, a method an endpoint.

Sources: https://developers.activecampaign.com/reference (slug in each docstring).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from target_kit.errors import CallRefused, CredentialsError
from target_kit.http import Safety

from target_activecampaign.account_answers import (
    AccountField,
    AccountValue,
    Association,
    account_of,
    associations_in,
    body_of,
    confirmed_in,
    field_of,
    value_of,
)
from target_activecampaign.account_encoding import sent
from target_activecampaign.account_model import AccountChange, ExistingAccount, Value
from target_activecampaign.endpoints import Endpoints, rows_of, text_of
from target_activecampaign.model import Field

_ACCOUNTS = "/api/3/accounts"
_META = "/api/3/accountCustomFieldMeta"
_DATA = "/api/3/accountCustomFieldData"


class AccountEndpoints(Endpoints):
    """Accounts, their custom fields, and who belongs to them. Being refused here after the key was
    proven means that the plan or the key's user lacks accounts; the error says so.
    """

    def get(
        self, path: str, *, route: str, params: Sequence[tuple[str, str]] = ()
    ) -> Mapping[str, Any]:
        """See Endpoints."""
        with _in_the_plan():
            return super().get(path, route=route, params=params)

    def write(
        self, method: str, path: str, route: str, payload: Any, safety: Safety
    ) -> Mapping[str, Any]:
        """See Endpoints."""
        with _in_the_plan():
            return super().write(method, path, route, payload, safety)

    def fields(self) -> list[AccountField]:
        """All custom fields of accounts (list-all-custom-fields-meta)."""
        found = []
        route = "accountCustomFieldMeta"
        for body in self.pages(_META, route, route):
            found += [field_of(row) for row in rows_of(body, route)]
        return found

    def create_field(
        self, label: str, field_type: str, options: Sequence[str], currency: str
    ) -> AccountField:
        """Create a custom field (create-a-custom-field-meta). Never repeated: whether labels are
        unique is not documented.
        """
        meta: dict[str, Any] = {"fieldLabel": label, "fieldType": field_type}
        meta |= {"fieldOptions": list(options)} if options else {}
        meta |= {"fieldDefaultCurrency": currency} if currency else {}
        payload = {"accountCustomFieldMetum": meta}
        body = self.write("POST", _META, "accountCustomFieldMeta", payload, Safety.UNSAFE)
        return field_of({**meta, **body["accountCustomFieldMetum"]})

    def accounts(self, name: str = "") -> Iterator[list[ExistingAccount]]:
        """All accounts without their values, a page at a time, or those the server offers for a
        name, which the caller compares (list-all-accounts `search`).
        """
        params = [("search", name)] if name else []
        for body in self.pages(_ACCOUNTS, "accounts", "accounts", params):
            yield [account_of(row) for row in rows_of(body, "accounts")]

    def account(self, account_id: str) -> ExistingAccount | None:
        """One account with its values, None if it is gone (retrieve-an-account): 2 calls."""
        try:
            body = self.get(f"{_ACCOUNTS}/{account_id}", route="accounts/{id}")
        except CallRefused as refused:
            if refused.status == 404:
                return None
            raise
        values = {v.field_id: v.value for v in self.values_of(account_id)}
        return msgspec.structs.replace(account_of(body["account"]), values=values)

    def create_account(
        self, change: AccountChange, fields: Mapping[str, Field]
    ) -> tuple[str, dict[str, Value]]:
        """POST /accounts (create-an-account-new), values inline. Never repeated blindly.

        Returns the new id and the values by field id that the answer confirms.
        """
        payload = body_of(change, fields)
        body = self.write("POST", _ACCOUNTS, "accounts", payload, Safety.UNSAFE)
        return text_of(body["account"]["id"]), confirmed_in(body["account"])

    def update_account(
        self, change: AccountChange, fields: Mapping[str, Field]
    ) -> dict[str, Value]:
        """PUT /accounts/{id} (update-an-account-new); may be repeated. Returns confirmed values."""
        path, payload = f"{_ACCOUNTS}/{change.account_id}", body_of(change, fields)
        body = self.write("PUT", path, "accounts/{id}", payload, Safety.SAFE)
        return confirmed_in(body["account"])

    def values(self) -> Iterator[list[AccountValue]]:
        """All custom field values of all accounts, a page at a time
        (list-all-custom-field-values-2).
        """
        route = "accountCustomFieldData"
        for body in self.pages(_DATA, route, route):
            yield [value_of(row) for row in rows_of(body, route)]

    def values_of(self, account_id: str) -> list[AccountValue]:
        """The values of one account (list-all-custom-field-values-2, `customerAccountId`)."""
        route, params = "accountCustomFieldData", [("filters[customerAccountId]", account_id)]
        found: list[AccountValue] = []
        for body in self.pages(_DATA, route, route, params):
            found += [value_of(row) for row in rows_of(body, route)]
        return [value for value in found if value.account_id == account_id]

    def put_value(self, account_id: str, field: Field, value: Value, row_id: str) -> None:
        """Write one value: into its row where there is one, else into a new one, for it is not
        documented that a second one replaces the first (create-a-custom-field-value).
        """
        datum = {
            "customerAccountId": int(account_id),
            "customFieldId": int(field.id),
            "fieldValue": sent(value, field),
        }
        datum |= {"fieldCurrency": value.currency} if value.currency else {}
        payload = {"accountCustomFieldDatum": datum}
        if row_id:
            path, route = f"{_DATA}/{row_id}", "accountCustomFieldData/{id}"
            self.write("PUT", path, route, payload, Safety.SAFE)
        else:
            self.write("POST", _DATA, "accountCustomFieldData", payload, Safety.UNSAFE)

    def delete_value(self, row_id: str) -> None:
        """Take one value away; gone already is what was wanted."""
        path, route = f"{_DATA}/{row_id}", "accountCustomFieldData/{id}"
        try:
            self.write("DELETE", path, route, None, Safety.SAFE)
        except CallRefused as refused:
            if refused.status != 404:
                raise

    def associations(self) -> Iterator[list[Association]]:
        """All contacts' accounts, a page at a time (list-all-associations-1)."""
        for body in self.pages("/api/3/accountContacts", "accountContacts", "accountContacts"):
            yield associations_in(body)

    def associations_of(self, contact_id: str) -> list[Association]:
        """The account of one contact (retrieve-contact-account-contacts)."""
        body = self.get(
            f"/api/3/contacts/{contact_id}/accountContacts", route="contacts/{id}/accountContacts"
        )
        return [a for a in associations_in(body) if a.contact_id == contact_id]

    def create_association(self, contact_id: str, account_id: str) -> Association:
        """Put a contact into an account (create-an-account-1); refused when it has one already,
        so repeating it never makes two.
        """
        payload = {"accountContact": {"contact": int(contact_id), "account": int(account_id)}}
        body = self.write(
            "POST", "/api/3/accountContacts", "accountContacts", payload, Safety.CONVERGENT
        )
        return Association(text_of(body["accountContact"].get("id")), contact_id, account_id)

    def delete_association(self, association_id: str) -> None:
        """Take a contact out of its account (delete-an-association-1)."""
        path = f"/api/3/accountContacts/{association_id}"
        self.write("DELETE", path, "accountContacts/{id}", None, Safety.SAFE)


@contextmanager
def _in_the_plan() -> Iterator[None]:
    try:
        yield
    except CredentialsError as error:
        raise CredentialsError(
            f"{error}. Accounts are part of ActiveCampaign's plans with CRM only, and the user of "
            "the key must be allowed to see them: change the plan, or take accounts out of the "
            "settings"
        ) from None
