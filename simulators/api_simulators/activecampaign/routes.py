"""Which handler answers which method and path below `/api/3/`."""

from __future__ import annotations

from api_simulators.activecampaign.call import Handler
from api_simulators.activecampaign.handlers import (
    contact_search,
    contacts,
    field_values,
    fields,
    users,
)

ROUTES: dict[tuple[str, str], Handler] = {
    ("GET", "users/me"): users.me,
    ("GET", "users"): users.list_users,
    ("POST", "users"): users.create_user,
    ("GET", "users/*"): users.read_user,
    ("GET", "users/email/*"): users.read_by_email,
    ("GET", "users/username/*"): users.read_by_username,
    ("GET", "contacts"): contact_search.list_contacts,
    ("POST", "contacts"): contacts.create_contact,
    ("POST", "contacts/sync"): contacts.sync_plural,
    ("POST", "contact/sync"): contacts.sync_contact,
    ("GET", "contacts/*"): contacts.read_contact,
    ("PUT", "contacts/*"): contacts.update_contact,
    ("DELETE", "contacts/*"): contacts.delete_contact,
    ("GET", "fields"): fields.list_fields,
    ("POST", "fields"): fields.create_field,
    ("GET", "fields/*"): fields.read_field,
    ("PUT", "fields/*"): fields.update_field,
    ("DELETE", "fields/*"): fields.delete_field,
    ("GET", "fields/*/options"): fields.read_options,
    ("GET", "fields/*/relations"): fields.read_relations,
    ("GET", "fieldRels"): fields.list_relations,
    ("POST", "fieldRels"): fields.create_relation,
    ("DELETE", "fieldRels/*"): fields.delete_relation,
    ("POST", "fieldOption/bulk"): fields.create_options,
    ("POST", "fieldOptions/bulk"): fields.create_options,
    ("GET", "fieldValues"): field_values.list_values,
    ("POST", "fieldValues"): field_values.create_value,
    ("GET", "fieldValues/*"): field_values.read_value,
    ("PUT", "fieldValues/*"): field_values.update_value,
    ("DELETE", "fieldValues/*"): field_values.delete_value,
}
# Resources that take PATCH like PUT although it is not documented.
PATCHED = frozenset({"contacts", "accounts", "lists"})


def find(method: str, path: str) -> tuple[Handler, tuple[str, ...]] | None:
    """Return the handler and the variable parts of `path`, None when nothing answers there."""
    exact = ROUTES.get((method, path))
    if exact is not None:
        return exact, ()
    parts = path.split("/")
    templates = [(f"{parts[0]}/*", parts[1:])] if len(parts) == 2 else []
    if len(parts) == 3:
        templates.append((f"{parts[0]}/*/{parts[2]}", parts[1:2]))
        templates.append((f"{parts[0]}/{parts[1]}/*", parts[2:]))
    for template, args in templates:
        handler = ROUTES.get((method, template))
        if handler is not None:
            return handler, tuple(args)
    return None
