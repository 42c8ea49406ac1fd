"""Whatever a client sends, the simulator answers as the vendor would and never breaks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulators_api import Api
from simulators_support import Simulator

ENVELOPES: dict[str, dict[str, tuple[str, ...]]] = {
    "contacts": {"contact": ("email", "firstName", "phone", "cdate", "fieldValues")},
    "contact/sync": {"contact": ("email", "lastName", "fieldValues")},
    "contacts/1": {"contact": ("email", "firstName", "fieldValues")},
    "fields": {"field": ("title", "type", "perstag", "ordernum", "visible")},
    "fields/1": {"field": ("title", "type", "ordernum")},
    "fieldRels": {"fieldRel": ("field", "relid")},
    "fieldOption/bulk": {"fieldOptions": ()},
    "fieldValues": {"fieldValue": ("contact", "field", "value")},
    "lists": {"list": ("name", "stringid", "sender_url", "sender_reminder", "user")},
    "listGroups": {"listGroup": ("listid", "groupid")},
    "contactLists": {"contactList": ("list", "contact", "status", "sourceid")},
    "tags": {"tag": ("tag", "tagType", "description")},
    "contactTags": {"contactTag": ("contact", "tag")},
    "accounts": {"account": ("name", "accountUrl", "owner", "fields")},
    "accountContacts": {"accountContact": ("contact", "account", "jobTitle")},
    "accountCustomFieldMeta": {"accountCustomFieldMetum": ("fieldLabel", "fieldType")},
    "accountCustomFieldData": {
        "accountCustomFieldDatum": ("accountId", "customFieldId", "fieldValue")
    },
    "accountCustomFieldData/bulkCreate": {},
    "import/bulk_import": {"contacts": (), "exclude_automations": ()},
    "notes": {"note": ("note", "relid", "reltype")},
    "webhooks": {"webhook": ("name", "url", "events", "sources")},
    "contactAutomations": {"contactAutomation": ("contact", "automation")},
}
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["1", 1, "", "a@example.com", "text", "Subscriber", "x@"]),
)
ENTRY = st.dictionaries(
    st.sampled_from(["field", "value", "id", "email", "fields", "tags", "subscribe", "listid"]),
    LEAVES,
    max_size=4,
)
VALUES = st.one_of(LEAVES, ENTRY, st.lists(st.one_of(LEAVES, ENTRY), max_size=3))


def bodies(path: str) -> st.SearchStrategy[Any]:
    """Return bodies for a path: mostly its envelope with wild values, sometimes anything."""
    shaped = {
        name: st.one_of(
            st.fixed_dictionaries({}, optional=dict.fromkeys(names, VALUES)) if names else VALUES
        )
        for name, names in ENVELOPES[path].items()
    }
    return st.one_of(st.fixed_dictionaries(shaped), VALUES)


@pytest.mark.parametrize("path", ENVELOPES)
def test_no_body_breaks_the_simulator(simulator: Simulator, api: Api, path: str) -> None:
    """Any JSON is answered below 500, and the account can still be read."""
    simulator.seed(
        {
            "fields": [{"perstag": "LAND"}],
            "lists": ["News"],
            "accounts": ["Example AG"],
            "contacts": [{"email": "a@example.com"}],
        }
    )
    method = "PUT" if path[-1].isdigit() else "POST"

    @settings(
        max_examples=20,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(bodies(path))
    def send(body: Any) -> None:
        answer = api.call(method, path, body if body is not None else {})
        assert answer.status_code < 500, (body, answer.text)

    send()
    simulator.clock(advance=60)
    for kind in ("contacts?include=fieldValues", "fields", "lists", "tags", "accounts", "notes"):
        assert api.get(kind).status_code == 200
    assert simulator.state()["contacts"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"contact": {"email": NaN}}',
        b'{"contact": {"email": "a@example.com", "firstName": "\\ud800"}}',
        b'{"contact": {"email": "\xff@example.com"}}',
    ],
)
def test_what_is_not_json_is_400(api: Api, body: bytes) -> None:
    """Broken JSON, NaN, half of a surrogate pair and invalid UTF-8 are refused."""
    answer = api.call("POST", "contacts", data=body)
    assert (answer.status_code, answer.json()) == (400, {})


def test_a_name_may_hold_any_character(simulator: Simulator, api: Api) -> None:
    """Umlauts, emoji, quotes and markup come back as they were sent."""
    name = 'Zoë "O\'Brien" <b>😀</b> \u202e \\ \t'
    api.contact("a@example.com", firstName=name)
    assert api.get("contacts/1").json()["contact"]["firstName"] == name
    assert simulator.contacts()["a@example.com"]["firstName"] == name
