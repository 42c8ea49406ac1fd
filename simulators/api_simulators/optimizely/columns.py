"""The columns of a list: its own attributes, then read-only system columns in some language."""

from __future__ import annotations

from collections.abc import Callable

from api_simulators.optimizely.model import Attribute, Recipient, RecipientList
from api_simulators.optimizely.operations import BusinessError
from api_simulators.optimizely.values import Converter
from api_simulators.switches import Switches

Read = Callable[[Recipient], str | None]
DEFAULT_LOCALE = "en"
# Created, modified, opt-in source, opt-in date (recorded; an unknown locale has the default names).
SYSTEM = {
    "de": ("Erstellt am", "Geändert am", "Opt-in-Quelle", "Opt-in-Datum"),
    "en": ("Created", "Modified", "Opt-in Source", "Opt-in Date"),
}
SYSTEM_NAMES = {name: index for names in SYSTEM.values() for index, name in enumerate(names)}


def system_columns(in_list: RecipientList, locale: str | None, switches: Switches) -> list[str]:
    """Return the names of the system columns that the list has."""
    names = SYSTEM.get((locale or DEFAULT_LOCALE)[:2].lower(), SYSTEM[DEFAULT_LOCALE])
    if switches["list_kind_shown"] == "optin_columns" and in_list.kind != "optin":
        return list(names[:2])
    return list(names)


def attribute_names(in_list: RecipientList, locale: str | None, switches: Switches) -> list[str]:
    """Return all column names, the system's at the end."""
    return [*in_list.attributes, *system_columns(in_list, locale, switches)]


def writable(
    in_list: RecipientList, names: list[str | None], switches: Switches
) -> list[Attribute | None]:
    """Return one attribute per name, None for those to skip; raises BusinessError."""
    return [_writable(in_list, name, switches) for name in names]


def _writable(in_list: RecipientList, name: str | None, switches: Switches) -> Attribute | None:
    attribute = in_list.attributes.get(name or "")
    if attribute is not None:
        return attribute
    if name in SYSTEM_NAMES:
        if switches["read_only_write"] == "ignored":
            return None
        raise BusinessError(f"Attribute '{name}' is read-only")
    if switches["unknown_attribute"] == "ignored":
        return None
    raise BusinessError(f"Attribute '{name}' does not exist")


def reader(in_list: RecipientList, name: str | None, switches: Switches) -> Read:
    """Return what reads a column of a recipient; raises BusinessError for an unknown one."""
    if name in in_list.attributes:
        wanted = str(name)
        return lambda recipient: recipient.values.get(wanted)
    if name in SYSTEM_NAMES:
        return _system_reader(SYSTEM_NAMES[str(name)], Converter(switches))
    if switches["unknown_attribute"] == "ignored":
        return lambda _recipient: None
    raise BusinessError(f"Attribute '{name}' does not exist")


def _system_reader(index: int, converter: Converter) -> Read:
    if index == 0:
        return lambda recipient: converter.shown(recipient.created)
    if index == 1:
        return lambda recipient: converter.shown(recipient.modified)
    if index == 2:
        return lambda recipient: recipient.optin_source
    return lambda recipient: (
        None if recipient.optin_date is None else converter.shown(recipient.optin_date)
    )
