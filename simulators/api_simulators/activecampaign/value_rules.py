"""Whether a custom field takes a value: by default always, strictly when switched."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from api_simulators.activecampaign import errors, stamps
from api_simulators.activecampaign.call import Call
from api_simulators.activecampaign.model import Field
from api_simulators.activecampaign.untrue_answers import in_form

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
SINGLE_CHOICE = frozenset({"dropdown", "radio"})
SEVERAL_CHOICES = frozenset({"checkbox", "listbox"})


def check_value(call: Call, field: Field, value: str) -> None:
    """Raise 422 when the field does not take the value."""
    longest = call.switches["max_value_length"]
    if longest and len(value) > longest:
        raise errors.invalid("field_invalid", f"{field.title} is too long.", "fieldValues")
    if call.switches["field_value_validation"] == "strict" and not fits(call, field, value):
        title = f"The value of {field.title} is not valid."
        raise errors.invalid("field_invalid", title, "fieldValues")


def stored_form(call: Call, field: Field, value: str) -> str:
    """Return the value as the account keeps it: moments in its own zone, unless switched."""
    if call.switches["untrue_form"]:
        value = in_form(call, field.perstag, value)
    if field.type != "datetime" or call.switches["datetime_storage"] == "as_sent":
        return value
    seconds = stamps.parse(value, call.zone) if value else None
    return value if seconds is None else stamps.iso(seconds, call.zone)


def fits(call: Call, field: Field, value: str) -> bool:
    """Say whether the type of the field has such values; a blank one always."""
    if not value:
        return True
    if field.type == "number":
        return is_number(value)
    if field.type == "date":
        return bool(DATE.fullmatch(value)) and stamps.parse(value, call.zone) is not None
    if field.type == "datetime":
        return stamps.parse(value, call.zone) is not None
    choices = {call.store.options.rows[number].value for number in field.options}
    if field.type in SINGLE_CHOICE:
        return value in choices
    if field.type in SEVERAL_CHOICES:
        enclosed = value.startswith("||") and value.endswith("||")
        return enclosed and set(value.strip("|").split("||")) <= choices
    return True


def is_number(value: str) -> bool:
    """Say whether this is a finite decimal number."""
    try:
        return Decimal(value).is_finite()
    except InvalidOperation:
        return False
