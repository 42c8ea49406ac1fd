"""Contacts and the accounts they belong to, by the backoffice's account key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from simulators_api import Api
from simulators_support import Simulator
from target_support import record, schema, state

STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "fields": {"email": "email", "firstName": "given_name"},
    "account": {"key": "act_id", "key_field": "BUBSACTID"},
}
SCHEMA = schema(act_id={"type": ["integer", "null"]})


@pytest.fixture
def api(sim: Simulator) -> Iterator[Api]:
    client = Api(sim)
    with closing(client.session):
        yield client


@pytest.fixture
def field_id(api: Api) -> int:
    meta = {"fieldLabel": "BUBSACTID", "fieldType": "text"}
    answer = api.post("accountCustomFieldMeta", {"accountCustomFieldMetum": meta})
    return int(answer.json()["accountCustomFieldMetum"]["id"])


def make_account(api: Api, name: str, field_id: int, key: str) -> str:
    fields = [{"customFieldId": field_id, "fieldValue": key}]
    answer = api.post("accounts", {"account": {"name": name, "fields": fields}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["account"]["id"])


def accounts_by_contact(api: Api) -> dict[str, str]:
    rows = api.get("accountContacts?limit=100").json()["accountContacts"]
    return {str(row["contact"]): str(row["account"]) for row in rows}


def ids_by_email(sim: Simulator) -> dict[str, str]:
    return {email: contact["id"] for email, contact in sim.contacts().items()}


@pytest.mark.parametrize("reads", ["crawl", "point"])
def test_a_contact_is_put_into_the_account_of_its_backoffice_key(
    sim: Simulator, api: Api, field_id: int, make_target: Any, reads: str
) -> None:
    """S0-2, S0-23: the account mapping works like the contact's, whatever the key's spelling."""
    account = make_account(api, "Example Ltd", field_id, " 0700 ")
    target = make_target(streams={"contacts": STREAM}, reads=reads)
    messages = [SCHEMA, record(1, act_id=700), record(2, act_id=None), state(2)]
    assert target.run(messages).outcomes == {"applied": 2}
    ids = ids_by_email(sim)
    assert accounts_by_contact(api) == {ids["person1@example.com"]: account}
    again = target.run(messages)
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 2}, 0)


def test_a_row_whose_account_is_unknown_stays_and_keeps_what_the_contact_has(
    sim: Simulator, api: Api, field_id: int, make_target: Any
) -> None:
    """S0-4, S0-38: contact and account are mapped independently; no mapping blanks nothing."""
    account = make_account(api, "Example Ltd", field_id, "700")
    target = make_target(streams={"contacts": STREAM})
    target.run([SCHEMA, record(1, act_id=700), state(1)])
    run = target.run([SCHEMA, record(1, act_id=999, given_name="Ada"), state(2)])
    assert run.outcomes == {"applied": 1}
    ids = ids_by_email(sim)
    assert accounts_by_contact(api) == {ids["person1@example.com"]: account}
    assert sim.contacts()["person1@example.com"]["firstName"] == "Ada"


def test_a_move_to_another_account_leaves_one_association(
    sim: Simulator, api: Api, field_id: int, make_target: Any
) -> None:
    """S0-2: a contact has one account; a changed reference moves it."""
    make_account(api, "Old Ltd", field_id, "700")
    new = make_account(api, "New Ltd", field_id, "701")
    target = make_target(streams={"contacts": STREAM})
    target.run([SCHEMA, record(1, act_id=700), state(1)])
    run = target.run([SCHEMA, record(1, act_id=701), state(2)])
    assert run.outcomes == {"applied": 1}
    assert list(accounts_by_contact(api).values()) == [new]


def test_two_accounts_with_one_key_are_never_picked_from(
    sim: Simulator, api: Api, field_id: int, make_target: Any
) -> None:
    """S0-23, S0-24: ambiguity is a named reject while the contact itself is still written."""
    make_account(api, "Example Ltd", field_id, "700")
    make_account(api, "Example Inc", field_id, "700")
    target = make_target(streams={"contacts": STREAM})
    run = target.run([SCHEMA, record(1, act_id=700), state(1)])
    assert run.causes == {"ambiguous_account_key": 1}
    assert "person1@example.com" in sim.contacts()
    assert accounts_by_contact(api) == {}


def test_a_missing_account_field_stops_before_the_first_write(
    sim: Simulator, make_target: Any
) -> None:
    """S0-14, S0-23: a mapping that can't work is refused with the setting's name."""
    target = make_target(streams={"contacts": STREAM})
    run = target.run([SCHEMA, record(1, act_id=700), state(1)])
    assert run.code == 2
    assert "account.key_field" in run.stderr
    assert sim.contacts() == {}


def test_a_plan_without_accounts_ends_in_one_clear_message(
    sim: Simulator, make_target: Any
) -> None:
    """S0-61: a plan's limit is the whole system's, not a row's."""
    sim.switches(plan_accounts=False)
    target = make_target(streams={"contacts": STREAM})
    run = target.run([SCHEMA, record(1, act_id=700), state(1)])
    assert run.code == 3
    assert run.stderr.splitlines()[-1].count("Accounts are part of ActiveCampaign's plans") == 1
    assert run.report["streams"] == []
    assert run.states == []
    assert sim.contacts() == {}


def test_an_association_whose_answer_was_lost_is_seen_not_refused(
    sim: Simulator, api: Api, field_id: int, make_target: Any
) -> None:
    """S0-44: the repeated call is refused because the first had worked: read, then decide."""
    account = make_account(api, "Example Ltd", field_id, "700")
    match = {"method": "POST", "path": "/accountContacts$"}
    sim.faults([{"match": match, "nth": 1, "action": "apply_then_status"}])
    target = make_target(streams={"contacts": STREAM})
    run = target.run([SCHEMA, record(1, act_id=700), state(1)])
    assert run.outcomes == {"applied": 1}
    assert list(accounts_by_contact(api).values()) == [account]
