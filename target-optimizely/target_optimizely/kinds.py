"""Which kind a list is, as far as the vendor tells. Pure.

addAll3 re-subscribes whoever is unsubscribed when the list is an opt-in list (docs: addall3), and
no operation names a list's kind for certain. So only evidence or the operator's word counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from target_kit.errors import ConfigurationError

from target_optimizely.model import Kind
from target_optimizely.settings import ListSettings

_KIND_COLUMN = re.compile(r"type|kind|\bart\b|typ\b", re.IGNORECASE)
_KINDS = (
    (re.compile(r"opt.?in", re.IGNORECASE), Kind.OPTIN),
    (re.compile(r"transact|transakt", re.IGNORECASE), Kind.TRANSACTION),
    (re.compile(r"regular|default|standard", re.IGNORECASE), Kind.REGULAR),
)


def kind_in_data_set(data_set: Sequence[Sequence[str | None]], list_id: int) -> Kind | None:
    """The kind as RecipientList.getDataSet shows it; its columns are not documented (section 6)."""
    if not data_set:
        return None
    head, *rows = data_set
    row = next((r for r in rows if str(list_id) in r), None)
    if row is None:
        return None
    for name, value in zip(head, row, strict=False):
        if name and value and _KIND_COLUMN.search(name):
            for pattern, kind in _KINDS:
                if pattern.search(value):
                    return kind
    return None


def check_kind(settings: ListSettings, kind: Kind | None) -> None:
    """Refuse what could undo unsubscribes (S1-28). Raises ConfigurationError."""
    where = f"list {settings.name} ({settings.list_id})"
    if kind is Kind.TRANSACTION:
        raise ConfigurationError(f"{where} is a transaction list; choose a regular list")
    if kind is Kind.OPTIN and not settings.allow_optin_list:
        raise ConfigurationError(
            f"{where} is an opt-in list: writing to it re-subscribes people who unsubscribed. "
            "Choose a regular list, or set allow_optin_list: true if that is really meant"
        )
    if kind is None and settings.list_kind is None and not settings.allow_optin_list:
        raise ConfigurationError(
            f"{where}: the vendor does not tell whether it is an opt-in list, where writing would "
            "re-subscribe people. Look at its settings in Optimizely Campaign; if it is a regular "
            f"list, set lists.{settings.name}.list_kind: regular"
        )
