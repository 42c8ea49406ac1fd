"""Whom an unsubscribe hits, and one unsubscribe told by several sources. Pure."""

from __future__ import annotations

import datetime as dt
import typing as t
from collections.abc import Iterator, Mapping

from tap_optimizely.errors import VendorError
from tap_optimizely.exports import CLIENT
from tap_optimizely.records import IDENTITY, Record
from tap_optimizely.timestamps import from_ms, to_text

# Columns that both sources may tell, and that must not contradict in one and the same event.
_SHARED = (*IDENTITY, "reason", "media_type")
LIST = "list"
# The list id that stands for the whole client (UnsubscribeWebservice.add).
_ALL_LISTS = "0"

# REST listing → record; the documented names of the elements.
REST_NAMES = {
    "recipientId": "recipient_id",
    "recipientListId": "list_id",
    "mailingId": "mailing_id",
    "reason": "reason",
    "mediaType": "media_type",
    "created": "event_time",
}
REST_COLUMNS = frozenset({"recipient_id"})


def scope(record: Mapping[str, t.Any], rule: str, *, is_listing: bool) -> str | None:
    """Say what an unsubscribe hits: the consent of its list, or of the whole client (S1-47).

    The listing (REST) names a list exactly where the vendor keeps unsubscribes per list; without
    one it is the client's. A row of the closed loop says where somebody unsubscribed: a list, a
    mailing or an opt-in; only where it names none of them is it the client's. Rows that cannot be
    assigned any more say nothing: None, somebody has to look.
    """
    if rule == CLIENT:
        return CLIENT
    if record.get("list_id") == _ALL_LISTS:
        return CLIENT
    places = ("list_id",) if is_listing else ("list_id", "mailing_id", "opt_in_id")
    if any(record.get(name) is not None for name in places):
        return LIST
    return CLIENT if record["assigned"] else None


def from_listing(element: Mapping[str, t.Any], names: Mapping[str, str]) -> Record:
    """Turn an element of a REST listing into a record's columns; ids are texts."""
    record: Record = {}
    for theirs, ours in names.items():
        value = element.get(theirs)
        if value is not None and ours in {"event_time", "modified"}:
            value = rest_time(value)
        record[ours] = None if value in (None, "") else str(value)
    return record


def rest_time(value: object) -> str:
    """A time of the REST API as ISO 8601 in UTC: it writes ISO or milliseconds.

    Raises:
        VendorError: it is neither.
    """
    try:
        if isinstance(value, int):
            return to_text(from_ms(value))
        moment = dt.datetime.fromisoformat(str(value))
        return to_text(moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC))
    except (ValueError, OverflowError):
        pass  # its text quotes the value
    raise VendorError("a time of the REST API is neither ISO 8601 nor milliseconds")


class Told:
    """Unsubscribes of the closed loop, held until the listing has been read.

    Two rows tell the same event when recipient and second agree and nothing contradicts. Rows of
    two exports become one with what both tell; a row that tells no more than an element of the
    listing is left to that element.
    """

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], list[Record]] = {}
        self._alone: list[Record] = []

    def add(self, record: Record) -> None:
        """Take a row of an export."""
        key = _moment(record)
        if key is None:
            self._alone.append(record)
            return
        same = self._held.setdefault(key, [])
        for held in same:
            if _agree(held, record):
                held.update({k: v for k, v in record.items() if held.get(k) is None})
                held["assigned"] |= record["assigned"]
                return
        same.append(record)

    def drop_told_by(self, element: Mapping[str, t.Any]) -> None:
        """Leave out the rows that tell nothing beyond an element of the listing."""
        key = _moment(element)
        if key is None or key not in self._held:
            return
        self._held[key] = [one for one in self._held[key] if not _covers(element, one)]

    def rest(self) -> Iterator[Record]:
        """Yield what is left."""
        yield from self._alone
        for same in self._held.values():
            yield from same


def _moment(record: Mapping[str, t.Any]) -> tuple[str, str] | None:
    recipient, moment = record.get("recipient_id"), record.get("event_time")
    return (recipient, moment[:19]) if recipient and moment else None


def _agree(one: Mapping[str, t.Any], other: Mapping[str, t.Any]) -> bool:
    return all(
        one.get(name) is None or other.get(name) is None or one[name] == other[name]
        for name in _SHARED
    )


def _covers(element: Mapping[str, t.Any], record: Mapping[str, t.Any]) -> bool:
    return all(
        record.get(name) is None or record[name] == element.get(name)
        for name in record
        if name in _SHARED
    )
