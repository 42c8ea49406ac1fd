"""Custom fields: every type sent and read back, made on request, cleared, and in any number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from destinations_support import WarmTarget, contact_of, routes, seeded_fields
from simulators_support import Simulator
from target_support import record, schema, state

MakeTarget = Callable[..., WarmTarget]
EMAIL = "person1@example.com"
CHOICES = ["Gold", "Silver"]


def stream(custom: dict[str, Any], **options: Any) -> dict[str, Any]:
    mapping = {"key": "ctt_id", "fields": {"email": "email", "firstName": "given_name"}}
    return {"contacts": {**mapping, "custom_fields": custom, **options}}


def deliver(target: WarmTarget, row: dict[str, Any], **columns: Any) -> Any:
    return target.run([schema(**columns), row, state(1)])


#: type: value of the source, its column, what is stored, other spellings of the same.
GOLDEN: dict[str, tuple[Any, dict[str, Any], str, list[str]]] = {
    "text": (" Grüße ", {"type": "string"}, "Grüße", ["Grüße "]),
    "textarea": ("one\ntwo", {"type": "string"}, "one\ntwo", ["one\ntwo "]),
    "hidden": (12, {"type": "integer"}, "12", [" 12"]),
    "number": (12.5, {"type": "number"}, "12.5", ["12.50", " 12.5"]),
    "date": (
        "2026-02-03", {"type": "string", "format": "date"}, "2026-02-03", ["2026-02-03 00:00:00"],
    ),
    "datetime": (
        "2026-07-03T10:00:00+02:00", {"type": "string", "format": "date-time"},
        "2026-07-03T03:00:00-05:00", ["2026-07-03T08:00:00Z", "2026-07-03T18:00:00+10:00"],
    ),
    "dropdown": ("gold", {"type": "string"}, "Gold", ["Gold "]),
    "radio": ("Silver", {"type": "string"}, "Silver", ["Silver "]),
    "checkbox": (
        ["Silver", "gold"], {"type": "array", "items": {"type": "string"}}, "||Silver||Gold||",
        ["||Gold||Silver||"],
    ),
    "listbox": ("gold; Silver", {"type": "string"}, "||Gold||Silver||", ["||Silver||Gold||"]),
}  # fmt: skip


@pytest.mark.parametrize("storage", ["account_zone", "as_sent"])
@pytest.mark.parametrize("kind", GOLDEN)
def test_each_type_is_sent_in_its_form_and_known_again_in_any(
    sim: Simulator, make_target: MakeTarget, kind: str, storage: str
) -> None:
    """S0-53, S0-54, X3: an account that checks values takes it; neither its own spelling nor that
    of others is a difference; a real difference is.
    """
    value, column, stored, spellings = GOLDEN[kind]
    options = CHOICES if kind in ("dropdown", "radio", "checkbox", "listbox") else []
    sim.seed({"fields": seeded_fields({"perstag": "F", "type": kind, "options": options})})
    sim.switches(field_value_validation="strict", datetime_storage=storage)
    target = make_target(streams=stream({"F": "f"}))
    row = record(1, f=value)
    assert deliver(target, row, f=column).outcomes == {"applied": 1}
    if storage == "account_zone" or kind != "datetime":
        assert contact_of(sim, EMAIL)["fieldValues"]["F"] == stored
    for spelling in (None, *spellings):
        if spelling:
            sim.event("edit_contact", email=EMAIL, fieldValues={"F": spelling})
        again = deliver(target, row, f=column)
        assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0), spelling
    sim.event("edit_contact", email=EMAIL, fieldValues={"F": "||x||" if options else "7"})
    assert deliver(target, row, f=column).outcomes == {"applied": 1}


@pytest.mark.parametrize(
    ("options", "ticked", "unticked"),
    [
        (["true"], "||true||", ""),
        (["True", "False"], "||True||", "||False||"),
        (["I agree"], "||I agree||", ""),
    ],
)
def test_a_boolean_ticks_a_box_and_unticks_it(
    sim: Simulator, make_target: MakeTarget, options: list[str], ticked: str, unticked: str
) -> None:
    """S4-9, S0-54: "true" where there is such a box, else the only one; false is no blank."""
    sim.seed({"fields": seeded_fields({"perstag": "F", "type": "checkbox", "options": options})})
    sim.switches(field_value_validation="strict")
    target = make_target(streams=stream({"F": "f"}))
    for flag, stored in ((True, ticked), (False, unticked)):
        column = {"type": ["boolean", "null"]}
        assert deliver(target, record(1, f=flag), f=column).outcomes == {"applied": 1}
        assert contact_of(sim, EMAIL)["fieldValues"]["F"] == stored
        again = deliver(target, record(1, f=flag), f=column)
        assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0)
    assert deliver(target, record(1, f=None), f=column).outcomes == {"unchanged": 1}


def test_all_pairs_that_cannot_work_are_named_before_the_first_call(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-9: types that the settings declare are judged without asking the vendor anything."""
    custom = {
        "A": {"column": "a", "type": "date"},
        "B": {"column": "b", "type": "number"},
        "C": {"column": "c", "type": "text"},
    }
    run = deliver(
        make_target(streams=stream(custom)), record(1),
        a={"type": "integer"}, b={"type": "string", "format": "date-time"}, c={"type": "object"},
    )  # fmt: skip
    assert run.code == 2
    for part in ("a (integer)", "A (date)", "b (date-time)", "B (number)", "c (object)"):
        assert part in run.stderr
    assert sim.requests() == []


def test_what_only_the_account_tells_is_named_before_the_first_write(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S4-9, S0-14: types of existing fields, types that differ, options that are missing."""
    sim.seed(
        {
            "fields": seeded_fields(
                {"perstag": "A", "type": "datetime"},
                {"perstag": "B", "type": "text"},
                {"perstag": "C", "type": "radio", "options": ["x"]},
            )
        }
    )
    custom = {
        "A": "a",
        "B": {"column": "b", "type": "number"},
        "C": {"column": "c", "type": "radio", "options": ["x", "y"]},
        "D": "d",
    }
    target = make_target(streams=stream(custom), create_fields=False)
    run = deliver(target, record(1), a={"type": "string", "format": "date"})
    assert run.code == 2
    for part in ("a (date) can't go into A (datetime)", "B: is a number here and a text",
                 "C: ActiveCampaign lacks the option y", "no custom field D"):  # fmt: skip
        assert part in run.stderr
    assert sim.requests(writes=True) == []


WANTED: dict[str, Any] = {
    "LAND": {
        "column": "org_country", "type": "dropdown", "title": "Country of the organisation",
        "options": ["DE", {"value": "CH", "label": "Switzerland"}], "relation": "all",
    },
    "INTERESTS": {
        "column": "interests", "type": "multiselect", "options": ["A", "B"], "relation": [1, "2"],
    },
    "SCORE": {"column": "score", "type": "number"},
    "SPRACHE": "language_code",
}  # fmt: skip


def made(sim: Simulator) -> dict[str, tuple[str, str, list[str], list[str]]]:
    return {
        f["perstag"]: (f["title"], f["type"], f["options"], f["relations"])
        for f in sim.state()["fields"]
    }


AS_WANTED = {
    "BUBSCTTID": ("BUBSCTTID", "hidden", [], ["0"]),
    "LAND": ("Country of the organisation", "dropdown", ["DE", "CH"], ["0"]),
    "INTERESTS": ("INTERESTS", "listbox", ["A", "B"], ["1", "2"]),
    "SCORE": ("SCORE", "number", [], ["0"]),
    "SPRACHE": ("SPRACHE", "text", [], ["0"]),
}


def test_fields_are_made_with_type_title_options_and_lists(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-14, X3: once, and values are encoded for what was made; the second run writes nothing."""
    sim.seed({"lists": ["News", "Offers"]})
    target = make_target(streams=stream(WANTED))
    row = record(1, org_country="Switzerland", interests=["b"], score=3, language_code="de")
    columns = {"interests": {"type": "array"}, "score": {"type": "integer"}}
    assert deliver(target, row, **columns).outcomes == {"applied": 1}
    assert made(sim) == AS_WANTED
    assert contact_of(sim, EMAIL)["fieldValues"] == {
        "BUBSCTTID": "1", "LAND": "CH", "INTERESTS": "||B||", "SCORE": "3", "SPRACHE": "de",
    }  # fmt: skip
    again = deliver(target, row, **columns)
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0)


@pytest.mark.parametrize("action", ["reset", "apply_then_reset"])
@pytest.mark.parametrize(
    ("path", "nth"), [("fields$", 2), ("fieldOption/bulk", 1), ("fieldRels", 3), ("fieldRels", 4)]
)
def test_a_creation_cut_short_is_completed_by_the_next_run(
    sim: Simulator, make_target: MakeTarget, path: str, nth: int, action: str
) -> None:
    """S0-14: whatever was made before the cut is found; nothing is made twice."""
    sim.seed({"lists": ["News", "Offers"]})
    sim.faults(
        [{"match": {"method": "POST", "path": path}, "nth": nth, "times": 9, "action": action}]
    )
    target = make_target(streams=stream(WANTED))
    columns = {"interests": {"type": "array"}, "score": {"type": "integer"}}
    cut = deliver(target, record(1), **columns)
    assert cut.code == 7, cut.stderr
    assert sim.contacts() == {}
    sim.faults([])
    assert deliver(target, record(1), **columns).code == 0
    relations = {perstag: set(wanted[3]) for perstag, wanted in AS_WANTED.items()}
    assert {perstag: set(field[3]) for perstag, field in made(sim).items()} == relations
    rest = {perstag: field[:3] for perstag, field in made(sim).items()}
    assert rest == {perstag: wanted[:3] for perstag, wanted in AS_WANTED.items()}


@pytest.mark.parametrize("path", ["fieldOption", "fieldOptions"])
def test_missing_options_are_added_behind_those_there(
    sim: Simulator, make_target: MakeTarget, path: str
) -> None:
    """S0-14, X5: what others added stays, in its order, whichever path the account knows."""
    sim.switches(field_options_path=path)
    field = {"perstag": "F", "type": "radio", "options": ["y", "others"]}
    sim.seed({"fields": seeded_fields(field)})
    spec = {"column": "f", "type": "radio", "options": ["x", "y"]}
    run = deliver(make_target(streams=stream({"F": spec})), record(1, f="x"), f={"type": "string"})
    assert run.outcomes == {"applied": 1}
    assert made(sim)["F"][2] == ["y", "others", "x"]


# Nulls


@pytest.mark.parametrize("switch", ["empty_row", "row_removed"])
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_null_clears_only_where_it_shall(
    sim: Simulator, make_target: MakeTarget, blank: Any, switch: str
) -> None:
    """S0-50, X3, X5: omit leaves alone; clear empties attributes and values, never the address, the
    key or fields that no column feeds; an absent column says nothing; twice is once.
    """
    sim.switches(cleared_value=switch)
    values = {"BUBSCTTID": "1", "LAND": "DE", "MOBIL": "+49", "SPRACHE": "de"}
    sim.seed(
        {
            "fields": seeded_fields(),
            "contacts": [{"email": EMAIL, "firstName": "A", "phone": "1", "fieldValues": values}],
        }
    )
    custom = {"LAND": "org_country", "SPRACHE": "language_code"}
    row = record(1, given_name=blank, org_country=blank)
    row["record"]["email"] = None
    omit = make_target("omit", streams=stream(custom))
    assert deliver(omit, row).outcomes == {"unchanged": 1}
    clear = make_target("clear", streams=stream(custom, null_semantics="clear"))
    assert deliver(clear, row).outcomes == {"applied": 1}
    contact = contact_of(sim, EMAIL)
    left = {perstag: text for perstag, text in contact["fieldValues"].items() if text}
    assert left == {"BUBSCTTID": "1", "MOBIL": "+49", "SPRACHE": "de"}
    assert (contact["firstName"], contact["phone"]) == ("", "1")
    again = deliver(clear, row)
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0)


def test_rules_stand_above_clearing(sim: Simulator, make_target: MakeTarget) -> None:
    """S0-50: `if_empty` and `on_create` never take anything away; a new contact gets no blanks."""
    values = {"BUBSCTTID": "1", "LAND": "DE"}
    sim.seed(
        {
            "fields": seeded_fields(),
            "contacts": [{"email": EMAIL, "firstName": "A", "fieldValues": values}],
        }
    )
    rules = {"LAND": "if_empty", "firstName": "on_create"}
    streams = stream({"LAND": "org_country"}, null_semantics="clear", rules=rules)
    rows = [record(n, given_name=None, org_country=None) for n in (1, 2)]
    run = make_target(streams=streams).deliver(rows)
    assert run.outcomes == {"unchanged": 1, "applied": 1}
    assert contact_of(sim, EMAIL)["fieldValues"] == values
    assert contact_of(sim, "person2@example.com")["fieldValues"] == {"BUBSCTTID": "2"}
    assert routes(sim) == {("POST", "/contacts"): 1}


@pytest.mark.parametrize("kind", ["date", "datetime"])
def test_a_date_of_zeros_is_an_empty_one(
    sim: Simulator, make_target: MakeTarget, kind: str
) -> None:
    """S0-53: the vendor's word for no date is filled by if_empty, and not cleared again."""
    zeros = "0000-00-00"
    sim.seed(
        {
            "fields": seeded_fields({"perstag": "F", "type": kind}),
            "contacts": [{"email": EMAIL, "fieldValues": {"BUBSCTTID": "1", "F": zeros}}],
        }
    )
    clear = make_target("clear", streams=stream({"F": "f"}, null_semantics="clear"))
    assert deliver(clear, record(1, f=None), f={"type": "null"}).outcomes == {"unchanged": 1}
    fill = make_target("fill", streams=stream({"F": "f"}, rules={"F": "if_empty"}))
    moment = "2026-02-03T10:00:00Z"
    assert deliver(fill, record(1, f=moment), f={"type": "string"}).outcomes == {"applied": 1}
    assert contact_of(sim, EMAIL)["fieldValues"]["F"].startswith("2026-02-03")


# Numbers of them


@pytest.mark.parametrize("number", [99, 100, 101, 250])
def test_any_number_of_fields_and_values_pages(
    sim: Simulator, make_target: MakeTarget, number: int
) -> None:
    """S0-16, X3: that many mapped fields, options and contacts, read with values in their own
    pages; the last one is found as the first, and the second run writes nothing.
    """
    options = [f"o{n}" for n in range(number)]
    columns = {f"c{n}": {"type": "string"} for n in range(number)}
    fields = [{"perstag": f"F{n}"} for n in range(number)]
    fields.append({"perstag": "CHOICE", "type": "dropdown", "options": options})
    sim.seed(
        {
            "fields": [*fields, {"perstag": "BUBSCTTID", "type": "hidden"}],
            "contacts": [
                {"email": f"person{n}@example.com",
                 "fieldValues": {"BUBSCTTID": str(n), "F0": "x", "CHOICE": f"o{n}"}}
                for n in range(number)
            ],
        }
    )  # fmt: skip
    sim.switches(include_supported=False, field_value_validation="strict")
    custom = {f"F{n}": f"c{n}" for n in range(number)} | {"CHOICE": "choice"}
    target = make_target(streams=stream(custom), reads="crawl", create_fields=False)
    message = schema(choice={"type": "string"}, **columns)
    last = record(number - 1, choice=options[-1], **dict.fromkeys(columns, "y"))
    rows = [*(record(n, c0="x", choice=f"o{n}") for n in range(number - 1)), last]
    run = target.run([message, *rows, state(1)])
    assert run.outcomes == {"unchanged": number - 1, "applied": 1}
    assert run.report["writes"] == 1
    values = contact_of(sim, f"person{number - 1}@example.com")["fieldValues"]
    assert len(values) == number + 2
    again = target.run([message, *rows, state(1)])
    assert (again.outcomes, again.report["writes"]) == ({"unchanged": number}, 0)
