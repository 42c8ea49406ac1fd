"""How recipients get into a list: conversion first, then one code per recipient."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from api_simulators.optimizely import columns
from api_simulators.optimizely.lookups import find, folds, given, texts, within_limit
from api_simulators.optimizely.model import Attribute, Client, Recipient, RecipientList
from api_simulators.optimizely.operations import BusinessError
from api_simulators.optimizely.overrides import UNKNOWN_CODE, overrides
from api_simulators.optimizely.values import Converter

INSERTED, INVALID, UNSUBSCRIBED, BLOCKED, BOUNCED, ALREADY, FILTERED = range(7)
ORDERS = {
    "already_first": (ALREADY, BLOCKED, BOUNCED, UNSUBSCRIBED),
    "blacklist_first": (BLOCKED, ALREADY, BOUNCED, UNSUBSCRIBED),
    "already_last": (BLOCKED, BOUNCED, UNSUBSCRIBED, ALREADY),
    "unsubscribed_first": (UNSUBSCRIBED, BLOCKED, BOUNCED, ALREADY),
}
ADDRESSES = {
    "one_at": re.compile(r"[^\s@]+@[^\s@]+"),
    "dotted": re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+"),
    "none": re.compile(r".*", re.DOTALL),
}
NUMBER = re.compile(r"\+?[\d /()-]{5,}")
EMAIL_FIELD = "email"
Values = dict[str, str | None]


@dataclass(slots=True, frozen=True)
class Row:
    """One recipient to add, as sent."""

    id: str
    address: str
    values: list[str | None]


def rows_of(
    ids: list[str | None] | None,
    addresses: list[str | None] | None,
    names: list[str | None] | None,
    values: list[list[str | None] | None] | None,
) -> tuple[list[str | None], list[Row]]:
    """Return names and rows of four parallel arrays; raises BusinessError for ragged ones."""
    checked = texts(ids, "recipientIds")
    sent_to = texts(addresses, "emailAddresses")
    attributes = given(names, "attributeNames")
    table = given(values, "attributeValues")
    if not len(checked) == len(sent_to) == len(table):
        raise BusinessError("Array lengths differ")
    rows = [
        Row(number, address, given(row, "attributeValues"))
        for number, address, row in zip(checked, sent_to, table, strict=True)
    ]
    if any(len(row.values) != len(attributes) for row in rows):
        raise BusinessError("Number of attribute values differs from number of attribute names")
    return attributes, rows


def unflatten(
    names: list[str | None] | None, flat: list[str | None] | None, count: int
) -> list[list[str | None] | None]:
    """Cut the flat array of the ...Flat operations into rows; raises BusinessError."""
    width = len(given(names, "attributeNames"))
    values = given(flat, "flatAttributeValues")
    if len(values) != width * count:
        raise BusinessError("Array lengths differ")
    return [values[index * width : (index + 1) * width] for index in range(count)]


class Adder:
    """Adds a batch to one list; every decision of addAll3 is made here."""

    def __init__(
        self, client: Client, in_list: RecipientList, process_id: int, media_type: str
    ) -> None:
        self._client, self._list, self._process_id = client, in_list, process_id
        switches = client.switches
        process = client.optin_processes.get(process_id)
        if process_id and process is None:
            raise BusinessError("Opt-in process does not exist")
        self._process_type = process.type if process else ""
        self._converter = Converter(switches)
        self._order = ORDERS[switches["addall3_order"]]
        by_mail = media_type == "EMAIL"
        self._address = ADDRESSES[switches["address_validation"]] if by_mail else NUMBER
        self._fills = by_mail and switches["address_fills_email_field"]
        self._regular = str(switches["regular_list_unsubscribed"])
        self._required = str(switches["required_missing"])
        self._forced = overrides(switches["code_override"])
        for name, code in (
            ("unknown_result_code_for", UNKNOWN_CODE),
            ("filtered_ids", FILTERED),
        ):
            if switches[name]:
                self._forced.append((re.compile(switches[name]), code))
        self._checks: dict[int, Callable[[Row], bool]] = {
            ALREADY: self._is_there,
            BLOCKED: lambda row: client.blocklist.matches(row.address),
            BOUNCED: lambda row: client.is_bounced_out(row.id),
            UNSUBSCRIBED: lambda row: client.is_unsubscribed(row.id, in_list.id),
        }

    def add(self, names: list[str | None], rows: list[Row]) -> list[int]:
        """Return one code per row; raises BusinessError, which stores nothing or what precedes."""
        within_limit(self._client, len(rows))
        attributes = columns.writable(self._list, names, self._client.switches)
        self._refuse_duplicates(rows)
        if self._client.switches["fault_commit"] == "rows_before":
            return [self._add(row, self._values(attributes, row)) for row in rows]
        converted = [self._values(attributes, row) for row in rows]
        return [self._add(row, values) for row, values in zip(rows, converted, strict=True)]

    def _refuse_duplicates(self, rows: list[Row]) -> None:
        if self._client.switches["duplicate_in_batch"] == "already":
            return
        fold = folds(self._client)
        if len({row.id.casefold() if fold else row.id for row in rows}) < len(rows):
            raise BusinessError("Duplicate recipient ids")

    def _values(self, attributes: list[Attribute | None], row: Row) -> Values | None:
        """Return what to store, or None if a required field has nothing."""
        convert, as_is = self._converter.convert, self._converter.takes_as_is
        values: Values = {
            attribute.name: value if as_is(attribute) else convert(attribute, value)
            for attribute, value in zip(attributes, row.values, strict=True)
            if attribute is not None
        }
        if self._fills and EMAIL_FIELD in self._list.attributes:
            values.setdefault(EMAIL_FIELD, row.address)
        if self._list.id_field:
            values.setdefault(self._list.id_field, row.id)
        if self._required == "ignored":
            return values
        for attribute in self._list.attributes.values():
            if attribute.required and not values.get(attribute.name):
                if self._required == "fault":
                    raise BusinessError(f"Attribute '{attribute.name}' is required")
                return None
        return values

    def _add(self, row: Row, values: Values | None) -> int:
        for pattern, code in self._forced:
            if pattern.search(row.id):
                if code == INSERTED and not self._is_there(row):
                    self._store(row, values or {})
                return code
        if not row.id or values is None or not self._address.fullmatch(row.address):
            return INVALID
        for code in self._order:
            if self._checks[code](row):
                if code != UNSUBSCRIBED:
                    return code
                stored = self._keeps_unsubscribed()
                if stored is not None:
                    if stored and not self._is_there(row):
                        self._store(row, values)
                    return INSERTED if self._regular == "code0_stored" else UNSUBSCRIBED
        self._store(row, values)
        return INSERTED

    def _keeps_unsubscribed(self) -> bool | None:
        """Say whether an unsubscribed recipient is stored; None goes on as if it were not one.

        An opt-in list takes the unsubscribe back, a double opt-in only once it is confirmed.
        """
        if self._list.kind != "optin":
            return self._regular != "code2_not_stored"
        return None

    def _is_there(self, row: Row) -> bool:
        known = find(self._client, self._list, row.id)
        if known is None:
            return False
        if known.optin_finished or not self._process_type:
            return True
        before = self._client.optin_processes.get(known.optin_process)
        if before is None or before.type != self._process_type:
            return True
        self._list.remove(known)
        return False

    def _store(self, row: Row, values: Values) -> None:
        now = self._client.now()
        finished = self._process_type != "double"
        recipient = Recipient(
            row.id, row.address, values, now, now, self._process_id, optin_finished=finished
        )
        if self._process_type:
            recipient.optin_source = self._process_type
            recipient.optin_date = now if finished else None
        if self._list.kind == "optin" and finished:
            self._client.resubscribe(row.id, self._list.id)
        self._list.store(recipient)
