"""Answers that are not true, and values that do not stay: each a switch, off by default.

Nothing here is how the vendor is documented to behave. Integrations have met all of it: 200 where
nothing was done, errors and other records in a 200, values kept in another form, and automations
that write what somebody else has just written.
"""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from api_simulators.activecampaign.call import Call, Handler, text
from api_simulators.switches import Switch
from api_simulators.wire import Answer, json_answer

_FAR = 100_000  # added to ids, so that they are nobody's
_SHORT = 3
_ENVELOPES = ("contact", "fieldValue", "contactList", "contactTag")


def _is_assignment(value: str | int | float | bool) -> bool:
    return all("=" in part for part in str(value).split(",") if part)


UNTRUE: tuple[Switch, ...] = (
    Switch(
        "untrue_ignores",
        "",
        (),
        "comma list of resources (contacts, fieldValues, contactLists, contactTags) whose writes "
        "are answered as if they were done, and are not",
        "seen",
    ),
    Switch(
        "untrue_failures",
        "",
        (),
        "comma list of resources whose writes are not done and answered 200 with success 0",
        "seen",
    ),
    Switch(
        "untrue_echo",
        "",
        (),
        "comma list of resources whose writes are done and answered as if another contact's were",
        "guess",
    ),
    Switch(
        "untrue_form",
        "",
        (),
        "PERSTAG=upper,PERSTAG=cut: values of these fields are kept in upper case, or their first "
        "three characters",
        "guess",
        check=_is_assignment,
    ),
    Switch(
        "automation_overwrites",
        "",
        (),
        "PERSTAG=value: an automation sets this value right after each write of a contact or of "
        "its values",
        "seen",
        check=_is_assignment,
    ),
)


def respond(handler: Handler, call: Call, resource: str) -> Answer:
    """Answer a request as `handler` does, or as the switches say."""
    if call.request.method == "GET":
        return handler(call)
    if _named(call, "untrue_failures", resource):
        return json_answer(200, {"success": 0, "error": "not done"})
    if _named(call, "untrue_ignores", resource):
        call.store = deepcopy(call.store)
    answer = handler(call)
    if call.switches["automation_overwrites"]:
        _overwrite(call, answer)
    return _of_others(answer) if _named(call, "untrue_echo", resource) else answer


def in_form(call: Call, perstag: str, value: str) -> str:
    """Return a value in the form in which it is kept."""
    form = _assignments(call, "untrue_form").get(perstag)
    if form == "upper":
        return value.upper()
    return value[:_SHORT] if form == "cut" else value


def _named(call: Call, switch: str, resource: str) -> bool:
    return bool(call.switches[switch]) and resource in str(call.switches[switch]).split(",")


def _assignments(call: Call, switch: str) -> dict[str, str]:
    given = str(call.switches[switch])
    parts = (part.partition("=") for part in given.split(",") if part)
    return {name: value for name, _, value in parts}


def _overwrite(call: Call, answer: Answer) -> None:
    """Let the automation have the last word about the contact that was written."""
    body = json.loads(answer.body or b"{}")
    told = body.get("contact") or {"id": (body.get("fieldValue") or {}).get("contact")}
    contact = call.store.contacts.find(text(told.get("id")))
    if contact is None:
        return
    for perstag, value in _assignments(call, "automation_overwrites").items():
        field = call.store.field_by_perstag(perstag)
        held = contact.values.get(field.id) if field else None
        if field and (held is None or held.value != value):
            call.store.set_value(contact, field.id, value, call.now)
            call.store.touch_related(contact, call.now)


def _of_others(answer: Answer) -> Answer:
    body: dict[str, Any] = json.loads(answer.body or b"{}")
    for envelope in _ENVELOPES:
        for name in ("id", "contact") if envelope in body else ():
            if name in body[envelope]:
                body[envelope][name] = str(int(body[envelope][name]) + _FAR)
    if body.get("contact", {}).get("email"):
        body["contact"]["email"] = f"other.{body['contact']['email']}"
    return json_answer(answer.status, body)
