"""RpcRecipient, the half that changes lists; setting attributes is done in `attributes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from api_simulators.optimizely.adding import INSERTED, Adder, Row, rows_of, unflatten
from api_simulators.optimizely.attributes import (
    set_attributes,
    set_attributes_by_filter,
    set_attributes_in_batch,
    set_attributes_in_batch_flat,
)
from api_simulators.optimizely.lookups import find, given, texts, the_list, within_limit
from api_simulators.optimizely.model import (
    Client,
    PendingClear,
    Recipient,
    RecipientList,
    Session,
)
from api_simulators.optimizely.operations import BusinessError

__all__ = [
    "set_attributes",
    "set_attributes_by_filter",
    "set_attributes_in_batch",
    "set_attributes_in_batch_flat",
]

Texts = list[str | None] | None
Table = list[list[str | None] | None] | None
Item = TypeVar("Item")


def add_all3(
    client: Client,
    session: Session,
    list_id: int,
    process_id: int | None,
    ids: Texts,
    addresses: Texts,
    names: Texts,
    values: Table,
) -> list[int]:
    """Add a batch; returns one code per recipient, in the order sent."""
    in_list = the_list(client, list_id)
    attributes, rows = rows_of(ids, addresses, names, values)
    adder = Adder(client, in_list, process_id or 0, session.media_type)
    return adder.add(attributes, rows)


def add_all3_flat(
    client: Client,
    session: Session,
    list_id: int,
    process_id: int | None,
    ids: Texts,
    addresses: Texts,
    names: Texts,
    flat: Texts,
) -> list[int]:
    """Add a batch whose rows come end to end."""
    table = unflatten(names, flat, len(given(ids, "recipientIds")))
    return add_all3(client, session, list_id, process_id, ids, addresses, names, table)


def add_all(client: Client, session: Session, *arguments: Any) -> list[bool]:
    """Add a batch; returns whether each recipient was inserted."""
    return [code == INSERTED for code in add_all3(client, session, *arguments)]


def add2(
    client: Client,
    session: Session,
    list_id: int,
    process_id: int | None,
    recipient_id: str | None,
    address: str | None,
    names: Texts,
    values: Texts,
) -> int:
    """Add one recipient; returns its code."""
    in_list = the_list(client, list_id)
    row = Row(
        given(recipient_id, "recipientId"),
        given(address, "emailAddress"),
        given(values, "attributeValues"),
    )
    attributes = given(names, "attributeNames")
    if len(attributes) != len(row.values):
        raise BusinessError("Number of attribute values differs from number of attribute names")
    adder = Adder(client, in_list, process_id or 0, session.media_type)
    return adder.add(attributes, [row])[0]


def add(client: Client, session: Session, *arguments: Any) -> bool:
    """Add one recipient; returns whether it was inserted."""
    return add2(client, session, *arguments) == INSERTED


def misshaped(client: Client, operation: str, values: list[Item]) -> list[Item]:
    """Return the array of a batch call as the switch `result_array` wants it; shuffled is back
    to front.
    """
    shape = client.switches["result_array"]
    if shape == "normal" or operation not in client.switches["result_array_for"].split(","):
        return values
    if shape == "shorter":
        return values[:-1]
    if shape == "longer":
        return [*values, *values[-1:]]
    return values[::-1]


def clear(client: Client, _session: Session, list_id: int) -> None:
    """Delete everybody, at once or, by switch, later: then only those who are there now."""
    in_list = the_list(client, list_id)
    mode = client.switches["clear_mode"]
    if mode == "sync":
        in_list.pending = None
        in_list.empty()
        return
    due = client.now() + float(client.switches["clear_seconds"]) if mode != "after_polls" else None
    polls = int(client.switches["clear_polls"])
    in_list.pending = PendingClear(dict(in_list.recipients), polls, due)


def remove(client: Client, _session: Session, list_id: int, recipient_id: str | None) -> None:
    """Delete a recipient; raises BusinessError for one who is not there."""
    in_list = the_list(client, list_id)
    recipient = find(client, in_list, recipient_id)
    if recipient is None:
        raise BusinessError("Recipient does not exist")
    in_list.remove(recipient)


def remove_all(client: Client, _session: Session, list_id: int, ids: Texts) -> list[bool]:
    """Delete recipients; False for those who were not there."""
    in_list = the_list(client, list_id)
    wanted = texts(ids, "recipientIds")
    within_limit(client, len(wanted))
    removed: list[bool] = []
    for recipient_id in wanted:
        recipient = find(client, in_list, recipient_id)
        if recipient is not None:
            in_list.remove(recipient)
        removed.append(recipient is not None)
    return removed


def _remove_where(
    client: Client, list_id: int, applies: Callable[[RecipientList, Recipient], bool]
) -> int:
    in_list = the_list(client, list_id)
    chosen = [row for row in in_list.recipients.values() if applies(in_list, row)]
    for recipient in chosen:
        in_list.remove(recipient)
    return len(chosen)


def remove_blacklisted(client: Client, _session: Session, list_id: int) -> int:
    """Delete whose address is blocked; returns how many."""
    return _remove_where(client, list_id, lambda _, row: client.blocklist.matches(row.address))


def remove_bounced(client: Client, _session: Session, list_id: int) -> int:
    """Delete who has bounced out; returns how many."""
    return _remove_where(client, list_id, lambda _, row: client.is_bounced_out(row.id))


def remove_unsubscribed(client: Client, _session: Session, list_id: int) -> int:
    """Delete who has unsubscribed; returns how many."""
    return _remove_where(
        client, list_id, lambda in_list, row: client.is_unsubscribed(row.id, in_list.id)
    )


def remove_not_optined(
    client: Client, _session: Session, list_id: int, recipient_id: str | None
) -> bool:
    """Delete a recipient whose opt-in is not finished; False for any other."""
    in_list = the_list(client, list_id)
    recipient = find(client, in_list, recipient_id)
    if recipient is None or recipient.optin_finished:
        return False
    in_list.remove(recipient)
    return True


def change_id_in_list(
    client: Client, _session: Session, list_id: int, old: str | None, new: str | None
) -> None:
    """Give a recipient of one list another id."""
    in_list = the_list(client, list_id)
    if find(client, in_list, old) is None:
        raise BusinessError("Recipient does not exist")
    _rename(client, [in_list], given(old, "oldRecipientId"), given(new, "newRecipientId"))


def change_id(client: Client, _session: Session, old: str | None, new: str | None) -> None:
    """Give a recipient another id in all lists; unsubscribe and bounces go along."""
    before, after = given(old, "oldRecipientId"), given(new, "newRecipientId")
    holding = [row for row in client.lists.values() if find(client, row, before)]
    if not holding:
        raise BusinessError("Recipient does not exist")
    _rename(client, holding, before, after)
    client.unsubscribes.rename(before, after)
    if before in client.bounces:
        client.bounces[after] = client.bounces.pop(before)


def _rename(client: Client, lists: list[RecipientList], old: str, new: str) -> None:
    if any(find(client, in_list, new) is not None for in_list in lists):
        raise BusinessError("Recipient already exists")
    for in_list in lists:
        renamed = find(client, in_list, old)
        rows = list(in_list.recipients.values())
        in_list.empty()
        for recipient in rows:
            if recipient is renamed:
                recipient.id, recipient.modified = new, client.now()
                if in_list.id_field:
                    recipient.values[in_list.id_field] = new
            in_list.store(recipient)


def create_tracking_opt_out(client: Client, _session: Session, recipient_id: str | None) -> None:
    """Stop personal open and click data of a recipient."""
    client.tracking_opt_outs.add(given(recipient_id, "recipientId"))


def delete_tracking_opt_out(client: Client, _session: Session, recipient_id: str | None) -> None:
    """Allow personal open and click data of a recipient again."""
    client.tracking_opt_outs.discard(given(recipient_id, "recipientId"))
