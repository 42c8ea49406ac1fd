"""Contacts imported in bulk: as single calls would have made them, at a fraction of the calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from destinations_support import WarmTarget, keys_are_unique, routes, seeded_fields, sums_close
from simulators_support import Simulator
from target_support import Run, record, schema, state

TEXT = {"type": ["string", "null"]}
COLUMNS = dict.fromkeys(("consent", "consent_at", "proof", "wants_news", "interests"), TEXT)
LAST_MONTH = (datetime.now(UTC) - timedelta(days=30)).isoformat()
YES = {"consent": "confirmed", "consent_at": LAST_MONTH, "proof": "form 7", "wants_news": "true"}
STREAM: dict[str, Any] = {
    "key": "ctt_id",
    "key_field": "BUBSCTTID",
    "fields": {
        "email": "email", "firstName": "given_name", "lastName": "family_name",
        "phone": "work_phone",
    },
    "custom_fields": {"LAND": "org_country", "SPRACHE": "language_code", "MOBIL": "mobile_phone"},
    "consent": {
        "column": "consent", "granted_at": "consent_at", "evidence": "proof", "purpose": "ads",
    },
    "lists": {"News": {"when": "wants_news", "consent": "ads"}},
    "tags": {"add": ["backoffice"]},
}  # fmt: skip
IMPORT = ("POST", "/import/bulk_import")
QUICK = 0.05


def person(key: int, **more: Any) -> dict[str, Any]:
    """A contact with values in every column."""
    return record(
        key,
        **{
            "given_name": f"Given{key}",
            "family_name": f"Family{key}",
            "work_phone": f"+49 {key}",
            "org_country": "DE",
            "language_code": "de",
            "mobile_phone": f"+41 {key}",
            **YES,
            **more,
        },
    )


def people(count: int, **more: Any) -> list[dict[str, Any]]:
    return [person(key, **more) for key in range(1, count + 1)]


def there(key: int, **more: Any) -> dict[str, Any]:
    """A contact as the account has it already, with another name and without values."""
    return {
        "email": f"person{key}@example.com",
        "firstName": "Before",
        "fieldValues": {"BUBSCTTID": str(key)},
        **more,
    }


@pytest.fixture
def quick(sim: Simulator) -> Simulator:
    """An account whose imports are over soon, and which takes any number of them."""
    sim.switches(bulk_delay_seconds=QUICK, bulk_rate_limit=False)
    return sim


def seed(sim: Simulator, *contacts: dict[str, Any], **more: Any) -> None:
    sim.seed({"fields": seeded_fields(), "lists": ["News"], "contacts": list(contacts), **more})


@pytest.fixture
def target(quick: Simulator, make_target: Any) -> WarmTarget:
    made: WarmTarget = make_target(streams={"contacts": STREAM}, strategy="auto", reads="crawl")
    return made


def deliver(target: WarmTarget, rows: list[dict[str, Any]], **more: Any) -> Run:
    """A run that ends with 0, in which every row has its outcome, and leaves no journal."""
    run = target.run([schema(**COLUMNS), *rows, state(len(rows))], **more)
    assert run.code == 0, run.stderr
    assert sums_close(run)
    assert not list((target.home / "state").glob("bulk-*"))
    return run


def shown(sim: Simulator) -> dict[str, dict[str, Any]]:
    """Everything of every contact but ids and times."""
    left_out = {"id", "cdate", "udate"}
    return {
        email: {name: value for name, value in contact.items() if name not in left_out}
        for email, contact in sim.contacts().items()
    }


def imported(sim: Simulator) -> set[str]:
    """The addresses in all imports."""
    return {row["email"] for one in sim.state()["imports"] for row in one["contacts"]}


def active(sim: Simulator) -> set[str]:
    return {email for email, one in sim.contacts().items() if "1" in one["lists"].values()}


def test_a_first_load_is_imported_and_ends_as_single_calls_would(
    quick: Simulator, target: WarmTarget, make_target: Any
) -> None:
    """600 contacts with six values, a list and a tag: 3 imports, and the same contacts."""
    seed(quick)
    run = deliver(target, people(600))
    assert run.outcomes == {"applied": 600}
    assert run.stream["matched_by"] == {"new": 600}
    assert run.stream["details"]["bulk_import"] == {"rows": 600, "batches": 3, "refused": 0}
    made = routes(quick)
    assert made.pop(IMPORT) == 3
    assert sum(made.values()) == 0
    assert quick.summary()["total"] <= 30
    by_import = shown(quick)
    assert len(by_import) == 600
    quick.reset()
    seed(quick)
    single = make_target("single", streams={"contacts": STREAM}, reads="crawl")
    deliver(single, people(600))
    assert by_import == shown(quick)


def test_a_second_run_writes_nothing(quick: Simulator, target: WarmTarget) -> None:
    """S0-34: what was imported agrees."""
    seed(quick)
    deliver(target, people(40))
    quick.forget_requests()
    run = deliver(target, people(40))
    assert run.outcomes == {"unchanged": 40}
    assert quick.requests(writes=True) == []


@pytest.mark.parametrize("reads", ["crawl", "point", "incremental"])
def test_known_contacts_are_updated_by_import(
    quick: Simulator, target: WarmTarget, reads: str
) -> None:
    """By the address that the account has, in its letters; new ones in an import of their
    own.
    """
    seed(quick, *(there(key) for key in range(1, 21)), there(21, email="Person21@Example.com"))
    run = deliver(target, people(40), reads=reads)
    assert run.outcomes == {"applied": 40}
    assert run.stream["matched_by"] == {"cfd": 21, "new": 19}
    assert routes(quick) == {IMPORT: 2}
    assert "Person21@Example.com" in imported(quick)
    assert keys_are_unique(quick)
    assert all(one["firstName"].startswith("Given") for one in quick.contacts().values())
    assert len(active(quick)) == 40
    quick.forget_requests()
    assert deliver(target, people(40), reads=reads).outcomes == {"unchanged": 40}
    assert quick.requests(writes=True) == []


def test_few_rows_are_written_one_by_one_unless_the_settings_want_imports(
    quick: Simulator, target: WarmTarget
) -> None:
    """Nine are not worth an import; by `bulk` one is, by `single` none."""
    seed(quick)
    deliver(target, people(9))
    assert IMPORT not in routes(quick)
    deliver(target, people(10), strategy="bulk")
    assert routes(quick)[IMPORT] == 1
    assert imported(quick) == {"person10@example.com"}
    deliver(target, [person(key) for key in range(11, 60)], strategy="single")
    assert imported(quick) == {"person10@example.com"}
    assert len(active(quick)) == 59


def test_what_an_import_can_not_do_is_written_beside_it(quick: Simulator, make_target: Any) -> None:
    """S2-2: changes of address, values to clear, dates of creation, tags to take off and
    shared addresses go by single calls; everybody else by import.
    """
    columns = {**STREAM["fields"], "cdate": "date_created"}
    stream = {
        **STREAM,
        "fields": columns,
        "null_semantics": "clear",
        "tags": {"add": ["backoffice"], "remove": ["old"]},
    }
    target = make_target(streams={"contacts": stream}, strategy="auto", reads="crawl")
    seed(
        quick,
        *(there(key) for key in range(1, 31)),
        there(31, email="moved@example.com"),
        there(32, fieldValues={"BUBSCTTID": "32", "LAND": "FR"}),
        there(33, tags=["Old"]),
        tags=["Old"],
    )
    rows = [*people(30), person(31), person(32, org_country=None), person(33)]
    rows += [person(34, date_created="2020-02-29"), person(35, email="both@example.com")]
    rows += [person(36, email="both@example.com"), *(person(key) for key in range(37, 50))]
    run = deliver(target, rows)
    by_import = {f"person{key}@example.com" for key in (*range(1, 31), *range(37, 50))}
    assert imported(quick) == by_import
    assert run.outcomes == {"applied": 48, "rejected": 1}
    contacts = quick.contacts()
    assert contacts["person31@example.com"]["fieldValues"]["BUBSCTTID"] == "31"
    assert contacts["person32@example.com"]["fieldValues"]["LAND"] == ""
    assert contacts["person33@example.com"]["tags"] == ["backoffice"]
    assert contacts["person34@example.com"]["cdate"].startswith("2020-02-2")
    assert keys_are_unique(quick)


def test_withdrawn_and_departed_people_are_never_active(
    quick: Simulator, target: WarmTarget
) -> None:
    """X2 X3: who has withdrawn is unsubscribed before any import, and who ever was on the list is
    not imported to it, even where the vendor does not protect them.
    """
    quick.switches(bulk_previously_unsubscribed="subscribed")
    gone = {f"person{key}@example.com" for key in range(1, 31)}
    seed(
        quick,
        *(there(key, lists={"News": 2}) for key in range(1, 11)),
        *(there(key, lists={"News": 1}) for key in range(11, 21)),
        *(there(key, lists={"News": 3}, bounced_hard=1) for key in range(21, 31)),
        *(there(key) for key in range(31, 61)),
    )
    no = {"consent": "unsubscribed"}
    rows = [*people(10), *(person(key, **no) for key in range(11, 21))]
    rows += [person(key) for key in range(21, 61)]
    quick.keep_journal()
    deliver(target, rows)
    assert len(imported(quick)) == 60
    assert active(quick) == {f"person{key}@example.com" for key in range(31, 61)}
    became = [
        change["after"]
        for entry in quick.journal()
        for change in entry["changes"]
        if change["table"] == "contacts" and change.get("after")
    ]
    assert became
    early = {one["email"] for one in became if "1" in one["lists"].values()} & gone
    assert early <= {f"person{key}@example.com" for key in range(11, 21)}
    before = {
        f"person{key}@example.com": there(key) for key in range(11, 21)
    }  # active until they are unsubscribed, which comes first of all
    first = [one["email"] for one in became][: len(before)]
    assert set(first) == set(before)


def test_tags_are_written_as_the_account_has_them_and_made_once(
    quick: Simulator, make_target: Any
) -> None:
    """S4-22: in the account's letters; a new one is known to the rows that are looked at after."""
    stream = {**STREAM, "tags": {"add": ["VIP", "New"]}}
    target = make_target(streams={"contacts": stream}, strategy="auto", reads="crawl")
    seed(quick, tags=["vip", "Other"])
    deliver(target, people(30))
    assert {one["tag"] for one in quick.state()["tags"]} == {"vip", "Other", "New"}
    assert all(one["tags"] == ["New", "vip"] for one in quick.contacts().values())
    assert routes(quick) == {IMPORT: 1}


def test_imports_start_no_automations_where_the_settings_say_so(
    quick: Simulator, target: WarmTarget
) -> None:
    """The flag stands in each contact, as in the vendor's example."""
    quick.switches(bulk_exclude_automations="contact")
    seed(quick)
    deliver(target, people(10), exclude_automations=True)
    deliver(target, [person(key) for key in range(11, 21)])
    assert [one["automations_excluded"] for one in quick.state()["imports"]] == [
        [True] * 10,
        [False] * 10,
    ]


def test_accounts_are_associated_after_the_import(quick: Simulator, make_target: Any) -> None:
    """S0-38: by the single call that there is for it."""
    stream = {**STREAM, "account": {"key": "act_id", "key_field": "BUBSACTID"}}
    target = make_target(streams={"contacts": stream}, strategy="auto", reads="crawl")
    acme = {"name": "Acme", "fields": {"BUBSACTID": "7"}}
    seed(quick, accountFields=[{"fieldLabel": "BUBSACTID"}], accounts=[acme])
    columns = {**COLUMNS, "act_id": {"type": ["integer", "null"]}}
    rows = people(20, act_id=7)
    run = target.run([schema(**columns), *rows, state(20)])
    assert run.outcomes == {"applied": 20}, run.stderr
    assert routes(quick) == {IMPORT: 1, ("POST", "/accountContacts"): 20}
    assert {one["account"] for one in quick.contacts().values()} == {"Acme"}


def test_dates_of_creation_keep_contacts_from_imports_unless_bulk_is_meant(
    quick: Simulator, make_target: Any
) -> None:
    """S0-41: by `auto` the date goes along with each call, and the log says what that costs; by
    `bulk` everybody is imported without it, and the report says how many.
    """
    stream = {**STREAM, "fields": {**STREAM["fields"], "cdate": "date_created"}}
    rows = [person(key, date_created="2020-02-29") for key in range(1, 16)]
    for strategy, calls, name in (("auto", 0, "single_for_cdate"), ("bulk", 15, "without_cdate")):
        quick.reset()
        quick.switches(bulk_delay_seconds=0.05)
        seed(quick)
        target = make_target(strategy, streams={"contacts": stream}, strategy=strategy)
        run = deliver(target, rows)
        assert run.outcomes == {"applied": 15}
        assert len(imported(quick)) == calls
        assert run.stream["details"]["bulk_import"][name] == 15
        assert ("set strategy to bulk" in run.stderr) is (strategy == "auto")
