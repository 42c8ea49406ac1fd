"""Contacts and custom fields of ActiveCampaign's v3 API: a method an endpoint, typed answers.

Sources: https://developers.activecampaign.com/reference (slug in each docstring). Parsers accept
what real accounts were seen to send: ids as text or number, null or "" for blank, objects or lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from target_kit.errors import CallRefused, VendorUnavailable
from target_kit.http import JsonApi, Safety

from target_activecampaign.endpoints import Endpoints, rows_of, text_of
from target_activecampaign.list_client import bounces_of, memberships_in, relations_of
from target_activecampaign.model import Change, Existing, Field
from target_activecampaign.planning import PAGE

#: Attributes that are compared before writing; `email` is kept apart.
COMPARED = ("firstName", "lastName", "phone")


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One stored custom field value."""

    contact_id: str
    field_id: str
    value: str


class ActiveCampaign(Endpoints):
    """Contacts and their custom fields; `beside` is what else reads of contacts bring along:
    contactLists, contactTags.
    """

    def __init__(self, api: JsonApi, beside: Sequence[str] = ()) -> None:
        super().__init__(api)
        self.beside = tuple(beside)
        self._include = ("include", ",".join(("fieldValues", *self.beside)))

    def whoami(self) -> None:
        """Prove URL and key (get-user-loggedin); raises CredentialsError."""
        body = self.get("/api/3/users/me", route="users/me")
        if not isinstance(body.get("user"), dict):
            raise VendorUnavailable(
                "users/me answered, but not as ActiveCampaign does: check api_url"
            )

    def fields(self) -> dict[str, Field]:
        """All custom fields by upper-case perstag, every page of them (retrieve-fields, S0-16)."""
        fields: dict[str, Field] = {}
        for body in self.pages("/api/3/fields", "fields", "fields"):
            options: dict[str, list[tuple[str, str]]] = {}
            for option in rows_of(body, "fieldOptions"):
                pair = (text_of(option.get("value")), text_of(option.get("label")))
                options.setdefault(text_of(option.get("field")), []).append(pair)
            for row in rows_of(body, "fields"):
                field_id, perstag = text_of(row["id"]), text_of(row.get("perstag")).upper()
                field = Field(
                    field_id,
                    perstag,
                    text_of(row.get("type")),
                    tuple(options.get(field_id, ())),
                    relations=_relations(row, body),
                )
                fields.setdefault(perstag, field)
        return fields

    def create_field(self, perstag: str, field_type: str, title: str) -> Field:
        """Create a custom field, not yet related to lists (create-a-contact-custom-field)."""
        field = {"title": title, "type": field_type, "perstag": perstag, "visible": 1}
        body = self.write("POST", "/api/3/fields", "fields", {"field": field}, Safety.UNSAFE)
        created = body["field"]
        stored = text_of(created.get("perstag")) or perstag
        return Field(text_of(created["id"]), stored.upper(), field_type, relations=())

    def create_options(self, field: Field, options: Sequence[tuple[str, str]]) -> None:
        """Add options (value, label) behind those a field has (create-custom-field-options);
        repeated, it would add them twice.
        """
        rows = [
            {"orderid": order, "value": value, "label": label, "isdefault": False,
             "field": field.id}
            for order, (value, label) in enumerate(options, len(field.options) + 1)
        ]  # fmt: skip
        payload = {"fieldOptions": rows}
        # The page has the first path, the vendor's own client the second.
        for route in ("fieldOption/bulk", "fieldOptions/bulk"):
            try:
                self.write("POST", f"/api/3/{route}", route, payload, Safety.UNSAFE)
            except CallRefused as refused:
                if refused.status != 404 or route == "fieldOptions/bulk":
                    raise
            else:
                return

    def relate_field(self, field: Field, list_id: str) -> None:
        """Relate a custom field to a list ("0": all of them), without which the vendor's pages do
        not show it (create-a-custom-field-relationship-to-lists).
        """
        relation = {"field": field.id, "relid": int(list_id)}
        self.write(
            "POST", "/api/3/fieldRels", "fieldRels", {"fieldRel": relation}, Safety.CONVERGENT
        )

    def total(self) -> int | None:
        """Number of contacts in the account (list-all-contacts, meta.total), None where the answer
        does not say.
        """
        body = self.get("/api/3/contacts", route="contacts", params=[("limit", "1")])
        try:
            return int(body["meta"]["total"])
        except (KeyError, TypeError, ValueError):
            return None

    def crawl(
        self, *, values: bool, since: datetime | None = None, after: int = 0
    ) -> Iterator[tuple[list[Existing], bool]]:
        """All contacts in id order by keyset (pagination), a page at a time; with `since` (aware)
        those that changed after it (list-all-contacts `filters[updated_after]`), with `after` those
        with a higher id.

        Yields the page and whether it carried the custom field values: `include=fieldValues` works
        but is not documented, so its absence must be noticed. A server that ignores the keyset
        would loop for ever: that is noticed too.
        """
        last = after
        while True:
            params = [("orders[id]", "ASC"), ("id_greater", str(last)), ("limit", str(PAGE))]
            if since:
                params.append(("filters[updated_after]", since.isoformat(timespec="seconds")))
            if values:
                params.append(self._include)
            body = self.get("/api/3/contacts", route="contacts", params=params)
            page, carried = _existing(body)
            if not page:
                return
            ids = [int(contact.id) for contact in page]
            if ids != sorted(ids) or ids[0] <= last:
                raise VendorUnavailable(
                    "contacts: the list did not come in id order after the last one seen; "
                    "it can't be read completely: set reads to point"
                )
            last = ids[-1]
            yield page, carried

    def by_ids(self, ids: Sequence[str]) -> list[Existing]:
        """Contacts by id with their custom field values, 100 a call (list-all-contacts `ids[]`).

        What the list call does not give, because `ids[]` or `include` had no effect, is read one by
        one. Ids that are gone are left out.
        """
        found: dict[str, Existing] = {}
        for start in range(0, len(ids), PAGE):
            chunk = ids[start : start + PAGE]
            params = [("ids[]", i) for i in chunk]
            params += [self._include, ("limit", str(PAGE))]
            body = self.get("/api/3/contacts", route="contacts", params=params)
            page, carried = _existing(body)
            if carried:
                found.update({c.id: c for c in page if c.id in set(chunk)})
            for contact_id in chunk:
                if contact_id not in found and (one := self.contact(contact_id)):
                    found[contact_id] = one
        return list(found.values())

    def read_back(self, ids: Sequence[str]) -> list[Existing]:
        """As `by_ids`, for what was written a moment ago."""
        return self.by_ids(ids)

    def contact(self, contact_id: str) -> Existing | None:
        """One contact with its custom field values, None if it is gone (get-contact)."""
        try:
            body = self.get(f"/api/3/contacts/{contact_id}", route="contacts/{id}")
        except CallRefused as refused:
            if refused.status == 404:
                return None
            raise
        page, _ = _existing({**body, "contacts": [body["contact"]]})
        return page[0]

    def by_email(self, email: str, *, like: bool = False) -> list[Existing]:
        """Contacts the server offers for an address; the caller compares the addresses itself,
        since an ignored filter answers with everybody (list-all-contacts `email`, `email_like`).
        """
        params = [("email_like" if like else "email", email)]
        params += [self._include, ("limit", str(PAGE))]
        body = self.get("/api/3/contacts", route="contacts", params=params)
        page, carried = _existing(body)
        if carried:
            return page
        wanted = email.strip().lower()
        complete = (self.contact(c.id) for c in page if c.email.strip().lower() == wanted)
        return [c for c in complete if c]

    def values_of_field(self, field_id: str) -> Iterator[list[FieldValue]]:
        """All values of one custom field, a page at a time (list-all-custom-field-values)."""
        params = [("filters[fieldid]", field_id)]
        for body in self.pages("/api/3/fieldValues", "fieldValues", "fieldValues", params):
            yield [v for v in _field_values(body) if v.field_id == field_id]

    def contacts_with_value(self, field_id: str, value: str) -> list[FieldValue]:
        """Values of one field that the server offers for `value`; whether its filter means equal
        or contains is not documented, so the caller compares.
        """
        params = [("filters[fieldid]", field_id), ("filters[val]", value)]
        found: list[FieldValue] = []
        for body in self.pages("/api/3/fieldValues", "fieldValues", "fieldValues", params):
            found += [v for v in _field_values(body) if v.field_id == field_id]
        return found

    def create_contact(self, change: Change) -> tuple[str, set[str]]:
        """POST /contacts (create-a-new-contact). Never repeated blindly.

        Returns the new id and the ids of the fields whose values the answer confirms.
        """
        body = self.write(
            "POST", "/api/3/contacts", "contacts", _contact_body(change), Safety.UNSAFE
        )
        return text_of(body["contact"]["id"]), _confirmed(body)

    def update_contact(self, change: Change) -> tuple[str, set[str]]:
        """PUT /contacts/{id} (update-a-contact-new); may be repeated.

        Returns the address the contact now has and the ids of the fields the answer confirms.
        """
        path = f"/api/3/contacts/{change.contact_id}"
        body = self.write("PUT", path, "contacts/{id}", _contact_body(change), Safety.SAFE)
        return text_of(body["contact"].get("email")), _confirmed(body)

    def put_field_value(self, contact_id: str, field_id: str, value: str) -> None:
        """Insert or update one value by contact and field (S0-48;
        update-a-custom-field-value-for-contact acts as an upsert).
        """
        payload = {"fieldValue": {"contact": contact_id, "field": field_id, "value": value}}
        self.write("POST", "/api/3/fieldValues", "fieldValues", payload, Safety.CONVERGENT)


def _relations(row: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Ids of the lists a field is related to; None where the answer does not say."""
    related = row.get("relations")
    if not isinstance(related, list):
        return None
    lists = {text_of(r.get("id")): text_of(r.get("relid")) for r in rows_of(body, "fieldRels")}
    return tuple(lists.get(text_of(number), "") for number in related)


def _contact_body(change: Change) -> dict[str, Any]:
    contact: dict[str, Any] = dict(change.attributes)
    if change.email:
        contact["email"] = change.email.display
    if change.values:
        contact["fieldValues"] = [{"field": f, "value": v} for f, v in change.values.items()]
    return {"contact": contact}


def _confirmed(body: Mapping[str, Any]) -> set[str]:
    """Ids of the fields that the answer to a write shows values of."""
    return {value.field_id for value in _field_values(body)}


def _existing(body: Mapping[str, Any]) -> tuple[list[Existing], bool]:
    values: dict[str, dict[str, str]] = {}
    for value in _field_values(body):
        values.setdefault(value.contact_id, {})[value.field_id] = value.value
    lists, tags = memberships_in(body), relations_of(body)
    contacts = [
        Existing(
            id=text_of(row["id"]),
            email=text_of(row.get("email")),
            attributes={name: text_of(row.get(name)) for name in COMPARED},
            values=values.get(text_of(row["id"]), {}),
            lists=lists.get(text_of(row["id"]), {}) if "contactLists" in body else None,
            tags=tags.get(text_of(row["id"]), {}) if "contactTags" in body else None,
            bounces=bounces_of(row),
            bounced_on=text_of(row.get("bounced_date")),
        )
        for row in rows_of(body, "contacts")
    ]
    return contacts, "fieldValues" in body


def _field_values(body: Mapping[str, Any]) -> list[FieldValue]:
    return [
        FieldValue(
            text_of(row.get("contact")), text_of(row.get("field")), text_of(row.get("value"))
        )
        for row in rows_of(body, "fieldValues")
    ]
