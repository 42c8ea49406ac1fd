"""What feedback does to the sample backoffice, by the statements that are shipped with it."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from backoffice.database import METADATA, build, connect
from backoffice.marketing import ADDRESS_HISTORY, CONSENTS, LEADS, MARKETING_LISTS
from sqlalchemy import Table, text
from tap_optimizely.records import schema as tap_schema
from tap_support import Database, run_command
from target_backoffice.statements import parse_statement
from target_backoffice_support import (
    COLUMNS,
    EVENTS_LIST,
    NEWSLETTER_LIST,
    NEWSLETTER_SQL,
    SHIPPED,
    Importer,
    bounce,
    complete,
    dump,
    fetch,
    unsubscribe,
)

JANUARY, JULY = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-07-01")
ENTITIES = [("contact", "10001"), ("lead", "70001"), ("account", "501")]
TOUCHED = ("consents", "address_history", "marketing_worklist")


def insert(database: Database, table: Table, *rows: dict[str, Any]) -> None:
    engine = connect(database.url)
    with engine.begin() as connection:
        connection.execute(table.insert(), list(rows))
    engine.dispose()


def prepare(importer: Importer) -> None:
    """Empty tables of the sample, two lists, and three entities that agreed to both purposes."""
    engine = connect(importer.database.url)
    METADATA.create_all(engine)
    engine.dispose()
    importer.config["streams"] = SHIPPED
    insert(
        importer.database, MARKETING_LISTS,
        {"list_id": NEWSLETTER_LIST, "purpose": "newsletter"},
        {"list_id": EVENTS_LIST, "purpose": "events"},
    )  # fmt: skip
    number = 0
    for kind, key in ENTITIES:
        for purpose in ("newsletter", "events"):
            number += 1
            agree(importer, number, kind, key, purpose)
        have(importer, number, kind, key, f"{kind}@example.com")


def agree(
    importer: Importer, number: int, kind: str, key: str, purpose: str, since: datetime = JANUARY
) -> None:
    row = {"consent_id": number, "entity_type": kind, "entity_id": key, "purpose": purpose,
           "optin_id": f"OPT-{number}", "channel": "email", "granted_at": since}  # fmt: skip
    insert(importer.database, CONSENTS, row)


def have(
    importer: Importer, number: int, kind: str, key: str, email: str,
    since: datetime = JANUARY, until: datetime | None = None,
) -> None:  # fmt: skip
    row = {"address_id": number, "entity_type": kind, "entity_id": key, "email": email,
           "valid_from": since, "valid_until": until}  # fmt: skip
    insert(importer.database, ADDRESS_HISTORY, row)


def withdrawn(importer: Importer) -> set[tuple[str, str]]:
    """Entity type and purpose of the consents that no longer stand."""
    query = "SELECT entity_type, purpose FROM consents WHERE withdrawn_at IS NOT NULL"
    return {(row[0], row[1]) for row in fetch(importer.database, query)}


def bounced(importer: Importer) -> set[str]:
    query = "SELECT email FROM address_history WHERE bounced_at IS NOT NULL"
    return {row[0] for row in fetch(importer.database, query)}


def worklist(importer: Importer) -> list[tuple[Any, ...]]:
    return fetch(importer.database, "SELECT stream, natural_key, resolved_at FROM "
                                    "marketing_worklist ORDER BY natural_key")  # fmt: skip


@pytest.mark.parametrize(("kind", "key"), ENTITIES)
def test_an_unsubscribe_ends_the_consent_of_its_list_on_the_entity(
    importer: Importer, kind: str, key: str
) -> None:
    """S1-41 S1-42 S1-47: by entity type and id, for each type, and that list's consent only."""
    prepare(importer)
    run = importer.take(complete([unsubscribe(1, entity_type=kind, entity_id=key)]))
    assert run.code == 0, run.said
    assert withdrawn(importer) == {(kind, "newsletter")}
    assert run.matched() == {"apply_sql[0]": 1}
    query = "SELECT withdrawn_at FROM consents WHERE withdrawn_at IS NOT NULL"
    assert [str(row[0])[:19] for row in fetch(importer.database, query)] == ["2026-11-20 10:00:00"]


def test_the_scope_of_an_unsubscribe_is_explicit(importer: Importer) -> None:
    """S1-47: the opt-in id's consent, else the list's; all of them only when it is client-wide."""
    prepare(importer)
    by_optin = unsubscribe(1, entity_type="contact", entity_id="10001", list_id=None,
                           opt_in_id="OPT-2")  # fmt: skip
    by_list = unsubscribe(2, entity_type="lead", entity_id="70001", list_id=EVENTS_LIST)
    by_client = unsubscribe(3, entity_type="account", entity_id="501", scope="client", list_id="0")
    run = importer.take(complete([by_optin, by_list, by_client]))
    assert run.code == 0, run.said
    assert withdrawn(importer) == {
        ("contact", "events"), ("lead", "events"), ("account", "events"), ("account", "newsletter"),
    }  # fmt: skip


def test_without_an_entity_the_dated_addresses_tell_who_it_was(importer: Importer) -> None:
    """S1-45 S2-8: whoever had the address at that time, whatever its case; else who had it last."""
    prepare(importer)
    have(importer, 90, "lead", "70001", "old@example.com", JANUARY, JULY)
    have(importer, 91, "contact", "10001", "old@example.com", JULY)
    at_the_time = unsubscribe(1, recipient_id="OLD@example.com", event_time="2026-03-01T00:00:00Z")
    run = importer.take(complete([at_the_time]))
    assert run.code == 0, run.said
    assert withdrawn(importer) == {("lead", "newsletter")}
    assert run.matched() == {"apply_sql[1]": 1}
    have(importer, 92, "account", "501", "gone@example.com", JANUARY, JULY)
    with_an_old_mail = unsubscribe(2, recipient_id="gone@example.com")
    run = importer.take(complete([with_an_old_mail]))
    assert withdrawn(importer) == {("lead", "newsletter"), ("account", "newsletter")}
    assert run.matched() == {"apply_sql[2]": 1}


def test_who_is_nowhere_goes_to_the_worklist_and_is_never_created(importer: Importer) -> None:
    """S1-45 S2-5: no entity, no address: a row for a person to look at, no contact."""
    prepare(importer)
    people = dump(importer.database, "contacts", "leads", "organisations", "consents")
    unknown = unsubscribe(1, recipient_id="nobody@example.org")
    wrong = unsubscribe(2, entity_type="contact", entity_id="x", recipient_id="who@example.org")
    unassigned = unsubscribe(3, scope=None, assigned=False, recipient_id="contact@example.com")
    run = importer.take(complete([unknown, wrong, unassigned], [bounce(1)]))
    assert run.code == 0, run.said
    assert dump(importer.database, "contacts", "leads", "organisations", "consents") == people
    listed = [row[1] for row in worklist(importer) if row[0] == "unsubscribes"]
    assert listed == [f'{{"event_key": "unsubscribe-{n}"}}' for n in (1, 2, 3)]
    assert run.matched() == {"worklist": 3}
    assert run.matched("bounces") == {"worklist": 1}


def test_an_entry_of_the_worklist_closes_when_its_record_finds_somebody(importer: Importer) -> None:
    """A record that says more than before is tried again; its entry gets its date of resolution."""
    prepare(importer)
    importer.take(complete([unsubscribe(1)]))
    assert [row[2] for row in worklist(importer)] == [None]
    importer.take(complete([unsubscribe(1, entity_type="lead", entity_id="70001")]))
    assert [row[2] is None for row in worklist(importer)] == [False]
    assert withdrawn(importer) == {("lead", "newsletter")}


def test_what_came_before_never_withdraws_a_newer_consent(importer: Importer) -> None:
    """X2: neither a late unsubscribe nor its repetition ends a consent given since."""
    prepare(importer)
    row = unsubscribe(1, entity_type="contact", entity_id="10001")
    importer.take(complete([row]))
    importer.database.execute(
        "UPDATE consents SET withdrawn_at = NULL, granted_at = '2026-12-01 00:00:00' "
        "WHERE consent_id = 1"
    )
    before = dump(importer.database, *TOUCHED)
    again = importer.take(complete([row]))
    late = importer.take(complete([{**row, "record": {**row["record"], "event_key": "late"}}]))
    assert (again.outcomes(), late.outcomes()) == ({"unchanged": 1}, {"applied": 1})
    assert dump(importer.database, *TOUCHED) == before


@pytest.mark.parametrize(("kind", "key"), ENTITIES)
def test_a_bounce_marks_the_address_of_the_entity(importer: Importer, kind: str, key: str) -> None:
    """S1-41 S1-42: for each entity type; consents stay."""
    prepare(importer)
    row = bounce(1, entity_type=kind, entity_id=key, recipient_id=f"{kind}@example.com")
    run = importer.take(complete([], [row]))
    assert run.code == 0, run.said
    assert bounced(importer) == {f"{kind}@example.com"}
    assert withdrawn(importer) == set()


def test_soft_bounces_change_nothing_and_are_no_work_for_anybody(importer: Importer) -> None:
    """S1-46: only what the configured thresholds call out marks an address."""
    prepare(importer)
    soft = bounce(1, recipient_id="lead@example.com", kind="soft", bounced_out=False)
    run = importer.take(complete([], [soft]))
    assert (bounced(importer), worklist(importer)) == (set(), [])
    assert run.outcomes("bounces") == {"applied": 1}
    over = importer.take(
        complete([], [{**soft, "record": {**soft["record"], "bounced_out": True}}])
    )
    assert over.outcomes("bounces") == {"applied": 1}
    assert bounced(importer) == {"lead@example.com"}


def test_a_bounce_belongs_to_the_address_and_not_to_its_successor(importer: Importer) -> None:
    """S2-9: the new address of the entity does not inherit it."""
    prepare(importer)
    have(importer, 90, "contact", "10001", "former@example.com", JANUARY, JULY)
    row = bounce(1, entity_type="contact", entity_id="10001", recipient_id="Former@example.com")
    importer.take(complete([], [row]))
    assert bounced(importer) == {"former@example.com"}


def newsletter(database: Database) -> list[dict[str, Any]]:
    engine = connect(database.url)
    with engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(text(NEWSLETTER_SQL)).mappings()]
    engine.dispose()
    return rows


def test_the_selection_leaves_out_what_came_back(importer: Importer) -> None:
    """S1-29 S1-31: U unsubscribes at 10:00, at 11:00 no row with U's address is selected, neither
    U nor the lead that shares it; a bounced address is left out as well.
    """
    engine = connect(importer.database.url)
    build(engine, count=200, seed=3)
    engine.dispose()
    importer.config["streams"] = SHIPPED
    before = newsletter(importer.database)
    contacts = [row for row in before if row["entity_type"] == "contact" and row["email"]]
    gone, out, stays = contacts[0], contacts[1], contacts[2]
    lead = {"lead_id": 79999, "email": gone["email"].upper(), "given_name": "Ada",
            "family_name": "Berg", "country": "SE", "date_created": JANUARY}  # fmt: skip
    insert(importer.database, LEADS, lead)
    agree(importer, 99999, "lead", "79999", "newsletter")
    have(importer, 99999, "lead", "79999", lead["email"])
    assert len(newsletter(importer.database)) == len(before) + 1
    run = importer.take(
        complete(
            [unsubscribe(1, recipient_id=gone["email"], entity_type="contact",
                         entity_id=gone["ctt_id"]),
             unsubscribe(2, recipient_id=stays["email"], list_id=EVENTS_LIST)],
            [bounce(1, recipient_id=out["email"].upper())],
        )
    )  # fmt: skip
    assert run.code == 0, run.said
    after = {row["email"].lower() for row in newsletter(importer.database) if row["email"]}
    expected = {r["email"].lower() for r in before if r["email"]}
    assert expected - after == {gone["email"].lower(), out["email"].lower()}
    assert stays["email"].lower() in after


def test_the_selection_holds_every_kind_of_entity_and_the_agreed_columns(
    database: Database, tmp_path: Path
) -> None:
    """S1-3 S1-13 S1-14 S1-18: the tap reads it as printed, accounts without address included."""
    engine = connect(database.url)
    build(engine, count=400, seed=5)
    engine.dispose()
    stream = {"name": "newsletter_recipients", "query": NEWSLETTER_SQL, "primary_key": ["optin_id"]}
    run = run_command({"database_url": database.url, "streams": [stream]}, tmp_path)
    assert run.code == 0, run.errors
    rows = run.records("newsletter_recipients")
    assert [set(row) for row in rows[:1]] == [{
        "email", "given_name", "family_name", "org_country", "consent", "optin_id", "description",
        "media_type", "entity_type", "ctt_id",
    }]  # fmt: skip
    assert {row["entity_type"] for row in rows} == {"contact", "lead", "account"}
    assert any(row["entity_type"] == "account" and not row["email"] for row in rows)
    assert {row["consent"] for row in rows} == {"newsletter"}
    assert all(row["ctt_id"] == row["ctt_id"].strip() for row in rows)
    assert len({row["optin_id"] for row in rows}) == len(rows)
    with contextlib.closing(database.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM consents WHERE purpose = 'newsletter'")
        (agreed,) = cursor.fetchone()
    assert 0.8 * agreed < len(rows) < agreed


def test_the_shipped_statements_name_columns_that_the_tap_has() -> None:
    """Every parameter is a column of tap-optimizely's stream, or one of the table's own."""
    own = {"row_key", "row_hash", "first_seen_at", "last_seen_at"}
    for stream, entry in SHIPPED.items():
        columns = set(tap_schema(stream, ())["properties"])
        assert set(COLUMNS[stream]) == columns
        for statement in entry["apply_sql"]:
            assert parse_statement(statement).parameters <= columns | own
