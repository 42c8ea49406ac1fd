"""`custom_fields` of a stream: a column for each personalization tag, and what to make of a field
that is missing at ActiveCampaign. Pure; names every fault.

Types: https://developers.activecampaign.com/reference/create-a-contact-custom-field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Types a contact's custom field can be made with; `multiselect` is what the pages call a listbox.
FIELD_TYPES = (
    "text", "textarea", "date", "datetime", "dropdown", "radio", "checkbox", "listbox",
    "multiselect", "hidden", "number",
)  # fmt: skip
CHOICES = frozenset({"dropdown", "radio", "checkbox", "listbox"})
ALL_LISTS = "0"
_KEYS = ("column", "type", "title", "options", "relation")


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
    raw: Mapping[str, Any], where: str, faults: list[str], *, create_fields: bool
) -> tuple[dict[str, str], dict[str, FieldSpec]]:
    """Columns and specifications by perstag; a plain text is a column alone."""
    columns: dict[str, str] = {}
    specs: dict[str, FieldSpec] = {}
    for perstag, entry in raw.items():
        if not isinstance(entry, Mapping):
            columns[perstag] = str(entry)
            continue
        path = f"{where}.custom_fields.{perstag}"
        faults.extend(f"{path}.{k}: one of {', '.join(_KEYS)}" for k in entry if k not in _KEYS)
        if not entry.get("column"):
            faults.append(f"{path}.column: is missing")
        columns[perstag] = str(entry.get("column") or "")
        specs[perstag] = _spec(entry, path, faults, create_fields=create_fields)
    return columns, specs


def _spec(
    entry: Mapping[str, Any], path: str, faults: list[str], *, create_fields: bool
) -> FieldSpec:
    kind = entry.get("type")
    if kind == "currency":
        faults.append(f"{path}.type: only accounts and deals have currency fields; take number")
    elif kind is not None and kind not in FIELD_TYPES:
        faults.append(f"{path}.type: one of {', '.join(FIELD_TYPES)}")
    kind = "listbox" if kind == "multiselect" else kind
    options = _options(entry.get("options") or (), path, faults)
    if options and kind not in CHOICES:
        faults.append(f"{path}.options: only with type {', '.join(sorted(CHOICES))}")
    if create_fields and kind in CHOICES and not options:
        faults.append(f"{path}.options: a {kind} can't be created without any")
    title = entry.get("title")
    return FieldSpec(
        type=kind if kind is None else str(kind),
        title=None if title is None else str(title),
        options=options,
        relation=_relation(entry.get("relation"), path, faults),
    )


def _options(raw: Any, path: str, faults: list[str]) -> tuple[tuple[str, str], ...]:
    """(value, label) of each option; a plain text is both."""
    options: list[tuple[str, str]] = []
    for entry in raw:
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
