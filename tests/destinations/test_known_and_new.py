"""Who is updated, who is inserted, and what a run may touch."""

from __future__ import annotations

from typing import Any

import pytest
from destinations_support import (
    ALLOWED_WRITES,
    WarmTarget,
    contact_of,
    keys_are_unique,
    routes,
    seeded_fields,
    sums_close,
)
from simulators_support import Simulator
from target_activecampaign.settings import DEFAULT_STREAMS
from target_support import Target, record

FULL = {
    "given_name": "Änne",
    "family_name": "Groß",
    "work_phone": "+49 30 1234",
    "date_created": "2019-05-01",
    "org_country": "DE",
    "language_code": "de",
    "mobile_phone": "+49 170 99",
}


def test_a_new_person_is_inserted_with_everything_once(sim: Simulator, target: WarmTarget) -> None:
    """S0-1, S0-11, S0-40, S0-41, S0-49: one call inserts base record, values, key and cdate."""
    sim.seed({"fields": seeded_fields()})
    run = target.deliver([record(7, "anne@example.com", **FULL)])
    assert (run.code, run.outcomes) == (0, {"applied": 1})
    contact = contact_of(sim, "anne@example.com")
    assert contact["firstName"] == "Änne"
    assert contact["lastName"] == "Groß"
    assert contact["phone"] == "+49 30 1234"
    assert contact["cdate"].startswith("2019-05-01")
    values = {"BUBSCTTID": "7", "LAND": "DE", "SPRACHE": "de", "MOBIL": "+49 170 99"}
    assert contact["fieldValues"] == values
    assert routes(sim) == {("POST", "/contacts"): 1}


def test_a_second_run_writes_nothing(sim: Simulator, target: WarmTarget) -> None:
    """S0-34, S0-53, X3: without source changes the second run makes zero write calls."""
    people = [record(i, **FULL) for i in range(1, 31)]
    assert target.deliver(people).outcomes == {"applied": 30}
    before = sim.state()
    sim.forget_requests()
    run = target.deliver(people)
    assert run.outcomes == {"unchanged": 30}
    assert run.report["writes"] == 0
    assert sim.requests(writes=True) == []
    assert sim.state() == before


def test_a_known_person_is_renamed_in_place(sim: Simulator, target: WarmTarget) -> None:
    """S0-12, S0-17, S0-29, S0-35, X5: by its technical id, keeping id, tags, lists and foreign
    values.
    """
    sim.seed(
        {
            "fields": seeded_fields({"perstag": "SCORE"}),
            "lists": ["News"],
            "tags": ["vip"],
            "contacts": [
                {
                    "email": "old@example.com",
                    "firstName": "Änne",
                    "fieldValues": {"BUBSCTTID": "7", "SCORE": "99"},
                    "lists": {"News": 2},
                    "tags": ["vip"],
                }
            ],
        }
    )
    before = contact_of(sim, "old@example.com")
    run = target.deliver([record(7, "new@example.com", given_name="Änne", org_country="AT")])
    assert (run.outcomes, run.stream["matched_by"]) == ({"applied": 1}, {"cfd": 1})
    after = contact_of(sim, "new@example.com")
    assert len(sim.contacts()) == 1
    assert after["id"] == before["id"]
    assert (after["lists"], after["tags"]) == (before["lists"], before["tags"])
    assert after["fieldValues"] == {"BUBSCTTID": "7", "SCORE": "99", "LAND": "AT"}
    assert after["cdate"] == before["cdate"]
    assert routes(sim) == {("PUT", "/contacts/{id}"): 1}


def test_an_existing_contact_is_adopted_by_address_and_then_known_by_key(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-18, S0-20, S0-26, S0-52: run 1 matches by address (ctt) and writes the key, run 2 by key
    (cfd), so that a later change of address renames.
    """
    sim.seed({"fields": seeded_fields(), "contacts": [{"email": "Anne@Example.com"}]})
    first = target.deliver([record(7, " anne@example.com ", **FULL)])
    assert first.stream["matched_by"] == {"ctt": 1}
    contact = contact_of(sim, "Anne@Example.com")  # the form shown there stays
    assert contact["fieldValues"]["BUBSCTTID"] == "7"
    second = target.deliver([record(7, "anne@example.com", **FULL)])
    assert (second.outcomes, second.stream["matched_by"]) == ({"unchanged": 1}, {"cfd": 1})
    third = target.deliver([record(7, "other@example.com", **FULL)])
    assert third.outcomes == {"applied": 1}
    assert contact_of(sim, "other@example.com")["id"] == contact["id"]
    assert len(sim.contacts()) == 1


def test_dates_of_creation_and_change_never_cause_a_write(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-31, S0-32, S0-33: cdate is never updated, udate is never sent, neither makes a call."""
    target.deliver([record(7, **FULL)])
    sim.event("edit_contact", email="person7@example.com", fieldValues={"LAND": "DE"})
    before = contact_of(sim, "person7@example.com")
    sim.forget_requests()
    sim.keep_bodies()
    run = target.deliver([record(7, **{**FULL, "date_created": "2001-01-01"})])
    assert (run.outcomes, run.report["writes"]) == ({"unchanged": 1}, 0)
    changed = {**FULL, "date_created": "2001-01-01", "given_name": "Anna"}
    assert target.deliver([record(7, **changed)]).outcomes == {"applied": 1}
    assert contact_of(sim, "person7@example.com")["cdate"] == before["cdate"]
    (put,) = sim.requests(writes=True)
    assert "cdate" not in put["body"]
    assert "udate" not in put["body"]


def test_an_update_with_custom_fields_is_one_call_and_an_unchanged_contact_none(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-11, S0-34, S0-48: of three persons one changes in base and values: one write."""
    people = [record(i, **FULL) for i in (1, 2, 3)]
    target.deliver(people)
    sim.forget_requests()
    people[1] = record(2, **{**FULL, "given_name": "Bea", "org_country": "FR", "language_code": ""})
    run = target.deliver(people)
    assert run.outcomes == {"applied": 1, "unchanged": 2}
    assert routes(sim) == {("PUT", "/contacts/{id}"): 1}
    values = contact_of(sim, "person2@example.com")["fieldValues"]
    assert (values["LAND"], values["SPRACHE"]) == ("FR", "de")


def test_values_have_their_own_endpoint_where_an_update_does_not_carry_them(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-11, S0-48: what the answer does not confirm is written by contact and field."""
    target.deliver([record(1, **FULL)])
    sim.switches(inline_field_values_on_put="ignored")
    sim.forget_requests()
    changed = record(1, **{**FULL, "org_country": "FR", "mobile_phone": "1"})
    assert target.deliver([changed]).outcomes == {"applied": 1}
    assert contact_of(sim, "person1@example.com")["fieldValues"]["LAND"] == "FR"
    assert routes(sim)["POST", "/fieldValues"] == 2
    sim.forget_requests()
    assert target.deliver([changed]).outcomes == {"unchanged": 1}
    assert sim.requests(writes=True) == []


def test_nulls_and_blanks_never_clear(sim: Simulator, target: WarmTarget) -> None:
    """S0-50: a null or blank source value neither writes nor clears, in base and custom fields."""
    target.deliver([record(1, **FULL)])
    before = contact_of(sim, "person1@example.com")
    sim.forget_requests()
    blank: dict[str, Any] = dict.fromkeys(FULL)
    nulls = target.deliver([record(1, **blank)])
    blanks = target.deliver([record(1, **{**blank, "given_name": "  ", "org_country": ""})])
    assert nulls.outcomes == blanks.outcomes == {"unchanged": 1}
    assert contact_of(sim, "person1@example.com") == before
    assert sim.requests(writes=True) == []


def test_rows_without_address_are_updated_by_id_but_never_inserted(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-7, S0-30: a known person is updated; an unknown one is a named skip and no error."""
    target.deliver([record(1, **FULL)])
    sim.forget_requests()
    known, unknown = record(1, "x", given_name="Neu"), record(2, "x", given_name="Niemand")
    known["record"]["email"] = unknown["record"]["email"] = None
    run = target.deliver([known, unknown], max_errors=0)
    assert run.code == 0
    assert run.outcomes == {"applied": 1, "suppressed": 1}
    assert run.causes == {"no_email": 1}
    assert "no_email" in run.stderr
    assert target.rejects == []
    assert contact_of(sim, "person1@example.com")["firstName"] == "Neu"
    assert routes(sim) == {("PUT", "/contacts/{id}"): 1}


def test_a_row_without_key_writes_no_key(sim: Simulator, target: WarmTarget) -> None:
    """S0-49: a null key is matched by address, and no text is put into the key field."""
    run = target.deliver([record(None, "anon@example.com", org_country="DE")])
    assert run.outcomes == {"applied": 1}
    assert contact_of(sim, "anon@example.com")["fieldValues"] == {"LAND": "DE"}
    assert target.deliver([record(None, "anon@example.com", org_country="DE")]).outcomes == {
        "unchanged": 1
    }


def test_who_was_updated_is_not_inserted(sim: Simulator, target: WarmTarget) -> None:
    """S0-27, S0-42, S0-46: updates first, then inserts, nobody twice, and no reading between."""
    target.deliver([record(i, **FULL) for i in (1, 2)])
    sim.forget_requests()
    run = target.deliver([record(i, **{**FULL, "given_name": "Neu"}) for i in (3, 1, 4, 2)])
    assert run.outcomes == {"applied": 4}
    assert run.stream["matched_by"] == {"cfd": 2, "new": 2}
    methods = "".join(entry["method"][1] for entry in sim.requests())
    assert methods.endswith("UUOOE")  # PUT PUT POST POST, no GET among them; read back at the end
    assert len(sim.contacts()) == 4
    assert keys_are_unique(sim)


def test_only_contacts_and_their_values_are_ever_written(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-63, X2, X5, X6: no delete, nothing on lists or tags, whatever a row asks for."""
    sim.seed(
        {
            "fields": seeded_fields({"perstag": "SCORE"}),
            "lists": ["News"],
            "tags": ["vip"],
            "contacts": [
                {
                    "email": f"person{i}@example.com",
                    "fieldValues": {"BUBSCTTID": str(i), "SCORE": "5"},
                    "lists": {"News": i % 4},
                    "tags": ["vip"],
                }
                for i in range(1, 9)
            ],
        }
    )
    before = sim.state()
    rows = [record(i, status=1, list="News", tags="x", SCORE=1, **FULL) for i in range(1, 10)]
    rows[2]["record"]["_sdc_deleted_at"] = "2026-01-01T00:00:00Z"
    streams = {"contacts": {**DEFAULT_STREAMS["contacts"], "on_delete": "ignore"}}
    run = target.deliver(rows, streams=streams)
    assert run.outcomes == {"applied": 8, "suppressed": 1}
    assert run.causes == {"deleted_in_source": 1}
    after = sim.state()
    for name in ("contactLists", "contactTags", "lists", "tags", "fields"):
        assert after[name] == before[name]
    kept = {c["id"]: (c["fieldValues"]["SCORE"], c["cdate"]) for c in before["contacts"]}
    now = {c["id"]: (c["fieldValues"].get("SCORE"), c["cdate"]) for c in after["contacts"]}
    assert kept.items() <= now.items()
    assert before["contacts"][2] in after["contacts"]  # the deleted row's contact
    assert set(routes(sim)) <= ALLOWED_WRITES


def test_losing_the_state_directory_costs_time_only(sim: Simulator, target: WarmTarget) -> None:
    """S0-17, X8: a target without any memory finds everybody again by the key field."""
    people = [record(i, **FULL) for i in range(1, 21)]
    target.deliver(people)
    sim.forget_requests()
    run = target.deliver(people, state_dir=str(target.home / "another"))
    assert (run.outcomes, run.report["writes"]) == ({"unchanged": 20}, 0)
    assert run.stream["matched_by"] == {"cfd": 20}


def test_any_source_is_taken_as_it_speaks(sim: Simulator, make_target: Any) -> None:
    """S0-5, S0-39, S0-51, S0-64: other column names by settings, strings for numbers, anyOf
    types and unknown columns.
    """
    target = make_target(
        streams={
            "crm-persons": {
                "key": "no",
                "key_field": "CRMNO",
                "key_type": "number",
                "fields": {"email": "mail", "firstName": "vorname"},
                "custom_fields": {"SEIT": "since", "LAND": "land"},
            }
        }
    )
    text = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    since = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
    properties = {"no": text, "mail": text, "vorname": text, "since": since, "land": text}
    row = {"no": "0042", "mail": "z@example.org", "vorname": "Zoë", "land": None, "foo": [1]}
    messages = [
        {"type": "SCHEMA", "stream": "crm-persons", "schema": {"properties": properties},
         "key_properties": ["no"]},
        {"type": "RECORD", "stream": "crm-persons", "record": row | {"since": "2020-02-03"}},
    ]  # fmt: skip
    run = target.run(messages)
    assert (run.code, run.outcomes) == (0, {"applied": 1})
    contact = contact_of(sim, "z@example.org")
    assert contact["firstName"] == "Zoë"
    assert contact["fieldValues"] == {"CRMNO": "42", "SEIT": "2020-02-03"}
    assert target.run(messages).outcomes == {"unchanged": 1}


@pytest.mark.parametrize("rule", ["always", "if_empty", "on_create", "never"])
def test_rules_decide_what_an_existing_contact_takes_over(
    sim: Simulator, make_target: Any, rule: str
) -> None:
    """S0-5: each rule, on a base field and on a custom field, on insert and on update."""
    streams = {
        "contacts": {
            "key": "ctt_id",
            "key_field": "BUBSCTTID",
            "fields": {"email": "email", "firstName": "given_name", "phone": "work_phone"},
            "custom_fields": {"LAND": "org_country"},
            "rules": {"phone": rule, "LAND": rule},
        }
    }
    target = make_target(streams=streams)
    sim.seed({"fields": seeded_fields(), "contacts": [{"email": "person2@example.com"}]})
    for phone, country in (("1", "DE"), ("2", "FR")):
        both = [record(i, work_phone=phone, org_country=country, given_name=phone) for i in (1, 2)]
        assert target.deliver(both).outcomes == {"applied": 2}
    inserted = contact_of(sim, "person1@example.com")
    adopted = contact_of(sim, "person2@example.com")
    expected = {
        "always": (("2", "FR"), ("2", "FR")),
        "if_empty": (("1", "DE"), ("1", "DE")),
        "on_create": (("1", "DE"), ("", None)),
        "never": (("", None), ("", None)),
    }[rule]
    found = [(c["phone"], c["fieldValues"].get("LAND")) for c in (inserted, adopted)]
    assert tuple(found) == expected


def test_a_cold_process_does_what_a_warm_one_does(
    sim: Simulator, target: WarmTarget, tmp_path: Any
) -> None:
    """S0-1, S0-34, X4: the installed console script inserts, closes its sums, and finds all
    unchanged the second time, as the forked process does.
    """
    cold = Target(tmp_path / "cold", sim.url)
    people = [record(i, **FULL) for i in range(1, 4)]
    first = cold.deliver(people)
    assert (first.code, first.outcomes, first.last_state) == (0, {"applied": 3}, 3)
    assert sums_close(first)
    second = target.deliver(people)
    assert (second.code, second.outcomes, second.last_state) == (0, {"unchanged": 3}, 3)
