"""Which handler answers which method and path below `/api/3/`."""

from __future__ import annotations

from api_simulators.activecampaign.call import Handler
from api_simulators.activecampaign.handlers import (
    account_fields,
    accounts,
    contact_lists,
    contact_parts,
    contact_search,
    contacts,
    field_values,
    fields,
    imports,
    lists,
    others,
    tags,
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
    ("GET", "lists"): lists.list_lists,
    ("POST", "lists"): lists.create_list,
    ("GET", "lists/*"): lists.read_list,
    ("PUT", "lists/*"): lists.update_list,
    ("DELETE", "lists/*"): lists.delete_list,
    ("GET", "lists/exclusions"): lists.list_exclusions,
    ("POST", "listGroups"): lists.create_list_group,
    ("GET", "contactLists"): contact_lists.list_standings,
    ("POST", "contactLists"): contact_lists.set_standing,
    ("GET", "tags"): tags.list_tags,
    ("POST", "tags"): tags.create_tag,
    ("GET", "tags/*"): tags.read_tag,
    ("PUT", "tags/*"): tags.update_tag,
    ("DELETE", "tags/*"): tags.delete_tag,
    ("GET", "contactTags"): tags.list_contact_tags,
    ("POST", "contactTags"): tags.tag_contact,
    ("DELETE", "contactTags/*"): tags.untag_contact,
    ("GET", "accounts"): accounts.list_accounts,
    ("POST", "accounts"): accounts.create_account,
    ("GET", "accounts/*"): accounts.read_account,
    ("PUT", "accounts/*"): accounts.update_account,
    ("DELETE", "accounts/*"): accounts.delete_account,
    ("DELETE", "accounts/bulk_delete"): accounts.delete_accounts,
    ("GET", "accountContacts"): accounts.list_links,
    ("POST", "accountContacts"): accounts.create_link,
    ("GET", "accountContacts/*"): accounts.read_link,
    ("PUT", "accountContacts/*"): accounts.update_link,
    ("DELETE", "accountContacts/*"): accounts.delete_link,
    ("GET", "accountCustomFieldMeta"): account_fields.list_meta,
    ("POST", "accountCustomFieldMeta"): account_fields.create_meta,
    ("GET", "accountCustomFieldMeta/*"): account_fields.read_meta,
    ("PUT", "accountCustomFieldMeta/*"): account_fields.update_meta,
    ("DELETE", "accountCustomFieldMeta/*"): account_fields.delete_meta,
    ("GET", "accountCustomFieldData"): account_fields.list_data,
    ("POST", "accountCustomFieldData"): account_fields.create_datum,
    ("GET", "accountCustomFieldData/*"): account_fields.read_datum,
    ("PUT", "accountCustomFieldData/*"): account_fields.update_datum,
    ("DELETE", "accountCustomFieldData/*"): account_fields.delete_datum,
    ("POST", "accountCustomFieldData/bulkCreate"): account_fields.bulk_create,
    ("PATCH", "accountCustomFieldData/bulkUpdate"): account_fields.bulk_update,
    ("POST", "import/bulk_import"): imports.create_import,
    ("GET", "import/bulk_import"): imports.list_imports,
    ("GET", "import/info"): imports.import_info,
    ("GET", "notes"): others.list_notes,
    ("POST", "notes"): others.create_note,
    ("GET", "notes/*"): others.read_note,
    ("PUT", "notes/*"): others.update_note,
    ("DELETE", "notes/*"): others.delete_note,
    ("GET", "automations"): others.list_automations,
    ("GET", "contactAutomations"): others.list_enrolments,
    ("POST", "contactAutomations"): others.enrol,
    ("GET", "contactAutomations/*"): others.read_enrolment,
    ("DELETE", "contactAutomations/*"): others.delete_enrolment,
    ("GET", "webhooks"): others.list_hooks,
    ("POST", "webhooks"): others.create_hook,
    ("GET", "webhooks/*"): others.read_hook,
    ("PUT", "webhooks/*"): others.update_hook,
    ("DELETE", "webhooks/*"): others.delete_hook,
    ("GET", "webhook/events"): others.list_hook_events,
    ("GET", "webhooks/events"): others.list_hook_events,
    ("GET", "activities"): others.list_activities,
    ("GET", "bounceLogs"): contact_parts.all_bounce_logs,
} | {("GET", f"contacts/*/{name}"): handler for name, handler in contact_parts.PARTS.items()}
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
