"""RpcRecipient.setAttributes and its batch forms: columns resolved, values converted, then kept."""

from __future__ import annotations

from api_simulators.optimizely import columns
from api_simulators.optimizely.adding import unflatten
from api_simulators.optimizely.lookups import (
    find,
    given,
    no_filter,
    texts,
    the_list,
    within_limit,
)
from api_simulators.optimizely.model import (
    TEXT_TYPES,
    Client,
    Recipient,
    RecipientList,
    Session,
)
from api_simulators.optimizely.operations import BusinessError
from api_simulators.optimizely.values import Converter

Texts = list[str | None] | None
Table = list[list[str | None] | None] | None
Change = dict[str, str | None]


def _writable_list(client: Client, list_id: int) -> RecipientList:
    in_list = the_list(client, list_id)
    if in_list.kind == "transaction":
        raise BusinessError("Recipients of transactional lists cannot be changed")
    return in_list


def _change(client: Client, in_list: RecipientList, names: Texts, values: Texts) -> Change:
    """Return the stored form of some values; raises BusinessError."""
    wanted, sent = given(names, "attributeNames"), given(values, "attributeValues")
    if len(wanted) != len(sent):
        raise BusinessError("Number of attribute values differs from number of attribute names")
    converter = Converter(client.switches)
    change: Change = {}
    for attribute, value in zip(
        columns.writable(in_list, wanted, client.switches), sent, strict=True
    ):
        if attribute is None:
            continue
        change[attribute.name] = converter.convert(attribute, value)
        if attribute.required and not value and client.switches["required_missing"] != "ignored":
            raise BusinessError(f"Attribute '{attribute.name}' is required")
    return change


def _apply(client: Client, recipient: Recipient, change: Change) -> None:
    recipient.values.update(change)
    recipient.modified = client.now()


def set_attributes(
    client: Client,
    _session: Session,
    list_id: int,
    recipient_id: str | None,
    names: Texts,
    values: Texts,
) -> None:
    """Change attributes of one recipient; raises BusinessError for an unknown one."""
    in_list = _writable_list(client, list_id)
    recipient = find(client, in_list, recipient_id)
    if recipient is None:
        raise BusinessError("Recipient does not exists")
    _apply(client, recipient, _change(client, in_list, names, values))


def set_attributes_in_batch(
    client: Client, _session: Session, list_id: int, ids: Texts, names: Table, values: Table
) -> None:
    """Change attributes of many recipients, each with names of its own.

    One unknown id faults the call; whether rows before it are stored is switch `fault_commit`.
    """
    in_list = _writable_list(client, list_id)
    wanted = texts(ids, "recipientIds")
    within_limit(client, len(wanted))
    all_names, all_values = given(names, "attributeNames"), given(values, "attributeValues")
    if not len(wanted) == len(all_names) == len(all_values):
        raise BusinessError("Array lengths differ")
    found = [find(client, in_list, recipient_id) for recipient_id in wanted]
    at_once = client.switches["fault_commit"] == "none"
    planned: list[tuple[Recipient, Change]] = []
    for recipient, row_names, row_values in zip(found, all_names, all_values, strict=True):
        if recipient is None:
            raise _unknown(in_list, wanted, found)
        change = _change(client, in_list, row_names, row_values)
        if at_once:
            planned.append((recipient, change))
        else:
            _apply(client, recipient, change)
    for recipient, change in planned:
        _apply(client, recipient, change)


def _unknown(
    in_list: RecipientList, wanted: list[str], found: list[Recipient | None]
) -> BusinessError:
    missing = [name for name, known in zip(wanted, found, strict=True) if known is None]
    return BusinessError(
        f"Error updating users in userlist #{in_list.id}",
        f"Recipients {','.join(missing)} do not exist",
    )


def set_attributes_in_batch_flat(
    client: Client, session: Session, list_id: int, ids: Texts, names: Texts, flat: Texts
) -> None:
    """Change the same attributes of many recipients; the values come end to end."""
    count = len(given(ids, "recipientIds"))
    table = unflatten(names, flat, count)
    set_attributes_in_batch(client, session, list_id, ids, [names] * count, table)


def set_attributes_by_filter(
    client: Client,
    _session: Session,
    list_id: int,
    filter_id: int | None,
    names: Texts,
    values: Texts,
    mode: str | None,
) -> None:
    """Change everybody: set, or put text before (prepend) or after (append) what is there."""
    in_list = _writable_list(client, list_id)
    no_filter(filter_id)
    if mode not in {"set", "prepend", "append"}:
        raise BusinessError("Unknown update mode")
    change = _change(client, in_list, names, values)
    for recipient in in_list.recipients.values():
        joined = {
            name: _joined(in_list, recipient, name, value, mode) for name, value in change.items()
        }
        _apply(client, recipient, joined)


def _joined(
    in_list: RecipientList, recipient: Recipient, name: str, value: str | None, mode: str
) -> str | None:
    if mode == "set" or in_list.attributes[name].type not in TEXT_TYPES:
        return value
    before = recipient.values.get(name) or ""
    return (value or "") + before if mode == "prepend" else before + (value or "")
