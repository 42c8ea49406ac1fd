"""Feedback rows in their tables: types, natural keys, twice is nothing."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from target_backoffice_support import (
    Importer,
    bounce,
    complete,
    dump,
    fetch,
    marker,
    record,
    schema,
    state,
    unsubscribe,
)

TABLES = ("marketing_unsubscribes", "marketing_bounces", "marketing_worklist")


def test_two_streams_become_rows_of_two_tables(importer: Importer) -> None:
    """Each record is one row of its stream's table, and STATE comes out after them."""
    run = importer.take(complete([unsubscribe(1), unsubscribe(2)], [bounce(1)]))
    assert run.code == 0, run.said
    query = "SELECT recipient_id, list_id, scope, event_time FROM marketing_unsubscribes ORDER BY 1"
    moment = "2026-11-20 10:00:00"
    assert [(*row[:3], str(row[3])[:19]) for row in fetch(importer.database, query)] == [
        ("person1@example.com", "120000000001", "list", moment),
        ("person2@example.com", "120000000001", "list", moment),
    ]
    query = "SELECT recipient_id, kind, bounced_out FROM marketing_bounces"
    assert fetch(importer.database, query) == [("person1@example.com", "out", True)]
    assert run.states == [marker(unsubscribes=2, bounces=1)["value"]]


def test_the_same_input_twice_changes_nothing(importer: Importer) -> None:
    """S1-33 X3: a second import leaves every byte of the tables as it was and writes nothing."""
    odd = unsubscribe(3, event_time="2026-11-20T11:30:00.123456+01:00", reason="Straße 😀 \\ ' %s")
    newer = unsubscribe(1, reason="again", event_time="2026-11-21T10:00:00Z")
    messages = complete([unsubscribe(1), unsubscribe(2), odd, newer], [bounce(1), bounce(2)])
    first = importer.take(messages)
    before = dump(importer.database, *TABLES)
    second = importer.take(messages)
    assert (first.code, second.code) == (0, 0)
    assert dump(importer.database, *TABLES) == before
    assert first.outcomes() == {"applied": 3, "suppressed": 1}
    assert second.outcomes() == {"unchanged": 3, "suppressed": 1}
    assert second.report["writes"] == 0


def test_a_changed_row_keeps_the_day_it_was_first_seen(importer: Importer) -> None:
    """An update replaces what the record says and leaves `first_seen_at`."""
    importer.take(complete([unsubscribe(1)]))
    query = "SELECT first_seen_at, last_seen_at, reason FROM marketing_unsubscribes"
    ((first, seen, _),) = fetch(importer.database, query)
    run = importer.take(complete([unsubscribe(1, reason="too many mails")]))
    ((still, later, reason),) = fetch(importer.database, query)
    assert (still, reason) == (first, "too many mails")
    assert str(later) > str(seen)
    assert run.stream()["outcomes"]["applied"] == 1


def test_a_key_may_hold_nulls_long_texts_and_letters_of_either_case(importer: Importer) -> None:
    """Key columns that differ only in case, or of which one is empty, are rows of their own."""
    columns = {"who": {"type": "string"}, "list": {"type": ["integer", "null"]}}
    streams = {"unsubscribes": {"key": ["who", "list"]}}
    whos = ["A@example.com", "a@example.com", "a" * 3000 + "@example.com"]
    rows = [record("unsubscribes", who=who, list=n) for who in whos for n in (None, 7)]
    messages = [schema("unsubscribes", key=[], **columns), *rows, *rows, marker(unsubscribes=12)]
    run = importer.take(messages, streams=streams)
    assert run.code == 0, run.said
    assert fetch(importer.database, "SELECT count(*) FROM marketing_unsubscribes") == [(6,)]
    assert run.outcomes() == {"applied": 6, "suppressed": 6}


def test_every_json_type_has_its_column(importer: Importer) -> None:
    """Integers of 64 bits, fractions, booleans, dates, objects and lists come back as they were."""
    columns: dict[str, Any] = {
        "big": {"type": ["integer", "null"]},
        "share": {"type": ["number", "null"]},
        "yes": {"type": ["boolean", "null"]},
        "day": {"type": ["string", "null"], "format": "date"},
        "moment": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "address": {"type": ["string", "null"], "format": "email"},
        "parts": {"type": ["object", "null"]},
        "list_of": {"type": ["array", "null"]},
        "several": {"type": ["string", "integer", "null"]},
    }
    values = {
        "big": 2**62, "share": 0.1, "yes": True, "day": "2026-02-28",
        "moment": "2026-11-20T11:00:00.25+01:00", "address": "a@example.com",
        "parts": {"ä": [1, None]}, "list_of": ["x", 2], "several": 5,
    }  # fmt: skip
    rows = [unsubscribe(1, **values), unsubscribe(2)]
    run = importer.take([schema("unsubscribes", **columns), *rows], feedback_file=None)
    assert run.code == 0, run.said
    names = ", ".join(columns)
    query = f"SELECT {names} FROM marketing_unsubscribes ORDER BY recipient_id"
    full, empty = fetch(importer.database, query)
    big, share, yes, day, moment, address, parts, list_of, several = full
    assert (big, share, bool(yes), str(day), address) == (2**62, 0.1, True, "2026-02-28",
                                                         "a@example.com")  # fmt: skip
    assert str(moment).rstrip("0") == "2026-11-20 10:00:00.25"
    assert (json.loads(parts), json.loads(list_of), several) == ({"ä": [1, None]}, ["x", 2], "5")
    assert set(empty) == {None}


def test_a_new_column_is_added_to_the_table_that_is_there(importer: Importer) -> None:
    """Schema evolution: later inputs may say more; rows that said less stay unchanged."""
    importer.take(complete([unsubscribe(1), unsubscribe(2)]))
    wider = schema("unsubscribes", campaign={"type": ["string", "null"]})
    messages = [wider, unsubscribe(1), unsubscribe(2, campaign="spring"), schema("bounces")]
    run = importer.take([*messages, marker(unsubscribes=2)])
    assert run.code == 0, run.said
    assert run.outcomes() == {"unchanged": 1, "applied": 1}
    query = "SELECT campaign FROM marketing_unsubscribes ORDER BY recipient_id"
    assert fetch(importer.database, query) == [(None,), ("spring",)]


def test_a_table_of_the_backoffice_keeps_its_types(importer: Importer) -> None:
    """What the backoffice typed stays typed so; a value that doesn't fit is a named reject."""
    importer.database.execute(
        "CREATE TABLE marketing_unsubscribes (row_key varchar(64) PRIMARY KEY, "
        "row_hash varchar(64), entity_id integer, reason varchar(5), remark varchar(10))"
    )
    run = importer.take(
        complete([
            unsubscribe(1, entity_id="17", reason="short"),
            unsubscribe(2, entity_id="seventeen"),
            unsubscribe(3, reason="longer than five"),
        ])
    )  # fmt: skip
    assert run.code == 4, run.said
    query = "SELECT entity_id, reason, remark FROM marketing_unsubscribes"
    assert fetch(importer.database, query) == [(17, "short", None)]
    assert run.causes() == {"value_does_not_fit": 1, "too_long": 1}
    assert {r["field"] for r in importer.rejects()} == {"entity_id", "reason"}


def test_a_table_without_our_key_is_refused_before_any_write(importer: Importer) -> None:
    """A table of another shape is a configuration error."""
    importer.database.execute("CREATE TABLE marketing_unsubscribes (row_key varchar(64), x int)")
    run = importer.take(complete([unsubscribe(1)]))
    assert run.code == 2
    assert "has no unique key" in run.said
    assert fetch(importer.database, "SELECT count(*) FROM marketing_unsubscribes") == [(0,)]


def test_state_waits_for_the_commit_of_all_streams_before_it(on_sqlite: Importer) -> None:
    """S1-35: a STATE between interleaved streams comes out when both are durable up to it."""
    mixed = [m for n in range(1, 7) for m in (unsubscribe(n), bounce(n), state(n))]
    messages = [schema("unsubscribes"), schema("bounces"), *mixed]
    run = on_sqlite.take(messages, batch_size_rows=2, feedback_file=None)
    assert [s["bookmarks"]["unsubscribes"]["position"] for s in run.states] == [2, 4, 6]


def test_rejects_are_offered_again_until_they_fit(on_sqlite: Importer) -> None:
    """A record that could not be written is kept, tried again, and closed once it is delivered."""
    bad, good = unsubscribe(1, event_time="yesterday"), unsubscribe(2)
    first = on_sqlite.take(complete([bad, good]))
    assert (first.code, first.outcomes()) == (4, {"rejected": 1, "applied": 1})
    again = on_sqlite.take(complete())
    assert (again.code, again.outcomes()) == (4, {"rejected": 1})
    assert [r["tries"] for r in on_sqlite.rejects()] == [2]
    assert on_sqlite.feedback is None
    last = on_sqlite.take(complete([unsubscribe(1)]))
    assert (last.code, on_sqlite.rejects()) == (0, [])
    assert on_sqlite.feedback is not None


@pytest.mark.parametrize(("bad", "code"), [(2, 0), (3, 4)])
def test_the_error_budget_ends_the_run_one_past_its_limit(
    on_sqlite: Importer, bad: int, code: int
) -> None:
    """X4: max_errors rows are tolerated, one more ends the run with code 4; all are counted."""
    rows = [unsubscribe(n, event_time="no time") for n in range(bad)]
    messages = [schema("unsubscribes"), *rows, unsubscribe(9), state(1)]
    run = on_sqlite.take(messages, max_errors=2, feedback_file=None)
    assert run.code == code, run.said
    assert sum(run.stream()["outcomes"].values()) == bad + 1
    assert len(on_sqlite.rejects()) == bad


def test_a_moment_without_zone_is_taken_for_utc(on_sqlite: Importer) -> None:
    """Columns of time hold UTC without a zone."""
    times = ("2026-11-20T10:00:00", "2026-11-20T12:00:00+02:00", "2026-11-20")
    on_sqlite.take(complete([unsubscribe(n, event_time=t) for n, t in enumerate(times)]))
    query = "SELECT event_time FROM marketing_unsubscribes ORDER BY recipient_id"
    found = [dt.datetime.fromisoformat(row[0]) for row in fetch(on_sqlite.database, query)]
    day = dt.datetime.fromisoformat("2026-11-20")
    assert found == [day.replace(hour=10), day.replace(hour=10), day]
