"""The field contract of a list, and values on their way into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from lists_support import LIST, REGULAR, ListTarget, ids, recipients, row, schema, selection
from simulators_support import Simulator
from warm_lists import WarmListTarget, attributes, closes, content, rows_of, said, written

MakeTarget = Callable[..., ListTarget]
TYPED = 120000000009
NAMES = ("email", "Vorname", "Nachname", "Land", "opt-in-id", "description", "media-type")


def typed_list(sim: Simulator, **types: Any) -> None:
    """Seed list 120000000009: the usual attributes and one per type."""
    more = [{"name": n, **({"type": t} if isinstance(t, str) else t)} for n, t in types.items()]
    usual = [*NAMES, "entity-type", "entity-id"]
    sim.seed({"lists": [{"id": TYPED, "name": "Typed", "attributes": [*usual, *more]}]})


def typed(make_target: MakeTarget, columns: dict[str, str], **options: Any) -> ListTarget:
    """A target for that list with columns mapped to the further attributes."""
    mapped = {**LIST["attributes"], **columns}
    more = {k: options.pop(k) for k in ("batch_size_records", "max_errors") if k in options}
    return make_target(list={"list_id": TYPED, "attributes": mapped, **options}, **more)


def with_columns(rows: list[dict[str, Any]], *names: str, **formats: str) -> list[dict[str, Any]]:
    """A selection whose SCHEMA has further columns of any type, or of a format."""
    anything = {"type": ["string", "integer", "number", "boolean", "null"]}
    dated = {n: {"type": ["string", "null"], "format": f} for n, f in formats.items()}
    return selection(rows, **dict.fromkeys(names, anything), **dated)


# ---- the contract


def test_an_attribute_that_the_list_lacks_stops_the_run_before_the_clear(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-12: named with what the list has; nothing written."""
    sim.seed({"recipients": [{"list": REGULAR, "id": "old@example.com"}]})
    before = content(sim)
    target = make_target(list={"attributes": {"Vorname": "given_name", "Titel": "family_name"}})
    run = target.transfer([row(1)])
    assert run.code == 2
    assert "has no attribute Titel; it has email, Vorname" in said(run)
    assert content(sim) == before
    assert not written(sim)


def test_names_of_attributes_are_compared_exactly(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-12: `vorname` is not `Vorname`."""
    run = make_target(list={"attributes": {"vorname": "given_name"}}).transfer([row(1)])
    assert run.code == 2
    assert "no attribute vorname" in said(run)


@pytest.mark.parametrize("name", ["Created", "Erstellt am", "Opt-in Source"])
def test_a_column_that_the_vendor_keeps_is_refused_before_any_call(
    sim: Simulator, make_target: MakeTarget, name: str
) -> None:
    """X5: system columns are the vendor's own."""
    run = make_target(list={"attributes": {name: "given_name"}}).transfer([row(1)])
    assert run.code == 2
    assert f"attribute {name} is kept by the vendor" in said(run)
    assert sim.requests() == []


def test_a_mapped_column_that_the_stream_lacks_stops_the_run(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-5 S1-12: the selection's columns are agreed, too."""
    target = make_target(list={"attributes": {"Vorname": "first_name"}})
    run = target.transfer([row(1)])
    assert run.code == 2
    assert "no column first_name" in said(run)
    assert not written(sim)


def test_columns_may_come_in_any_order_and_number(sim: Simulator, target: ListTarget) -> None:
    """S1-4 S1-5: what nobody maps is ignored; the mapping goes by name."""
    one = row(1, unmapped="x")
    one["record"] = dict(reversed(one["record"].items()))
    run = target.run(with_columns([one], "unmapped"))
    assert run.code == 0, run.stderr
    assert attributes(sim, "person1@example.com")["Vorname"] == "Given1"


@pytest.mark.parametrize("role", sorted(LIST["technical"]))
def test_a_technical_field_without_value_rejects_the_row(
    sim: Simulator, target: ListTarget, role: str
) -> None:
    """S1-13 S1-16: each of the five; the row is named, the others go in with all five."""
    column = LIST["technical"][role]
    run = target.transfer([row(1), row(2, **{column: None}), row(3, **{column: " "}), row(4)])
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 4])
    assert [one["cause"] for one in target.left_out] == ["technical_missing"] * 2
    assert f"has no {role}" in target.left_out[0]["message"]
    held = attributes(sim, "person1@example.com")
    assert (held["opt-in-id"], held["description"], held["media-type"]) == (
        "optin-1", "newsletter", "email",
    )  # fmt: skip
    assert closes(run)


def test_the_way_back_to_the_backoffice_is_in_every_row(sim: Simulator, target: ListTarget) -> None:
    """S1-3 S1-14 S1-15: contacts, leads and accounts, each with type and id; others are refused."""
    kinds = ["contact", "lead", "account", "vendor"]
    run = target.transfer([row(n, entity_type=kind) for n, kind in enumerate(kinds, 1)])
    back = {
        key: (one["attributes"]["entity-type"], one["attributes"]["entity-id"])
        for key, one in recipients(sim).items()
    }
    assert back == {
        "person1@example.com": ("contact", "1"),
        "person2@example.com": ("lead", "2"),
        "person3@example.com": ("account", "3"),
    }
    assert run.causes == {"entity_type": 1}


def test_the_list_of_entity_types_is_open(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-14: any type that is configured."""
    target = make_target(list={"entity_types": ["vendor"]})
    assert target.transfer([row(1, entity_type="vendor")]).code == 0
    assert attributes(sim, "person1@example.com")["entity-type"] == "vendor"


def test_a_list_may_spell_the_technical_fields_its_own_way(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-13: `{column, attribute}` names the list's own attribute."""
    sim.event("add_attribute", list=REGULAR, attribute="crm_id")
    technical = {**LIST["technical"], "entity-id": {"column": "ctt_id", "attribute": "crm_id"}}
    run = make_target(list={"technical": technical}).transfer([row(1)])
    assert run.code == 0, run.stderr
    assert attributes(sim, "person1@example.com")["crm_id"] == "1"


def test_accounts_without_address_are_named_skips(sim: Simulator, target: ListTarget) -> None:
    """S1-18: no error, but told; a broken address is an error."""
    rows = [
        row(1),
        row(2, entity_type="account", email=None),
        row(3, email="  "),
        row(4, email="x"),
    ]
    run = target.transfer(rows)
    assert run.code == 0, run.stderr
    assert run.outcomes == {"applied": 1, "suppressed": 2, "rejected": 1}
    assert [(one["entity_id"], one["cause"]) for one in target.left_out] == [
        ("2", "no_address"), ("3", "no_address"), ("4", "email_syntax"),
    ]  # fmt: skip
    assert closes(run)


def test_rows_deleted_in_the_source_stay_out(sim: Simulator, target: ListTarget) -> None:
    """S1-4: `_sdc_deleted_at` is a named skip, and never sent as a value."""
    rows = [row(1), row(2, _sdc_deleted_at="2026-01-01T00:00:00Z"), row(3, _sdc_deleted_at=None)]
    run = target.run(with_columns(rows, "_sdc_deleted_at"))
    assert run.code == 0, run.stderr
    assert set(recipients(sim)) == ids([1, 3])
    assert run.causes == {"deleted_in_source": 1}


def test_the_recipient_id_may_be_another_column(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-15: then the address is just an address, and a second run knows everybody again."""
    sim.seed({"lists": [{"id": TYPED, "attributes": [*NAMES, "entity-type", "entity-id", "Kunde"],
                         "id_field": "Kunde"}]})  # fmt: skip
    options = {"recipient_id": "ctt_id", "id_attribute": "Kunde", "strategy": "reconcile"}
    target = make_target(list={"list_id": TYPED, **options})
    assert target.transfer([row(1), row(2), row(3, ctt_id=None)]).code == 0
    held = recipients(sim, TYPED)
    assert {key: one["address"] for key, one in held.items()} == {
        "1": "person1@example.com", "2": "person2@example.com",
    }  # fmt: skip
    sim.forget_requests()
    again = target.transfer([row(1), row(2)])
    assert again.outcomes == {"unchanged": 2}
    assert not written(sim)


def test_another_column_as_id_needs_an_attribute_to_read_it_back(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-21 X6: without it there could be no snapshot, so the settings are refused."""
    run = make_target(list={"recipient_id": "ctt_id"}).transfer([row(1)])
    assert run.code == 2
    assert "id_attribute" in said(run)
    assert sim.requests() == []


# ---- values


def test_values_of_a_wrong_type_are_found_by_halving_and_rejected_by_name(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-22 X4: two rows of 120 do not convert, each faults its whole call; all others go in."""
    typed_list(sim, Punkte="INTEGER")
    target = typed(make_target, {"Punkte": "points"}, batch_size_records=50)
    bad = {17: "seventeen", 100: "1.5"}
    run = target.run(with_columns([row(n, points=bad.get(n, n)) for n in range(1, 121)], "points"))
    assert run.code == 0, run.stderr
    assert set(recipients(sim, TYPED)) == ids(range(1, 121)) - ids(bad)
    assert run.outcomes == {"applied": 118, "rejected": 2}
    assert [(one["entity_id"], one["cause"]) for one in target.left_out] == [
        ("17", "value_refused"), ("100", "value_refused"),
    ]  # fmt: skip
    assert "seventeen" not in run.stderr
    assert closes(run)


@pytest.mark.parametrize("commit", ["none", "rows_before"])
@pytest.mark.parametrize("strategy", ["clear_and_refill", "reconcile"])
def test_halving_is_right_whatever_a_faulting_call_has_stored(
    sim: Simulator, make_target: MakeTarget, commit: str, strategy: str
) -> None:
    """S1-22 S1-24 S1-26: rows before the bad one may be stored already; none twice, none lost."""
    typed_list(sim, Punkte="INTEGER")
    sim.switches(fault_commit=commit)
    target = typed(make_target, {"Punkte": "points"}, strategy=strategy, min_ratio=0)
    rows = [row(n, points=n) for n in range(1, 21)]
    assert target.run(with_columns(rows, "points")).code == 0
    rows[9]["record"]["points"] = rows[15]["record"]["points"] = "many"
    rows[3]["record"]["points"] = 333
    run = target.run(with_columns([*rows, row(21, points=21), row(22, points="no")], "points"))
    assert run.code == 0, run.stderr
    assert run.causes["value_refused"] == 3
    held = recipients(sim, TYPED)
    # Both strategies come to the same end: who is refused is not in the list.
    assert set(held) == ids(range(1, 23)) - ids([10, 16, 22])
    assert held["person4@example.com"]["attributes"]["Punkte"] == "333"
    assert closes(run)


def test_when_every_row_is_refused_the_old_content_comes_back(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-23 X6: a column of the wrong kind for all: refused with 4, the snapshot is put back."""
    typed_list(sim, Punkte="INTEGER")
    target = typed(make_target, {"Punkte": "points"})
    good = [row(n, points=n) for n in range(1, 41)]
    assert target.run(with_columns(good, "points")).code == 0
    before = {key: one["attributes"] for key, one in recipients(sim, TYPED).items()}
    run = target.run(with_columns([row(n, points="many") for n in range(1, 41)], "points"))
    assert run.code == 4
    assert "Its old content of 40 recipients was put back" in said(run)
    assert run.states == []
    assert {key: one["attributes"] for key, one in recipients(sim, TYPED).items()} == before


def test_old_content_comes_back_without_whom_an_operator_forgot(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-23: the vendor knows nothing of it, and the snapshot still had them."""
    typed_list(sim, Punkte="INTEGER")
    target = typed(make_target, {"Punkte": "points"})
    good = [row(n, points=n) for n in range(1, 41)]
    assert target.run(with_columns(good, "points")).code == 0
    assert isinstance(target, WarmListTarget)
    assert target.operate("forget", "--key", "2").returncode == 0
    run = target.run(with_columns([row(n, points="many") for n in range(1, 41)], "points"))
    assert run.code == 4
    assert "Its old content of 39 recipients was put back" in said(run)
    assert set(recipients(sim, TYPED)) == ids([1, *range(3, 41)])
    files = [path for path in (target.home / "state").rglob("*") if path.is_file()]
    assert not [path for path in files if b"person2@" in path.read_bytes().lower()]


def test_more_rejects_than_the_budget_bring_the_old_content_back(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-22 S1-23: max_errors 2: the third refused value ends it, the old list is there again."""
    typed_list(sim, Punkte="INTEGER")
    target = typed(make_target, {"Punkte": "points"}, max_errors=2)
    assert target.run(with_columns([row(n, points=n) for n in range(1, 21)], "points")).code == 0
    before = set(recipients(sim, TYPED))
    two = [row(n, points="x" if n in {3, 7} else n) for n in range(1, 22)]
    assert target.run(with_columns(two, "points")).code == 0
    assert set(recipients(sim, TYPED)) == ids(range(1, 22)) - ids([3, 7])
    before = set(recipients(sim, TYPED))
    three = [row(n, points="x" if n in {3, 7, 9} else n) for n in range(1, 31)]
    run = target.run(with_columns(three, "points"))
    assert run.code == 4
    assert set(recipients(sim, TYPED)) == before


NULLS = {
    # null_values: what becomes of a text and of a number without value, as nil_on_number stands
    ("nil", "accepted"): {"Vorname": None, "Punkte": None},
    ("nil", "fault"): None,
    ("empty", "accepted"): None,
    ("omit", "accepted"): {},
    ("omit", "fault"): {},
}


@pytest.mark.parametrize(("nulls", "number"), NULLS, ids=lambda value: str(value))
def test_rows_without_value_are_sent_as_configured(
    sim: Simulator, make_target: MakeTarget, nulls: str, number: str
) -> None:
    """S1-5 S1-22: nil, empty or left out; where the vendor refuses that, the row is named."""
    typed_list(sim, Punkte="INTEGER")
    sim.switches(nil_on_number=number)
    target = typed(make_target, {"Punkte": "points"}, null_values=nulls)
    rows = [row(1, points=5), row(2, points=None, given_name=None), row(3, points=7)]
    run = target.run(with_columns(rows, "points"))
    assert run.code == 0, run.stderr
    expected = NULLS[nulls, number]
    assert set(recipients(sim, TYPED)) == ids([1, 3] if expected is None else [1, 2, 3])
    if expected is None:
        assert [(one["entity_id"], one["cause"]) for one in target.left_out] == [
            ("2", "value_refused")
        ]
    else:
        held = attributes(sim, "person2@example.com", TYPED)
        assert {k: held[k] for k in ("Vorname", "Punkte") if k in held} == expected
    assert attributes(sim, "person1@example.com", TYPED)["Punkte"] == "5"


def test_empty_texts_are_stored_as_empty_texts(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-5: `null_values: empty` writes "", and reconcile then sees no difference."""
    target = make_target(list={"null_values": "empty", "strategy": "reconcile"})
    assert target.transfer([row(1, given_name=None)]).code == 0
    assert attributes(sim, "person1@example.com")["Vorname"] == ""
    sim.forget_requests()
    assert target.transfer([row(1, given_name=None)]).outcomes == {"unchanged": 1}
    assert not written(sim)


def test_types_of_all_kinds_arrive_as_their_fields_take_them(
    sim: Simulator, make_target: MakeTarget
) -> None:
    """S1-5 X3: booleans, dates, moments, decimals; a second reconcile finds all of them equal."""
    typed_list(sim, Aktiv="BOOLEAN", Geburt="DATE", Zuletzt="TIMESTAMP", Umsatz="DECIMAL",
               Quote="FLOAT", Kunde="LONG")  # fmt: skip
    columns = {"Aktiv": "active", "Geburt": "born", "Zuletzt": "seen", "Umsatz": "turnover",
               "Quote": "ratio", "Kunde": "number"}  # fmt: skip
    values = {"active": True, "born": "1980-02-29", "seen": "2026-01-02T03:04:05.678+00:00",
              "turnover": 1234567890.12, "ratio": 0.5, "number": 9007199254740993}  # fmt: skip
    target = typed(make_target, columns, strategy="reconcile")
    rows = [row(1, **values), row(2, **{**values, "active": False, "turnover": 1e2})]
    messages = with_columns(rows, "active", "turnover", "ratio", "number",
                            born="date", seen="date-time")  # fmt: skip
    run = target.run(messages)
    assert run.code == 0, run.stderr
    held = attributes(sim, "person1@example.com", TYPED)
    assert {name: held[name] for name in columns} == {
        "Aktiv": "true", "Geburt": "1980-02-29", "Zuletzt": "2026-01-02T04:04:05+01:00",
        "Umsatz": "1234567890.12", "Quote": "0.5", "Kunde": "9007199254740993",
    }  # fmt: skip
    assert attributes(sim, "person2@example.com", TYPED)["Umsatz"] == "100"
    sim.forget_requests()
    assert target.run(messages).outcomes == {"unchanged": 2}
    assert not written(sim)


TEXTS = {
    "cdata": "a ]]> b <![CDATA[ & < > ' \"",
    "emoji": "Zoë 👩‍👩‍👧 🇨🇭",
    "umlauts": "Jürgen Müßig-Ænima Łódź 名前",
    "line ends": "first\nsecond\tthird",
    "blanks": "  kept as they are  ",
}


@pytest.mark.parametrize("name", TEXTS)
def test_any_text_arrives_unchanged(sim: Simulator, make_target: MakeTarget, name: str) -> None:
    """S1-5 S1-21: also when it comes back from a snapshot."""
    target = make_target()
    assert target.transfer([row(1, given_name=TEXTS[name]), row(2)]).code == 0
    assert attributes(sim, "person1@example.com")["Vorname"] == TEXTS[name]
    assert target.transfer([row(2), row(1)]).code == 0
    assert target.recover("--restore", "newsletter_recipients").code == 0  # type: ignore[attr-defined]
    assert attributes(sim, "person1@example.com")["Vorname"] == TEXTS[name]


def test_characters_that_xml_lacks_are_left_out(sim: Simulator, target: ListTarget) -> None:
    """S1-5 S1-22: a NUL or another control character takes no row and no chunk with it."""
    run = target.transfer([row(1, given_name="A\u0000d\u0008a\u001f\ufffe"), row(2)])
    assert run.code == 0, run.stderr
    assert attributes(sim, "person1@example.com")["Vorname"] == "Ada"
    assert set(recipients(sim)) == ids([1, 2])


@pytest.mark.parametrize("over_long", ["truncate", "fault"])
def test_a_text_longer_than_its_field_hurts_nobody_else(
    sim: Simulator, make_target: MakeTarget, over_long: str
) -> None:
    """S1-22: cut by the vendor, or the one row is rejected by name."""
    typed_list(sim, Ort={"type": "STRING", "length": 10})
    sim.switches(over_long=over_long)
    target = typed(make_target, {"Ort": "city"})
    rows = [row(1, city="Basel"), row(2, city="x" * 5000), row(3, city="y" * 10)]
    run = target.run(with_columns(rows, "city"))
    assert run.code == 0, run.stderr
    cut = over_long == "truncate"
    assert set(recipients(sim, TYPED)) == ids([1, 2, 3] if cut else [1, 3])
    assert run.causes == ({} if cut else {"value_refused": 1})


def test_very_long_values_pass_whole(sim: Simulator, target: ListTarget) -> None:
    """S1-22: 200,000 characters in one value, with everybody else in the same call."""
    long = "ß" * 200_000
    run = target.transfer([row(1, description=long), row(2)])
    assert run.code == 0, run.stderr
    assert attributes(sim, "person1@example.com")["description"] == long


def test_a_batch_is_never_larger_than_configured(sim: Simulator, make_target: MakeTarget) -> None:
    """S1-22: 25 rows by 10 are three calls; 1001 is refused as a setting."""
    sim.keep_bodies()
    assert make_target(batch_size_records=10).transfer([row(n) for n in range(25)]).code == 0
    assert written(sim)["addAll3"] == 3
    assert rows_of(sim)["addAll3"] == 25
    assert make_target("large", batch_size_records=1001).transfer([row(1)]).code == 2


def test_the_schema_is_asked_for_by_its_stream(sim: Simulator, target: ListTarget) -> None:
    """S1-2: a stream that feeds no list ends the run; `ignore` lets it pass."""
    other = schema("others")
    run = target.run([other, *selection([row(1)])])
    assert run.code == 2
    assert "stream others feeds no list" in said(run)
    assert not written(sim)
