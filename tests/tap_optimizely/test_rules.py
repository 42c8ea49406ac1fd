"""The deciding rooms by themselves: pages, scopes, times, keys, ages."""

from __future__ import annotations

import datetime as dt
import itertools
import zoneinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tap_optimizely.bookmarks import Bookmark, windows
from tap_optimizely.lifetime import Age, age
from tap_optimizely.paging import Restless, all_rows
from tap_optimizely.records import complete, event_key, is_assigned
from tap_optimizely.timestamps import is_format, parser, to_text
from tap_optimizely.unsubscribes import Told, scope

NOW = dt.datetime(2026, 3, 1, 6, tzinfo=dt.UTC)
VIENNA = zoneinfo.ZoneInfo("Europe/Vienna")


@given(rows=st.integers(0, 60), asked=st.integers(2, 20), cap=st.integers(2, 20))
def test_every_row_is_read_however_many_the_server_gives(rows: int, asked: int, cap: int) -> None:
    """A server that caps its pages below what was asked for loses no row."""
    listing = list(range(rows))
    read = list(all_rows(lambda start, count: listing[start : start + min(count, cap)], asked))
    assert read == listing


@given(
    removals=st.lists(st.integers(0, 29), max_size=4),
    size=st.integers(2, 5),
    rows=st.integers(1, 30),
)
def test_rows_that_stay_are_read_while_others_leave(
    removals: list[int], size: int, rows: int
) -> None:
    """Whatever is taken out between two calls."""
    listing, left = list(range(rows)), list(removals)

    def fetch(start: int, count: int) -> list[int]:
        page = listing[start : start + count]
        if left:
            gone = left.pop()
            if gone in listing:
                listing.remove(gone)
        return page

    read = set(all_rows(fetch, size))
    assert set(listing) <= read


def test_a_listing_that_never_rests_is_given_up() -> None:
    """An end that cannot be trusted is no end."""
    counter = itertools.count()
    with pytest.raises(Restless):
        list(all_rows(lambda start, count: [next(counter), next(counter)], 2))


ROWS = ("list_id", "mailing_id", "opt_in_id")


@pytest.mark.parametrize("told", list(itertools.product([None, "7"], repeat=3)))
@pytest.mark.parametrize("assigned", [True, False])
@pytest.mark.parametrize("is_listing", [True, False])
@pytest.mark.parametrize("rule", ["by_list", "client"])
def test_the_scope_of_every_row(
    told: tuple[str | None, ...], assigned: bool, is_listing: bool, rule: str
) -> None:
    """All of what a row can tell: the client only where nothing narrower is told (S1-47)."""
    record = {**dict(zip(ROWS, told, strict=True)), "assigned": assigned}
    found = scope(record, rule, is_listing=is_listing)
    named = told[0] if is_listing else any(told)
    if rule == "client":
        assert found == "client"
    elif named:
        assert found == "list"
    else:
        assert found == ("client" if assigned else None)


def test_list_zero_is_the_client() -> None:
    """The vendor's own spelling of a client-wide unsubscribe (S1-47)."""
    record = {"list_id": "0", "mailing_id": "5", "assigned": True}
    assert scope(record, "by_list", is_listing=False) == "client"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("iso", "2026-03-01T06:00:00+01:00", "2026-03-01T05:00:00+00:00"),
        ("iso", "2026-07-01T06:00:00", "2026-07-01T04:00:00+00:00"),
        ("iso", "2026-03-01", "2026-02-28T23:00:00+00:00"),
        ("epoch_ms", "1772344800000", "2026-03-01T06:00:00+00:00"),
        ("dd.MM.yyyy HH:mm:ss", "01.03.2026 07:00:00", "2026-03-01T06:00:00+00:00"),
        ("dd.MM.yyyy HH:mm", "01.03.2026 07:00", "2026-03-01T06:00:00+00:00"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2026-03-01 07:00:00.250", "2026-03-01T06:00:00.250000+00:00"),
        ("MM/dd/yyyy", "03/01/2026", "2026-02-28T23:00:00+00:00"),
    ],
)
def test_times_of_every_format(name: str, text: str, expected: str) -> None:
    """Summer time included."""
    assert is_format(name)
    assert to_text(parser(name, VIENNA)(text)) == expected


@pytest.mark.parametrize("name", ["", "iso8601", "%Y-%m-%d", "dd.MM", 7, "yyyy'x'"])
def test_other_formats_are_refused(name: object) -> None:
    """Nothing that would be read wrongly."""
    assert not is_format(name)


@pytest.mark.parametrize(
    ("format_name", "text"),
    [("epoch_ms", "9" * 30), ("iso", "0001-01-01T00:00:00"), ("iso", "x"), ("epoch_ms", "1.5")],
)
def test_times_out_of_range_are_errors_of_one_kind(format_name: str, text: str) -> None:
    """So that nobody has to know how Python fails."""
    with pytest.raises(ValueError):  # noqa: PT011 - its text is nobody's business
        parser(format_name, VIENNA)(text)


@pytest.mark.parametrize(
    ("columns", "record", "expected"),
    [
        ({"recipient_id"}, {"recipient_id": "a"}, True),
        ({"recipient_id"}, {"recipient_id": None}, False),
        ({"recipient_id", "list_id"}, {"recipient_id": "a", "list_id": None}, False),
        ({"recipient_id", "list_id"}, {"recipient_id": "a", "list_id": "1"}, True),
        ({"list_id", "entity_id"}, {"list_id": "1", "entity_id": None}, False),
        ({"list_id", "entity_id"}, {"list_id": None, "entity_id": "e"}, True),
        ({"col_0"}, {"col_0": "a"}, False),
    ],
)
def test_a_row_is_assigned_by_its_most_telling_column(
    columns: set[str], record: dict[str, Any], expected: bool
) -> None:
    """No other column stands in for it (S1-38)."""
    assert is_assigned(record, columns) == expected


def test_one_event_has_one_key_from_every_source() -> None:
    """Source and export are no part of it; client and stream are."""
    row = {"recipient_id": "a", "event_time": "2026-03-01T06:00:00+00:00"}
    more: dict[str, Any] = {"columns": {"recipient_id"}, "client_id": 1, "stream": "bounces"}
    one = complete(row, source="csv", export=None, **more)
    other = complete(row, source="closed_loop", export="responses", **more)
    assert one["event_key"] == other["event_key"]
    assert event_key("opens", one) != one["event_key"]
    assert (
        complete(row, source="csv", export=None, **{**more, "client_id": 2})["event_key"]
        != (one["event_key"])
    )


def told(**more: str | None) -> dict[str, Any]:
    return {"recipient_id": "a", "event_time": NOW.isoformat(), "assigned": True, **more}


def test_rows_that_contradict_stay_apart() -> None:
    """Two lists in the same second are two unsubscribes."""
    held = Told()
    for list_id in ("1", "2"):
        held.add(told(list_id=list_id))
    assert [one["list_id"] for one in held.rest()] == ["1", "2"]


def test_a_row_without_person_or_time_is_never_left_out() -> None:
    """Nothing can be compared, so nothing is dropped."""
    held = Told()
    for row in ({"recipient_id": None}, {"event_time": None}):
        held.add(told() | row)
        held.drop_told_by(told() | row)
    assert len(list(held.rest())) == 2


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, Age.FRESH), (7, Age.FRESH), (7.01, Age.LATE), (14, Age.LATE), (14.01, Age.GAP)],
)
def test_the_age_of_a_fetch(days: float, expected: Age) -> None:
    """Late from the share on, a gap once the lifetime is over (S1-37)."""
    before = Bookmark(fetched_at=NOW - dt.timedelta(days=days))
    assert age(before, NOW, dt.timedelta(days=14), 0.5) is expected


def test_windows_meet_where_the_next_run_begins() -> None:
    """What the next run reads again is read apart, to be remembered."""
    day = dt.timedelta(days=1)
    old, recent = windows(NOW - 3 * day, NOW, day)
    assert (old.recent, recent.recent) == (False, True)
    assert recent.since < old.until == recent.since + 1
    [only] = windows(NOW - day / 2, NOW, day)
    assert only.recent
    [first, _] = windows(None, NOW, day)
    assert first.since == 0
