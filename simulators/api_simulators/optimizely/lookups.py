"""What most operations begin with: the list, the recipient, arguments that must be there."""

from __future__ import annotations

from typing import TypeVar

from api_simulators.optimizely.model import Client, Recipient, RecipientList
from api_simulators.optimizely.operations import BusinessError

Value = TypeVar("Value")


def the_list(client: Client, list_id: int | None) -> RecipientList:
    """Return the list; raises BusinessError."""
    found = client.lists.get(list_id or 0)
    if found is None:
        raise BusinessError("Recipient list does not exist")
    settle(client, found)
    return found


def folds(client: Client) -> bool:
    """Say whether recipient ids ignore case."""
    return bool(client.switches["id_case"] == "folded")


def find(client: Client, in_list: RecipientList, recipient_id: str | None) -> Recipient | None:
    """Return the recipient of a list, if it has one of this id."""
    return in_list.find(recipient_id or "", fold=folds(client))


def given(value: Value | None, name: str) -> Value:
    """Return an argument that must be there; raises BusinessError for nil or nothing."""
    if value is None:
        raise BusinessError(f"Parameter {name} must not be null")
    return value


def texts(values: list[str | None] | None, name: str) -> list[str]:
    """Return an array whose items must all be there."""
    return [given(value, name) for value in given(values, name)]


def no_filter(number: int | None) -> None:
    """Target groups are not simulated: only 0, everybody, exists."""
    if number:
        raise BusinessError("Recipient filter does not exist")


def within_limit(client: Client, count: int) -> None:
    """Refuse a batch of more elements than the limit allows."""
    limit = int(client.switches["batch_limit"])
    if limit and count > limit and client.switches["over_limit"] == "fault":
        raise BusinessError(f"Too many elements: {count}, maximum is {limit}")


def settle(client: Client, in_list: RecipientList) -> None:
    """Carry out a clear that was put off, if its time has come."""
    pending = in_list.pending
    if pending is None:
        return
    due = pending.due is not None and client.now() >= pending.due
    if not due and (pending.due is not None or pending.polls_left > 0):
        return
    in_list.pending = None
    for recipient_id, recipient in pending.rows.items():
        if in_list.recipients.get(recipient_id) is recipient:
            in_list.remove(recipient)
