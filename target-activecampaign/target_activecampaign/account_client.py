"""Accounts and the contacts in them: ActiveCampaign's v3 API, a method an endpoint.

Sources: https://developers.activecampaign.com/reference (slug in each docstring).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from target_kit.http import Safety

from target_activecampaign.endpoints import Endpoints, rows_of, text_of


@dataclass(frozen=True, slots=True)
class AccountValue:
    """One stored custom field value of an account."""

    account_id: str
    field_id: str
    value: str


@dataclass(frozen=True, slots=True)
class Association:
    """One contact in one account; a contact has one at most."""

    id: str
    contact_id: str
    account_id: str


class AccountEndpoints(Endpoints):
    """Accounts, their custom fields, and who belongs to them."""

    def account_fields(self) -> dict[str, str]:
        """Ids of account custom fields by label and by personalization tag
        (list-all-custom-fields-meta).
        """
        found: dict[str, str] = {}
        path = "/api/3/accountCustomFieldMeta"
        for body in self.pages(path, "accountCustomFieldMeta", "accountCustomFieldMeta"):
            for row in rows_of(body, "accountCustomFieldMeta"):
                for name in (row.get("personalization"), row.get("fieldLabel")):
                    if name:
                        found[str(name)] = text_of(row.get("id"))
        return found

    def account_values(self) -> Iterator[list[AccountValue]]:
        """All custom field values of all accounts, a page at a time
        (list-all-custom-field-values-2).
        """
        path = "/api/3/accountCustomFieldData"
        for body in self.pages(path, "accountCustomFieldData", "accountCustomFieldData"):
            yield [
                AccountValue(
                    text_of(row.get("customerAccountId") or row.get("accountId")),
                    text_of(row.get("customFieldId")),
                    text_of(row.get("fieldValue")),
                )
                for row in rows_of(body, "accountCustomFieldData")
            ]

    def associations(self) -> Iterator[list[Association]]:
        """All contacts' accounts, a page at a time (list-all-associations-1)."""
        for body in self.pages("/api/3/accountContacts", "accountContacts", "accountContacts"):
            yield _associations(body)

    def associations_of(self, contact_id: str) -> list[Association]:
        """The account of one contact (retrieve-contact-account-contacts)."""
        body = self.get(
            f"/api/3/contacts/{contact_id}/accountContacts", route="contacts/{id}/accountContacts"
        )
        return [a for a in _associations(body) if a.contact_id == contact_id]

    def create_association(self, contact_id: str, account_id: str) -> Association:
        """Put a contact into an account (create-an-account-1); refused when it has one already,
        so repeating it never makes two.
        """
        payload = {"accountContact": {"contact": int(contact_id), "account": int(account_id)}}
        body = self.write(
            "POST", "/api/3/accountContacts", "accountContacts", payload, Safety.CONVERGENT
        )
        made = body.get("accountContact")
        return Association(text_of((made or {}).get("id")), contact_id, account_id)

    def delete_association(self, association_id: str) -> None:
        """Take a contact out of its account (delete-an-association-1)."""
        path = f"/api/3/accountContacts/{association_id}"
        self.write("DELETE", path, "accountContacts/{id}", None, Safety.SAFE)


def _associations(body: Mapping[str, Any]) -> list[Association]:
    return [
        Association(
            text_of(row.get("id")), text_of(row.get("contact")), text_of(row.get("account"))
        )
        for row in rows_of(body, "accountContacts")
    ]
