"""Custom fields of accounts: every type sent and read back, made on request, cleared, refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from accounts_support import accounts, company, deliver, make_account, meta, rejects, streams
from destinations_support import WarmTarget, routes
from simulators_api import Api
from simulators_support import Simulator

MakeTarget = Callable[..., WarmTarget]
CHOICES = ["Gold", "Silver"]
TEXT = {"type": ["string", "null"]}
NUMBER = {"type": ["number", "null"]}
SEVERAL = {"type": ["array", "null"], "items": {"type": "string"}}

#: type: value of the source, its column, what is stored, other spellings of the same.
GOLDEN: dict[str, tuple[Any, dict[str, Any], Any, list[Any]]] = {
    "text": (" Grüße ", TEXT, "Grüße", ["Grüße "]),
    "textarea": ("one\ntwo", TEXT, "one\ntwo", ["one\ntwo "]),
    "hidden": (12, NUMBER, "12", [" 12", 12]),
    "number": (12.5, NUMBER, "12.5", ["12.50", 12.5]),
    "date": (
        "2026-02-03", {"type": "string", "format": "date"}, "2026-02-03",
        ["2026-02-03 00:00:00", "2026-02-03T00:00:00-06:00"],
    ),
    "datetime": (
        "2026-07-03T10:00:00+02:00", {"type": "string", "format": "date-time"},
        "2026-07-03T08:00:00+00:00", ["2026-07-03T03:00:00-05:00", "2026-07-03T18:00:00+10:00"],
    ),
    "dropdown": ("gold", TEXT, "Gold", ["Gold "]),
    "radio": ("Silver", TEXT, "Silver", ["Silver "]),
    "checkbox": (["Silver", "gold"], SEVERAL, ["Silver", "Gold"], [["Gold", "Silver"]]),
    "multiselect": ("gold; Silver", TEXT, ["Gold", "Silver"], ["||Silver||Gold||"]),
    "currency": (1234567.5, NUMBER, "123456750", [123456750, "123456750.0"]),
}  # fmt: skip


@pytest.fixture
def api(sim: Simulator) -> Iterator[Api]:
    client = Api(sim)
    with closing(client.session):
        yield client


def field(kind: str, column: str = "f", **more: Any) -> dict[str, Any]:
    options = (
        {"options": CHOICES} if kind in ("dropdown", "radio", "checkbox", "multiselect") else {}
    )
    currency = {"currency": "EUR"} if kind == "currency" else {}
    return {"column": column, "type": kind, **options, **currency, **more}


def store(api: Api, value: Any) -> None:
    """What others write into the field F of the only account."""
    rows = api.get("accountCustomFieldData?limit=100").json()["accountCustomFieldData"]
    (number,) = [row["id"] for row in rows if row["customFieldId"] == 2]
    datum = {"accountCustomFieldDatum": {"fieldValue": value}}
    assert api.put(f"accountCustomFieldData/{number}", datum).status_code == 200


@pytest.mark.parametrize("choices", ["array", "json_text"])
@pytest.mark.parametrize("kind", GOLDEN)
def test_each_type_is_sent_in_its_form_and_known_again_in_any(
    sim: Simulator, api: Api, make_target: MakeTarget, kind: str, choices: str
) -> None:
    """S0-53, S0-54, X3: made with type and options; an account that checks values takes it; no
    spelling is a difference, a real difference is.
    """
    value, column, stored, spellings = GOLDEN[kind]
    sim.switches(field_value_validation="strict", account_choices=choices)
    target = make_target(streams=streams({"F": field(kind)}))
    assert deliver(target, company(1, f=value), f=column).outcomes == {"applied": 1}
    assert accounts(sim)["Company 1"]["values"] == {"BUBSACTID": "1", "F": stored}
    made = sim.state()["accountCustomFieldMeta"][1]
    assert (made["fieldType"], made.get("fieldOptions")) == (kind, field(kind).get("options"))
    assert routes(sim)[("POST", "/accounts")] == 1
    assert not any("Data" in route for _, route in routes(sim))
    sim.switches(field_value_validation="none")
    for spelling in (None, *spellings):
        if spelling is not None:
            store(api, spelling)
        again = deliver(target, company(1, f=value), f=column)
        assert (again.outcomes, again.report["writes"]) == ({"unchanged": 1}, 0), spelling
    store(api, ["Other"] if isinstance(stored, list) else "7")
    assert deliver(target, company(1, f=value), f=column).outcomes == {"applied": 1}
    assert accounts(sim)["Company 1"]["values"]["F"] == stored


def test_amounts_are_cents_of_the_currency_that_a_row_names(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-54: exact to the last digit, in the currency of a column; another currency of the same
    number is a difference; decimals that the currency lacks are a reject of the value.
    """
    money = {"column": "f", "type": "currency", "currency_column": "c", "currency": "CHF"}
    target = make_target(streams=streams({"F": money}))
    columns = {"f": NUMBER, "c": TEXT}
    rows = [company(1, f=81234567890.07, c="eur"), company(2, f=-0.1), company(3, f=1.005, c="EUR"),
            company(4, f=5, c="Euro"), company(5, f=100, c="JPY")]  # fmt: skip
    run = deliver(target, *rows, **columns)
    assert run.outcomes == {"applied": 2, "rejected": 3}
    assert run.causes == {"field_currency": 3}
    data = sim.state()["accountCustomFieldData"]
    money_of = {
        str(d["accountId"]): (d["fieldValue"], d["fieldCurrency"])
        for d in data
        if "fieldCurrency" in d
    }
    assert money_of == {"1": ("8123456789007", "EUR"), "2": ("-10", "CHF")}
    assert len(accounts(sim)) == 5, "the accounts themselves are made"
    for shown in (True, False):
        sim.switches(account_currency_shown=shown)
        again = deliver(target, company(1, f=81234567890.07, c="EUR"), **columns)
        assert again.report["writes"] == 0
    sim.switches(account_currency_shown=True)
    run = deliver(target, company(1, f=81234567890.07, c="USD"), **columns)
    assert run.report["writes"] == 1


def test_a_currency_without_cents_needs_a_word_on_its_digits(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-54: what "in cents" means for yen is not documented: it is asked for, never guessed."""
    yen = field("currency", currency="JPY")
    refused = deliver(make_target(streams=streams({"F": yen})), company(1, f=100), f=NUMBER)
    assert refused.code == 2
    assert "F.digits: JPY has no cents" in refused.stderr
    target = make_target(streams=streams({"F": {**yen, "digits": 0}}))
    assert deliver(target, company(1, f=1250), f=NUMBER).outcomes == {"applied": 1}
    assert accounts(sim)["Company 1"]["values"]["F"] == "1250"


def test_a_field_of_the_account_is_taken_in_its_own_currency(
    sim: Simulator, api: Api, make_target: MakeTarget
) -> None:
    """S0-15: named by its tag; without any word of ours its default currency holds."""
    meta(api, "Annual revenue", "currency", fieldDefaultCurrency="GBP")
    target = make_target(streams=streams({"ANNUAL_REVENUE": "f"}))
    assert deliver(target, company(1, f=12.34), f=NUMBER).outcomes == {"applied": 1}
    (datum,) = [d for d in sim.state()["accountCustomFieldData"] if "fieldCurrency" in d]
    assert (datum["fieldValue"], datum["fieldCurrency"]) == ("1234", "GBP")


@pytest.mark.parametrize("twice", ["overwrites", "422"])
def test_values_that_an_answer_does_not_confirm_are_written_by_themselves(
    sim: Simulator, api: Api, make_target: MakeTarget, twice: str
) -> None:
    """S0-48, S0-53: into their row where there is one; two values of a field are never made."""
    sim.switches(account_inline_fields="ignored", account_value_twice=twice)
    target = make_target(streams=streams({"F": "f", "G": {"column": "g", "type": "checkbox",
                                                         "options": CHOICES}}))  # fmt: skip
    columns = {"f": TEXT, "g": SEVERAL}
    assert deliver(target, company(1, f="a", g=["Gold"]), **columns).outcomes == {"applied": 1}
    assert routes(sim)[("POST", "/accountCustomFieldData")] == 3
    run = deliver(target, company(1, f="b", g=["Silver"]), **columns)
    assert run.outcomes == {"applied": 1}
    expected = {"BUBSACTID": "1", "F": "b", "G": ["Silver"]}
    assert accounts(sim)["Company 1"]["values"] == expected
    assert deliver(target, company(1, f="b", g=["Silver"]), **columns).report["writes"] == 0


@pytest.mark.parametrize("action", ["apply_then_reset", "apply_then_status", "reset"])
@pytest.mark.parametrize("inline", ["works", "ignored"])
def test_a_value_whose_answer_was_lost_is_there_once(
    sim: Simulator, make_target: MakeTarget, action: str, inline: str
) -> None:
    """S0-44: whatever is missing comes with the next run, and nothing is there twice."""
    target = make_target(streams=streams({"F": "f"}))
    deliver(target, company(1), f=TEXT)
    sim.switches(account_inline_fields=inline)
    match = {"method": "POST|PUT", "path": "/account"}
    for nth in (1, 2, 3):
        sim.faults([{"match": match, "nth": nth, "action": action}])
        deliver(target, company(1, f=f"value {nth}"), f=TEXT)
        sim.faults([])
        assert deliver(target, company(1, f=f"value {nth}"), f=TEXT).code == 0
        held = accounts(sim)["Company 1"]["values"]
        assert held == {"BUBSACTID": "1", "F": f"value {nth}"}
    assert rejects(target) == []


def test_a_value_that_is_refused_holds_nothing_else_back(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S0-28: account, key and other values are written; the value is a reject of its own step."""
    sim.switches(max_value_length=20)
    target = make_target(streams=streams({"F": "f", "G": "g"}))
    row = company(1, f="x" * 21, g="y", website="example.com")
    run = deliver(target, row, f=TEXT, g=TEXT)
    assert run.outcomes == {"rejected": 1}
    (reject,) = rejects(target)
    assert (reject["step"], reject["cause"]) == ("custom_fields", "field_invalid")
    account = accounts(sim)["Company 1"]
    assert (account["values"], account["url"]) == ({"BUBSACTID": "1", "G": "y"}, "example.com")


def test_a_value_its_field_cannot_hold_is_a_reject_of_that_value(
    sim: Simulator, api: Api, make_target: MakeTarget
) -> None:
    """S0-54: found before it is sent; the rest is written once and not again."""
    target = make_target(streams=streams({"F": field("dropdown")}))
    for made in (1, 0):
        sim.forget_requests()
        assert deliver(target, company(1, f="Bronze"), f=TEXT).causes == {"field_option": 1}
        assert routes(sim)[("POST", "/accounts")] == made
        assert routes(sim)[("PUT", "/accounts/{id}")] == 0


@pytest.mark.parametrize("blank", [None, ""])
def test_null_clears_only_where_it_shall(
    sim: Simulator, api: Api, make_target: MakeTarget, blank: Any
) -> None:
    """S0-50, X5: omit leaves alone; clear takes values away, never the name or the key; an absent
    column says nothing; twice is once.
    """
    fields = {meta(api, "BUBSACTID"): "1", meta(api, "F"): "x", meta(api, "G", "checkbox"): ["a"],
              meta(api, "H"): "z"}  # fmt: skip
    make_account(api, "Company 1", fields, accountUrl="https://example.com")
    custom = {"F": "f", "G": "g", "H": "absent"}
    row = company(1, "", website=blank, f=blank, g=blank)
    columns = {"f": TEXT, "g": SEVERAL}
    omit = make_target("omit", streams=streams(custom))
    assert deliver(omit, row, f=TEXT, g=TEXT).report["writes"] == 0
    clear = make_target("clear", streams=streams(custom, null_semantics="clear"))
    assert deliver(clear, row, f=TEXT, g=TEXT).outcomes == {"applied": 1}
    expected = {"id": "1", "url": "", "values": {"BUBSACTID": "1", "H": "z"}}
    assert accounts(sim) == {"Company 1": expected}
    assert deliver(clear, row, **columns | {"g": TEXT}).report["writes"] == 0


def test_rules_stand_above_clearing(sim: Simulator, api: Api, make_target: MakeTarget) -> None:
    """S0-50: if_empty and on_create write nothing over, never writes nothing at all."""
    fields = {meta(api, "BUBSACTID"): "1", meta(api, "F"): "x", meta(api, "G"): ""}
    make_account(api, "Known", fields, accountUrl="https://example.com")
    rules = {"F": "if_empty", "G": "if_empty", "H": "never", "name": "on_create",
             "accountUrl": "on_create"}  # fmt: skip
    custom = {"F": "f", "G": "f", "H": "f"}
    target = make_target(streams=streams(custom, rules=rules, null_semantics="clear"))
    rows = [company(n, website="https://example.org", f="y") for n in (1, 2)]
    assert deliver(target, *rows, f=TEXT).outcomes == {"applied": 2}
    held = accounts(sim)
    assert held["Known"]["url"] == "https://example.com"
    assert held["Known"]["values"] == {"BUBSACTID": "1", "F": "x", "G": "y"}
    assert held["Company 2"]["url"] == "https://example.org"


@pytest.mark.parametrize("action", ["reset", "apply_then_reset"])
def test_a_creation_of_fields_cut_short_is_completed_by_the_next_run(
    sim: Simulator, make_target: MakeTarget, action: str
) -> None:
    """S0-14: nothing is made twice, though labels need not be unique."""
    path = {"method": "POST", "path": "accountCustomFieldMeta$"}
    sim.faults([{"match": path, "nth": 2, "times": 9, "action": action}])
    target = make_target(streams=streams({"F": field("dropdown"), "G": field("currency", "g")}))
    cut = deliver(target, company(1), f=TEXT, g=NUMBER)
    assert cut.code == 7, cut.stderr
    assert accounts(sim) == {}
    sim.faults([])
    assert deliver(target, company(1, f="Gold", g=1.5), f=TEXT, g=NUMBER).code == 0
    made = [(m["fieldLabel"], m["fieldType"]) for m in sim.state()["accountCustomFieldMeta"]]
    assert made == [("BUBSACTID", "hidden"), ("F", "dropdown"), ("G", "currency")]
    assert accounts(sim)["Company 1"]["values"] == {"BUBSACTID": "1", "F": "Gold", "G": "150"}
