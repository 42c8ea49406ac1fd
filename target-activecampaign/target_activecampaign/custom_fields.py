"""`custom_fields` of a stream: a column for each field, and what to make of a field that is missing
at ActiveCampaign. Pure; names every fault. Contacts and accounts have fields of different kinds.

Types: https://developers.activecampaign.com/reference/create-a-contact-custom-field, and for
accounts contract section 5, from list-all-custom-fields-meta there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ALL_LISTS = "0"


@dataclass(frozen=True, slots=True)
class Kind:
    """What the custom fields of one kind of object can be: `types` they can be made with,
    `choices` of them that have options, `keys` a specification may have; `labels` says whether an
    option can be called otherwise than its value.
    """

    types: tuple[str, ...]
    choices: frozenset[str]
    keys: tuple[str, ...]
    labels: bool


#: `multiselect` is what the pages call a contact's listbox.
OF_CONTACTS = Kind(
    types=("text", "textarea", "date", "datetime", "dropdown", "radio", "checkbox", "listbox",
           "multiselect", "hidden", "number"),
    choices=frozenset({"dropdown", "radio", "checkbox", "listbox"}),
    keys=("column", "type", "title", "options", "relation"),
    labels=True,
)  # fmt: skip
OF_ACCOUNTS = Kind(
    types=("text", "textarea", "date", "datetime", "dropdown", "multiselect", "radio", "checkbox",
           "hidden", "currency", "number"),
    choices=frozenset({"dropdown", "radio", "checkbox", "multiselect"}),
    keys=("column", "type", "options", "currency", "currency_column", "digits"),
    labels=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a custom field has to be: None leaves that to the account, `type` None makes a text.

    `options` are (value, label); `relation` the ids of lists whose pages show the field, "0" for
    all of them.
    """

    type: str | None = None
    title: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    relation: tuple[str, ...] | None = None


def read_custom_fields(
    raw: Mapping[str, Any],
    where: str,
    faults: list[str],
    *,
    create_fields: bool,
    kind: Kind = OF_CONTACTS,
) -> tuple[dict[str, str], dict[str, FieldSpec]]:
    """Columns and specifications by the name of the field; a plain text is a column alone."""
    columns: dict[str, str] = {}
    specs: dict[str, FieldSpec] = {}
    for perstag, entry in raw.items():
        if not isinstance(entry, Mapping):
            columns[perstag] = str(entry)
            continue
        path = f"{where}.custom_fields.{perstag}"
        known = ", ".join(kind.keys)
        faults.extend(f"{path}.{k}: one of {known}" for k in entry if k not in kind.keys)
        if not entry.get("column"):
            faults.append(f"{path}.column: is missing")
        columns[perstag] = str(entry.get("column") or "")
        specs[perstag] = _spec(entry, path, faults, kind, create_fields=create_fields)
    return columns, specs


def _spec(
    entry: Mapping[str, Any], path: str, faults: list[str], kind: Kind, *, create_fields: bool
) -> FieldSpec:
    given = entry.get("type")
    if given == "currency" and given not in kind.types:
        faults.append(f"{path}.type: only accounts and deals have currency fields; take number")
    elif given is not None and given not in kind.types:
        faults.append(f"{path}.type: one of {', '.join(kind.types)}")
    if given == "multiselect" and given not in kind.choices:
        given = "listbox"
    options = _options(entry.get("options") or (), path, faults, labels=kind.labels)
    if options and given not in kind.choices:
        faults.append(f"{path}.options: only with type {', '.join(sorted(kind.choices))}")
    if create_fields and given in kind.choices and not options:
        faults.append(f"{path}.options: a {given} can't be created without any")
    title = entry.get("title")
    return FieldSpec(
        type=given if given is None else str(given),
        title=None if title is None else str(title),
        options=options,
        relation=_relation(entry.get("relation"), path, faults),
    )


def _options(
    raw: Any, path: str, faults: list[str], *, labels: bool
) -> tuple[tuple[str, str], ...]:
    """(value, label) of each option; a plain text is both."""
    options: list[tuple[str, str]] = []
    for entry in raw:
        if isinstance(entry, Mapping) and not labels:
            faults.append(f"{path}.options: an option of an account's field is a plain text")
            continue
        pair = entry if isinstance(entry, Mapping) else {"value": entry}
        value = str(pair.get("value") or "").strip()
        if not value or "||" in value:
            faults.append(f"{path}.options: a value is a text without '||'")
        elif value in (known for known, _ in options):
            faults.append(f"{path}.options: {value} is there twice")
        else:
            options.append((value, str(pair.get("label") or value)))
    return tuple(options)


def _relation(raw: Any, path: str, faults: list[str]) -> tuple[str, ...] | None:
    if raw is None:
        return None
    if raw == "all":
        return (ALL_LISTS,)
    ids = tuple(str(i) for i in raw) if isinstance(raw, list | tuple) else ()
    if not ids or not all(i.isascii() and i.isdigit() for i in ids):
        faults.append(f"{path}.relation: 'all' or the ids of lists")
    return ids
