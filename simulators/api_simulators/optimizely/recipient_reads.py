"""RpcRecipient, the half that only reads."""

from __future__ import annotations

from collections import Counter

from api_simulators.optimizely import columns
from api_simulators.optimizely.lookups import find, given, no_filter, settle, the_list
from api_simulators.optimizely.model import Client, Recipient, RecipientList, Session
from api_simulators.optimizely.operations import BusinessError

Names = list[str | None] | None
Rows = list[list[str | None]]
MOST_DISTINCT = 10_000


def get_count(client: Client, _session: Session, list_id: int, filter_id: int | None) -> int:
    """Count a list; each call brings a clear that was put off one poll closer."""
    in_list = the_list(client, list_id)
    no_filter(filter_id)
    count = len(in_list.recipients)
    if in_list.pending is not None and in_list.pending.due is None:
        in_list.pending.polls_left -= 1
        settle(client, in_list)
    return count


def contains(client: Client, _session: Session, list_id: int, recipient_id: str | None) -> bool:
    """Say whether the list has the recipient."""
    return find(client, the_list(client, list_id), recipient_id) is not None


def contains_multiple(
    client: Client, session: Session, list_ids: list[int] | None, recipient_id: str | None
) -> list[bool]:
    """Say for each list whether it has the recipient."""
    return [
        contains(client, session, number, recipient_id)
        for number in given(list_ids, "recipientListIds")
    ]


def contains_valid(
    client: Client, _session: Session, list_id: int, recipient_id: str | None
) -> bool:
    """Say whether a mailing to the list would reach the recipient."""
    in_list = the_list(client, list_id)
    recipient = find(client, in_list, recipient_id)
    return recipient is not None and client.is_active(in_list, recipient)


def contains_valid_multiple(
    client: Client, session: Session, list_ids: list[int] | None, recipient_id: str | None
) -> list[bool]:
    """Say for each list whether a mailing to it would reach the recipient."""
    return [
        contains_valid(client, session, number, recipient_id)
        for number in given(list_ids, "recipientListIds")
    ]


def get_all(client: Client, _session: Session, list_id: int, names: Names) -> Rows:
    """Return the whole list, one row per recipient, without paging."""
    in_list = the_list(client, list_id)
    return _table(client, in_list, names, list(in_list.recipients.values()))


def get_all_flat(client: Client, session: Session, list_id: int, names: Names) -> list[str | None]:
    """Return the rows of getAll end to end."""
    return _flat(get_all(client, session, list_id, names))


def get_page(
    client: Client,
    _session: Session,
    list_id: int,
    names: Names,
    filter_id: int | None,
    order_by: str | None,
    ascending: bool | None,
    page_start: int | None,
    page_size: int | None,
) -> Rows:
    """Return a page of a list, in stored order unless an attribute is named to sort by."""
    in_list = the_list(client, list_id)
    no_filter(filter_id)
    chosen = list(in_list.recipients.values())
    if order_by is not None:
        read = columns.reader(in_list, order_by, client.switches)
        chosen.sort(key=lambda recipient: read(recipient) or "", reverse=not ascending)
    start, end = page_of(client, page_start, page_size)
    return _table(client, in_list, names, chosen[start:end])


def page_of(client: Client, page_start: int | None, page_size: int | None) -> tuple[int, int]:
    """Return where a page begins and ends; raises BusinessError for an impossible one."""
    start = (page_start or 0) - int(client.switches["paging_base"])
    size, cap = page_size or 0, int(client.switches["page_cap"])
    if start < 0 or size < 0:
        raise BusinessError("Invalid page")
    return start, start + (min(size, cap) if cap else size)


def get_page_flat(
    client: Client,
    session: Session,
    list_id: int,
    names: Names,
    filter_id: int | None,
    order_by: str | None,
    ascending: bool | None,
    page_start: int | None,
    page_size: int | None,
) -> list[str | None]:
    """Return the rows of getAllAdvanced end to end."""
    return _flat(
        get_page(
            client,
            session,
            list_id,
            names,
            filter_id,
            order_by,
            ascending,
            page_start,
            page_size,
        )
    )


def get_attributes(
    client: Client, _session: Session, list_id: int, recipient_id: str | None, names: Names
) -> list[str | None]:
    """Return some attributes of a recipient, null where nothing is stored."""
    in_list = the_list(client, list_id)
    recipient = find(client, in_list, recipient_id)
    if recipient is None:
        raise BusinessError("Recipient does not exists")
    return _table(client, in_list, names, [recipient])[0]


def distinct_count(
    client: Client,
    _session: Session,
    list_id: int,
    filter_id: int | None,
    attribute: str | None,
    threshold: int | None,
) -> Rows:
    """Return [value, count] of at most 10,000 values, cut to `threshold` characters if not 0."""
    in_list = the_list(client, list_id)
    no_filter(filter_id)
    read = columns.reader(in_list, attribute, client.switches)
    length = threshold or None
    found = Counter((read(recipient) or "")[:length] for recipient in in_list.recipients.values())
    return [[value, str(count)] for value, count in found.most_common(MOST_DISTINCT)]


def distinct(
    client: Client,
    session: Session,
    list_id: int,
    filter_id: int | None,
    attribute: str | None,
    threshold: int | None,
) -> list[str | None]:
    """Return the values of getDistinctValuesCount alone."""
    rows = distinct_count(client, session, list_id, filter_id, attribute, threshold)
    return [value for value, _ in rows]


def distinct_count_flat(
    client: Client,
    session: Session,
    list_id: int,
    filter_id: int | None,
    attribute: str | None,
    threshold: int | None,
) -> list[str | None]:
    """Return the rows of getDistinctValuesCount end to end."""
    return _flat(distinct_count(client, session, list_id, filter_id, attribute, threshold))


def _table(client: Client, in_list: RecipientList, names: Names, chosen: list[Recipient]) -> Rows:
    wanted = given(names, "attributeNames")
    if all(name in in_list.attributes for name in wanted):
        return [[recipient.values.get(name or "") for name in wanted] for recipient in chosen]
    readers = [columns.reader(in_list, name, client.switches) for name in wanted]
    return [[read(recipient) for read in readers] for recipient in chosen]


def _flat(rows: Rows) -> list[str | None]:
    return [value for row in rows for value in row]
