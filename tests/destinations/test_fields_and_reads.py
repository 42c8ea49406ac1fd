"""Custom fields of any id and type, and every way of reading what exists."""

from __future__ import annotations

from typing import Any

import pytest
from destinations_support import (
    WarmTarget,
    contact_of,
    keys_are_unique,
    routes,
    seeded_fields,
)
from simulators_support import Simulator
from target_support import Run, record, schema, state


def typed_stream(**custom: str) -> dict[str, Any]:
    """A stream with the key, the address and these custom fields."""
    return {
        "contacts": {
            "key": "ctt_id",
            "key_field": "BUBSCTTID",
            "fields": {"email": "email", "firstName": "given_name"},
            "custom_fields": custom,
        }
    }


def test_a_missing_custom_field_stops_the_run_before_any_write(
    sim: Simulator, make_target: Any
) -> None:
    """S0-14: without create_fields the run ends as a configuration error that names the field."""
    sim.seed({"fields": seeded_fields()[:3]})
    run = make_target(create_fields=False).deliver([record(1)])
    assert run.code == 2
    assert "MOBIL" in run.stderr
    assert run.states == []
    assert sim.requests(writes=True) == []
    assert sim.state()["contacts"] == []


def test_missing_custom_fields_are_created_and_related_to_all_lists(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-13, S0-14: the key field as hidden, others as text, once."""
    target.deliver([record(1)])
    fields = {f["perstag"]: (f["type"], f["relations"]) for f in sim.state()["fields"]}
    assert fields == {
        "BUBSCTTID": ("hidden", ["0"]),
        "LAND": ("text", ["0"]),
        "SPRACHE": ("text", ["0"]),
        "MOBIL": ("text", ["0"]),
    }
    target.deliver([record(1)])
    assert len(sim.state()["fields"]) == 4


def test_fields_are_found_by_perstag_whatever_their_ids(sim: Simulator, target: WarmTarget) -> None:
    """S0-15, S0-16: other ids in every account, and more fields than a page holds."""
    others = [{"perstag": f"OTHER{i}"} for i in range(1, 131)]
    for fields in (
        [*others, *seeded_fields()],
        [*reversed(seeded_fields()), *others],
    ):
        sim.reset()
        sim.seed({"fields": fields})
        assert target.deliver([record(1, org_country="DE")]).outcomes == {"applied": 1}
        values = contact_of(sim, "person1@example.com")["fieldValues"]
        assert values == {"BUBSCTTID": "1", "LAND": "DE"}
        assert len(sim.state()["fields"]) == 134


READERS: dict[str, tuple[str, dict[str, Any]]] = {
    "crawl": ("crawl", {}),
    "crawl without include": ("crawl", {"include_supported": False}),
    "point": ("point", {}),
    "point without include": ("point", {"include_supported": False}),
    "point with few ids a call": ("point", {"ids_filter_max": 7}),
    "point with a containing filter": ("point", {"filters_val_match": "contains"}),
}


def test_every_way_of_reading_leads_to_the_same_state(sim: Simulator, make_target: Any) -> None:
    """S0-16, S0-20, S0-21, S0-46: crawl, its documented fallback and point look-ups page through
    more than 100 contacts and values, match alike, write alike, and find all unchanged afterwards.
    """
    before = [
        {
            "email": f"person{i}@example.com",
            "firstName": f"N{i}",
            "fieldValues": {"BUBSCTTID": str(i), "LAND": "DE"},
        }
        for i in range(1, 121)
    ]
    before += [{"email": f"Person{i}@example.com"} for i in range(121, 124)]
    rows = [record(i, given_name=f"N{i}", org_country="DE") for i in range(81, 127)]
    for i in range(0, 40, 10):  # four of them with another address and country
        rows[i] = record(i + 81, f"moved{i}@example.com", given_name=f"N{i + 81}", org_country="AT")
    found: dict[str, Any] = {}
    for number, (name, (strategy, switches)) in enumerate(READERS.items()):
        sim.reset()
        sim.seed({"fields": seeded_fields(), "contacts": before})
        sim.switches(**switches)
        target = make_target(f"reader{number}", reads=strategy)
        run = target.deliver(rows)
        assert run.outcomes == {"applied": 10, "unchanged": 36}, name
        assert run.stream["matched_by"] == {"cfd": 40, "ctt": 3, "new": 3}, name
        assert run.stream["reads"]["strategy"] == strategy
        assert f"read by {strategy} (" in run.stderr
        assert run.report["writes"] == 10
        found[name] = [
            (c["id"], c["email"], c["firstName"], c["fieldValues"]) for c in sim.state()["contacts"]
        ]
        again = target.deliver(rows)
        assert (again.outcomes, again.report["writes"]) == ({"unchanged": 46}, 0), name
        assert keys_are_unique(sim)
    for name, contacts in found.items():
        assert contacts == found["crawl"], name


def test_reads_are_chosen_by_cost_and_the_report_says_which(
    sim: Simulator, make_target: Any
) -> None:
    """S0-16, S0-46: one record against 900 contacts is looked up, many are crawled for."""
    sim.seed(
        {
            "fields": seeded_fields(),
            "contacts": [{"email": f"other{i}@example.com"} for i in range(900)],
        }
    )
    target = make_target()
    few = target.deliver([record(1)])
    assert few.stream["reads"]["strategy"] == "point"
    assert few.report["calls"]["GET contacts"] < 5
    many = target.deliver([record(i) for i in range(1, 20)])
    assert many.stream["reads"]["strategy"] == "crawl"
    assert "pages" in many.stream["reads"]["because"]


def test_reads_are_live(sim: Simulator, target: WarmTarget) -> None:
    """S0-21: what somebody edits between two runs is seen by the second and put right."""
    rows = [record(1, given_name="A", org_country="DE")]
    target.deliver(rows)
    sim.event("edit_contact", email="person1@example.com", fieldValues={"LAND": "XX"})
    assert target.deliver(rows).outcomes == {"applied": 1}
    assert contact_of(sim, "person1@example.com")["fieldValues"]["LAND"] == "DE"


TYPES: list[tuple[str, Any, list[str], Any]] = [
    ("text", " Grüße ", [], "Grüße"),
    ("textarea", "one\ntwo", [], "one\ntwo"),
    ("hidden", 12, [], "12"),
    ("number", "12.50", [], "12.50"),
    ("date", "2026-02-03T10:00:00Z", [], "2026-02-03"),
    ("datetime", "2026-02-03T10:00:00+01:00", [], "2026-02-03T03:00:00-06:00"),
    ("dropdown", "gold", ["Gold", "Silver"], "Gold"),
    ("radio", "Silver", ["Gold", "Silver"], "Silver"),
    ("checkbox", ["a", "B"], ["A", "B", "C"], "||A||B||"),
    ("listbox", "c; a", ["A", "B", "C"], "||C||A||"),
]


def typed(row: Any) -> dict[str, Any]:
    """A SCHEMA whose columns T0, T1, ... take anything."""
    return schema(**{f"T{i}": {} for i in range(len(TYPES))})


def test_each_field_type_gets_its_own_form_and_is_unchanged_the_second_time(
    sim: Simulator, make_target: Any
) -> None:
    """S0-53, S0-54: an account that checks values takes all of them; the second run is silent."""
    fields = [
        {"perstag": f"T{i}", "type": kind, "options": options}
        for i, (kind, _, options, _) in enumerate(TYPES)
    ]
    sim.seed({"fields": seeded_fields(*fields)})
    sim.switches(field_value_validation="strict")
    target = make_target(streams=typed_stream(**{f"T{i}": f"T{i}" for i in range(len(TYPES))}))
    row = record(1, **{f"T{i}": value for i, (_, value, _, _) in enumerate(TYPES)})
    assert target.run([typed(row), row]).outcomes == {"applied": 1}
    values = contact_of(sim, "person1@example.com")["fieldValues"]
    for i, (kind, _, _, stored) in enumerate(TYPES):
        assert values[f"T{i}"] == stored, kind
    # Others spell the same values in other ways.
    sim.event(
        "edit_contact",
        email="person1@example.com",
        fieldValues={"T5": "2026-02-03T09:00:00+00:00", "T9": "||A||C||", "T3": "12.5"},
    )
    again = target.run([typed(row), row])
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0)


BAD = {"T3": "twelve", "T4": "31.12.2026", "T5": "2026-02-03T10:00:00", "T6": "Iron"}


@pytest.mark.parametrize("perstag", sorted(BAD))
def test_a_value_its_field_cannot_hold_rejects_the_value_and_not_the_person(
    sim: Simulator, make_target: Any, perstag: str
) -> None:
    """S0-28, S0-54, S0-60: base data and good values are written, the value is listed under step
    custom_fields, and the next run writes nothing.
    """
    kind, _, options, _ = TYPES[int(perstag[1:])]
    sim.seed({"fields": seeded_fields({"perstag": perstag, "type": kind, "options": options})})
    target = make_target(streams=typed_stream(**{perstag: perstag, "LAND": "org_country"}))
    row = record(1, given_name="A", org_country="DE", **{perstag: BAD[perstag]})
    message = schema(**{perstag: {"type": "string"}})
    run = target.run([message, row])
    assert (run.code, run.outcomes) == (0, {"rejected": 1})
    assert run.stream["errors_by_step"] == {"custom_fields": 1}
    contact = contact_of(sim, "person1@example.com")
    assert contact["firstName"] == "A"
    assert contact["fieldValues"] == {"BUBSCTTID": "1", "LAND": "DE"}
    (reject,) = target.rejects
    assert (reject["step"], reject["field"]) == ("custom_fields", perstag)
    sim.forget_requests()
    again = target.run([message, row])
    assert (again.outcomes, again.report["writes"]) == ({"rejected": 1}, 0)
    assert target.rejects[0]["tries"] == 2


@pytest.mark.parametrize("known", [False, True])
def test_a_value_the_vendor_refuses_holds_nothing_else_back(
    sim: Simulator, target: WarmTarget, known: bool
) -> None:
    """S0-28, S0-48, S0-60: the contact and its other values are written, each by its endpoint."""
    sim.seed({"fields": seeded_fields()})
    sim.switches(max_value_length=5)
    if known:
        sim.seed({"contacts": [{"email": "p@example.com", "fieldValues": {"BUBSCTTID": "1"}}]})
    row = record(1, "p@example.com", given_name="A", org_country="too long", language_code="de")
    run = target.deliver([row])
    assert run.outcomes == {"rejected": 1}
    assert run.stream["errors_by_step"] == {"custom_fields": 1}
    contact = contact_of(sim, "p@example.com")
    assert contact["firstName"] == "A"
    assert contact["fieldValues"] == {"BUBSCTTID": "1", "SPRACHE": "de"}
    sim.switches(max_value_length=0)
    settled = target.run([schema()])
    assert (settled.outcomes, settled.stream["reoffered"]) == ({"applied": 1}, 1)
    assert contact_of(sim, "p@example.com")["fieldValues"]["LAND"] == "too long"
    assert target.rejects == []


def test_a_person_who_could_not_be_inserted_has_no_further_errors(
    sim: Simulator, target: WarmTarget
) -> None:
    """S0-47: one error, of the insert; its values are neither tried nor counted."""
    sim.seed({"fields": seeded_fields({"perstag": "T", "type": "number"})})
    sim.switches(email_validation="strict")
    streams = typed_stream(T="T", LAND="org_country")
    row = record(1, "p@bücher.example.com", T="no number", org_country="DE")
    sim.forget_requests()
    run: Run = target.run([schema(T={"type": "string"}), row], streams=streams)
    assert run.outcomes == {"rejected": 1}
    assert run.stream["errors_by_step"] == {"insert": 1}
    assert len(target.rejects) == 1
    assert routes(sim) == {("POST", "/contacts"): 1}


def test_a_field_missing_in_one_stream_stops_before_another_stream_creates_one(
    sim: Simulator, make_target: Any
) -> None:
    """S0-14: all streams are checked before the first write of any."""
    mapping = {"key": "ctt_id", "fields": {"email": "email"}}
    target = make_target(
        streams={
            "contacts": {**mapping, "create_fields": True},
            "people": {**mapping, "key_field": "OTHERID", "create_fields": False},
        }
    )
    people = {**record(2), "stream": "people"}
    run = target.run([schema(), schema("people"), record(1), people, state(2)])
    assert run.code == 2
    assert "OTHERID" in run.stderr
    assert sim.requests(writes=True) == []
