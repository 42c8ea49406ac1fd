"""Accounts (companies): the name is unique, and a contact has at most one."""

from __future__ import annotations

from typing import Any

from api_simulators.activecampaign import errors
from api_simulators.activecampaign.call import Call, sent, text
from api_simulators.activecampaign.handlers.account_fields import check_inline, save_inline
from api_simulators.activecampaign.model import AccountContact, Row
from api_simulators.wire import Answer, json_answer

LINKS = (
    "notes",
    "accountCustomFieldData",
    "accountContacts",
    "contactEmails",
    "emailActivities",
    "owner",
)


def found(call: Call) -> Row:
    """Return the account named in the path; raises 404 CustomerAccount."""
    row = call.store.tables["accounts"].find(call.args[0])
    if row is None:
        raise errors.not_found("CustomerAccount", call.args[0])
    return row


def _links(call: Call, row: Row) -> dict[str, str]:
    head = f"{call.base}/accounts/{row.id}/"
    return {name: head + name for name in LINKS}


def _shape(call: Call, row: Row, contacts: int) -> dict[str, Any]:
    return {
        "name": text(row.data["name"]),
        "accountUrl": row.data.get("accountUrl"),
        "createdTimestamp": call.iso(row.created),
        "updatedTimestamp": call.iso(row.updated),
        "owner": text(row.data.get("owner", 1)),
        "contactCount": str(contacts),
        "dealCount": "0",
        "links": _links(call, row),
        "id": str(row.id),
    }


def list_accounts(call: Call) -> Answer:
    """GET /accounts: `search` contains, unless switched; counts are "0" unless count_deals=true."""
    rows = [
        row
        for row in call.store.tables["accounts"]
        if _offered(call, text(row.data["name"])) and call.visible(row.created)
    ]
    counting = call.query.get("count_deals") == "true"
    page = call.query.page(rows)
    shown = [_shape(call, row, _contacts(call, row) if counting else 0) for row in page]
    return json_answer(200, {"accounts": shown, "meta": {"total": str(len(rows))}})


def _offered(call: Call, name: str) -> bool:
    search, how = (call.query.get("search") or "").casefold(), call.switches["account_search"]
    if not search or how == "ignored":
        return True
    return search == name.casefold() if how == "equals" else search in name.casefold()


def _contacts(call: Call, row: Row) -> int:
    return sum(1 for link in call.store.account_contacts if link.account == row.id)


def read_account(call: Call) -> Answer:
    """GET /accounts/{id}."""
    row = found(call)
    return json_answer(200, {"account": _shape(call, row, _contacts(call, row))})


def _refuse_taken(call: Call, name: str, own: int | None) -> None:
    any_case = call.switches["account_name_ignores_case"]
    held = call.store.rows_named("accounts", name)
    if any(row.id != own and (any_case or text(row.data["name"]) == name) for row in held):
        title = f'An account named "{name}" already exists. Please choose a new name.'
        raise errors.invalid("duplicate", title, "name")


def create_account(call: Call) -> Answer:
    """POST /accounts: 201; a missing name is field_missing, a taken one duplicate."""
    given = call.envelope("account")
    name = _name(given)
    _refuse_taken(call, name, None)
    check_inline(call, given.get("fields"))
    data = _attributes(call, given)
    row = call.store.add_row("accounts", data, call.now, None)
    return json_answer(201, {"account": _written(call, row, given)})


def _name(given: dict[str, Any]) -> str:
    name = text(given.get("name"))
    if not name:
        raise errors.invalid("field_missing", "The account name was not provided.", "name")
    return name


def _attributes(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    data = sent(given, ("name", "accountUrl", "owner"))
    url = text(data.get("accountUrl"))
    if url and "://" not in url and call.switches["account_url"] == "completed":
        data["accountUrl"] = f"http://{url}"
    return data


def _written(call: Call, row: Row, given: dict[str, Any]) -> dict[str, Any]:
    """Return the account a write answers with, with the custom fields it saved."""
    shown: dict[str, Any] = {"name": text(row.data["name"])}
    if "accountUrl" in row.data:
        shown["accountUrl"] = row.data["accountUrl"]
    shown["createdTimestamp"] = call.iso(row.created)
    shown["updatedTimestamp"] = call.iso(row.updated)
    shown["owner"] = text(row.data.get("owner", 1))
    shown["links"] = _links(call, row)
    if given.get("fields") and call.switches["account_inline_fields"] == "works":
        shown["fields"] = save_inline(call, row.id, given["fields"])
        shown["customFieldSaveStatus"] = {"status": "success"}
    shown["id"] = str(row.id)
    return shown


def update_account(call: Call) -> Answer:
    """PUT /accounts/{id}."""
    row = found(call)
    given = call.envelope("account")
    if "name" in given:
        _refuse_taken(call, _name(given), row.id)
    check_inline(call, given.get("fields"))
    data = _attributes(call, given)
    call.store.change_row("accounts", row, data, call.now)
    return json_answer(200, {"account": _written(call, row, given)})


def delete_account(call: Call) -> Answer:
    """DELETE /accounts/{id}."""
    call.store.remove_account(found(call))
    return json_answer(200, {})


def delete_accounts(call: Call) -> Answer:
    """DELETE /accounts/bulk_delete?ids[]=: unknown ids are passed over."""
    for number in call.query.all("ids[]", "[]ids"):
        row = call.store.tables["accounts"].find(number)
        if row is not None:
            call.store.remove_account(row)
    return json_answer(200, {"meta": {"success": True}})


def link_shape(call: Call, row: AccountContact) -> dict[str, Any]:
    """Return a contact's place in an account."""
    head = f"{call.base}/accountContacts/{row.id}/"
    return {
        "account": str(row.account),
        "contact": str(row.contact),
        "jobTitle": row.job_title,
        "createdTimestamp": call.iso(row.created),
        "updatedTimestamp": call.iso(row.updated),
        "links": {"account": head + "account", "contact": head + "contact"},
        "id": str(row.id),
    }


def list_links(call: Call) -> Answer:
    """GET /accountContacts with `filters[contact]` and `filters[account]`."""
    contact = call.query.number("filters[contact]")
    account = call.query.number("filters[account]")
    rows = [
        row
        for row in call.store.account_contacts
        if contact in {None, row.contact} and account in {None, row.account}
    ]
    shown = [link_shape(call, row) for row in call.query.page(rows)]
    return json_answer(200, {"accountContacts": shown, "meta": {"total": str(len(rows))}})


def _link(call: Call) -> AccountContact:
    row = call.store.account_contacts.find(call.args[0])
    if row is None:
        raise errors.not_found("CustomerAccountSubscriber", call.args[0])
    return row


def create_link(call: Call) -> Answer:
    """POST /accountContacts: 201; a second account for a contact is field_invalid."""
    given = call.envelope("accountContact")
    for name in ("account", "contact"):
        if given.get(name) is None:
            raise errors.invalid("field_missing", f"The {name} was not provided.", name)
    contact = call.store.contacts.find(given["contact"])
    if contact is None:
        raise errors.not_found("Subscriber", text(given["contact"]))
    account = call.store.tables["accounts"].find(given["account"])
    if account is None:
        raise errors.not_found("CustomerAccount", text(given["account"]))
    if contact.account is not None:
        title = "The contact is already associated with an account."
        raise errors.invalid("field_invalid", title, "account,contact")
    number = call.store.account_contacts.next_id()
    job = text(given.get("jobTitle"))
    row = AccountContact(number, contact.id, account.id, job, call.now, call.now)
    call.store.link_account(row)
    shown = link_shape(call, row)
    shown |= {name: call.echo(given[name]) for name in ("account", "contact")}
    return json_answer(201, {"accountContact": shown})


def read_link(call: Call) -> Answer:
    """GET /accountContacts/{id}."""
    return json_answer(200, {"accountContact": link_shape(call, _link(call))})


def update_link(call: Call) -> Answer:
    """PUT /accountContacts/{id}: the job title; the pair itself does not move."""
    row = _link(call)
    given = call.envelope("accountContact")
    row.job_title = text(given.get("jobTitle", row.job_title))
    row.updated = call.now
    call.store.version += 1
    return json_answer(200, {"accountContact": link_shape(call, row)})


def delete_link(call: Call) -> Answer:
    """DELETE /accountContacts/{id}."""
    call.store.unlink_account(_link(call))
    return json_answer(200, {})
