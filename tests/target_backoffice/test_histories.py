"""Any order, any repetition, any cut: who unsubscribed after agreeing stays out."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from backoffice.database import METADATA, connect
from backoffice.marketing import CONSENTS, MARKETING_LISTS
from hypothesis import given, settings
from hypothesis import strategies as st
from tap_support import Database
from target_backoffice_support import (
    NEWSLETTER_LIST,
    SHIPPED,
    Importer,
    fetch,
    schema,
    unsubscribe,
)

PEOPLE = 3
DAY = "2026-01-{:02d}T00:00:00"


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, Any]]:
    """Days 2 to 9: somebody agrees anew, or past events are delivered, some of them again."""
    steps: list[tuple[str, Any]] = []
    for day in range(2, 10):
        if draw(st.booleans()):
            steps.append(("agree", (draw(st.integers(1, PEOPLE)), day)))
        events = st.tuples(st.integers(1, PEOPLE), st.integers(1, day - 1))
        if batch := draw(st.lists(events, max_size=5)):
            steps.append(("deliver", batch))
    return steps


@settings(max_examples=15, deadline=None)
@given(histories())
def test_a_consent_stands_exactly_when_nothing_came_after_it(steps: list[tuple[str, Any]]) -> None:
    """X2 S1-33: after any history a consent stands if no unsubscribe from its day on has come;
    late, repeated and reordered deliveries change nothing else.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "b.db").touch()
        database = Database("sqlite", f"sqlite:///{home / 'b.db'}")
        engine = connect(database.url)
        METADATA.create_all(engine)
        with engine.begin() as connection:
            lists = {"list_id": NEWSLETTER_LIST, "purpose": "newsletter"}
            connection.execute(MARKETING_LISTS.insert(), [lists])
        importer = Importer(home, database, streams=SHIPPED, feedback_file=None, batch_size_rows=2)
        granted = dict.fromkeys(range(1, PEOPLE + 1), 1)
        for number in granted:
            agree(database, number, 1)
        came: dict[int, set[int]] = {number: set() for number in granted}
        for kind, what in steps:
            if kind == "agree":
                number, day = what
                granted[number] = day
                agree(database, number, day)
                continue
            rows = [event(number, day) for number, day in what]
            assert importer.take([schema("unsubscribes"), *rows]).code == 0
            for number, day in what:
                came[number].add(day)
        engine.dispose()
        query = "SELECT consent_id FROM consents WHERE withdrawn_at IS NULL"
        stands = {row[0] for row in fetch(database, query)}
    assert stands == {n for n, since in granted.items() if all(day < since for day in came[n])}


def agree(database: Database, number: int, day: int) -> None:
    """Give the consent, or give it again: the backoffice's own doing."""
    engine = connect(database.url)
    moment = DAY.format(day).replace("T", " ") + ".000000"
    with engine.begin() as connection:
        connection.execute(CONSENTS.delete().where(CONSENTS.c.consent_id == number))
    engine.dispose()
    database.execute(
        f"INSERT INTO consents VALUES ({number}, 'contact', '{number}', 'OPT-{number}', "
        f"'newsletter', 'email', '{moment}', NULL)"
    )


def event(number: int, day: int) -> dict[str, Any]:
    """The same person and day are the same event."""
    key = f"{number}-{day}"
    return unsubscribe(number, event_key=key, entity_type="contact", entity_id=str(number),
                       event_time=DAY.format(day))  # fmt: skip
