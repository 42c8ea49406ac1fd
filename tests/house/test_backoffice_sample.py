"""The sample backoffice: the same people for the same seed, flaws and all."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from backoffice import database
from backoffice.people import Faults, invent
from house_support import ROOT
from sqlalchemy import Engine, func, select, text

QUERY = (ROOT / "examples" / "backoffice" / "contacts.sql").read_text(encoding="utf-8")
WELL_FORMED = r"[^@ ,]+@(?:[^@ .]+\.)+\w+"
RESERVED = re.compile(r"@(?:[a-z0-9-]+\.)*example\.(?:com|org|net)$", re.IGNORECASE)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """A freshly built sample of 200 contacts."""
    made = database.connect(f"sqlite:///{tmp_path / 'sample.db'}")
    database.build(made, count=200, seed=1)
    return made


def test_the_same_seed_gives_the_same_people() -> None:
    """Two builds agree, another seed does not."""
    assert invent(300, 7) == invent(300, 7)
    assert invent(300, 7) != invent(300, 8)


def test_two_thousand_contacts_carry_the_announced_flaws() -> None:
    """Missing and malformed addresses, case variants, shared ones and deleted rows, counted."""
    _, contacts = invent(2000, 1)
    faults = Faults().scaled(2000)
    addresses = [c.email for c in contacts]
    usable = [a for a in addresses if a and RESERVED.search(a) and a.count("@") == 1]
    usable = [a for a in usable if not re.search(r"^@|\.\.|[ ,]", a)]
    people = Counter(a.lower() for a in usable)
    assert sum(1 for a in addresses if not a) == faults.missing
    assert len(contacts) - faults.missing - len(usable) == faults.malformed
    assert sum(1 for a in usable if a != a.lower()) == faults.case_variants
    assert sum(n for n in people.values() if n == faults.shared_by) == faults.shared
    assert sum(1 for c in contacts if c.deleted_at) == faults.deleted
    assert len(people) - faults.deleted == faults.reachable(2000)
    assert len({c.org_country for c in contacts}) > 8
    assert any(not c.family_name.isascii() for c in contacts)


def test_sample_addresses_stay_in_reserved_domains() -> None:
    """Well-formed addresses end in example.com, example.org or example.net."""
    _, contacts = invent(2000, 3)
    formed = [c.email for c in contacts if c.email and re.fullmatch(WELL_FORMED, c.email)]
    assert len(formed) > 1900
    assert [a for a in formed if not RESERVED.search(a)] == []


def test_change_touches_25_rows_and_one_address(engine: Engine) -> None:
    """Exactly the returned rows differ, one in its address, all with a newer updated_at."""
    contacts = select(database.CONTACTS).order_by("ctt_id")
    with engine.connect() as connection:
        before = {row.ctt_id: row for row in connection.execute(contacts)}
    keys = database.change(engine)
    with engine.connect() as connection:
        after = {row.ctt_id: row for row in connection.execute(contacts)}
    newest = max(row.updated_at for row in before.values())
    assert len(keys) == 25
    assert sorted(k for k in after if after[k] != before[k]) == sorted(keys)
    assert [k for k in keys if after[k].email != before[k].email] == keys[:1]
    assert all(newest < after[k].updated_at < newest + timedelta(minutes=2) for k in keys)
    plain = [tuple(after[k])[:-2] != tuple(before[k])[:-2] for k in keys]
    assert all(plain), "each changed row differs in more than its time"


def test_the_shipped_query_runs_as_printed(engine: Engine) -> None:
    """S0-1 S0-5 S0-65: one flat row per living contact, its columns named as settings use them."""
    with engine.connect() as connection:
        rows = connection.execute(text(QUERY)).mappings().all()
        living = connection.execute(
            select(func.count()).where(database.CONTACTS.c.deleted_at.is_(None))
        ).scalar_one()
    assert len(rows) == living
    assert {
        "ctt_id", "email", "date_created", "work_phone", "given_name", "family_name",
        "org_country", "language_code", "mobile_phone", "contact_id", "organization", "org_id",
    } <= set(rows[0])  # fmt: skip


def test_registrations_are_joined_independently(engine: Engine) -> None:
    """S0-2 S0-4: contact and account id come each on its own; without one the row stays."""
    with engine.begin() as connection:
        both, account_only = connection.execute(
            select(database.CONTACTS.c.ctt_id, database.CONTACTS.c.act_id)
            .where(database.CONTACTS.c.act_id.is_not(None))
            .where(database.CONTACTS.c.deleted_at.is_(None))
            .distinct()
            .limit(2)
        ).all()
        accounts = {both.act_id, account_only.act_id}
        connection.execute(
            database.MARKETING_CONTACTS.insert(), [{"ctt_id": both.ctt_id, "contact_id": 7}]
        )
        connection.execute(
            database.MARKETING_ACCOUNTS.insert(), [{"act_id": a, "account_id": 9} for a in accounts]
        )
        rows = {r["ctt_id"]: r for r in connection.execute(text(QUERY)).mappings()}
    assert (rows[both.ctt_id]["contact_id"], rows[both.ctt_id]["organization"]) == (7, 9)
    assert rows[both.ctt_id]["org_id"] == rows[both.ctt_id]["organization"]
    assert (rows[account_only.ctt_id]["contact_id"], rows[account_only.ctt_id]["org_id"]) == (
        None,
        9,
    )
    empty = [r for r in rows.values() if r["contact_id"] is None and r["organization"] is None]
    assert len(empty) > 150


def test_identical_rows_are_collapsed_by_the_query(engine: Engine) -> None:
    """S0-3: the query asks for distinct rows, and no row comes twice."""
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(QUERY))]
    assert "select distinct" in QUERY
    assert len(rows) == len(set(rows))


def test_meltano_yml_runs_the_same_query() -> None:
    """The query in meltano.yml is the shipped file, word for word."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    taps = {tap["name"]: tap for tap in project["plugins"]["extractors"]}
    (stream,) = taps["tap-backoffice-query"]["config"]["streams"]
    assert stream["query"].strip() == QUERY.strip()


def test_meltano_yml_selects_the_same_recipients() -> None:
    """The newsletter's query in meltano.yml is the shipped file, word for word."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    taps = {tap["name"]: tap for tap in project["plugins"]["extractors"]}
    (stream,) = taps["tap-backoffice-newsletter"]["config"]["streams"]
    shipped = (ROOT / "examples/backoffice/newsletter.sql").read_text(encoding="utf-8")
    assert stream["query"].strip() == shipped.strip()


def test_meltano_yml_applies_the_same_feedback() -> None:
    """The statements in meltano.yml are those of the shipped file."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    loaders = {loader["name"]: loader for loader in project["plugins"]["loaders"]}
    shipped = yaml.safe_load((ROOT / "examples/backoffice/feedback.yml").read_text("utf-8"))
    assert loaders["target-backoffice"]["config"]["streams"] == shipped
